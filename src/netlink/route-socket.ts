import { LbError } from "../errors.js";
import {
  type AddressMessage,
  encodeAddressChange,
  encodeAddressDump,
  type InterfaceAddress,
  parseAddressMessage,
  type ScopeName,
} from "./address-message.js";
import { ImmediateAddress } from "./immediate-address.js";
import { normalizeIpLiteral } from "./ip-literal.js";
import { encodeLinkRequest, type LinkMessage, parseLinkMessage } from "./link-message.js";
import { encodeLinkUp, encodeMacvlan } from "./macvlan-message.js";
import { NetlinkChannel } from "./netlink-channel.js";
import { malformedError, noneWhen } from "./netlink-errors.js";
import { encodeRoute, encodeRule, type RouteEntry, type RuleEntry } from "./route-message.js";
import { Malformed, MessageFlag, MessageType } from "./rtnetlink-message.js";

export type { InterfaceAddress } from "./address-message.js";

export interface InterfaceInfo {
  readonly index: number;
  readonly name: string;
  /** Six bytes; zeros where the link has no Ethernet address. */
  readonly mac: Uint8Array;
  /** Switched on and with carrier. */
  readonly up: boolean;
  /** In the kernel's order, IPv4 and IPv6. */
  readonly addresses: readonly InterfaceAddress[];
}

/** One address entry of one interface. Entries that differ in the prefix length alone are two to the kernel. */
export interface AddressEntry {
  /** Interface index. */
  readonly index: number;
  /** IPv4 or IPv6 literal. */
  readonly address: string;
  readonly prefixLength: number;
  readonly scope?: ScopeName;
  readonly label?: string;
  /** IPv4. */
  readonly broadcast?: string;
}

const DUMP_ATTEMPTS = 3;

/**
 * Questions and changes to the kernel about links and addresses, over node-netlink.
 *
 * Calls may overlap: they run one after the other, in the order in which they were made, so that a removal is never
 * overtaken by the refresh before it (node-netlink sends from a pool of threads), and no dump meets another one (the
 * kernel refuses the second with EBUSY). A call that is not answered within a second fails with LB_NETLINK_TIMEOUT.
 *
 * An open RouteSocket keeps the process alive and one thread of libuv's pool busy.
 */
export class RouteSocket {
  readonly #channel: NetlinkChannel;
  #lastCall: Promise<unknown> = Promise.resolve();
  readonly #immediate = new ImmediateAddress();
  #callsUnderWay = 0;
  #closed = false;
  /** Entries that this socket put, and of which it knows that no other form (prefix length) is left. */
  readonly #soleEntries = new Set<string>();

  private constructor(channel: NetlinkChannel) {
    this.#channel = channel;
  }

  /** Needs no privilege; changes do. Throws LbError LB_NETLINK_*. */
  static async open(): Promise<RouteSocket> {
    return new RouteSocket(await NetlinkChannel.open());
  }

  /** Null: there is no interface of that name. Errors: LB_NETLINK_*. */
  interface(name: string): Promise<InterfaceInfo | null> {
    return this.#inTurn(async () => {
      const link = await this.#link(name);
      if (link === null) return null;
      const entries = await this.#addresses(link.index);
      return { ...link, addresses: entries.map(({ index: _, ...address }) => address) };
    });
  }

  /**
   * Adds the address, or refreshes its lifetime: one message does both, and there is no moment without the address. An
   * entry without a lifetime, such as a dead keepalived leaves, becomes a leased one. The first time, forms of the same
   * address with another prefix length are removed as the next call in turn.
   *
   * `leaseMs`: whole seconds, rounded up, at least one. Errors: LB_PERMISSION, LB_NETLINK_*; LB_NETLINK_ENODEV when
   * the interface is gone.
   */
  putAddress(entry: AddressEntry & { readonly leaseMs: number }): Promise<void> {
    const put = this.#inTurn(async () => {
      await this.#channel.request(
        `adding ${describeEntry(entry)}`,
        MessageType.newAddress,
        MessageFlag.create | MessageFlag.replace,
        encodeAddressChange(entry),
      );
    });
    const key = describeEntry(entry);
    if (!this.#soleEntries.has(key)) {
      this.#soleEntries.add(key);
      // The caller does not wait for it: a new master announces its address first.
      put
        .then(() => this.#inTurn(() => this.#removeOtherForms(entry)))
        .catch(() => this.#soleEntries.delete(key));
    }
    return put;
  }

  /**
   * What `putAddress` does, before this call returns. False: it did not, be it that other calls are under way, which it
   * must not overtake. `putAddress` is still to be called: it tells what is wrong, and removes other forms.
   */
  putAddressAtOnce(entry: AddressEntry & { readonly leaseMs: number }): boolean {
    return !this.#closed && this.#callsUnderWay === 0 && this.#immediate.put(entry);
  }

  /**
   * Removes the address, whatever its prefix length. Resolves false when it was not there, be it that the interface is
   * gone. Errors: LB_PERMISSION, LB_NETLINK_*.
   */
  removeAddress(entry: AddressEntry): Promise<boolean> {
    return this.#inTurn(async () => {
      const removed = await this.#removeEntry(entry);
      const wasSole = this.#soleEntries.delete(describeEntry(entry));
      const others = wasSole ? 0 : await this.#removeOtherForms(entry);
      return removed || others > 0;
    });
  }

  /**
   * Adds a route. With `replace`, it takes the place of one with the same destination and metric; without, whatever is
   * there stays. Errors: LB_PERMISSION, LB_NETLINK_*.
   */
  putRoute(route: RouteEntry, replace: boolean): Promise<void> {
    const mode = replace ? MessageFlag.replace : MessageFlag.exclusive;
    return this.#put("adding a route", MessageType.newRoute, mode, encodeRoute(route));
  }

  /** Removes a route that `putRoute` added; one that is not there is no error. Errors: LB_PERMISSION, LB_NETLINK_*. */
  removeRoute(route: RouteEntry): Promise<void> {
    return this.#remove("removing a route", MessageType.deleteRoute, encodeRoute(route));
  }

  /** Adds a routing rule, if there is none like it. Errors: LB_PERMISSION, LB_NETLINK_*. */
  putRule(rule: RuleEntry): Promise<void> {
    return this.#put("adding a rule", MessageType.newRule, MessageFlag.exclusive, encodeRule(rule));
  }

  /** Removes a rule; one that is not there is no error. Errors: LB_PERMISSION, LB_NETLINK_*. */
  removeRule(rule: RuleEntry): Promise<void> {
    return this.#remove("removing a rule", MessageType.deleteRule, encodeRule(rule));
  }

  /** Makes a macvlan, down; one of that name that is there stays as it is. Errors: LB_PERMISSION, LB_NETLINK_*. */
  makeMacvlan(link: Parameters<typeof encodeMacvlan>[0]): Promise<void> {
    const what = `making the macvlan ${link.name}`;
    return this.#put(what, MessageType.newLink, MessageFlag.exclusive, encodeMacvlan(link));
  }

  /** Errors: LB_PERMISSION, LB_NETLINK_*. */
  takeLinkUp(index: number): Promise<void> {
    return this.#inTurn(async () => {
      await this.#channel.request(
        `taking interface ${index} up`,
        MessageType.newLink,
        0,
        encodeLinkUp(index),
      );
    });
  }

  /** Deletes a link; one that is gone is no error. Errors: LB_PERMISSION, LB_NETLINK_*. */
  deleteLink(index: number): Promise<void> {
    return this.#remove(`deleting interface ${index}`, MessageType.deleteLink, encodeLinkUp(index));
  }

  #put(what: string, type: number, mode: number, payload: Uint8Array): Promise<void> {
    return this.#inTurn(async () => {
      await this.#channel.request(what, type, MessageFlag.create | mode, payload).catch(noneWhen("EEXIST"));
    });
  }

  #remove(what: string, type: number, payload: Uint8Array): Promise<void> {
    return this.#inTurn(async () => {
      await this.#channel.request(what, type, 0, payload).catch(noneWhen("ESRCH", "ENOENT", "ENODEV"));
    });
  }

  /** Lets the calls under way end; takes up to 100 ms more, which is how node-netlink polls. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#lastCall;
    this.#immediate.close();
    await this.#channel.close();
  }

  #inTurn<T>(call: () => Promise<T>): Promise<T> {
    if (this.#closed) {
      return Promise.reject(
        new LbError("LB_NETLINK_CLOSED", "the netlink socket is closed", "this is a fault of lb: report it"),
      );
    }
    this.#callsUnderWay++;
    const result = this.#lastCall.then(call);
    const end = (): void => {
      this.#callsUnderWay--;
    };
    this.#lastCall = result.then(end, end);
    return result;
  }

  async #link(name: string): Promise<LinkMessage | null> {
    const packets = await this.#channel
      .request(`looking up the interface ${name}`, MessageType.getLink, 0, encodeLinkRequest({ name }))
      .catch(noneWhen("ENODEV"));
    for (const packet of packets ?? []) {
      const link = parseLinkMessage(packet.payload);
      if (link instanceof Malformed) throw malformedError(`the interface ${name}`, link);
      if (link !== null) return link;
    }
    return null;
  }

  /** The kernel tells the addresses of every interface, whatever the request says of one. */
  async #addresses(index: number): Promise<AddressMessage[]> {
    for (let attempt = 1; ; attempt++) {
      const packets = await this.#channel.request(
        "reading the addresses",
        MessageType.getAddress,
        MessageFlag.dump,
        encodeAddressDump(),
      );
      const interrupted = packets.some(
        (packet) => (Number(packet.header.nlmsg_flags) & MessageFlag.dumpInterrupted) !== 0,
      );
      if (interrupted && attempt < DUMP_ATTEMPTS) continue;
      return packets.flatMap((packet) => {
        const message = parseAddressMessage(packet.payload);
        if (message instanceof Malformed) throw malformedError("an address", message);
        return message?.index === index ? [message] : [];
      });
    }
  }

  async #removeEntry(entry: AddressEntry): Promise<boolean> {
    const answer = await this.#channel
      .request(
        `removing ${describeEntry(entry)}`,
        MessageType.deleteAddress,
        0,
        encodeAddressChange({ index: entry.index, address: entry.address, prefixLength: entry.prefixLength }),
      )
      .catch(noneWhen("EADDRNOTAVAIL", "ENODEV"));
    return answer !== null;
  }

  /** How many entries of the same address with another prefix length were there. */
  async #removeOtherForms(entry: AddressEntry): Promise<number> {
    const address = normalizeIpLiteral(entry.address);
    const others = (await this.#addresses(entry.index)).filter(
      (other) => other.address === address && other.prefixLength !== entry.prefixLength,
    );
    for (const other of others) await this.#removeEntry(other);
    return others.length;
  }
}

function describeEntry(entry: AddressEntry): string {
  return `${entry.address}/${entry.prefixLength} on interface ${entry.index}`;
}
