import { formatIpLiteral, parseIpLiteral } from "../netlink/ip-literal.js";
import { internetChecksum } from "./checksum.js";
import { vrrpProtocol } from "./packet-v2.js";

/**
 * The VRRPv3 advertisement (RFC 9568 §5.1):
 *
 *     0                   1                   2                   3
 *     0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *    +-------+-------+---------------+---------------+---------------+
 *    |Version| Type  | Virtual Rtr ID|   Priority    | Count IP Addrs|
 *    +-------+-------+---------------+---------------+---------------+
 *    | Reserved (0)  |   Advert interval, cs |       Checksum        |
 *    +---------------+-----------------------+-----------------------+
 *    |             IP addresses, 4 or 16 bytes each                  |
 *    +---------------------------------------------------------------+
 */
export interface AdvertPacketV3 {
  readonly virtualRouterId: number;
  /** 0: the sender gives mastership up. 255: it owns the addresses. */
  readonly priority: number;
  /** The sender's interval in hundredths of a second, 0–4095. */
  readonly advertIntervalCs: number;
  /** Literals of one family, IPv6 in the form of RFC 5952, in the order of the packet. */
  readonly addresses: readonly string[];
}

/** The addresses of the IP datagram around a message: a part of what the checksum covers. */
export interface AdvertPath {
  readonly source: string;
  readonly destination: string;
}

/**
 * What the checksum of an IPv4 advert covers. RFC 5798, keepalived and FRR include a pseudo-header of source,
 * destination, protocol and length; RFC 9568 §5.2.8 and some routers take the message alone. IPv6 has one reading.
 */
export type ChecksumReading = "pseudo-header" | "message";

const version = 3;
const advertisement = 1;
const fixedBytes = 8;

const Field = { versionAndType: 0, virtualRouterId: 1, priority: 2, count: 3, interval: 4, checksum: 6 };

export type ParsedAdvertV3 =
  | { readonly ok: true; readonly packet: AdvertPacketV3; readonly checksum: ChecksumReading }
  | {
      readonly ok: false;
      readonly reason: "short" | "version" | "type" | "checksum";
      readonly detail: string;
    };

/**
 * Reads one message (the payload of the IP datagram) that travelled along `path`, which also says the family. Never
 * throws. Both readings of the IPv4 checksum are accepted. Bytes behind the addresses are ignored.
 */
export function parseAdvertV3(message: Uint8Array, path: AdvertPath): ParsedAdvertV3 {
  if (message.length < fixedBytes) {
    return refuse("short", `${message.length} bytes, shorter than the fixed part of ${fixedBytes}`);
  }
  const spoken = message[Field.versionAndType] >> 4;
  if (spoken !== version) {
    return refuse("version", `VRRP version ${spoken}, not ${version}`);
  }
  const type = message[Field.versionAndType] & 0x0f;
  if (type !== advertisement) {
    return refuse("type", `type ${type}, only ${advertisement} (advertisement) is defined`);
  }
  const count = message[Field.count];
  const addressBytes = path.source.includes(":") ? 16 : 4;
  const length = fixedBytes + count * addressBytes;
  if (message.length < length) {
    return refuse("short", `${message.length} bytes, but ${count} addresses need ${length}`);
  }
  const body = message.subarray(0, length);
  const checksum = readingThatFits(body, path);
  if (checksum === null) {
    const said = (message[Field.checksum] << 8) | message[Field.checksum + 1];
    return refuse("checksum", `checksum 0x${said.toString(16).padStart(4, "0")} does not fit the message`);
  }
  const addresses: string[] = [];
  for (let at = fixedBytes; at < length; at += addressBytes) {
    addresses.push(formatIpLiteral(message.subarray(at, at + addressBytes)));
  }
  const packet: AdvertPacketV3 = {
    virtualRouterId: message[Field.virtualRouterId],
    priority: message[Field.priority],
    advertIntervalCs: ((message[Field.interval] & 0x0f) << 8) | message[Field.interval + 1],
    addresses,
  };
  return { ok: true, packet, checksum };
}

function readingThatFits(body: Uint8Array, path: AdvertPath): ChecksumReading | null {
  if (internetChecksum(withPseudoHeader(body, path)) === 0) {
    return "pseudo-header";
  }
  return !path.source.includes(":") && internetChecksum(body) === 0 ? "message" : null;
}

function refuse(reason: "short" | "version" | "type" | "checksum", detail: string): ParsedAdvertV3 {
  return { ok: false, reason, detail };
}

/** The message to send along `path`, checksum included. Numbers are taken as fields of their width. */
export function encodeAdvertV3(
  packet: AdvertPacketV3,
  path: AdvertPath,
  reading: ChecksumReading = "pseudo-header",
): Uint8Array {
  const addresses = packet.addresses.map(literalBytes);
  const message = new Uint8Array(fixedBytes + addresses.reduce((sum, { length }) => sum + length, 0));
  message[Field.versionAndType] = (version << 4) | advertisement;
  message[Field.virtualRouterId] = packet.virtualRouterId;
  message[Field.priority] = packet.priority;
  message[Field.count] = addresses.length;
  message[Field.interval] = (packet.advertIntervalCs >> 8) & 0x0f;
  message[Field.interval + 1] = packet.advertIntervalCs & 0xff;
  let at = fixedBytes;
  for (const bytes of addresses) {
    message.set(bytes, at);
    at += bytes.length;
  }
  const checksum = internetChecksum(reading === "message" ? message : withPseudoHeader(message, path));
  message[Field.checksum] = checksum >> 8;
  message[Field.checksum + 1] = checksum & 0xff;
  return message;
}

/**
 * The message behind its pseudo-header: RFC 768's for IPv4 (source, destination, zero, protocol, 16-bit length), RFC
 * 8200 §8.1's for IPv6, which sums to the same with its wider length and padding.
 */
function withPseudoHeader(message: Uint8Array, { source, destination }: AdvertPath): Uint8Array {
  const from = literalBytes(source);
  const to = literalBytes(destination);
  const pseudo = new Uint8Array(from.length + to.length + 4 + message.length);
  pseudo.set(from, 0);
  pseudo.set(to, from.length);
  const tail = from.length + to.length;
  pseudo.set([0, vrrpProtocol, message.length >> 8, message.length & 0xff], tail);
  pseudo.set(message, tail + 4);
  return pseudo;
}

/** Throws a TypeError for what is no address: the configuration and the kernel tell literals only. */
function literalBytes(address: string): Uint8Array {
  const bytes = parseIpLiteral(address);
  if (bytes === null) throw new TypeError(`'${address}' is not an IP address`);
  return bytes;
}

/** One line in tcpdump's words. */
export function describeAdvertV3(packet: AdvertPacketV3): string {
  return (
    `VRRPv3, Advertisement, vrid ${packet.virtualRouterId}, prio ${packet.priority}, ` +
    `intvl ${packet.advertIntervalCs}cs, addrs: ${packet.addresses.join(",")}`
  );
}
