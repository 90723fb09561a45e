import { parseIpLiteral } from "./ip-literal.js";
import { viewOf } from "./rtnetlink-message.js";

export const ETHERTYPE_IPV6 = 0x86dd;
/** Ethernet's address of ff02::1, every node on the link (RFC 2464 §7). */
export const ALL_NODES_MAC = Uint8Array.of(0x33, 0x33, 0, 0, 0, 1);

const ETHERNET_BYTES = 14;
const IPV6_BYTES = 40;
const ADVERTISEMENT_BYTES = 32;
const NEXT_HEADER_ICMPV6 = 58;
const TYPE_NEIGHBOUR_ADVERTISEMENT = 136;
const FLAG_ROUTER = 0x80;
const FLAG_OVERRIDE = 0x20;
const OPTION_TARGET_LINK_ADDRESS = 2;

/**
 * An unsolicited neighbour advertisement (RFC 4861 §7.2.6, RFC 9568 §6.4.1): "ADDRESS is at MAC", to all nodes, with
 * the override flag, so that whoever knows the address learns its new MAC. `isRouter`: this node forwards IPv6. Pure;
 * 86 bytes, checksum included.
 *
 * Throws a TypeError when `mac` is not six bytes or `address` not an IPv6 literal.
 */
export function neighbourAdvertisementFrame(mac: Uint8Array, address: string, isRouter: boolean): Uint8Array {
  const ip = parseIpLiteral(address);
  if (mac.length !== 6) throw new TypeError(`a MAC address has 6 bytes, not ${mac.length}`);
  if (ip?.length !== 16) throw new TypeError(`'${address}' is not an IPv6 address`);
  const frame = new Uint8Array(ETHERNET_BYTES + IPV6_BYTES + ADVERTISEMENT_BYTES);
  const view = viewOf(frame);
  frame.set(ALL_NODES_MAC, 0);
  frame.set(mac, 6);
  view.setUint16(12, ETHERTYPE_IPV6);

  const header = frame.subarray(ETHERNET_BYTES, ETHERNET_BYTES + IPV6_BYTES);
  header.set([0x60, 0, 0, 0, 0, ADVERTISEMENT_BYTES, NEXT_HEADER_ICMPV6, 255], 0);
  header.set(ip, 8);
  header.set([0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1], 24);

  const message = frame.subarray(ETHERNET_BYTES + IPV6_BYTES);
  message[0] = TYPE_NEIGHBOUR_ADVERTISEMENT;
  message[4] = FLAG_OVERRIDE | (isRouter ? FLAG_ROUTER : 0);
  message.set(ip, 8);
  message.set([OPTION_TARGET_LINK_ADDRESS, 1], 24);
  message.set(mac, 26);
  viewOf(message).setUint16(2, checksum(header, message));
  return frame;
}

/** Over RFC 8200 §8.1's pseudo-header, whose fields the header holds, and the message. */
function checksum(header: Uint8Array, message: Uint8Array): number {
  let sum = message.length + NEXT_HEADER_ICMPV6;
  for (const words of [header.subarray(8), message]) {
    for (let at = 0; at < words.length; at += 2) sum += (words[at] << 8) | words[at + 1];
  }
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}
