import { internetChecksum } from "./checksum.js";
import { formatIpv4, ipv4Bytes } from "./ipv4.js";

/**
 * The VRRPv2 advertisement (RFC 3768 §5.1):
 *
 *     0                   1                   2                   3
 *     0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *    +-------+-------+---------------+---------------+---------------+
 *    |Version| Type  | Virtual Rtr ID|   Priority    | Count IP Addrs|
 *    +-------+-------+---------------+---------------+---------------+
 *    |   Auth Type   |   Adver Int   |          Checksum             |
 *    +---------------+---------------+-------------------------------+
 *    |                  IP addresses, four bytes each                |
 *    +---------------------------------------------------------------+
 *    |        Authentication data, always 8 bytes, always covered    |
 *    |                     by the checksum                           |
 *    +---------------------------------------------------------------+
 */
export interface AdvertPacketV2 {
  readonly virtualRouterId: number;
  /** 0: the sender gives mastership up. 255: it owns the addresses. */
  readonly priority: number;
  readonly authType: number;
  readonly authData: Uint8Array;
  readonly advertIntervalS: number;
  /** Dotted quads, in the order of the packet. */
  readonly addresses: readonly string[];
}

/** RFC 2338 §5.3.6; RFC 3768 keeps 1 and 2 reserved, keepalived and most routers still speak them. */
export const AuthType = { none: 0, pass: 1, ah: 2 } as const;

export const vrrpProtocol = 112;
export const vrrpMulticastGroup = "224.0.0.18";

const version = 2;
const advertisement = 1;
const fixedBytes = 8;
const addressBytes = 4;
export const authDataBytes = 8;

const Field = {
  versionAndType: 0,
  virtualRouterId: 1,
  priority: 2,
  count: 3,
  authType: 4,
  interval: 5,
  checksum: 6,
};

export type ParsedAdvertV2 =
  | { readonly ok: true; readonly packet: AdvertPacketV2 }
  | {
      readonly ok: false;
      readonly reason: "short" | "version" | "type" | "checksum";
      readonly detail: string;
    };

/**
 * Reads one message (the payload of the IP datagram). Never throws.
 *
 * RFC 3768 §7.1 asks in this order: version, completeness, checksum. The type comes before the length, because
 * another type may have another layout. Bytes behind the authentication data are ignored.
 */
export function parseAdvertV2(message: Uint8Array): ParsedAdvertV2 {
  if (message.length < fixedBytes) {
    return refuse("short", `${message.length} bytes, shorter than the fixed part of ${fixedBytes}`);
  }
  const spoken = message[Field.versionAndType] >> 4;
  if (spoken !== version) {
    return refuse("version", `VRRP version ${spoken}, this router speaks ${version}`);
  }
  const type = message[Field.versionAndType] & 0x0f;
  if (type !== advertisement) {
    return refuse("type", `type ${type}, only ${advertisement} (advertisement) is defined`);
  }
  const count = message[Field.count];
  const authAt = fixedBytes + count * addressBytes;
  const length = authAt + authDataBytes;
  if (message.length < length) {
    return refuse("short", `${message.length} bytes, but ${count} addresses need ${length}`);
  }
  if (internetChecksum(message, 0, length) !== 0) {
    const said = (message[Field.checksum] << 8) | message[Field.checksum + 1];
    return refuse("checksum", `checksum 0x${said.toString(16).padStart(4, "0")} does not fit the message`);
  }
  const addresses: string[] = [];
  for (let at = fixedBytes; at < authAt; at += addressBytes) {
    addresses.push(formatIpv4(message, at));
  }
  return {
    ok: true,
    packet: {
      virtualRouterId: message[Field.virtualRouterId],
      priority: message[Field.priority],
      authType: message[Field.authType],
      authData: message.slice(authAt, length),
      advertIntervalS: message[Field.interval],
      addresses,
    },
  };
}

function refuse(reason: "short" | "version" | "type" | "checksum", detail: string): ParsedAdvertV2 {
  return { ok: false, reason, detail };
}

/** The message to send, checksum included. Numbers are taken as bytes; `authData` is cut or padded to 8 bytes. */
export function encodeAdvertV2(packet: AdvertPacketV2): Uint8Array {
  const count = packet.addresses.length;
  const authAt = fixedBytes + count * addressBytes;
  const message = new Uint8Array(authAt + authDataBytes);
  message[Field.versionAndType] = (version << 4) | advertisement;
  message[Field.virtualRouterId] = packet.virtualRouterId;
  message[Field.priority] = packet.priority;
  message[Field.count] = count;
  message[Field.authType] = packet.authType;
  message[Field.interval] = packet.advertIntervalS;
  packet.addresses.forEach((address, index) => {
    message.set(ipv4Bytes(address), fixedBytes + index * addressBytes);
  });
  message.set(packet.authData.subarray(0, authDataBytes), authAt);
  const checksum = internetChecksum(message);
  message[Field.checksum] = checksum >> 8;
  message[Field.checksum + 1] = checksum & 0xff;
  return message;
}

/** keepalived's form of a password: its bytes, cut at 8, padded with NUL. */
export function passwordBytes(password: string): Uint8Array {
  const padded = new Uint8Array(authDataBytes);
  padded.set(new TextEncoder().encode(password).subarray(0, authDataBytes));
  return padded;
}

/** One line in tcpdump's words. The password does not appear. */
export function describeAdvertV2(packet: AdvertPacketV2): string {
  const authentication = ["none", "simple", "ah"][packet.authType] ?? `unknown (${packet.authType})`;
  return (
    `VRRPv2, Advertisement, vrid ${packet.virtualRouterId}, prio ${packet.priority}, ` +
    `authtype ${authentication}, intvl ${packet.advertIntervalS}s, addrs: ${packet.addresses.join(",")}`
  );
}
