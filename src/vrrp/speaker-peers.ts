import type { RouteSocket } from "../netlink/route-socket.js";
import type { NodeLoad, RouterState, StateMessage } from "../peer-link/message.js";
import { PeerLinks, type PeerRoute } from "../peer-link/peer-links.js";
import type { PeerLinkStatus } from "../peer-link/status.js";
import { takeoverDelayMs } from "../peer-link/takeover-order.js";
import { SpeakerHandover } from "./speaker-handover.js";
import type { SpeakerInstance } from "./speaker-instance.js";
import type { SpeakerLog } from "./speaker-log.js";
import { identify } from "./speaker-move.js";

export interface PeerLinkSettings {
  /** This node's name, for the partner's log and status. */
  readonly node: string;
  /** 32 bytes, from `stretchKey`. */
  readonly key: Uint8Array;
  readonly port: number;
  /** How long connections may go on at the old master after a planned move. */
  readonly drainMs: number;
}

/** What the process that serves the connections tells, and hears of a planned move. */
export interface MoveObserver {
  /** What this node balances now; the partner shows it. */
  load(): NodeLoad;
  /** This node's clients have another master now, and are served to the end: until `untilMs` (monotonic) at most. */
  onMovedAway(untilMs: number): void;
  onMoveEnded(): void;
}

/** How the nodes' dashboards hear of each other's servers: what the control threads say is carried, and not read. */
export interface ServerReports {
  /** Somebody looks at this node's dashboard. */
  isWatching(): boolean;
  /** Whether somebody looks at a partner's has changed. */
  onWatched(isWatched: boolean): void;
  onReport(address: string, report: string): void;
}

/** One report a second is what a partner sends. */
const shortestReportPauseMs = 500;

/** What the peer link needs of an interface. */
export interface PeerInterface {
  readonly name: string;
  readonly instances: readonly SpeakerInstance[];
  /** `02:00:00:00:00:01`; null: the interface is not there. */
  mac(): string | null;
  /** Hands every advert that has arrived to its instance. */
  drain(): void;
}

/** What an interface tells of itself. */
export interface InterfaceObserver {
  /** This node's own address there; it may change. */
  onOwnAddress(on: PeerInterface, address: string): void;
  /** An advert was accepted and handled. `priority` as it was advertised. */
  onAdvert(on: PeerInterface, instance: SpeakerInstance, source: string, priority: number): void;
  /** The instance waits for `prepared`. */
  onPrepareTakeover(instance: SpeakerInstance, from: string): void;
}

/**
 * Binds the peer links to the instances: dials the masters that are heard, says how the instances stand, and hands
 * in a partner's death. VRRP never waits for any of it.
 */
export class SpeakerPeers implements InterfaceObserver {
  #settings: PeerLinkSettings;
  readonly #links: PeerLinks;
  readonly #handover: SpeakerHandover;
  readonly #moves: MoveObserver;
  readonly #reports: ServerReports;
  #isWatched = false;
  /** When each partner's last report came, monotonic ms. */
  readonly #reportedMs = new Map<string, number>();
  readonly #ownAddress = new Map<PeerInterface, string>();
  /** On which interface a partner was heard. */
  readonly #interfaceOf = new Map<string, PeerInterface>();

  constructor(
    settings: PeerLinkSettings,
    log: SpeakerLog,
    route: RouteSocket,
    moves: MoveObserver,
    reports: ServerReports,
  ) {
    this.#settings = settings;
    this.#reports = reports;
    this.#moves = moves;
    this.#links = new PeerLinks({
      key: settings.key,
      port: settings.port,
      log,
      describe: (address) => this.#describe(address),
      onDead: (address) => this.#onDead(address),
      onMessage: (address, message) => {
        if (message.kind === "servers") {
          this.#onReport(address, message.report);
          return;
        }
        if (message.kind === "state") {
          this.#settleWatched();
          this.#onState(address, message);
        }
        this.#handover.onMessage(address, message);
      },
      onChange: (address, isUp) => {
        if (!isUp) this.#reportedMs.delete(address);
        this.#settleWatched();
      },
    });
    const drainMs = (): number => this.#settings.drainMs;
    this.#handover = new SpeakerHandover({
      route,
      log,
      links: this.#links,
      get drainMs() {
        return drainMs();
      },
      place: (instance) => this.#placeOf(instance),
      instance: (partner, virtualRouterId, family) =>
        this.#instancesTowards(partner).find((instance) => {
          const own = identify(instance);
          return own.virtualRouterId === virtualRouterId && own.family === family;
        }) ?? null,
      connections: () => moves.load().connections,
      onMovedAway: (untilMs) => moves.onMovedAway(untilMs),
      onMoveEnded: () => moves.onMoveEnded(),
    });
  }

  /** A reload: false when these need another link. */
  change(settings: PeerLinkSettings): boolean {
    const { key, port } = this.#settings;
    if (port !== settings.port || Buffer.compare(key, settings.key) !== 0) return false;
    this.#settings = settings;
    return true;
  }

  /** A reload has taken the last instance from this interface. */
  forget(on: PeerInterface): void {
    this.#ownAddress.delete(on);
    for (const [address, interfaceOf] of this.#interfaceOf)
      if (interfaceOf === on) this.#interfaceOf.delete(address);
  }

  onOwnAddress(on: PeerInterface, address: string): void {
    this.#ownAddress.set(on, address);
    this.#links.listenOn(address, on.name);
  }

  onAdvert(on: PeerInterface, instance: SpeakerInstance, source: string, priority: number): void {
    const own = this.#ownAddress.get(on);
    this.#interfaceOf.set(source, on);
    if (own !== undefined && priority > 0 && instance.state.name === "BACKUP")
      this.#links.heard(source, own, on.name);
  }

  onPrepareTakeover(instance: SpeakerInstance, from: string): void {
    void this.#handover.prepareTakeover(instance, from);
  }

  /** An instance has another state: the partners hear of it at once. */
  onTransition(instance: SpeakerInstance): void {
    this.#handover.onTransition(instance);
    this.#links.tellAll();
  }

  /** Whether somebody looks here has changed: the partners hear of it at once. */
  tellWatching(): void {
    this.#links.tellAll();
  }

  /** This node's servers, to the partners that watch. */
  tellServers(report: string): void {
    this.#links.tellServers(report);
  }

  /** Removes what a process that died in a move has left. */
  cleanUp(): Promise<void> {
    return this.#handover.cleanUp([...this.#ownAddress.keys()].flatMap(({ instances }) => instances));
  }

  /** Before a master gives up: whether a partner is ready to take over without losing a connection. */
  prepareToGo(instance: SpeakerInstance, forGood: boolean): Promise<boolean> {
    return this.#handover.prepareToGo(instance, forGood);
  }

  go(instance: SpeakerInstance): void {
    this.#handover.go(instance);
  }

  /** Connections are still served here whose address another node has. */
  get lingers(): boolean {
    return this.#handover.lingers;
  }

  /** Partners with an open link, and how they are reached. */
  routes(): readonly PeerRoute[] {
    return this.#links.routes();
  }

  /** What the process before had a link with: the partners need not wait for adverts to have it again. */
  dialAgain(routes: readonly PeerRoute[]): void {
    for (const { address, local, zone } of routes) this.#links.heard(address, local, zone);
  }

  status(): PeerLinkStatus {
    return this.#links.status();
  }

  async close(): Promise<void> {
    if (this.#isWatched) this.#reports.onWatched(false);
    await this.#handover.close();
    this.#links.close();
  }

  /** Adverts that arrived before the end count; then the best backup takes over at once. */
  #onDead(address: string): void {
    const on = this.#interfaceOf.get(address);
    const own = on === undefined ? undefined : this.#ownAddress.get(on);
    if (on === undefined || own === undefined) return;
    on.drain();
    this.#handover.onDead(address);
    const last = this.#links.lastWord(address);
    for (const instance of on.instances) {
      const delayMs = takeoverDelayMs({ ...routerOf(instance), address: own }, last);
      instance.input({ kind: "peer-dead", address, delayMs });
    }
  }

  /**
   * Where multicast is lost and the link is not, this is the only way to know of another master. One that gave up has
   * said so with priority 0 as well, behind which VRRP waits for the skew; the link tells who goes first.
   */
  #onState(address: string, said: StateMessage): void {
    const own = this.#links.localAddress(address);
    for (const instance of this.#instancesTowards(address)) {
      const { virtualRouterId, family } = identify(instance);
      const theirs = said.routers.find((r) => r.virtualRouterId === virtualRouterId && r.family === family);
      if (theirs?.state === "MASTER") instance.noteMaster(address, "it says so over the peer link");
      if ((theirs?.state !== "FAULT" && theirs?.state !== "INIT") || own === null) continue;
      const delayMs = takeoverDelayMs({ ...routerOf(instance), address: own }, said);
      instance.input({ kind: "peer-left", address, state: theirs.state, delayMs });
    }
  }

  #describe(address: string): StateMessage {
    const on = this.#interfaceTowards(address);
    return {
      kind: "state",
      node: this.#settings.node.slice(0, 255),
      mac: on?.mac() ?? "00:00:00:00:00:00",
      routers: (on?.instances ?? []).map(stateOf),
      members: this.#links
        .linked()
        .map((member) => ({ address: member.address, routers: member.said?.routers ?? [] })),
      load: this.#moves.load(),
      watches: this.#reports.isWatching(),
    };
  }

  #settleWatched(): void {
    const { isWatched } = this.#links;
    if (isWatched === this.#isWatched) return;
    this.#isWatched = isWatched;
    this.#reports.onWatched(isWatched);
  }

  /** What nobody here has asked for, or what comes too often, is left out. */
  #onReport(address: string, report: string): void {
    const nowMs = performance.now();
    const before = this.#reportedMs.get(address) ?? Number.NEGATIVE_INFINITY;
    if (!this.#reports.isWatching() || nowMs - before < shortestReportPauseMs) return;
    this.#reportedMs.set(address, nowMs);
    this.#reports.onReport(address, report);
  }

  #placeOf(instance: SpeakerInstance): { readonly interface: string; readonly address: string } | null {
    for (const [on, address] of this.#ownAddress) {
      if (on.instances.includes(instance)) return { interface: on.name, address };
    }
    return null;
  }

  #instancesTowards(address: string): readonly SpeakerInstance[] {
    return this.#interfaceTowards(address)?.instances ?? [];
  }

  /** A backup is never heard; it came by its own dialing, over the interface whose address it dialed. */
  #interfaceTowards(address: string): PeerInterface | undefined {
    const local = this.#links.localAddress(address);
    return this.#interfaceOf.get(address) ?? [...this.#ownAddress].find(([, own]) => own === local)?.[0];
  }
}

function routerOf(instance: SpeakerInstance): Omit<RouterState, "state" | "reason"> {
  return { ...identify(instance), priority: instance.state.priority };
}

function stateOf(instance: SpeakerInstance): RouterState {
  const { name, reason } = instance.state;
  return { ...routerOf(instance), state: name, reason: reason.slice(0, 500) };
}
