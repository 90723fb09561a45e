import { formatIpLiteral, parseIpLiteral } from "../../netlink/ip-literal.js";
import type { Endpoints } from "./endpoints.js";
import { signatureV2 } from "./parse.js";

/** HAProxy's send-proxy, and send-proxy-v2. */
export type ProxyVersion = 1 | 2;

/**
 * The header that a sender puts in front of everything else (HAProxy's doc/proxy-protocol.txt). `ends` null, or an address
 * that is none: the connection is said to be the sender's own (UNKNOWN, LOCAL). Where one side is IPv4 and the other IPv6,
 * both are told as IPv6. Pure.
 */
export function encodeProxyHeader(version: ProxyVersion, ends: Endpoints | null): Uint8Array {
  const source = ends === null ? null : parseIpLiteral(ends.source.address);
  const destination = ends === null ? null : parseIpLiteral(ends.destination.address);
  if (ends === null || source === null || destination === null)
    return version === 1 ? Buffer.from("PROXY UNKNOWN\r\n") : headerV2(0x20, 0, []);
  const isIPv4 = source.length === 4 && destination.length === 4;
  const [from, to] = isIPv4 ? [source, destination] : [mapped(source), mapped(destination)];
  const ports = [ends.source.port, ends.destination.port];
  if (version === 1) {
    const family = isIPv4 ? "TCP4" : "TCP6";
    return Buffer.from(
      `PROXY ${family} ${formatIpLiteral(from)} ${formatIpLiteral(to)} ${ports.join(" ")}\r\n`,
    );
  }
  const portBytes = ports.flatMap((port) => [port >> 8, port & 0xff]);
  return headerV2(0x21, isIPv4 ? 0x11 : 0x21, [...from, ...to, ...portBytes]);
}

function headerV2(command: number, family: number, addresses: readonly number[]): Uint8Array {
  return Uint8Array.of(...signatureV2, command, family, 0, addresses.length, ...addresses);
}

/** RFC 4291 §2.5.5.2. */
function mapped(address: Uint8Array): Uint8Array {
  if (address.length === 16) return address;
  return Uint8Array.of(...new Uint8Array(10), 0xff, 0xff, ...address);
}
