import { familyOf, type VrrpInstanceConfig } from "../config/config.js";
import { normalizeIpLiteral } from "../netlink/ip-literal.js";
import type { LinkEvent } from "../netlink/monitor.js";
import type { InterfaceInfo, RouteSocket } from "../netlink/route-socket.js";
import type { AdvertDatagram } from "./advert.js";
import type { LocalRouter } from "./configuration-checks.js";
import type { Drop } from "./drop.js";
import { DropLog } from "./drop-log.js";
import { encodeIpv6, vrrpMulticastGroupV6 } from "./ipv6.js";
import { vrrpProtocol } from "./packet-v2.js";
import { type Received, receive, receiveIpv6 } from "./receive-checks.js";
import { wrongHopLimitBytes } from "./socket-filter.js";
import { sourceAddress } from "./source-address.js";
import { Announcer } from "./speaker-announcer.js";
import type { BaseSettings } from "./speaker-base-settings.js";
import { HeardLog } from "./speaker-heard.js";
import { type InstanceHooks, type InstancePort, SpeakerInstance } from "./speaker-instance.js";
import type { SpeakerLog } from "./speaker-log.js";
import type { InterfaceObserver } from "./speaker-peers.js";
import { Vmac } from "./speaker-vmac.js";
import { Wire } from "./speaker-wire.js";
import type { Verdict } from "./tracking.js";

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
  #instances: readonly SpeakerInstance[];
  readonly #hooks: InstanceHooks;
  #virtualAddresses: ReadonlySet<string> = new Set();
  /** The peer link as it is now; null: there is none. */
  readonly #observer: () => InterfaceObserver | null;
  readonly #log: SpeakerLog;
  readonly #heard: HeardLog;
  readonly #errors = new DropLog();
  readonly #local: Readonly<Record<4 | 6, Map<number, LocalRouter>>> = { 4: new Map(), 6: new Map() };
  /** The interface itself, with this node's own addresses. */
  #base: InterfaceInfo | null = null;
  /** What carries the virtual addresses, and the adverts unless `#sendsOnBase`: the interface, or the macvlan on it. */
  #info: InterfaceInfo | null = null;
  readonly #vmac: Vmac | null;
  /** With a macvlan: adverts go over the interface itself. */
  readonly #sendsOnBase: boolean;
  #wire: Wire | null = null;
  readonly #announcer = new Announcer((what, error) => this.#complain(what, error));
  /** Virtual addresses of which an event said that they are gone, or may have said so. */
  readonly #suspects = new Set<string>();
  #looking: Promise<void> | null = null;
  #lookOnceMore = false;
  #lookTimer: NodeJS.Timeout | null = null;
  #closed = false;

  constructor(
    name: string,
    configs: readonly VrrpInstanceConfig[],
    { route, settings }: { readonly route: RouteSocket; readonly settings: BaseSettings },
    log: SpeakerLog,
    hooks: InstanceHooks,
    observer: () => InterfaceObserver | null,
  ) {
    this.#observer = observer;
    this.#hooks = hooks;
    this.name = name;
    this.route = route;
    this.#log = log;
    this.#heard = new HeardLog(name, log);
    const { vmac, virtualRouterId, vmacXmitBase } = configs[0];
    this.#sendsOnBase = vmacXmitBase === true;
    const kernel = { route, settings };
    this.#vmac = vmac === null ? null : new Vmac(vmac, virtualRouterId, familyOf(configs[0]), kernel);
    this.#instances = configs.map((config) => new SpeakerInstance(config, this, log, hooks));
    this.#virtualAddresses = this.#virtualAddressesNow();
  }

  /** In no particular order; a reload changes them. */
  get instances(): readonly SpeakerInstance[] {
    return this.#instances;
  }

  /** The macvlan or the interface: an interface speaks for all instances that share it. */
  get wireName(): string {
    return this.#vmac?.name ?? this.name;
  }

  /** A reload: one more instance, which speaks after the next `look`. */
  add(config: VrrpInstanceConfig): SpeakerInstance {
    const instance = new SpeakerInstance(config, this, this.#log, this.#hooks);
    this.#instances = [...this.#instances, instance];
    this.#virtualAddresses = this.#virtualAddressesNow();
    return instance;
  }

  /** A reload: an instance that has given up its addresses. */
  remove(instance: SpeakerInstance): void {
    const { virtualRouterId } = instance.config;
    this.#local[familyOf(instance.config)].delete(virtualRouterId);
    this.#instances = this.#instances.filter((other) => other !== instance);
    this.#virtualAddresses = this.#virtualAddressesNow();
  }

  /** A reload in place. What is no longer virtual counts as such until the kernel has removed it. */
  async reconfigure(instance: SpeakerInstance, config: VrrpInstanceConfig, verdict: Verdict): Promise<void> {
    const before = this.#virtualAddresses;
    const settled = instance.reconfigure(config, verdict);
    this.#virtualAddresses = new Set([...before, ...this.#virtualAddressesNow()]);
    await settled;
    this.#virtualAddresses = this.#virtualAddressesNow();
    await this.look();
  }

  #virtualAddressesNow(): ReadonlySet<string> {
    const configs = this.#instances.map(({ config }) => config);
    const virtual = configs.flatMap((config) => [...config.addresses, ...config.excludedAddresses]);
    return new Set(virtual.map(({ address }) => address));
  }

  /** One link between two nodes serves both families. */
  get #linkFamily(): 4 | 6 {
    return this.#instances.some(({ config }) => familyOf(config) === 4) ? 4 : 6;
  }

  mac(): string | null {
    return this.#info === null ? null : Buffer.from(this.#info.mac).toString("hex").replace(/..\B/g, "$&:");
  }

  get preparesTakeovers(): boolean {
    return this.#observer() !== null;
  }

  prepareTakeover(instance: SpeakerInstance, from: string): void {
    this.#observer()?.onPrepareTakeover(instance, from);
  }

  interfaceIndex(): number | null {
    return this.#info?.index ?? null;
  }

  send(datagram: AdvertDatagram): void {
    try {
      this.#wire?.send(datagram);
      this.#hooks.onDatagram("sent", this.wireName, datagram.bytes);
    } catch (error) {
      this.#complain(`an advert to ${datagram.destination} could not be sent`, error);
    }
  }

  announce(address: string, elsewhere?: InterfaceInfo): void {
    const on = elsewhere ?? this.#info;
    if (on !== null) {
      this.#announcer.announce(on, address);
    }
  }

  /** Hands every advert that has arrived to its instance. */
  drain(): void {
    this.#wire?.drain();
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
        if (event.name === this.name || event.index === this.#base?.index) {
          this.#onLink(event);
        } else if (event.name === this.#vmac?.name && !(event.up && event.index === this.#info?.index)) {
          this.look();
        }
        break;
      case "address":
        if (event.index === this.#info?.index || event.index === this.#base?.index) {
          this.#onAddress(event.address, event.added);
        } else if (!event.added) {
          this.#onLostElsewhere(event.address);
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

  /** When its instances have given up for good. Never rejects. */
  async removeVmac(): Promise<void> {
    if (this.#vmac !== null) {
      this.close();
      await this.#vmac.remove();
    }
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

  #onLostElsewhere(address: string): void {
    for (const instance of this.instances) {
      instance.lost([address], true);
    }
  }

  #reportLostAddresses(info: InterfaceInfo): void {
    const gone = [...this.#suspects].filter((suspect) =>
      info.addresses.every(({ address }) => address !== suspect),
    );
    this.#suspects.clear();
    for (const instance of this.instances) {
      instance.lost(gone);
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
        const wire = info?.up === true && this.#vmac !== null ? await this.#vmac.ensure(info) : info;
        if (this.#closed) {
          break;
        }
        this.#take(info, wire);
      } catch (error) {
        this.#fault(`interface ${this.name} cannot be used: ${messageOf(error)}`);
        this.#complain("the interface cannot be used", error);
        this.#lookTimer = setTimeout(() => this.look(), lookAgainMs);
      }
    } while (this.#lookOnceMore);
    this.#looking = null;
  }

  #take(base: InterfaceInfo | null, info: InterfaceInfo | null): void {
    const isSameBase = !this.#sendsOnBase || base?.index === this.#base?.index;
    if (info === null || info.index !== this.#info?.index || !isSameBase || this.#wire?.isOpen === false) {
      this.#closeSockets();
    }
    this.#base = base;
    this.#info = info;
    if (base === null || info === null) {
      this.#fault(`interface ${this.name} does not exist`);
      return;
    }
    if (!base.up || !info.up) {
      this.#fault(`interface ${base.up ? info.name : this.name} is down`);
      return;
    }
    this.#announcer.prepare(info);
    this.#useWire(this.#sendsOnBase ? base : info);
    for (const instance of this.instances) {
      this.#useSource(instance, base);
    }
    this.#reportLostAddresses(info);
  }

  /** Another wire is there before the old one goes: no advert is missed in between. */
  #useWire(info: InterfaceInfo): void {
    const before = this.#wire;
    if (before?.serves(this.instances.map(({ config }) => config)) === true) {
      return;
    }
    this.#wire = this.#openWire(info);
    before?.drain();
    before?.close();
  }

  #openWire({ name, index }: InterfaceInfo): Wire {
    const configs = this.instances.map(({ config }) => config);
    return Wire.open({ name, index }, configs, {
      onIpv4: (datagram) => {
        this.#hooks.onDatagram("received", name, datagram);
        this.#onReceived(4, receive(datagram, this.#local[4]));
      },
      onIpv6: (message, source) => this.#onIpv6(message, source),
      onError: (error) => {
        this.#complain("the VRRP socket failed", error);
        this.look();
      },
    });
  }

  #useSource(instance: SpeakerInstance, info: InterfaceInfo): void {
    const { config } = instance;
    const local = this.#local[familyOf(config)];
    const source = sourceAddress(config, info, this.#virtualAddresses);
    if (!source.found) {
      local.delete(config.virtualRouterId);
      instance.input({ kind: "fault", cause: "link", reason: source.reason });
      return;
    }
    local.set(config.virtualRouterId, {
      config,
      ownAddress: source.address,
      get ah() {
        return instance.ah;
      },
      get before() {
        return instance.before;
      },
    });
    if (familyOf(config) === this.#linkFamily) {
      this.#observer()?.onOwnAddress(this, source.address);
    }
    instance.input({ kind: "own-address", address: source.address });
    instance.input({ kind: "fault-cleared", cause: "link", reason: `interface ${this.name} is up` });
  }

  #onIpv6(message: Uint8Array, source: string): void {
    const own = this.#base?.addresses.filter(({ family }) => family === 6) ?? [];
    this.#hooks.onDatagram("received", this.wireName, asDatagram(message, source));
    const arrival = {
      source: normalizeIpLiteral(source),
      ownAddresses: own.map(({ address }) => address),
      hopLimitIs255: message.length !== wrongHopLimitBytes,
      message,
    };
    this.#onReceived(6, receiveIpv6(arrival, this.#local[6]));
  }

  #onReceived(family: 4 | 6, received: Received): void {
    if (!received.accepted) {
      this.#onDrop(family, received.drop);
      return;
    }
    const { source, packet, input, remarks, sequence } = received;
    for (const { reason, sentence } of remarks) {
      this.#heard.remarked(reason, source, packet.virtualRouterId, sentence);
    }
    const instance = this.#instance(family, packet.virtualRouterId);
    if (sequence !== undefined) {
      instance?.heardSequence(sequence);
    }
    if (instance !== undefined) {
      instance.input(input);
      if (family === this.#linkFamily) {
        this.#observer()?.onAdvert(this, instance, source, packet.priority);
      }
    }
  }

  /** A drop that names one of our routers is counted there; what is nobody's, at all of the family. */
  #onDrop(family: 4 | 6, drop: Drop): void {
    const addressee =
      drop.virtualRouterId === null ? undefined : this.#instance(family, drop.virtualRouterId);
    const ofFamily = this.instances.filter(({ config }) => familyOf(config) === family);
    for (const instance of addressee === undefined ? ofFamily : [addressee]) {
      instance.countDrop(drop);
    }
    this.#heard.dropped(drop);
  }

  #instance(family: 4 | 6, virtualRouterId: number): SpeakerInstance | undefined {
    return this.instances.find(
      ({ config }) => config.virtualRouterId === virtualRouterId && familyOf(config) === family,
    );
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
    this.#wire?.close();
    this.#wire = null;
    this.#announcer.close();
  }
}

/** The socket gives IPv6 messages without their header: it is put back as far as it is known. */
function asDatagram(message: Uint8Array, source: string): Uint8Array {
  const header = { source: normalizeIpLiteral(source), destination: vrrpMulticastGroupV6 };
  return encodeIpv6({ ...header, trafficClass: 0xc0, hopLimit: 255, nextHeader: vrrpProtocol }, message);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
