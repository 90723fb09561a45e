import { parseIpLiteral } from "../../../netlink/ip-literal.js";
import type { SocketAddress } from "./kernel.js";

/**
 * `struct sockaddr_in` (ip(7)) or `struct sockaddr_in6` (ipv6(7)) of an address literal, on a little-endian machine; null
 * when it is none, and so a host name. Pure.
 */
export function encodeSocketAddress(literal: string, port: number): SocketAddress | null {
  const bytes = parseIpLiteral(literal);
  if (bytes === null) return null;
  const ipv6 = bytes.length === 16;
  const address = new Uint8Array(ipv6 ? 28 : 16);
  address[0] = ipv6 ? 10 : 2;
  address[2] = port >> 8;
  address[3] = port & 0xff;
  address.set(bytes, ipv6 ? 8 : 4);
  return address;
}
