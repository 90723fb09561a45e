import {
  AddressFamily,
  encodePayload,
  LITTLE_ENDIAN,
  Malformed,
  parseAttributes,
  viewOf,
} from "./rtnetlink-message.js";

/**
 * `struct ifinfomsg` and its attributes (rtnetlink(7), linux/if_link.h): family(1) pad(1) device type(2) index(4)
 * flags(4) change mask(4). Pure.
 */
export interface LinkMessage {
  readonly index: number;
  readonly name: string;
  /** Six bytes; zeros where the link has no Ethernet address. */
  readonly mac: Uint8Array;
  /** Switched on, with carrier, and ready to pass packets. */
  readonly up: boolean;
}

const FIXED_BYTES = 16;
/** IFLA_*. */
const AttributeType = { address: 1, name: 3, extensionMask: 29, alternativeName: 53 } as const;
/** IFF_*: switched on; carrier and operational state; carrier. */
const LinkFlag = { up: 0x1, running: 0x40, lowerUp: 0x1_0000 } as const;
const READY = LinkFlag.up | LinkFlag.running | LinkFlag.lowerUp;
/** RTEXT_FILTER_SKIP_STATS: half of the answer would be counters. */
const SKIP_STATISTICS = 1 << 3;
/** IFNAMSIZ without its NUL. */
const MAX_NAME_BYTES = 15;

/** Payload of an RTM_GETLINK for one interface, by name or by index. */
export function encodeLinkRequest(which: { name: string } | { index: number }): Uint8Array {
  const fixed = new Uint8Array(FIXED_BYTES);
  const mask = new Uint8Array(4);
  viewOf(mask).setUint32(0, SKIP_STATISTICS, LITTLE_ENDIAN);
  const extensionMask = { type: AttributeType.extensionMask, value: mask };
  if ("index" in which) {
    viewOf(fixed).setInt32(4, which.index, LITTLE_ENDIAN);
    return encodePayload(fixed, [extensionMask]);
  }
  const name = new TextEncoder().encode(`${which.name}\0`);
  // A longer name can only be an alternative one (`ip link property add altname`).
  const type = name.length - 1 > MAX_NAME_BYTES ? AttributeType.alternativeName : AttributeType.name;
  return encodePayload(fixed, [{ type, value: name }, extensionMask]);
}

/**
 * An RTM_NEWLINK or RTM_DELLINK. Null: a message of a protocol about the link, not of the link itself. A bridge, for
 * one, says RTM_DELLINK of an interface (family AF_BRIDGE) that merely left it.
 */
export function parseLinkMessage(payload: Uint8Array): LinkMessage | Malformed | null {
  if (payload.length < FIXED_BYTES) {
    return new Malformed(`${payload.length} bytes where a link message needs ${FIXED_BYTES}`);
  }
  if (payload[0] !== AddressFamily.unspecified) return null;
  const attributes = parseAttributes(payload, FIXED_BYTES);
  if (attributes instanceof Malformed) return attributes;
  const name = attributes.get(AttributeType.name);
  if (name === undefined) return new Malformed("a link without a name");
  const view = viewOf(payload);
  const mac = attributes.get(AttributeType.address);
  return {
    index: view.getInt32(4, LITTLE_ENDIAN),
    name: new TextDecoder().decode(name).replace(/\0.*$/, ""),
    mac: mac?.length === 6 ? Uint8Array.from(mac) : new Uint8Array(6),
    up: (view.getUint32(8, LITTLE_ENDIAN) & READY) === READY,
  };
}
