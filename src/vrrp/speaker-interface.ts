import type { VrrpInstanceConfig } from "../config/config.js";
import { ArpSocket } from "../netlink/gratuitous-arp.js";
import { ownIpv4Address } from "../netlink/interface-address.js";
import type { LinkEvent } from "../netlink/monitor.js";
import type { InterfaceInfo, RouteSocket } from "../netlink/route-socket.js";
import { DropLog } from "./drop-log.js";
import { type Drop, type DropReason, type LocalRouter, receive } from "./receive-checks.js";
import { type InstanceHooks, type InstancePort, SpeakerInstance } from "./speaker-instance.js";
import type { SpeakerLog } from "./speaker-log.js";
import type { InterfaceObserver } from "./speaker-peers.js";
import { VrrpSocket } from "./speaker-socket.js";

/** After an error of the kernel's that no event will follow. */
const lookAgainMs = 1000;

/**
 * One network interface and the instances on it: its sockets, its link state, its own address.
 *
 * It may be missing, down or without an address, and may come, go and come back under another index at any time;
 * its instances are in FAULT until it can carry adverts.
 */
export class SpeakerInterface implements InstancePort {
  readonly name: string;
  readonly route: RouteSocket;
  readonly instances: readonly SpeakerInstance[];
  readonly #virtualAddresses: ReadonlySet<string>;
  readonly #ownsAddresses: boolean;
  readonly #observer: InterfaceObserver | null;
  readonly #log: SpeakerLog;
  readonly #drops = new DropLog();
  readonly #remarks = new DropLog();
  readonly #errors = new DropLog();
  #local: ReadonlyMap<number, LocalRouter> = new Map();
  #info: InterfaceInfo | null = null;
  #ownAddress: string | null = null;
  #socket: VrrpSocket | null = null;
  #arp: ArpSocket | null = null;
  /** Virtual addresses of which an event said that they are gone, or may have said so. */
  readonly #suspects = new Set<string>();
  #looking: Promise<void> | null = null;
  #lookOnceMore = false;
  #lookTimer: NodeJS.Timeout | null = null;
  #closed = false;

  constructor(
    name: string,
    configs: readonly VrrpInstanceConfig[],
    route: RouteSocket,
    log: SpeakerLog,
    hooks: InstanceHooks,
    observer: InterfaceObserver | null = null,
  ) {
    this.#observer = observer;
    this.name = name;
    this.route = route;
    this.#log = log;
    this.#virtualAddresses = new Set(configs.flatMap((c) => c.addresses.map(({ address }) => address)));
    this.#ownsAddresses = configs.some(({ priority }) => priority === 255);
    this.instances = configs.map((config) => new SpeakerInstance(config, this, log, hooks));
  }

  interfaceIndex(): number | null {
    return this.#info?.index ?? null;
  }

  send(message: Uint8Array): void {
    try {
      this.#socket?.send(message);
    } catch (error) {
      this.#complain("an advert could not be sent", error);
    }
  }

  announce(address: string): void {
    try {
      if (this.#info !== null) {
        this.#arp?.announce(this.#info.mac, address);
      }
    } catch (error) {
      this.#complain(`${address} could not be announced`, error);
    }
  }

  /** Hands every advert that has arrived to its instance. */
  drain(): void {
    this.#socket?.drain();
  }

  onLinkEvent(event: LinkEvent): void {
    switch (event.kind) {
      case "resync":
        for (const address of this.#virtualAddresses) {
          this.#suspects.add(address);
        }
        this.look();
        break;
      case "link":
        if (event.name === this.name || event.index === this.#info?.index) {
          this.#onLink(event);
        }
        break;
      case "address":
        if (event.index === this.#info?.index) {
          this.#onAddress(event.address, event.added);
        }
        break;
    }
  }

  /** Looks at the interface, opens what it needs, and tells the instances. Never rejects; runs once at a time. */
  look(): Promise<void> {
    if (this.#looking !== null) {
      this.#lookOnceMore = true;
      return this.#looking;
    }
    this.#looking = this.#lookUntilQuiet();
    return this.#looking;
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#lookTimer ?? undefined);
    this.#closeSockets();
  }

  #onLink(event: { readonly up: boolean; readonly present: boolean; readonly name: string }): void {
    // At once, before asking for the details: a link that is gone carries no advert, and no client.
    if (!event.present) {
      this.#fault(`interface ${this.name} does not exist`);
    } else if (!event.up) {
      this.#fault(`interface ${this.name} is down`);
    }
    this.look();
  }

  /**
   * A lost virtual address is not put back before the interface has been looked at: the kernel removes it together
   * with this node's own address (promote_secondaries=0), and put back first, it would take its place as the primary.
   */
  #onAddress(address: string, added: boolean): void {
    if (!this.#virtualAddresses.has(address)) {
      this.look();
    } else if (!added && this.instances.some((instance) => instance.holds(address))) {
      this.#suspects.add(address);
      this.look();
    }
  }

  #reportLostAddresses(info: InterfaceInfo): void {
    const gone = [...this.#suspects].filter((suspect) =>
      info.addresses.every(({ address }) => address !== suspect),
    );
    this.#suspects.clear();
    for (const instance of this.instances) {
      if (gone.some((address) => instance.holds(address))) {
        instance.input({ kind: "addresses-lost" });
      }
    }
  }

  async #lookUntilQuiet(): Promise<void> {
    do {
      this.#lookOnceMore = false;
      try {
        const info = await this.route.interface(this.name);
        if (this.#closed) {
          break;
        }
        this.#take(info);
      } catch (error) {
        this.#fault(`interface ${this.name} cannot be used: ${messageOf(error)}`);
        this.#complain("the interface cannot be used", error);
        this.#lookTimer = setTimeout(() => this.look(), lookAgainMs);
      }
    } while (this.#lookOnceMore);
    this.#looking = null;
  }

  #take(info: InterfaceInfo | null): void {
    if (info === null || info.index !== this.#info?.index || this.#socket?.isOpen === false) {
      this.#closeSockets();
    }
    this.#info = info;
    if (info === null) {
      this.#fault(`interface ${this.name} does not exist`);
      return;
    }
    if (!info.up) {
      this.#fault(`interface ${this.name} is down`);
      return;
    }
    const source = this.#chooseSource(info);
    if (source === null) {
      this.#fault(`interface ${this.name} has no IPv4 address of its own`);
      return;
    }
    this.#useSource(info, source);
    const reason = `interface ${this.name} is up`;
    for (const instance of this.instances) {
      instance.input({ kind: "own-address", address: source });
      instance.input({ kind: "fault-cleared", cause: "link", reason });
    }
    this.#reportLostAddresses(info);
  }

  /**
   * Never a virtual address, even where it stands first: the tie-break compares sources, and both nodes would have the
   * same. But for an owner (priority 255), whose virtual address may be the only one that it has.
   */
  #chooseSource(info: InterfaceInfo): string | null {
    const own = ownIpv4Address(info, this.#virtualAddresses);
    if (own !== null || !this.#ownsAddresses) {
      return own;
    }
    const leased = info.addresses.filter((address) => address.leased).map(({ address }) => address);
    return ownIpv4Address(info, leased);
  }

  #useSource(info: InterfaceInfo, source: string): void {
    this.#arp ??= ArpSocket.open(info.index);
    if (this.#socket === null) {
      this.#socket = VrrpSocket.open(
        { name: this.name, index: info.index, source },
        {
          onDatagram: (datagram) => this.#onDatagram(datagram),
          onError: (error) => {
            this.#complain("the VRRP socket failed", error);
            this.look();
          },
        },
      );
    } else if (source !== this.#ownAddress) {
      this.#socket.setSource(source);
    }
    this.#ownAddress = source;
    this.#local = new Map(
      this.instances.map(({ config }) => [config.virtualRouterId, { config, ownAddress: source }]),
    );
    this.#observer?.onOwnAddress(this, source);
  }

  #onDatagram(datagram: Uint8Array): void {
    const received = receive(datagram, this.#local);
    if (received.accepted) {
      const { source, packet, input, remarks } = received;
      for (const { reason, sentence } of remarks) {
        this.#onRemark(reason, source, packet.virtualRouterId, sentence);
      }
      const instance = this.#instance(packet.virtualRouterId);
      if (instance !== undefined) {
        instance.input(input);
        this.#observer?.onAdvert(this, instance, source, packet.priority);
      }
    } else {
      this.#onDrop(received.drop);
    }
  }

  /** A drop that names one of our routers is counted there; what is nobody's, at all of them. */
  #onDrop(drop: Drop): void {
    const addressee = drop.virtualRouterId === null ? undefined : this.#instance(drop.virtualRouterId);
    for (const instance of addressee === undefined ? this.instances : [addressee]) {
      instance.countDrop(drop);
    }
    const line = this.#drops.note(drop.reason, drop.source, performance.now());
    if (line === null) {
      return;
    }
    const { reason, source, virtualRouterId, sentence } = drop;
    const before = line.suppressed > 0 ? ` (and ${line.suppressed} more since the last line)` : "";
    // Other virtual routers are normal on a shared network.
    const level = reason === "unknown-vrid" ? "info" : "warn";
    this.#log[level](
      { event: "vrrp-drop", interface: this.name, reason, source, virtualRouterId },
      `advert from ${source} on ${this.name} dropped${before}: ${sentence}`,
    );
  }

  /** An advert that counts, and yet something about it is worth a line. */
  #onRemark(reason: DropReason, source: string, virtualRouterId: number, sentence: string): void {
    const line = this.#remarks.note(reason, source, performance.now());
    if (line !== null) {
      const before = line.suppressed > 0 ? ` (and ${line.suppressed} more since the last line)` : "";
      this.#log.warn(
        { event: "vrrp-remark", interface: this.name, reason, source, virtualRouterId },
        `advert from ${source} on ${this.name} taken${before}, but ${sentence}`,
      );
    }
  }

  #instance(virtualRouterId: number): SpeakerInstance | undefined {
    return this.instances.find(({ config }) => config.virtualRouterId === virtualRouterId);
  }

  #fault(reason: string): void {
    for (const instance of this.instances) {
      instance.input({ kind: "fault", cause: "link", reason });
    }
  }

  #complain(what: string, error: unknown): void {
    const line = this.#errors.note(what, messageOf(error), performance.now());
    if (line !== null) {
      const before = line.suppressed > 0 ? ` (and ${line.suppressed} times more)` : "";
      this.#log.warn({ interface: this.name, err: error }, `${this.name}: ${what}${before}`);
    }
  }

  #closeSockets(): void {
    this.#socket?.close();
    this.#socket = null;
    this.#arp?.close();
    this.#arp = null;
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
