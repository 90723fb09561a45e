import type { VrrpInstanceConfig } from "../../src/config/config.js";
import type { LocalRouter } from "../../src/vrrp/configuration-checks.js";
import type { InstanceInput } from "../../src/vrrp/instance-state.js";
import type { InstanceLegacy } from "../../src/vrrp/legacy.js";
import { type Received, receive } from "../../src/vrrp/receive-checks.js";
import { MachineClock } from "./machine-clock.js";
import { SimulatedRouter, type StateMachine } from "./router.js";
import type { VirtualLan } from "./virtual-lan.js";

/** What the event loop serves before anything else when a process wakes up. */
export type FirstEvent = "socket" | "address event" | "timer";

/** A socket's buffer: what does not fit is dropped, as SO_RCVBUF has it. */
const mostWaiting = 256;

/**
 * A machine with its kernel, its clock and the one process that speaks VRRP on it: what `Speaker` and
 * `SpeakerInterface` are in the real one. Adverts come in as bytes and go through the real receive checks.
 */
export class SimulatedMachine {
  readonly lan: VirtualLan;
  /** Its place among the machines of the LAN. */
  readonly index: number;
  readonly address: string;
  readonly clock: MachineClock;
  readonly routers: readonly SimulatedRouter[];
  /** False: the process is dead. */
  running = true;
  /** The process does not run (SIGSTOP); its kernel does. */
  frozen = false;
  /** The whole machine stands still, its kernel too. */
  paused = false;
  /** VRRP waits for another process of this machine to go on, as in an upgrade: nobody speaks, nobody listens. */
  standsStill = false;
  cableIn = true;
  kernelRefuses = false;
  /** True ms of the next thing that it does by itself. */
  dueMs = Number.POSITIVE_INFINITY;
  /** What tracking adds to every router's configured priority now. Read with its facts, so it outlives the process. */
  weight = 0;
  /** True ms since when the process has run without a break. */
  awakeSinceMs = 0;
  /** The node cannot serve, as its owner sees it; outlives the process. */
  #unfit: string | null = null;
  /** An operator wants it to be backup. Ends with the process. */
  isDrained = false;
  #isWishLost = false;
  /** What a process that stands still has left for the one that follows, by router. */
  #legacies: readonly InstanceLegacy[] = [];
  readonly #inbox: Uint8Array[] = [];
  /** Addresses that the kernel took while the process did not look. */
  readonly #lost = new Set<SimulatedRouter>();
  #timerLocalMs = Number.POSITIVE_INFINITY;
  #timerMs = Number.POSITIVE_INFINITY;
  #leaseMs = Number.POSITIVE_INFINITY;
  #local: ReadonlyMap<number, LocalRouter>;
  /** The checks are a function of the bytes and of the configuration: each datagram goes through them once. */
  #checked = new WeakMap<Uint8Array, Received>();

  constructor(
    lan: VirtualLan,
    address: string,
    configs: readonly VrrpInstanceConfig[],
    options: { clock?: MachineClock; stateMachine?: StateMachine } = {},
  ) {
    this.lan = lan;
    this.address = address;
    this.clock = options.clock ?? new MachineClock();
    this.routers = configs.map((config) => new SimulatedRouter(this, config, options.stateMachine));
    this.#local = this.#localRouters();
    this.index = lan.join(this);
  }

  /** How late a timer is served. */
  timerLatenessMs: () => number = () => 0;
  /** How long the kernel takes to add or remove an address. */
  kernelMs: () => number = () => 0;
  /** How long after its end a lease is taken away. */
  leaseSlackMs = 0;

  get awake(): boolean {
    return this.running && !this.frozen && !this.paused && !this.standsStill;
  }

  get unread(): number {
    return this.#inbox.length;
  }

  localMs(): number {
    return this.clock.at(this.lan.nowMs);
  }

  inputAll(input: InstanceInput): void {
    for (const router of this.routers) {
      router.input(input);
    }
  }

  start(): this {
    this.#tellFirstFacts();
    this.inputAll({ kind: "start" });
    return this;
  }

  /** Before a process begins: what it finds that is not as it should be. */
  #tellFirstFacts(): void {
    if (!this.cableIn) {
      this.inputAll({ kind: "fault", cause: "link", reason: "interface eth1 is down" });
    }
    if (this.#unfit !== null) {
      this.inputAll({ kind: "fault", cause: "fitness", reason: this.#unfit });
    }
    if (this.weight !== 0) {
      this.#tellWeight();
    }
  }

  /** Does what was due. */
  serve(): void {
    const { nowMs } = this.lan;
    if (this.#leaseMs <= nowMs) {
      this.#endLeases();
    }
    if (this.#timerMs <= nowMs && this.awake) {
      this.tick();
    }
    this.rearm();
  }

  /** The shell's rule: drain, then judge the deadlines. */
  tick(): void {
    this.#drain();
    for (const router of this.routers) {
      if (router.deadlineMs <= this.localMs()) {
        router.input({ kind: "timer" });
      }
    }
  }

  arrive(bytes: Uint8Array): void {
    if (!this.running || !this.cableIn || this.paused || this.standsStill) {
      return;
    }
    if (!this.frozen) {
      this.#take(bytes);
    } else if (this.#inbox.length < mostWaiting) {
      this.#inbox.push(bytes);
    }
  }

  freeze(): void {
    this.frozen = true;
    this.rearm();
  }

  thaw(firstEvent: FirstEvent = "timer"): void {
    this.frozen = false;
    this.awakeSinceMs = this.lan.nowMs;
    if (firstEvent === "address event") {
      this.#tellLost();
    } else if (firstEvent === "socket") {
      const first = this.#inbox.shift();
      if (first !== undefined) {
        this.#take(first);
      }
    }
    this.tick();
    this.#tellLost();
    this.#drain();
    this.#tellFacts();
    this.rearm();
  }

  /** Why VRRP may not stand still now; null: it may. As `Speaker.cannotBeFollowed`, and it waits for the kernel. */
  get cannotBeFollowed(): boolean {
    return this.routers.some(({ state, isBusy }) => state.handingOver !== null || isBusy);
  }

  /** For a process that follows within `limitMs`: the leases last as much longer. */
  standStill(limitMs: number): void {
    this.#legacies = this.routers.map((router) => router.leave(limitMs));
    this.standsStill = true;
    this.#isWishLost = false;
    this.rearm();
  }

  /** The process that follows goes on, without what came meanwhile. */
  follow(): void {
    this.standsStill = false;
    this.awakeSinceMs = this.lan.nowMs;
    this.#lost.clear();
    for (const router of this.routers) {
      router.reset(router.config);
    }
    this.#tellFirstFacts();
    this.routers.forEach((router, index) => {
      router.input({ kind: "resume", from: this.#legacies[index] });
    });
    // What an operator wanted meanwhile was lost, and the log says so: it is asked for again.
    if (this.#isWishLost) {
      this.#tellDrained();
    }
    this.rearm();
  }

  /** Nobody follows: the old process goes on. */
  comeBack(): void {
    this.standsStill = false;
    this.thaw();
  }

  /** The virtual machine stands still; `clockStops`: it will not notice. */
  pause(clockStops: boolean): void {
    this.paused = true;
    if (clockStops) {
      this.clock.stop(this.lan.nowMs);
    }
    this.rearm();
  }

  goOn(firstEvent: FirstEvent = "timer"): void {
    this.paused = false;
    this.awakeSinceMs = this.lan.nowMs;
    this.clock.goOn(this.lan.nowMs);
    this.#endLeases();
    if (this.running && !this.frozen) {
      this.thaw(firstEvent);
    }
    this.rearm();
  }

  /** kill -9: the kernel keeps the addresses until their lease ends. */
  crash(): void {
    this.running = false;
    this.frozen = false;
    this.isDrained = false;
    this.#inbox.length = 0;
    this.#lost.clear();
    this.rearm();
  }

  /** The process is gone and its machine with it: nobody holds anything. */
  powerOff(): void {
    this.crash();
    for (const router of this.routers) {
      router.lose("power off");
    }
    this.rearm();
  }

  restart(configs: readonly VrrpInstanceConfig[] = this.routers.map(({ config }) => config)): void {
    this.running = true;
    this.frozen = false;
    this.isDrained = false;
    this.awakeSinceMs = this.lan.nowMs;
    this.#inbox.length = 0;
    this.#lost.clear();
    this.routers.forEach((router, index) => {
      router.reset(configs[index]);
    });
    this.#local = this.#localRouters();
    this.#checked = new WeakMap();
    this.start();
  }

  pullCable(): void {
    this.cableIn = false;
    if (this.awake) {
      this.inputAll({ kind: "fault", cause: "link", reason: "interface eth1 is down" });
    }
  }

  plugCable(): void {
    this.cableIn = true;
    if (this.awake) {
      this.inputAll({ kind: "fault-cleared", cause: "link", reason: "interface eth1 is up" });
    }
  }

  /** A partner's kernel has closed the peer link and refuses another one. `delayMs` for each virtual router. */
  hearOfDeath(address: string, delayMs: (router: SimulatedRouter) => number): void {
    this.#drain();
    for (const router of this.routers) {
      const delay = delayMs(router);
      for (const watcher of this.lan.watchers) {
        watcher.peerDead(router, address, delay);
      }
      router.input({ kind: "peer-dead", address, delayMs: delay });
    }
  }

  setFitness(unfit: string | null): void {
    const before = this.#unfit;
    this.#unfit = unfit;
    if (!this.awake) {
      return;
    }
    if (unfit !== null) {
      this.inputAll({ kind: "fault", cause: "fitness", reason: unfit });
    } else if (before !== null) {
      this.inputAll({ kind: "fault-cleared", cause: "fitness", reason: "fit again" });
    }
  }

  /** Who does not run hears of it when it does. */
  setDrained(isDrained: boolean): void {
    this.isDrained = isDrained;
    this.#isWishLost = this.standsStill;
    if (this.awake) {
      this.#tellDrained();
    }
  }

  #tellDrained(): void {
    this.inputAll(this.isDrained ? { kind: "drain", assisted: false } : { kind: "undrain" });
  }

  get unfit(): boolean {
    return this.#unfit !== null;
  }

  /** Somebody else removes the virtual addresses. */
  loseAddresses(): void {
    for (const router of this.routers) {
      router.lose("removed by somebody");
      this.#lost.add(router);
    }
    if (this.awake) {
      this.#tellLost();
    }
  }

  /** What the process could not be told while it did not run. */
  #tellFacts(): void {
    this.inputAll(
      this.cableIn
        ? { kind: "fault-cleared", cause: "link", reason: "interface eth1 is up" }
        : { kind: "fault", cause: "link", reason: "interface eth1 is down" },
    );
    this.inputAll(
      this.#unfit === null
        ? { kind: "fault-cleared", cause: "fitness", reason: "fit again" }
        : { kind: "fault", cause: "fitness", reason: this.#unfit },
    );
    this.#tellWeight();
    this.#tellDrained();
  }

  #tellWeight(): void {
    for (const router of this.routers) {
      const priority = router.config.priority + this.weight;
      router.input({ kind: "priority", priority, reason: `tracking adds ${this.weight}` });
    }
  }

  setWeight(weight: number): void {
    this.weight = weight;
    if (this.awake) {
      this.#tellWeight();
    }
  }

  /** When it has something to do by itself next. */
  rearm(): void {
    let local = Number.POSITIVE_INFINITY;
    let leaseUntil = Number.POSITIVE_INFINITY;
    for (const router of this.routers) {
      local = Math.min(local, router.deadlineMs);
      leaseUntil = Math.min(leaseUntil, router.lease.untilMs);
    }
    if (!this.awake) {
      this.#timerLocalMs = Number.POSITIVE_INFINITY;
      this.#timerMs = Number.POSITIVE_INFINITY;
    } else if (local !== this.#timerLocalMs || this.#timerMs <= this.lan.nowMs) {
      this.#timerLocalMs = local;
      const due = Math.max(this.clock.when(local) + this.timerLatenessMs(), this.lan.nowMs);
      // Rounding must not wake it before its own clock shows the deadline.
      this.#timerMs = this.clock.at(due) < local ? due + 1e-6 : due;
    }
    this.#leaseMs = this.paused ? Number.POSITIVE_INFINITY : this.clock.when(leaseUntil) + this.leaseSlackMs;
    this.dueMs = Math.min(this.#timerMs, this.#leaseMs);
  }

  /** After the clock was set to another pace. */
  retime(): void {
    this.#timerLocalMs = Number.NaN;
    this.rearm();
  }

  #endLeases(): void {
    for (const router of this.routers) {
      if (this.clock.when(router.lease.untilMs) + this.leaseSlackMs <= this.lan.nowMs) {
        router.lose("its lease ran out");
        this.#lost.add(router);
      }
    }
    if (this.awake) {
      this.#tellLost();
    }
  }

  /** The shell looks before it believes an event: what is there again is no loss. */
  #tellLost(): void {
    const lost = [...this.#lost];
    this.#lost.clear();
    for (const router of lost) {
      if (!router.lease.held && router.state.name === "MASTER") {
        router.input({ kind: "addresses-lost" });
      }
    }
  }

  #drain(): void {
    for (let next = this.#inbox.shift(); next !== undefined; next = this.#inbox.shift()) {
      this.#take(next);
    }
  }

  #take(bytes: Uint8Array): void {
    let received = this.#checked.get(bytes);
    if (received === undefined) {
      received = receive(bytes, this.#local);
      this.#checked.set(bytes, received);
    }
    const { watchers } = this.lan;
    if (!received.accepted) {
      for (const watcher of watchers) {
        watcher.refused(this, received.drop.reason, received.drop.source);
      }
      return;
    }
    const { packet, input } = received;
    for (const router of this.routers) {
      if (router.config.virtualRouterId === packet.virtualRouterId) {
        for (const watcher of watchers) {
          watcher.hears(router, input);
        }
        router.input(input);
      }
    }
  }

  #localRouters(): ReadonlyMap<number, LocalRouter> {
    return new Map(
      this.routers.map(({ config }) => [config.virtualRouterId, { config, ownAddress: this.address }]),
    );
  }
}
