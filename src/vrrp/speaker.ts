import type { VrrpInstanceConfig } from "../config/config.js";
import type { SyncGroupConfig } from "../config/tracking-config.js";
import { LbError } from "../errors.js";
import { type LinkEvent, type Monitor, openMonitor } from "../netlink/monitor.js";
import { RouteSocket } from "../netlink/route-socket.js";
import type { VrrpEvent } from "./event.js";
import type { InstanceHooks, SpeakerInstance } from "./speaker-instance.js";
import { SpeakerInterface } from "./speaker-interface.js";
import type { SpeakerLog } from "./speaker-log.js";
import { NoAccept } from "./speaker-no-accept.js";
import { type MoveObserver, type PeerLinkSettings, SpeakerPeers } from "./speaker-peers.js";
import { assertRawSocketsAllowed } from "./speaker-socket.js";
import { type OutsideFacts, SpeakerTracking } from "./speaker-tracking.js";
import type { VrrpStatus } from "./status.js";
import { type GroupMember, type GroupStateName, groupState, settleGroup } from "./sync-group.js";

/** A sync group, and the state in which others believe it. */
interface Group {
  readonly name: string;
  readonly members: readonly SpeakerInstance[];
  told: GroupStateName;
}

/** After the monitor has ended. */
const watchAgainMs = 1000;

export interface SpeakerDependencies {
  readonly log: SpeakerLog;
  /** Null: no peer link, VRRP alone decides. */
  readonly peerLink: PeerLinkSettings | null;
  readonly moves: MoveObserver;
  /** Every instance's status, after each transition of any. */
  onStatus(statuses: readonly VrrpStatus[]): void;
  /** In the order in which it happened. */
  onEvent(event: VrrpEvent): void;
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
  readonly #peers: SpeakerPeers | null;
  #monitor: Monitor;
  #monitorTimer: NodeJS.Timeout | null = null;
  readonly #noAccept: NoAccept;
  #cleaning: Promise<void> | null = null;
  readonly #interfaces: readonly SpeakerInterface[];
  /** In the order of the configuration. */
  readonly #instances: readonly SpeakerInstance[];
  readonly #groups: readonly Group[];
  readonly #tracking: SpeakerTracking;
  #isSettling = false;
  #timer: NodeJS.Timeout | null = null;
  #armedForMs: number | null = null;
  #stopping: Promise<void> | null = null;

  private constructor(
    configs: readonly VrrpInstanceConfig[],
    groups: readonly SyncGroupConfig[],
    deps: SpeakerDependencies,
    route: RouteSocket,
  ) {
    this.#peers =
      deps.peerLink === null ? null : new SpeakerPeers(deps.peerLink, deps.log, route, deps.moves);
    const hooks: InstanceHooks = {
      inGroup: new Set(groups.flatMap(({ members }) => members)),
      trackOf: (config) => this.#tracking.trackOf(config),
      onInput: (transition, instance) => this.#onInput(transition, instance),
      onEvent: (event) => deps.onEvent(event),
    };
    this.#deps = deps;
    this.#route = route;
    // An instance with a macvlan has its own wire; the others share their interface's.
    const wires = new Map<string, VrrpInstanceConfig[]>();
    for (const config of configs) {
      const wire = config.vmac ?? config.interface;
      wires.set(wire, [...(wires.get(wire) ?? []), config]);
    }
    this.#interfaces = [...wires.values()].map(
      (here) => new SpeakerInterface(here[0].interface, here, route, deps.log, hooks, this.#peers),
    );
    this.#noAccept = new NoAccept(configs, deps.log);
    const instances = this.#interfaces.flatMap((iface) => iface.instances);
    this.#instances = configs.flatMap((config) => instances.filter((instance) => instance.config === config));
    this.#groups = groups.map(({ name, members }) => ({
      name,
      members: this.#instances.filter(({ config }) => members.includes(config.name)),
      told: "INIT",
    }));
    this.#tracking = new SpeakerTracking(configs, groups, route, () => this.#judge());
    this.#monitor = this.#watch();
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

  start(): void {
    // keepalived tells of a group before its members at the start, and only then.
    for (const group of this.#groups) {
      const isFaulty = group.members.some(({ state }) => Object.keys(state.faults).length > 0);
      this.#tell(group, isFaulty ? "FAULT" : "BACKUP", "started");
    }
    this.#inputAll((instance) => instance.input({ kind: "start" }));
  }

  /**
   * Gives mastership up without a gap: priority 0 at once, the addresses stay until another master is heard.
   *
   * Before that it asks the partner over the peer link to see to the connections that are open. `unassisted` is called
   * when nobody does: then they must end before the address is gone. Resolves when every address is released, 2 s later at
   * the latest; connections may go on after that, as long as `lingers`.
   */
  async handOver(unassisted: () => void): Promise<void> {
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
    ]).then(() => undefined);
    return this.#cleaning;
  }

  /** Hands mastership over and stays backup, as long as somebody else can be master. */
  async drain(): Promise<void> {
    const assisted = await this.#prepareToGo(false);
    for (const instance of this.#instances) {
      instance.input({ kind: "drain", assisted: assisted.has(instance) });
      this.#peers?.go(instance);
    }
  }

  undrain(): void {
    this.#inputAll((instance) => instance.input({ kind: "undrain" }));
  }

  /** Connections are still served here whose address another node has: `stop` would cut them. */
  get lingers(): boolean {
    return this.#peers?.lingers ?? false;
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
    this.#inputAll((instance) => instance.input({ kind: "stop", reason: "stopped" }));
    await Promise.all(this.#instances.map((instance) => instance.released()));
    clearTimeout(this.#timer ?? undefined);
    clearTimeout(this.#monitorTimer ?? undefined);
    await this.#peers?.close();
    this.#monitor.close();
    await this.#cleanUp();
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

  #watch(): Monitor {
    return openMonitor(
      (event) => this.#onLinkEvent(event),
      (error) => {
        this.#deps.log.error({ err: error }, "the kernel's link and address events cannot be read");
        if (error instanceof LbError && error.code === "LB_NETLINK_MONITOR") {
          this.#monitorTimer = setTimeout(() => this.#watchAgain(), watchAgainMs);
        }
      },
    );
  }

  #watchAgain(): void {
    try {
      this.#monitor = this.#watch();
      this.#onLinkEvent({ kind: "resync" });
    } catch (error) {
      this.#deps.log.error({ err: error }, "the kernel's link and address events cannot be read");
      this.#monitorTimer = setTimeout(() => this.#watchAgain(), watchAgainMs);
    }
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
    this.#settleGroups();
    this.#arm();
    if (transition) {
      this.#peers?.onTransition(instance);
      this.#deps.onStatus(this.status());
    }
  }

  /** What one member's input means for the others of its group; their inputs come back here and find it at work. */
  #settleGroups(): void {
    if (this.#isSettling) {
      return;
    }
    this.#isSettling = true;
    for (const group of this.#groups) {
      const { name, members } = group;
      let inputs = settleGroup(name, members.map(viewOf));
      while (inputs.length > 0) {
        for (const { member, input } of inputs) {
          members.find(({ config }) => config.name === member)?.input(input);
        }
        inputs = settleGroup(name, members.map(viewOf));
      }
      this.#tellOf(group);
    }
    this.#isSettling = false;
  }

  #tellOf(group: Group): void {
    const views = group.members.map(viewOf);
    const to = groupState(views);
    if (to !== null) {
      this.#tell(group, to, views.find(({ state }) => state.name === to)?.state.reason ?? to);
    }
  }

  #tell(group: Group, to: GroupStateName, reason: string): void {
    if (to === group.told) {
      return;
    }
    this.#deps.log.info(
      { event: "vrrp-group", group: group.name, from: group.told, to, reason },
      `${group.name}: ${group.told} → ${to}, ${reason}`,
    );
    group.told = to;
    this.#deps.onEvent({ kind: "group", group: group.name, to, reason });
  }

  #arm(): void {
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

function viewOf({ config, state }: SpeakerInstance): GroupMember {
  return { name: config.name, state };
}
