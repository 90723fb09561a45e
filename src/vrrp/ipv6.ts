import { parseIpLiteral } from "../netlink/ip-literal.js";

/** Where VRRP over IPv6 goes (RFC 9568 §5.1.2.2). */
export const vrrpMulticastGroupV6 = "ff02::12";

const headerBytes = 40;

/**
 * An IPv6 datagram (RFC 8200 §3) around a payload: traffic class as in `Ipv4Header`, no flow label, hop limit 255.
 * Throws a TypeError where an address is no literal.
 */
export function encodeIpv6(
  header: {
    readonly source: string;
    readonly destination: string;
    readonly trafficClass: number;
    readonly hopLimit: number;
    readonly nextHeader: number;
  },
  payload: Uint8Array,
): Uint8Array {
  const source = parseIpLiteral(header.source);
  const destination = parseIpLiteral(header.destination);
  if (source?.length !== 16 || destination?.length !== 16) {
    throw new TypeError(`'${header.source}' or '${header.destination}' is no IPv6 address`);
  }
  const bytes = new Uint8Array(headerBytes + payload.length);
  bytes[0] = 0x60 | (header.trafficClass >> 4);
  bytes[1] = (header.trafficClass & 0x0f) << 4;
  bytes.set([payload.length >> 8, payload.length & 0xff, header.nextHeader, header.hopLimit], 4);
  bytes.set(source, 8);
  bytes.set(destination, 24);
  bytes.set(payload, headerBytes);
  return bytes;
}
