import { parseAddressMessage } from "./address-message.js";
import { parseLinkMessage } from "./link-message.js";
import { Malformed, MessageType, type NetlinkMessage } from "./rtnetlink-message.js";

/** What happened to a link or an address. */
export type LinkEvent =
  /** `present` false: the interface was deleted, or moved to another namespace. */
  | {
      readonly kind: "link";
      readonly index: number;
      readonly name: string;
      readonly up: boolean;
      readonly present: boolean;
    }
  /** `added` is also said of an address that exists and got a new lifetime. */
  | {
      readonly kind: "address";
      readonly index: number;
      readonly address: string;
      readonly prefixLength: number;
      readonly added: boolean;
    }
  /** Events were lost: look again. */
  | { readonly kind: "resync" };

/** The event that a message of the kernel tells. Null: it tells none that we know. Pure. */
export function parseLinkEvent(message: NetlinkMessage): LinkEvent | Malformed | null {
  switch (message.type) {
    case MessageType.newLink:
    case MessageType.deleteLink: {
      const link = parseLinkMessage(message.payload);
      if (link === null || link instanceof Malformed) return link;
      const present = message.type === MessageType.newLink;
      return { kind: "link", index: link.index, name: link.name, up: present && link.up, present };
    }
    case MessageType.newAddress:
    case MessageType.deleteAddress: {
      const entry = parseAddressMessage(message.payload);
      if (entry === null || entry instanceof Malformed) return entry;
      const { index, address, prefixLength } = entry;
      return {
        kind: "address",
        index,
        address,
        prefixLength,
        added: message.type === MessageType.newAddress,
      };
    }
    default:
      return null;
  }
}
