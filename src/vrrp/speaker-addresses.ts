import type { VirtualAddress } from "../config/config.js";
import { LbError } from "../errors.js";
import type { RouteSocket } from "../netlink/route-socket.js";

/** What the keeper needs of netlink and of its interface. */
export interface KeeperPort {
  readonly route: Pick<RouteSocket, "interface" | "putAddress" | "removeAddress">;
  /** Null: the interface does not exist now. */
  interfaceIndex(): number | null;
  /** One gratuitous ARP. */
  announce(address: string): void;
  /** The addresses could not be added or refreshed. */
  onPutFailed(reason: string): void;
  onError(message: string, error: unknown): void;
}

export interface KeeperSettings {
  readonly interface: string;
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
  readonly #settings: KeeperSettings;
  readonly #port: KeeperPort;
  #queue: Promise<void> = Promise.resolve();
  #holding = false;
  /** Counts the changes between holding and released. */
  #decision = 0;
  #putWaits = false;

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
    }
    if (!this.#putWaits) {
      this.#putWaits = true;
      this.#enqueue(() => this.#putAll());
    }
  }

  /** Gratuitous ARP, once the addresses are there. */
  announce(count: number): void {
    this.#enqueue(async () => {
      for (let round = 0; round < count; round++) {
        for (const { address } of this.#settings.addresses) {
          this.#port.announce(address);
        }
      }
    });
  }

  /** Removes the addresses, also what a dead process has left. */
  remove(): void {
    this.#holding = false;
    this.#decision++;
    this.#enqueue(() => this.#removeAll());
  }

  /** Resolves when everything asked for so far is done. */
  settled(): Promise<void> {
    return this.#queue;
  }

  #enqueue(operation: () => Promise<void>): void {
    const decision = this.#decision;
    this.#queue = this.#queue.then(async () => {
      if (decision === this.#decision) {
        try {
          await operation();
        } catch (error) {
          this.#port.onError("a virtual address could not be handled", error);
        }
      }
    });
  }

  async #putAll(): Promise<void> {
    this.#putWaits = false;
    const decision = this.#decision;
    const { leaseMs } = this.#settings;
    try {
      for (const { address, prefixLength } of await this.#leasedAddresses()) {
        const index = this.#port.interfaceIndex();
        if (index === null || decision !== this.#decision) {
          return;
        }
        const entry = { index, address, prefixLength, leaseMs };
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

  async #removeAll(): Promise<void> {
    for (const { address, prefixLength } of await this.#leasedAddresses()) {
      const index = this.#port.interfaceIndex();
      if (index === null) {
        return;
      }
      try {
        await this.#port.route.removeAddress({ index, address, prefixLength });
      } catch (error) {
        this.#port.onError(`${address} could not be removed; its lease will end it`, error);
      }
    }
  }

  /** The addresses that come and go with mastership: all of them, but for what is the owner's own. */
  async #leasedAddresses(): Promise<readonly VirtualAddress[]> {
    const { addresses, ownsAddresses } = this.#settings;
    if (!ownsAddresses) {
      return addresses;
    }
    const info = await this.#port.route.interface(this.#settings.interface);
    const permanent = info?.addresses.filter(({ leased }) => !leased) ?? [];
    return addresses.filter((virtual) => !permanent.some(({ address }) => address === virtual.address));
  }
}
