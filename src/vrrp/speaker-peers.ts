import type { RouterState, StateMessage } from "../peer-link/message.js";
import { PeerLinks } from "../peer-link/peer-links.js";
import type { PeerLinkStatus } from "../peer-link/status.js";
import { takeoverDelayMs } from "../peer-link/takeover-order.js";
import type { SpeakerInstance } from "./speaker-instance.js";
import type { SpeakerLog } from "./speaker-log.js";

export interface PeerLinkSettings {
  /** This node's name, for the partner's log and status. */
  readonly node: string;
  /** 32 bytes, from `stretchKey`. */
  readonly key: Uint8Array;
  readonly port: number;
}

/** What the peer link needs of an interface. */
export interface PeerInterface {
  readonly name: string;
  readonly instances: readonly SpeakerInstance[];
  /** Hands every advert that has arrived to its instance. */
  drain(): void;
}

/** What an interface tells of itself. */
export interface InterfaceObserver {
  /** This node's own address there; it may change. */
  onOwnAddress(on: PeerInterface, address: string): void;
  /** An advert was accepted and handled. `priority` as it was advertised. */
  onAdvert(on: PeerInterface, instance: SpeakerInstance, source: string, priority: number): void;
}

/**
 * Binds the peer links to the instances: dials the masters that are heard, says how the instances stand, and hands
 * in a partner's death. VRRP never waits for any of it.
 */
export class SpeakerPeers implements InterfaceObserver {
  readonly #settings: PeerLinkSettings;
  readonly #links: PeerLinks;
  readonly #ownAddress = new Map<PeerInterface, string>();
  /** On which interface a partner was heard. */
  readonly #interfaceOf = new Map<string, PeerInterface>();

  constructor(settings: PeerLinkSettings, log: SpeakerLog) {
    this.#settings = settings;
    this.#links = new PeerLinks({
      key: settings.key,
      port: settings.port,
      log,
      describe: (address) => this.#describe(address),
      onDead: (address) => this.#onDead(address),
      onMessage: () => {},
      onChange: () => {},
    });
  }

  onOwnAddress(on: PeerInterface, address: string): void {
    this.#ownAddress.set(on, address);
    this.#links.listenOn(address);
  }

  onAdvert(on: PeerInterface, instance: SpeakerInstance, source: string, priority: number): void {
    const own = this.#ownAddress.get(on);
    this.#interfaceOf.set(source, on);
    if (own !== undefined && priority > 0 && instance.state.name === "BACKUP") this.#links.heard(source, own);
  }

  /** An instance has another state or priority: the partners hear of it at once. */
  onTransition(): void {
    this.#links.tellAll();
  }

  status(): PeerLinkStatus {
    return this.#links.status();
  }

  close(): void {
    this.#links.close();
  }

  /** Adverts that arrived before the end count; then the best backup takes over at once. */
  #onDead(address: string): void {
    const on = this.#interfaceOf.get(address);
    const own = on === undefined ? undefined : this.#ownAddress.get(on);
    if (on === undefined || own === undefined) return;
    on.drain();
    const last = this.#links.lastWord(address);
    for (const instance of on.instances) {
      const candidate = { ...routerOf(instance), address: own };
      const delayMs = takeoverDelayMs(candidate, last);
      instance.input({ kind: "peer-dead", address, delayMs });
    }
  }

  #describe(address: string): StateMessage {
    const on = this.#interfaceOf.get(address) ?? this.#interfaceTowards(address);
    return {
      kind: "state",
      node: this.#settings.node.slice(0, 255),
      routers: (on?.instances ?? []).map(stateOf),
      members: this.#links
        .linked()
        .map((member) => ({ address: member.address, routers: member.said?.routers ?? [] })),
    };
  }

  /** A backup is never heard; it came by its own dialing, over the interface whose address it dialed. */
  #interfaceTowards(address: string): PeerInterface | undefined {
    const local = this.#links.localAddress(address);
    return [...this.#ownAddress].find(([, own]) => own === local)?.[0];
  }
}

function routerOf({ config, state }: SpeakerInstance): Omit<RouterState, "state" | "reason"> {
  const family = config.addresses.some(({ address }) => address.includes(":")) ? 6 : 4;
  return { virtualRouterId: config.virtualRouterId, family, priority: state.priority };
}

function stateOf(instance: SpeakerInstance): RouterState {
  const { name, reason } = instance.state;
  return { ...routerOf(instance), state: name, reason: reason.slice(0, 500) };
}
