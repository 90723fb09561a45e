import type { VirtualAddress } from "../config/config.js";
import { LbError } from "../errors.js";
import type { InterfaceInfo, RouteSocket } from "../netlink/route-socket.js";

/** What the keeper needs of netlink and of its interface. */
export interface KeeperPort {
  readonly route: Pick<RouteSocket, "interface" | "putAddress" | "putAddressAtOnce" | "removeAddress">;
  /** Null: the interface does not exist now. */
  interfaceIndex(): number | null;
  /** One gratuitous ARP or neighbour advertisement; `elsewhere`: on another interface than its own. */
  announce(address: string, elsewhere?: InterfaceInfo): void;
  /** The addresses could not be added or refreshed. */
  onPutFailed(reason: string): void;
  onError(message: string, error: unknown): void;
}

export interface KeeperSettings {
  readonly interface: string;
  /** Those that are not in the adverts as well. */
  readonly addresses: readonly VirtualAddress[];
  readonly leaseMs: number;
  /** Priority 255: what stands on the interface for good is the node's own, neither leased nor removed. */
  readonly ownsAddresses: boolean;
}

/**
 * Holds or releases the virtual addresses of one instance.
 *
 * Operations run one after the other, so that a slow removal never overtakes a later put. Each belongs to the
 * decision it came from; when the decision has changed before its turn, it is passed over.
 */
export class AddressKeeper {
  #settings: KeeperSettings;
  readonly #port: KeeperPort;
  #queue: Promise<void> = Promise.resolve();
  #holding = false;
  /** Counts the changes between holding and released. */
  #decision = 0;
  #putWaits = false;
  /** Operations that have not ended yet. */
  #waiting = 0;
  /** Addresses with `no_track` that somebody has removed since this node became master. */
  readonly #leftAlone = new Set<string>();
  /** The addresses are there already, and not announced yet. */
  #isEarly = false;
  /** Interfaces of addresses that go elsewhere (`dev eth2`), as last looked up. */
  readonly #elsewhere = new Map<string, InterfaceInfo>();

  constructor(settings: KeeperSettings, port: KeeperPort) {
    this.#settings = settings;
    this.#port = port;
  }

  /** Adds the addresses, or refreshes their lease. */
  put(): void {
    if (!this.#holding) {
      this.#holding = true;
      this.#decision++;
      this.#putWaits = false;
      this.#leftAlone.clear();
      this.#isEarly = this.#putAtOnce();
    }
    if (!this.#putWaits) {
      this.#putWaits = true;
      this.#enqueue(() => this.#putAll());
    }
  }

  /** Nobody refreshes the lease for as long: it lasts so much longer this once. Nothing if the addresses are not held. */
  outlast(ms: number): Promise<void> {
    if (this.#holding) this.#enqueue(() => this.#putAll(this.#settings.leaseMs + ms));
    return this.settled();
  }

  /** Gratuitous ARP, once the addresses are there: the first one at once where they are. */
  announce(count: number): void {
    const early = this.#isEarly && count > 0 ? 1 : 0;
    this.#isEarly = false;
    if (early > 0) {
      for (const virtual of this.#settings.addresses) {
        this.#announceOne(virtual);
      }
    }
    this.#enqueue(async () => {
      for (let round = early; round < count; round++) {
        for (const virtual of this.#settings.addresses) {
          this.#announceOne(virtual);
        }
      }
    });
  }

  /** Somebody has removed this address, and it is not to be put back before the next time that this node becomes master. */
  leaveAlone(address: string): void {
    this.#leftAlone.add(address);
  }

  /** Removes the addresses, also what a dead process has left. */
  remove(): void {
    this.#holding = false;
    this.#isEarly = false;
    this.#decision++;
    this.#enqueue(() => this.#removeAll());
  }

  /**
   * A reload: other addresses for the same interface. What is new comes before what is gone goes; an address whose scope,
   * label or broadcast address alone changed is gone for a moment, because the kernel changes neither.
   */
  change(settings: KeeperSettings): void {
    const before = this.#settings.addresses;
    this.#settings = settings;
    const gone = before.filter((old) => !settings.addresses.some((kept) => isSameEntry(old, kept)));
    if (gone.length === 0) {
      return;
    }
    const inTheWay = gone.filter((old) => settings.addresses.some((fresh) => isSamePlace(old, fresh)));
    this.#queue = this.#queue.then(async () => {
      await this.#removeThese(inTheWay);
      if (this.#holding) {
        await this.#putAll();
      }
      await this.#removeThese(gone.filter((old) => !inTheWay.includes(old)));
    });
  }

  /** Resolves when everything asked for so far is done. */
  settled(): Promise<void> {
    return this.#queue;
  }

  #enqueue(operation: () => Promise<void>): void {
    const decision = this.#decision;
    this.#waiting++;
    this.#queue = this.#queue.then(async () => {
      if (decision === this.#decision) {
        try {
          await operation();
        } catch (error) {
          this.#port.onError("a virtual address could not be handled", error);
        }
      }
      this.#waiting--;
    });
  }

  /** A new master's clients wait for nothing else. The put in turn follows all the same, and says what is wrong. */
  #putAtOnce(): boolean {
    const { addresses, leaseMs, ownsAddresses } = this.#settings;
    const index = this.#port.interfaceIndex();
    if (this.#waiting > 0 || ownsAddresses || index === null) {
      return false;
    }
    return addresses.every((virtual) => {
      const { interface: _, ...address } = virtual;
      return (
        !this.#goesElsewhere(virtual) && this.#port.route.putAddressAtOnce({ index, ...address, leaseMs })
      );
    });
  }

  async #putAll(leaseMs = this.#settings.leaseMs): Promise<void> {
    this.#putWaits = false;
    const decision = this.#decision;
    try {
      for (const virtual of await this.#leased(this.#settings.addresses)) {
        if (this.#leftAlone.has(virtual.address)) {
          continue;
        }
        const index = await this.#indexFor(virtual);
        if (index === null && this.#goesElsewhere(virtual)) {
          throw new Error(`interface ${virtual.interface} of ${virtual.address} does not exist`);
        }
        if (index === null || decision !== this.#decision) {
          return;
        }
        const { interface: _, ...address } = virtual;
        const entry = { index, ...address, leaseMs };
        await this.#port.route.putAddress(entry).catch((error: unknown) => {
          // Unanswered because this process was frozen, or its thread pool full: the first time is no verdict.
          if (!(error instanceof LbError && error.code === "LB_NETLINK_TIMEOUT")) {
            throw error;
          }
          return this.#port.route.putAddress(entry);
        });
      }
    } catch (error) {
      if (decision === this.#decision) {
        const said = error instanceof Error ? error.message : String(error);
        this.#port.onPutFailed(`the virtual address cannot be held: ${said}`);
      }
    }
  }

  #removeAll(): Promise<void> {
    return this.#removeThese(this.#settings.addresses);
  }

  async #removeThese(addresses: readonly VirtualAddress[]): Promise<void> {
    for (const virtual of await this.#leased(addresses)) {
      const { address, prefixLength } = virtual;
      try {
        const index = await this.#indexFor(virtual);
        if (index === null) {
          continue;
        }
        await this.#port.route.removeAddress({ index, address, prefixLength });
      } catch (error) {
        this.#port.onError(`${address} could not be removed; its lease will end it`, error);
      }
    }
  }

  #goesElsewhere({ interface: name }: VirtualAddress): boolean {
    return name !== undefined && name !== this.#settings.interface;
  }

  /** Null: its interface does not exist now. */
  async #indexFor(virtual: VirtualAddress): Promise<number | null> {
    const { interface: name } = virtual;
    if (name === undefined || !this.#goesElsewhere(virtual)) {
      return this.#port.interfaceIndex();
    }
    const info = await this.#port.route.interface(name);
    if (info === null) {
      this.#elsewhere.delete(name);
      return null;
    }
    this.#elsewhere.set(name, info);
    return info.index;
  }

  #announceOne(virtual: VirtualAddress): void {
    if (!this.#goesElsewhere(virtual)) {
      this.#port.announce(virtual.address);
      return;
    }
    const info = this.#elsewhere.get(virtual.interface ?? "");
    if (info !== undefined) {
      this.#port.announce(virtual.address, info);
    }
  }

  /** Those that come and go with mastership: all of them, but for what is the owner's own. */
  async #leased(addresses: readonly VirtualAddress[]): Promise<readonly VirtualAddress[]> {
    const { ownsAddresses } = this.#settings;
    if (!ownsAddresses) {
      return addresses;
    }
    const info = await this.#port.route.interface(this.#settings.interface);
    const permanent = info?.addresses.filter(({ leased }) => !leased) ?? [];
    return addresses.filter((virtual) => !permanent.some(({ address }) => address === virtual.address));
  }
}

/** One entry of the kernel's list. */
function isSamePlace(a: VirtualAddress, b: VirtualAddress): boolean {
  return a.address === b.address && a.prefixLength === b.prefixLength && a.interface === b.interface;
}

function isSameEntry(a: VirtualAddress, b: VirtualAddress): boolean {
  return isSamePlace(a, b) && a.scope === b.scope && a.label === b.label && a.broadcast === b.broadcast;
}
