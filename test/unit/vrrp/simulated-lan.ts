import type { VrrpInstanceConfig } from "../../../src/config/config.js";
import { handle } from "../../../src/vrrp/instance.js";
import {
  type InstanceEffect,
  type InstanceInput,
  type InstanceState,
  initialState,
  nextDeadlineMs,
} from "../../../src/vrrp/instance-state.js";
import { encodeAdvertV2 } from "../../../src/vrrp/packet-v2.js";
import { receive } from "../../../src/vrrp/receive-checks.js";
import { datagram, routerConfig } from "./datagrams.js";

/** One thing that happened, for a test to look at and for a failing one to print. */
export interface Happening {
  readonly atMs: number;
  readonly node: string;
  readonly what: string;
}

interface Parcel {
  readonly atMs: number;
  readonly order: number;
  run(): void;
}

/**
 * Nodes on one LAN under a virtual clock. Adverts travel as bytes, through the real codec and receive checks; each
 * node has a simulated kernel that holds the virtual address with its lease.
 */
export class SimulatedLan {
  nowMs = 0;
  readonly nodes: SimulatedNode[] = [];
  readonly happenings: Happening[] = [];
  latencyMs = 0.2;
  /** 0–1, of every advert and receiver. */
  loss = 0;
  /** Called after everything that happened. */
  invariant: () => void = () => {};
  #parcels: Parcel[] = [];
  #order = 0;
  #random: number;
  #groups: readonly (readonly SimulatedNode[])[] | null = null;

  constructor(seed = 1) {
    this.#random = seed >>> 0 || 1;
  }

  add(address: string, changes: Partial<VrrpInstanceConfig> = {}): SimulatedNode {
    const node = new SimulatedNode(this, address, routerConfig(changes));
    this.nodes.push(node);
    return node;
  }

  /** Nodes hear each other within a group only; without groups, everybody everybody. */
  partition(...groups: readonly (readonly SimulatedNode[])[]): void {
    this.#groups = groups;
  }

  heal(): void {
    this.#groups = null;
  }

  /** Lets time pass, to the instant given. */
  runUntil(untilMs: number): void {
    for (;;) {
      const parcel = this.#earliestParcel();
      const timer = this.#earliestTimer();
      const atMs = Math.min(
        parcel?.atMs ?? Number.POSITIVE_INFINITY,
        timer?.atMs ?? Number.POSITIVE_INFINITY,
      );
      if (atMs > untilMs) {
        break;
      }
      this.nowMs = Math.max(this.nowMs, atMs);
      if (parcel !== null && parcel.atMs <= atMs) {
        this.#parcels = this.#parcels.filter((other) => other !== parcel);
        parcel.run();
      } else {
        timer?.node.tick();
      }
      this.invariant();
    }
    this.nowMs = Math.max(this.nowMs, untilMs);
    this.invariant();
  }

  run(forMs: number): void {
    this.runUntil(this.nowMs + forMs);
  }

  masters(): SimulatedNode[] {
    return this.nodes.filter((node) => node.running && node.state.name === "MASTER");
  }

  holders(): SimulatedNode[] {
    return this.nodes.filter((node) => node.holdsAddress);
  }

  send(from: SimulatedNode, message: Uint8Array): void {
    const bytes = datagram(message, { source: from.address });
    for (const node of this.nodes) {
      if (node !== from && this.#connected(from, node) && !this.#lost()) {
        const atMs = this.nowMs + this.latencyMs;
        this.#parcels.push({ atMs, order: this.#order++, run: () => node.arrive(bytes) });
      }
    }
  }

  /** What happened to one node, as short lines. */
  history(node: SimulatedNode): string[] {
    return this.happenings.filter((h) => h.node === node.address).map((h) => h.what);
  }

  /** When it happened, for the first time after `sinceMs`; NaN: not yet. */
  when(node: SimulatedNode, what: string, sinceMs = 0): number {
    const found = this.happenings.find(
      (h) => h.node === node.address && h.what === what && h.atMs >= sinceMs,
    );
    return found?.atMs ?? Number.NaN;
  }

  #connected(from: SimulatedNode, to: SimulatedNode): boolean {
    const together = this.#groups?.some((group) => group.includes(from) && group.includes(to)) ?? true;
    return together && from.cableIn && to.cableIn;
  }

  #lost(): boolean {
    // xorshift32: a failing history replays with its seed.
    let x = this.#random;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#random = x >>> 0;
    return this.#random / 2 ** 32 < this.loss;
  }

  #earliestParcel(): Parcel | null {
    return this.#parcels.reduce<Parcel | null>(
      (best, p) =>
        best === null || p.atMs < best.atMs || (p.atMs === best.atMs && p.order < best.order) ? p : best,
      null,
    );
  }

  #earliestTimer(): { atMs: number; node: SimulatedNode } | null {
    let best: { atMs: number; node: SimulatedNode } | null = null;
    for (const node of this.nodes) {
      const atMs = node.deadlineMs;
      if (atMs !== null && (best === null || atMs < best.atMs)) {
        best = { atMs, node };
      }
    }
    return best;
  }
}

export class SimulatedNode {
  readonly address: string;
  readonly config: VrrpInstanceConfig;
  state: InstanceState;
  /** False: crashed. */
  running = true;
  frozen = false;
  cableIn = true;
  announcements = 0;
  /** In a sync group: what settles it after each input. */
  settleGroup: (() => void) | null = null;
  /** The kernel's lease; the address is gone when it has passed. */
  #leasedUntilMs = Number.NEGATIVE_INFINITY;
  #lan: SimulatedLan;
  /** What arrived while it was frozen, in its socket's buffer. */
  #waiting: Uint8Array[] = [];

  constructor(lan: SimulatedLan, address: string, config: VrrpInstanceConfig) {
    this.#lan = lan;
    this.address = address;
    this.config = config;
    this.state = { ...initialState(config), ownAddress: address };
  }

  get holdsAddress(): boolean {
    return this.#lan.nowMs < this.#leasedUntilMs;
  }

  get deadlineMs(): number | null {
    return this.running && !this.frozen ? nextDeadlineMs(this.state) : null;
  }

  start(): this {
    this.input({ kind: "start" });
    return this;
  }

  input(input: InstanceInput): void {
    const step = handle(this.state, input, this.#lan.nowMs);
    this.state = step.state;
    for (const effect of step.effects) {
      this.#run(effect);
    }
    this.settleGroup?.();
  }

  /** Takes its place in a sync group, before `start`. */
  joinGroup(settle: () => void): void {
    this.settleGroup = settle;
    this.state = { ...this.state, inGroup: true };
  }

  /** The shell's rule: drain, then judge the deadlines. */
  tick(): void {
    this.#drain();
    this.input({ kind: "timer" });
  }

  arrive(bytes: Uint8Array): void {
    if (!this.running || !this.cableIn) {
      return;
    }
    if (this.frozen) {
      this.#waiting.push(bytes);
    } else {
      this.#take(bytes);
    }
  }

  freeze(): void {
    this.frozen = true;
  }

  /** `firstEvent`: what the event loop serves before anything else. */
  thaw(firstEvent: "socket" | "address event" | "timer" = "timer"): void {
    const leaseEnded = this.state.name === "MASTER" && !this.holdsAddress;
    this.frozen = false;
    if (firstEvent === "address event" && leaseEnded) {
      this.input({ kind: "addresses-lost" });
    } else if (firstEvent === "socket") {
      const first = this.#waiting.shift();
      if (first !== undefined) {
        this.#take(first);
      }
    }
    this.tick();
    this.#drain();
  }

  /** kill -9: the kernel keeps the address until the lease ends. */
  crash(): void {
    this.running = false;
  }

  restart(): void {
    this.running = true;
    this.frozen = false;
    this.#waiting = [];
    const inGroup = this.settleGroup !== null;
    this.state = { ...initialState(this.config, inGroup), ownAddress: this.address };
    if (!this.cableIn) {
      this.input({ kind: "fault", cause: "link", reason: "interface eth1 is down" });
    }
    this.start();
  }

  pullCable(): void {
    this.cableIn = false;
    this.input({ kind: "fault", cause: "link", reason: "interface eth1 is down" });
  }

  plugCable(): void {
    this.cableIn = true;
    this.input({ kind: "fault-cleared", cause: "link", reason: "interface eth1 is up" });
  }

  /** Somebody else removes the virtual address. */
  loseAddress(): void {
    this.#leasedUntilMs = Number.NEGATIVE_INFINITY;
    this.input({ kind: "addresses-lost" });
  }

  /** What a process that died here has left on the interface, for ever. */
  leaveAddressBehind(): void {
    this.#leasedUntilMs = Number.POSITIVE_INFINITY;
  }

  #drain(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const bytes of waiting) {
      this.#take(bytes);
    }
  }

  #take(bytes: Uint8Array): void {
    const local = new Map([[this.config.virtualRouterId, { config: this.config, ownAddress: this.address }]]);
    const received = receive(bytes, local);
    if (received.accepted) {
      this.input({ kind: "advert", source: received.source, priority: received.packet.priority });
    }
  }

  #run(effect: InstanceEffect): void {
    switch (effect.kind) {
      case "send-advert":
        this.#note(`advert ${effect.priority}`);
        this.#lan.send(this, this.#encode(effect.priority));
        break;
      case "put-addresses":
        if (!this.holdsAddress) {
          this.#note("put");
        }
        this.#leasedUntilMs = this.#lan.nowMs + this.config.leaseMs;
        break;
      case "remove-addresses":
        this.#note("remove");
        this.#leasedUntilMs = Number.NEGATIVE_INFINITY;
        break;
      case "announce":
        this.announcements += effect.count;
        this.#note(`announce ${effect.count}`);
        break;
      case "transition":
        this.#note(`${effect.from} to ${effect.to}`);
        break;
      case "handed-over":
        this.#note("handed over");
        break;
      case "priority-changed":
        this.#note(`priority ${effect.from} to ${effect.to}`);
        break;
      case "log":
        this.#note(`log: ${effect.message}`);
        break;
    }
  }

  #encode(priority: number): Uint8Array {
    return encodeAdvertV2({
      virtualRouterId: this.config.virtualRouterId,
      priority,
      authType: 0,
      authData: new Uint8Array(8),
      advertIntervalS: this.config.advertIntervalCs / 100,
      addresses: this.config.addresses.map(({ address }) => address),
    });
  }

  #note(what: string): void {
    this.#lan.happenings.push({ atMs: this.#lan.nowMs, node: this.address, what });
  }
}
