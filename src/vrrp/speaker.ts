import type { VrrpInstanceConfig } from "../config/config.js";
import type { SyncGroupConfig } from "../config/tracking-config.js";
import type { LinkEvent } from "../netlink/monitor.js";
import { RouteSocket } from "../netlink/route-socket.js";
import type { VrrpEvent } from "./event.js";
import { shiftTimes, type VrrpLegacy } from "./legacy.js";
import { applyStep, describeStep, type ReloadStep, type VrrpSetup, vrrpReloadSteps } from "./reload-steps.js";
import { BaseSettings } from "./speaker-base-settings.js";
import { SpeakerGroups } from "./speaker-groups.js";
import type { InstanceHooks, SpeakerInstance } from "./speaker-instance.js";
import { SpeakerInterface } from "./speaker-interface.js";
import { SpeakerLinkEvents } from "./speaker-link-events.js";
import type { SpeakerLog } from "./speaker-log.js";
import { NoAccept } from "./speaker-no-accept.js";
import {
  type MoveObserver,
  type PeerLinkSettings,
  type ServerReports,
  SpeakerPeers,
} from "./speaker-peers.js";
import { assertRawSocketsAllowed } from "./speaker-socket.js";
import { type OutsideFacts, SpeakerTracking } from "./speaker-tracking.js";
import type { VrrpStatus } from "./status.js";

export interface SpeakerDependencies {
  readonly log: SpeakerLog;
  /** Null: no peer link, VRRP alone decides. */
  readonly peerLink: PeerLinkSettings | null;
  readonly moves: MoveObserver;
  readonly reports: ServerReports;
  /** Every instance's status, after each transition of any. */
  onStatus(statuses: readonly VrrpStatus[]): void;
  /** In the order in which it happened. */
  onEvent(event: VrrpEvent): void;
  /** Each advert as it is sent or has arrived, a whole IP datagram that is valid during the call only. */
  onDatagram(direction: "sent" | "received", on: string, datagram: Uint8Array): void;
}

/**
 * The VRRP router of this node: binds the state machines to sockets, netlink and the monotonic clock.
 *
 * Runs on the main thread only (raw-socket). One timer serves the earliest deadline of all instances, and before any
 * deadline is judged the sockets are drained: an advert that has arrived in time counts, however late this process is.
 */
export class Speaker {
  readonly #deps: SpeakerDependencies;
  readonly #route: RouteSocket;
  readonly #baseSettings = new BaseSettings();
  #peers: SpeakerPeers | null;
  readonly #linkEvents: SpeakerLinkEvents;
  readonly #noAccept: NoAccept;
  #cleaning: Promise<void> | null = null;
  readonly #hooks: InstanceHooks;
  #setup: VrrpSetup;
  #interfaces: readonly SpeakerInterface[] = [];
  /** In the order of the configuration. */
  #instances: readonly SpeakerInstance[] = [];
  readonly #groups: SpeakerGroups;
  readonly #tracking: SpeakerTracking;
  #timer: NodeJS.Timeout | null = null;
  #armedForMs: number | null = null;
  #stopping: Promise<void> | null = null;
  /** Nothing new begins on the way out. */
  #isLeaving = false;
  #isDrained = false;
  /** Another process may have taken over: nothing is said, and no deadline judged. */
  #isFrozen = false;

  private constructor(
    configs: readonly VrrpInstanceConfig[],
    groups: readonly SyncGroupConfig[],
    deps: SpeakerDependencies,
    route: RouteSocket,
  ) {
    this.#setup = { instances: configs, groups };
    this.#peers =
      deps.peerLink === null
        ? null
        : new SpeakerPeers(deps.peerLink, deps.log, route, deps.moves, deps.reports);
    this.#hooks = {
      isInGroup: (name) => this.#setup.groups.some(({ members }) => members.includes(name)),
      trackOf: (config) => this.#tracking.trackOf(config),
      onInput: (transition, instance) => this.#onInput(transition, instance),
      onEvent: (event) => deps.onEvent(event),
      onDatagram: (direction, on, datagram) => deps.onDatagram(direction, on, datagram),
    };
    this.#deps = deps;
    this.#route = route;
    this.#instances = configs.map((config) => this.#place(config));
    this.#noAccept = new NoAccept(configs, deps.log);
    this.#groups = new SpeakerGroups(deps.log, (event) => deps.onEvent(event));
    this.#groups.set(groups, this.#instances);
    this.#tracking = new SpeakerTracking(configs, groups, route, () => this.#judge());
    this.#linkEvents = new SpeakerLinkEvents(deps.log, (event) => this.#onLinkEvent(event));
  }

  /**
   * Opens what the instances need; nothing is sent before `start`.
   *
   * An interface that does not exist, is down or has no address is waited for. Throws LbError LB_PERMISSION, LB_NETLINK_*.
   */
  static async open(
    configs: readonly VrrpInstanceConfig[],
    groups: readonly SyncGroupConfig[],
    deps: SpeakerDependencies,
  ): Promise<Speaker> {
    assertRawSocketsAllowed();
    const route = await RouteSocket.open();
    try {
      const speaker = new Speaker(configs, groups, deps, route);
      await Promise.all([
        speaker.#tracking.look(),
        speaker.#noAccept.start(),
        ...speaker.#interfaces.map((iface) => iface.look()),
      ]);
      speaker.#judge();
      await speaker.#peers?.cleanUp();
      return speaker;
    } catch (error) {
      await route.close();
      throw error;
    }
  }

  /** An instance with a macvlan has its own wire; the others share their interface's. */
  #place(config: VrrpInstanceConfig): SpeakerInstance {
    const wire = config.vmac ?? config.interface;
    const there = this.#interfaces.find(({ wireName }) => wireName === wire);
    if (there !== undefined) {
      return there.add(config);
    }
    const { log } = this.#deps;
    const peers = (): SpeakerPeers | null => this.#peers;
    const kernel = { route: this.#route, settings: this.#baseSettings };
    const made = new SpeakerInterface(config.interface, [config], kernel, log, this.#hooks, peers);
    this.#interfaces = [...this.#interfaces, made];
    return made.instances[0];
  }

  /**
   * Makes the running routers those of `next`, by the steps of `vrrpReloadSteps`: what did not change keeps its state,
   * its timers and its addresses. Once at a time. Resolves with what was done, one sentence each; never rejects for what
   * the kernel refuses, which is a fault of the instance as always.
   */
  async reload(next: VrrpSetup, peerLink: PeerLinkSettings | null): Promise<string[]> {
    const done: string[] = [];
    const relinked = await this.#usePeerLink(peerLink);
    if (relinked !== null) {
      done.push(relinked);
    }
    const steps = vrrpReloadSteps(this.#setup, next);
    await this.#noAccept.change(next.instances);
    for (const step of steps) {
      if (this.#isLeaving) {
        return done;
      }
      this.#setup = applyStep(this.#setup, step);
      await this.#tracking.change(this.#setup.instances, this.#setup.groups);
      const sentence = describeStep(step);
      this.#deps.log.info({ event: "vrrp-reload", step: step.kind }, sentence);
      await this.#take(step);
      done.push(sentence);
    }
    const order = next.instances.map(({ name }) => name);
    this.#instances = [...this.#instances].sort(
      (a, b) => order.indexOf(a.config.name) - order.indexOf(b.config.name),
    );
    this.#setup = next;
    this.#judge();
    this.#deps.onStatus(this.status());
    return done;
  }

  async #take(step: ReloadStep): Promise<void> {
    switch (step.kind) {
      case "remove":
        await this.#remove(step.instance);
        break;
      case "change":
        await this.#change(step.config);
        break;
      case "add":
        await this.#add(step.config);
        break;
      case "regroup":
        this.#groups.set(step.groups, this.#instances);
        for (const instance of this.#instances) {
          void instance.reconfigure(instance.config, this.#tracking.judge(instance.config));
        }
        this.#groups.settle();
        break;
    }
  }

  async #remove(name: string): Promise<void> {
    const instance = this.#instances.find(({ config }) => config.name === name);
    const on = this.#interfaces.find(({ instances }) => instances.some((one) => one === instance));
    if (instance === undefined || on === undefined) {
      return;
    }
    instance.input({ kind: "stop", reason: "taken out by a reload" });
    await instance.released();
    this.#instances = this.#instances.filter((other) => other !== instance);
    on.remove(instance);
    if (on.instances.length === 0) {
      this.#interfaces = this.#interfaces.filter((other) => other !== on);
      this.#peers?.forget(on);
      on.close();
      await on.removeVmac();
    }
  }

  async #change(config: VrrpInstanceConfig): Promise<void> {
    const instance = this.#instances.find((one) => one.config.name === config.name);
    const on = this.#interfaces.find(({ instances }) => instances.some((one) => one === instance));
    if (instance !== undefined && on !== undefined) {
      await on.reconfigure(instance, config, this.#tracking.judge(config));
    }
  }

  async #add(config: VrrpInstanceConfig): Promise<void> {
    const instance = this.#place(config);
    await this.#interfaces.find(({ instances }) => instances.includes(instance))?.look();
    if (this.#isLeaving) {
      return;
    }
    this.#instances = [...this.#instances, instance];
    instance.take(this.#tracking.judge(config));
    if (this.#isDrained) {
      instance.input({ kind: "drain", assisted: false });
    }
    instance.input({ kind: "start" });
  }

  /** What it came to, null: nothing changed. Another key or port ends moves that are under way. */
  async #usePeerLink(settings: PeerLinkSettings | null): Promise<string | null> {
    if (settings === null ? this.#peers === null : this.#peers?.change(settings) === true) {
      return null;
    }
    const before = this.#peers;
    this.#peers = null;
    await before?.close();
    if (settings !== null && !this.#isLeaving) {
      const { log, moves, reports } = this.#deps;
      this.#peers = new SpeakerPeers(settings, log, this.#route, moves, reports);
    }
    for (const instance of this.#instances) {
      void instance.reconfigure(instance.config, this.#tracking.judge(instance.config));
    }
    await Promise.all(this.#interfaces.map((on) => on.look()));
    await this.#peers?.cleanUp();
    const sentence = settings === null ? "the peer link is off" : "the peer link begins anew";
    this.#deps.log.info({ event: "vrrp-reload", step: "peer-link" }, sentence);
    return sentence;
  }

  start(): void {
    this.#groups.start();
    this.#inputAll((instance) => instance.input({ kind: "start" }));
  }

  /** Why no other process can take over now; null: one can. */
  get cannotBeFollowed(): string | null {
    if (this.#isLeaving) return "this node gives its addresses away";
    const isMoving = this.#instances.some(
      ({ state }) => state.handingOver !== null || state.prepareUntilMs !== null,
    );
    return isMoving || this.lingers
      ? "an address moves between the nodes, or its connections still end"
      : null;
  }

  /**
   * Stands still, so that another process of this node can go on from there (`resume`); the kernel keeps the addresses
   * meanwhile. `thaw` or `leaveBehind` must follow within `limitMs`.
   */
  async freeze(limitMs: number): Promise<VrrpLegacy> {
    const linked = [...(this.#peers?.routes() ?? [])];
    // With a goodbye, so that the end of the links is no sign of a death. The port is free then for the other process.
    await this.#peers?.close();
    this.#isFrozen = true;
    clearTimeout(this.#timer ?? undefined);
    this.#timer = null;
    this.#armedForMs = null;
    const instances = this.#instances.map((instance) => shiftTimes(instance.freeze(), monotonicOffsetMs()));
    await Promise.all(this.#instances.map((instance) => instance.outlast(limitMs)));
    const settings = this.#baseSettings.before();
    return { instances, groups: this.#groups.told(), isDrained: this.#isDrained, linked, settings };
  }

  /** The other process did not take over after all. */
  async thaw(peerLink: PeerLinkSettings | null): Promise<void> {
    this.#isFrozen = false;
    for (const instance of this.#instances) instance.thaw();
    this.#judge();
    this.#armedForMs = null;
    this.#onTimer();
    this.#peers = null;
    if (peerLink !== null) await this.#usePeerLink(peerLink);
    else await Promise.all(this.#interfaces.map((iface) => iface.look()));
  }

  /** Another process has taken over: closes everything, and releases nothing that is in the kernel. */
  leaveBehind(): Promise<void> {
    this.#isLeaving = true;
    if (this.#stopping === null) {
      clearTimeout(this.#timer ?? undefined);
      this.#linkEvents.close();
      this.#stopping = this.#close();
    }
    return this.#stopping;
  }

  /** In place of `start`: goes on where another process of this node has left off. The peer link follows. */
  resume(from: VrrpLegacy): void {
    this.#isDrained = from.isDrained;
    this.#baseSettings.inherit(from.settings ?? []);
    // One after the other the members of a group would seem to be at odds.
    this.#groups.resume(from.groups, () => this.#resumeInstances(from));
    this.#arm();
  }

  #resumeInstances(from: VrrpLegacy): void {
    for (const instance of this.#instances) {
      const { name, virtualRouterId, interface: on } = instance.config;
      const legacy = from.instances.find((one) => one.name === name);
      if (legacy?.virtualRouterId === virtualRouterId && legacy.interface === on) {
        instance.resume(shiftTimes(legacy, -monotonicOffsetMs()));
      } else {
        instance.input({ kind: "start" });
      }
    }
  }

  /** After `resume`: opens the peer link, with those partners first that the other process had one with. */
  async openPeerLink(peerLink: PeerLinkSettings, { linked }: VrrpLegacy): Promise<void> {
    await this.#usePeerLink(peerLink);
    this.#peers?.dialAgain(linked);
  }

  /**
   * Gives mastership up without a gap: priority 0 at once, the addresses stay until another master is heard.
   *
   * Before that it asks the partner over the peer link to see to the connections that are open. `unassisted` is called
   * when nobody does: then they must end before the address is gone. Resolves when every address is released, 2 s later at
   * the latest; connections may go on after that, as long as `lingers`.
   */
  async handOver(unassisted: () => void): Promise<void> {
    this.#isLeaving = true;
    const assisted = await this.#prepareToGo(true);
    if (!this.#instances.every((instance) => instance.state.name !== "MASTER" || assisted.has(instance))) {
      unassisted();
    }
    for (const instance of this.#instances) {
      instance.input({ kind: "hand-over", assisted: assisted.has(instance) });
      this.#peers?.go(instance);
    }
    await Promise.all(this.#instances.map((instance) => instance.released()));
    await this.#cleanUp();
  }

  /** What was made for the instances and outlives the process: packet filters, macvlans. Never rejects. */
  #cleanUp(): Promise<void> {
    this.#cleaning ??= Promise.all([
      this.#noAccept.stop(),
      ...this.#interfaces.map((iface) => iface.removeVmac()),
    ]).then(() => this.#baseSettings.releaseAll());
    return this.#cleaning;
  }

  /** Hands mastership over and stays backup, as long as somebody else can be master. */
  async drain(): Promise<void> {
    this.#isDrained = true;
    const assisted = await this.#prepareToGo(false);
    for (const instance of this.#instances) {
      instance.input({ kind: "drain", assisted: assisted.has(instance) });
      this.#peers?.go(instance);
    }
  }

  undrain(): void {
    this.#isDrained = false;
    this.#inputAll((instance) => instance.input({ kind: "undrain" }));
  }

  /** Connections are still served here whose address another node has: `stop` would cut them. */
  get lingers(): boolean {
    return this.#peers?.lingers ?? false;
  }

  /** Whether somebody looks at this node's dashboard has changed. */
  tellWatching(): void {
    this.#peers?.tellWatching();
  }

  /** This node's servers, to the partners at whose dashboard somebody looks. */
  tellServers(report: string): void {
    this.#peers?.tellServers(report);
  }

  async #prepareToGo(forGood: boolean): Promise<ReadonlySet<SpeakerInstance>> {
    const ready = await Promise.all(
      this.#instances.map((instance) => this.#peers?.prepareToGo(instance, forGood) ?? false),
    );
    return new Set(this.#instances.filter((_, i) => ready[i]));
  }

  /** Releases every address at once and closes. May be called during `handOver`, and more than once. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #stop(): Promise<void> {
    this.#isLeaving = true;
    this.#inputAll((instance) => instance.input({ kind: "stop", reason: "stopped" }));
    await Promise.all(this.#instances.map((instance) => instance.released()));
    clearTimeout(this.#timer ?? undefined);
    await this.#peers?.close();
    this.#linkEvents.close();
    await this.#cleanUp();
    await this.#close();
  }

  async #close(): Promise<void> {
    for (const iface of this.#interfaces) {
      iface.close();
    }
    await this.#route.close();
  }

  /** What is known now of this node and of what it tracks: priorities change, and faults come and go. */
  setFacts(facts: OutsideFacts): void {
    this.#tracking.set(facts);
    this.#judge();
  }

  #judge(): void {
    this.#inputAll((instance) => instance.take(this.#tracking.judge(instance.config)));
  }

  status(): readonly VrrpStatus[] {
    const links = this.#peers?.status() ?? null;
    return this.#instances.map((instance) => instance.status(links));
  }

  #onLinkEvent(event: LinkEvent): void {
    this.#tracking.onLinkEvent(event);
    for (const iface of this.#interfaces) {
      iface.onLinkEvent(event);
    }
  }

  #inputAll(input: (instance: SpeakerInstance) => void): void {
    for (const instance of this.#instances) {
      input(instance);
    }
  }

  #onInput(transition: boolean, instance: SpeakerInstance): void {
    this.#groups.settle();
    this.#arm();
    if (transition) {
      this.#peers?.onTransition(instance);
      this.#deps.onStatus(this.status());
    }
  }

  #arm(): void {
    if (this.#isFrozen) return;
    const deadlines = this.#instances.flatMap(({ deadlineMs }) => (deadlineMs === null ? [] : [deadlineMs]));
    const earliest = deadlines.length === 0 ? null : Math.min(...deadlines);
    if (earliest === this.#armedForMs) {
      return;
    }
    this.#armedForMs = earliest;
    clearTimeout(this.#timer ?? undefined);
    this.#timer = null;
    if (earliest !== null) {
      const delayMs = Math.max(0, Math.ceil(earliest - performance.now()));
      this.#timer = setTimeout(() => this.#onTimer(), delayMs);
    }
  }

  #onTimer(): void {
    this.#timer = null;
    if (this.#isFrozen) return;
    for (const iface of this.#interfaces) {
      iface.drain();
    }
    for (const instance of this.#instances) {
      const { deadlineMs } = instance;
      if (deadlineMs !== null && deadlineMs <= performance.now()) {
        instance.input({ kind: "timer" });
      }
    }
    this.#armedForMs = null;
    this.#arm();
  }
}

/** What CLOCK_MONOTONIC, which all processes share, is ahead of `performance.now()`. */
function monotonicOffsetMs(): number {
  return Number(process.hrtime.bigint()) / 1e6 - performance.now();
}
