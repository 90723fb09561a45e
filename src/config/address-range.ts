import { parseIpLiteral } from "../netlink/ip-literal.js";

/**
 * Ranges of addresses such as 10.0.0.0/8 and fd00::/8, and whether an address is in one. Pure.
 *
 * Addresses are compared in the form of IPv6, IPv4 as `::ffff:a.b.c.d`, so a client that came over a mapped address is the
 * same client.
 */

export interface AddressRange {
  /** As it was written. */
  readonly text: string;
  /** 16 bytes. */
  readonly network: Uint8Array;
  /** 0–128, counted in the form of IPv6. */
  readonly prefixBits: number;
}

const mappedPrefix = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff] as const;

/** The 16 bytes of an IPv4 or IPv6 literal without zone; null: it is none. */
export function addressBytes(text: string): Uint8Array | null {
  const bytes = parseIpLiteral(text);
  return bytes === null || bytes.length === 16 ? bytes : Uint8Array.from([...mappedPrefix, ...bytes]);
}

/** `10.0.0.0/8`, `192.0.2.7`, `fd00::/8`; null: it is no range. Bits behind the prefix do not count. */
export function parseAddressRange(text: string): AddressRange | null {
  const [literal = "", prefix, ...rest] = text.split("/");
  const network = addressBytes(literal);
  if (network === null || rest.length > 0) return null;
  const offset = literal.includes(":") ? 0 : 96;
  const longest = 128 - offset;
  if (prefix === undefined) return { text, network, prefixBits: 128 };
  if (!/^\d{1,3}$/.test(prefix) || Number(prefix) > longest) return null;
  return { text, network, prefixBits: offset + Number(prefix) };
}

/** `address`: what `addressBytes` gives. */
export function isInRange(address: Uint8Array, { network, prefixBits }: AddressRange): boolean {
  const whole = prefixBits >> 3;
  for (let i = 0; i < whole; i++) if (address[i] !== network[i]) return false;
  const bits = prefixBits & 7;
  if (bits === 0) return true;
  const mask = (0xff00 >> bits) & 0xff;
  return (address[whole] & mask) === (network[whole] & mask);
}
