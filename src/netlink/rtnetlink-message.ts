/**
 * The framing that every rtnetlink message shares (rtnetlink(7), netlink(7)): `struct nlmsghdr`, then a fixed
 * structure of the message's type, then attributes. Numbers are in the host's byte order. Pure.
 *
 * What cannot be parsed comes back as a `Malformed` with the reason: the kernel does not send such a thing, and if it
 * did, it must not take the daemon down.
 */

/** `nlmsg_type`: linux/netlink.h and linux/rtnetlink.h. */
export const MessageType = {
  error: 2,
  done: 3,
  newLink: 16,
  deleteLink: 17,
  getLink: 18,
  newAddress: 20,
  deleteAddress: 21,
  getAddress: 22,
  newRoute: 24,
  deleteRoute: 25,
  newRule: 32,
  deleteRule: 33,
} as const;

/** `nlmsg_flags`. */
export const MessageFlag = {
  request: 0x1,
  ack: 0x4,
  /** In an answer to a dump: the table changed while it was being read. */
  dumpInterrupted: 0x10,
  /** In a request that reads: the whole table. */
  dump: 0x300,
  /** In a request that writes: overwrite the entry that exists. */
  replace: 0x100,
  /** In a request that writes: leave the entry that exists, and say so. */
  exclusive: 0x200,
  /** In a request that writes: make the entry if there is none. */
  create: 0x400,
} as const;

export const AddressFamily = { unspecified: 0, ipv4: 2, ipv6: 10 } as const;

/** Bytes that are not the message that they claim to be. */
export class Malformed {
  constructor(readonly problem: string) {}
}

export interface NetlinkMessage {
  readonly type: number;
  readonly flags: number;
  readonly sequence: number;
  /** Port id of the socket that the message belongs to; 0: the kernel's own, such as an event. */
  readonly port: number;
  /** What follows the header, a view of the datagram. */
  readonly payload: Uint8Array;
}

export interface Attribute {
  readonly type: number;
  readonly value: Uint8Array;
}

const HEADER_BYTES = 16;
const ATTRIBUTE_HEADER_BYTES = 4;
/** The upper two bits of an attribute's type say "nested" and "network byte order". */
const ATTRIBUTE_TYPE_MASK = 0x3fff;

/** Byte order of this machine, as DataView wants it. */
export const LITTLE_ENDIAN = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

/** DataView over exactly the bytes of a view. */
export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

const align4 = (length: number): number => (length + 3) & ~3;

/** The messages of one datagram, in order. */
export function parseMessages(datagram: Uint8Array): NetlinkMessage[] | Malformed {
  const view = viewOf(datagram);
  const messages: NetlinkMessage[] = [];
  let offset = 0;
  while (offset < datagram.length) {
    if (datagram.length - offset < HEADER_BYTES) {
      return new Malformed(`${datagram.length - offset} bytes where a message header needs ${HEADER_BYTES}`);
    }
    const length = view.getUint32(offset, LITTLE_ENDIAN);
    if (length < HEADER_BYTES || length > datagram.length - offset) {
      return new Malformed(`message length ${length} with ${datagram.length - offset} bytes left`);
    }
    messages.push({
      type: view.getUint16(offset + 4, LITTLE_ENDIAN),
      flags: view.getUint16(offset + 6, LITTLE_ENDIAN),
      sequence: view.getUint32(offset + 8, LITTLE_ENDIAN),
      port: view.getUint32(offset + 12, LITTLE_ENDIAN),
      payload: datagram.subarray(offset + HEADER_BYTES, offset + length),
    });
    offset += align4(length);
  }
  return messages;
}

/** One message as a datagram, its port id left to the kernel. */
export function encodeMessage(message: {
  type: number;
  flags: number;
  sequence: number;
  payload: Uint8Array;
}): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES + message.payload.length);
  const view = viewOf(bytes);
  view.setUint32(0, bytes.length, LITTLE_ENDIAN);
  view.setUint16(4, message.type, LITTLE_ENDIAN);
  view.setUint16(6, message.flags, LITTLE_ENDIAN);
  view.setUint32(8, message.sequence, LITTLE_ENDIAN);
  bytes.set(message.payload, HEADER_BYTES);
  return bytes;
}

/** The attributes after a message's fixed structure of `fixedBytes`. Of a type that comes twice, the last one counts. */
export function parseAttributes(
  payload: Uint8Array,
  fixedBytes: number,
): Map<number, Uint8Array> | Malformed {
  const view = viewOf(payload);
  const attributes = new Map<number, Uint8Array>();
  let offset = align4(fixedBytes);
  while (payload.length - offset >= ATTRIBUTE_HEADER_BYTES) {
    const length = view.getUint16(offset, LITTLE_ENDIAN);
    if (length < ATTRIBUTE_HEADER_BYTES || length > payload.length - offset) {
      return new Malformed(`attribute length ${length} with ${payload.length - offset} bytes left`);
    }
    const type = view.getUint16(offset + 2, LITTLE_ENDIAN) & ATTRIBUTE_TYPE_MASK;
    attributes.set(type, payload.subarray(offset + ATTRIBUTE_HEADER_BYTES, offset + length));
    offset += align4(length);
  }
  return attributes;
}

/** A fixed structure and attributes behind it, each padded to four bytes: the payload of a message. */
export function encodePayload(fixed: Uint8Array, attributes: readonly Attribute[]): Uint8Array {
  const total = attributes.reduce(
    (sum, { value }) => sum + align4(ATTRIBUTE_HEADER_BYTES + value.length),
    align4(fixed.length),
  );
  const payload = new Uint8Array(total);
  const view = viewOf(payload);
  payload.set(fixed, 0);
  let offset = align4(fixed.length);
  for (const { type, value } of attributes) {
    view.setUint16(offset, ATTRIBUTE_HEADER_BYTES + value.length, LITTLE_ENDIAN);
    view.setUint16(offset + 2, type, LITTLE_ENDIAN);
    payload.set(value, offset + ATTRIBUTE_HEADER_BYTES);
    offset += align4(ATTRIBUTE_HEADER_BYTES + value.length);
  }
  return payload;
}
