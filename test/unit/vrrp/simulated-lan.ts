import type { VrrpInstanceConfig } from "../../../src/config/config.js";
import type { InstanceEffect, InstanceInput, InstanceState } from "../../../src/vrrp/instance-state.js";
import { type Link, quietLink } from "../../sim/link.js";
import { SimulatedMachine } from "../../sim/machine.js";
import type { SimulatedRouter } from "../../sim/router.js";
import { VirtualLan } from "../../sim/virtual-lan.js";
import { Watcher } from "../../sim/watcher.js";
import { routerConfig } from "./datagrams.js";

/** One thing that happened, for a test to look at. */
export interface Happening {
  readonly atMs: number;
  readonly node: string;
  readonly what: string;
}

/**
 * The simulation's LAN (test/sim) for a scenario that is told step by step: machines with one virtual router each, exact
 * clocks and timers, a kernel that answers at once, and a list of all that happened.
 */
export class SimulatedLan extends VirtualLan {
  readonly nodes: SimulatedNode[] = [];
  readonly happenings: Happening[] = [];
  /** Called after everything that happened. */
  invariant: () => void = () => {};
  #latencyMs = 0.2;
  #loss = 0;

  constructor(seed = 1) {
    super(seed);
    this.watchers.push(new Recorder(this));
  }

  add(address: string, changes: Partial<VrrpInstanceConfig> = {}): SimulatedNode {
    const node = new SimulatedNode(this, address, [routerConfig(changes)]);
    this.nodes.push(node);
    return node;
  }

  get latencyMs(): number {
    return this.#latencyMs;
  }

  set latencyMs(latencyMs: number) {
    this.#latencyMs = latencyMs;
    for (const { link } of this.links) {
      link.latencyMs = latencyMs;
    }
  }

  /** 0–1, of every advert and receiver. */
  set loss(loss: number) {
    this.#loss = loss;
    for (const { link } of this.links) {
      link.loss = loss;
    }
  }

  override newLink(): Link {
    return { ...quietLink(this.#latencyMs), loss: this.#loss };
  }

  /** Nodes hear each other within a group only. */
  partition(...groups: readonly (readonly SimulatedNode[])[]): void {
    for (const { from, to, link } of this.links) {
      link.cuts = groups.some((group) => has(group, from) && has(group, to)) ? 0 : 1;
    }
  }

  /** Everybody hears everybody. */
  heal(): void {
    for (const { link } of this.links) {
      link.cuts = 0;
    }
  }

  masters(): SimulatedNode[] {
    return this.nodes.filter((node) => node.running && node.state.name === "MASTER");
  }

  holders(): SimulatedNode[] {
    return this.nodes.filter((node) => node.holdsAddress);
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

  protected override afterEach(): void {
    this.invariant();
  }
}

function has(group: readonly SimulatedMachine[], machine: SimulatedMachine): boolean {
  return group.includes(machine);
}

/** A machine with one virtual router. */
export class SimulatedNode extends SimulatedMachine {
  get router(): SimulatedRouter {
    return this.routers[0];
  }

  get state(): InstanceState {
    return this.router.state;
  }

  get config(): VrrpInstanceConfig {
    return this.router.config;
  }

  get holdsAddress(): boolean {
    return this.router.lease.held;
  }

  get announcements(): number {
    return this.router.announcements;
  }

  input(input: InstanceInput): void {
    this.router.input(input);
  }

  /** Takes its place in a sync group, before `start`; `settle` is called after each input. */
  joinGroup(settle: () => void): void {
    this.router.joinGroup(settle);
  }

  /** Somebody else removes the virtual address. */
  loseAddress(): void {
    this.loseAddresses();
  }

  /** What a process that died here has left on the interface, for ever. */
  leaveAddressBehind(): void {
    this.router.leaveBehind();
  }
}

class Recorder extends Watcher {
  readonly #lan: SimulatedLan;

  constructor(lan: SimulatedLan) {
    super();
    this.#lan = lan;
  }

  override effect(router: SimulatedRouter, effect: InstanceEffect): void {
    const what = describe(router, effect);
    if (what !== null) {
      this.#lan.happenings.push({ atMs: this.#lan.nowMs, node: router.machine.address, what });
    }
  }
}

function describe(router: SimulatedRouter, effect: InstanceEffect): string | null {
  switch (effect.kind) {
    case "send-advert":
      return `advert ${effect.priority}`;
    case "put-addresses":
      return router.lease.held ? null : "put";
    case "remove-addresses":
      return "remove";
    case "announce":
      return `announce ${effect.count}`;
    case "transition":
      return `${effect.from} to ${effect.to}`;
    case "handed-over":
      return "handed over";
    case "priority-changed":
      return `priority ${effect.from} to ${effect.to}`;
    case "prepare-takeover":
      return `prepare takeover from ${effect.from}`;
    case "log":
      return `log: ${effect.message}`;
  }
}
