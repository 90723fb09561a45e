import { type Attribute, encodePayload, LITTLE_ENDIAN, viewOf } from "./rtnetlink-message.js";

/** `struct ifinfomsg` with the attributes of a macvlan (linux/if_link.h). Pure. */

const FIXED_BYTES = 16;
/** IFLA_*, IFLA_INFO_*, IFLA_MACVLAN_*. */
const LinkAttribute = { address: 1, name: 3, base: 5, info: 18 } as const;
const InfoAttribute = { kind: 1, data: 2 } as const;
const MACVLAN_MODE = 1;
/** As keepalived's: what the virtual router's own MAC sends is heard on the macvlan, and macvlans do not hear each other. */
const MODE_PRIVATE = 1;
const FLAG_UP = 1;

/** Payload of an RTM_NEWLINK that makes a macvlan on `baseIndex`, down, with this MAC. */
export function encodeMacvlan(link: {
  readonly name: string;
  readonly baseIndex: number;
  readonly mac: Uint8Array;
}): Uint8Array {
  const mode = nested([{ type: MACVLAN_MODE, value: number(MODE_PRIVATE) }]);
  const info = nested([
    { type: InfoAttribute.kind, value: new TextEncoder().encode("macvlan") },
    { type: InfoAttribute.data, value: mode },
  ]);
  return encodePayload(new Uint8Array(FIXED_BYTES), [
    { type: LinkAttribute.name, value: new TextEncoder().encode(`${link.name}\0`) },
    { type: LinkAttribute.base, value: number(link.baseIndex) },
    { type: LinkAttribute.address, value: link.mac },
    { type: LinkAttribute.info, value: info },
  ]);
}

/** Payload of an RTM_NEWLINK that takes a link up, or of an RTM_DELLINK. */
export function encodeLinkUp(index: number): Uint8Array {
  const fixed = new Uint8Array(FIXED_BYTES);
  const view = viewOf(fixed);
  view.setInt32(4, index, LITTLE_ENDIAN);
  view.setUint32(8, FLAG_UP, LITTLE_ENDIAN);
  view.setUint32(12, FLAG_UP, LITTLE_ENDIAN);
  return fixed;
}

function nested(attributes: readonly Attribute[]): Uint8Array {
  return encodePayload(new Uint8Array(0), attributes);
}

function number(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  viewOf(bytes).setUint32(0, value, LITTLE_ENDIAN);
  return bytes;
}
