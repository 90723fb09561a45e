import { formatIpv4 } from "./ipv4.js";
import { passwordBytes, vrrpProtocol } from "./packet-v2.js";

/**
 * IP authentication header around a VRRPv2 message, `auth_type AH` (RFC 2338 §5.3.6.3, RFC 2402), in the form that
 * keepalived speaks:
 *
 *    next header 112 (1) | length 4 (1) | reserved (2) | SPI: the source address (4) | sequence (4) | ICV (12)
 *
 * The ICV is HMAC-MD5 over the whole IP datagram, cut at 96 bits. What a router on the way may change counts as zero:
 * TOS, fragment field, header checksum, the ICV itself; the TTL only between unicast peers. The identification counts.
 */
export const authenticationHeaderProtocol = 51;
const authenticationHeaderBytes = 24;

/** HMAC-MD5 of `data`; passed in, because this folder computes nothing that a library does. */
export type HmacMd5 = (key: Uint8Array, data: Uint8Array) => Uint8Array;

const icvAt = 12;
const icvBytes = 12;
/** Of the IP header, without the TTL: TOS, flags and fragment offset, checksum. */
const changedOnTheWay = [1, 6, 7, 10, 11];
const ttlAt = 8;
const shortestIpHeaderBytes = 20;

export interface AuthenticationHeader {
  /** Dotted quad. */
  readonly spi: string;
  readonly sequence: number;
  readonly icv: Uint8Array;
}

export type ParsedAuthenticationHeader =
  | { readonly ok: true; readonly header: AuthenticationHeader; readonly message: Uint8Array }
  | { readonly ok: false; readonly detail: string };

/** Splits the payload of a datagram of protocol 51. Never throws. */
export function parseAuthenticationHeader(payload: Uint8Array): ParsedAuthenticationHeader {
  if (payload.length < authenticationHeaderBytes) {
    return { ok: false, detail: `an authentication header of ${payload.length} bytes, not 24` };
  }
  if (payload[0] !== vrrpProtocol || payload[1] !== authenticationHeaderBytes / 4 - 2) {
    return { ok: false, detail: "its authentication header is not one of VRRP with HMAC-MD5" };
  }
  const header = {
    spi: formatIpv4(payload, 4),
    sequence: new DataView(payload.buffer, payload.byteOffset).getUint32(8),
    icv: payload.subarray(icvAt, icvAt + icvBytes),
  };
  return { ok: true, header, message: payload.subarray(authenticationHeaderBytes) };
}

/** The payload for protocol 51 with its ICV still zero: `seal` fills it, once the IP header is there. */
export function withAuthenticationHeader(
  message: Uint8Array,
  source: Uint8Array,
  sequence: number,
): Uint8Array {
  const payload = new Uint8Array(authenticationHeaderBytes + message.length);
  payload[0] = vrrpProtocol;
  payload[1] = authenticationHeaderBytes / 4 - 2;
  payload.set(source, 4);
  new DataView(payload.buffer).setUint32(8, sequence);
  payload.set(message, authenticationHeaderBytes);
  return payload;
}

/** Writes the ICV into a datagram that begins with its IP header (20 bytes, without options). */
export function seal(datagram: Uint8Array, password: string, unicast: boolean, hmac: HmacMd5): void {
  datagram.set(icvOf(datagram, password, unicast, hmac), shortestIpHeaderBytes + icvAt);
}

/** The ICV that a datagram must have, IP header first and no padding behind it. */
export function icvOf(datagram: Uint8Array, password: string, unicast: boolean, hmac: HmacMd5): Uint8Array {
  // Not slice: of a Buffer, it would be the same memory.
  const covered = Uint8Array.from(datagram);
  const headerBytes = (covered[0] & 0x0f) * 4;
  for (const at of changedOnTheWay) {
    covered[at] = 0;
  }
  if (unicast) {
    covered[ttlAt] = 0;
  }
  covered.fill(0, headerBytes + icvAt, headerBytes + icvAt + icvBytes);
  return hmac(passwordBytes(password), covered).subarray(0, icvBytes);
}
