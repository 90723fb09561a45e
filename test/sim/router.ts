import type { VrrpInstanceConfig } from "../../src/config/config.js";
import { encodeAdvert } from "../../src/vrrp/advert.js";
import { handle, type Step } from "../../src/vrrp/instance.js";
import { legacyOf } from "../../src/vrrp/instance-resume.js";
import {
  type InstanceEffect,
  type InstanceInput,
  type InstanceState,
  initialState,
  nextDeadlineMs,
} from "../../src/vrrp/instance-state.js";
import type { InstanceLegacy } from "../../src/vrrp/legacy.js";
import { vrrpMulticastGroup } from "../../src/vrrp/packet-v2.js";
import { datagram } from "../unit/vrrp/datagrams.js";
import { nothingCounted } from "../unit/vrrp/legacies.js";
import { AddressLease } from "./kernel.js";
import type { SimulatedMachine } from "./machine.js";

/** The state machine under test: the real one, or a broken one that the laws must catch. */
export type StateMachine = (state: InstanceState, input: InstanceInput, nowMs: number) => Step;

/**
 * One virtual router on a simulated machine: the real state machine, and around it what `SpeakerInstance` and
 * `AddressKeeper` are in the real process.
 */
export class SimulatedRouter {
  readonly machine: SimulatedMachine;
  readonly lease = new AddressLease();
  /** Gratuitous ARP packets so far. */
  announcements = 0;
  state: InstanceState;
  /** Local ms; Infinity: it waits for nothing. */
  deadlineMs = Number.POSITIVE_INFINITY;
  /** It has said that the addresses are given up for good. */
  handedOver = false;
  /** Its sync group's rule, to be asked after each input; null: it goes by itself. */
  #settleGroup: (() => void) | null = null;
  #config: VrrpInstanceConfig;
  readonly #handle: StateMachine;
  /** Encoded once by priority: the bytes are a function of the configuration. */
  #adverts = new Map<number, Uint8Array>();
  /** Counts the changes between holding and released, as AddressKeeper does. */
  #decision = 0;
  #holding = false;
  /** True ms until which the kernel is busy with what was asked of it. */
  #busyUntilMs = Number.NEGATIVE_INFINITY;

  constructor(machine: SimulatedMachine, config: VrrpInstanceConfig, stateMachine: StateMachine = handle) {
    this.machine = machine;
    this.#config = config;
    this.#handle = stateMachine;
    this.state = { ...initialState(config), ownAddress: machine.address };
  }

  get config(): VrrpInstanceConfig {
    return this.#config;
  }

  /** Master, awake, and not on its way out. */
  get asserts(): boolean {
    return this.state.name === "MASTER" && this.state.handingOver === null && this.machine.awake;
  }

  /** A new process: nothing of the old one is left but what the kernel holds. */
  reset(config: VrrpInstanceConfig): void {
    if (config !== this.#config) {
      this.#config = config;
      this.#adverts = new Map();
    }
    const inGroup = this.#settleGroup !== null;
    this.state = { ...initialState(config, inGroup), ownAddress: this.machine.address };
    this.deadlineMs = Number.POSITIVE_INFINITY;
    this.handedOver = false;
    this.#decision++;
    this.#holding = false;
  }

  /** The kernel has not done yet what was asked of it. */
  get isBusy(): boolean {
    return this.#busyUntilMs > this.machine.lan.nowMs;
  }

  /** What it leaves to another process of this machine that follows within `limitMs`; the lease outlasts that. */
  leave(limitMs: number): InstanceLegacy {
    // As `SpeakerInstance.freeze` has it.
    if (this.asserts && !this.state.inDoubt) {
      this.#run({ kind: "send-advert", priority: this.state.priority });
    }
    if (this.lease.held) {
      this.lease.put(this.machine.localMs() + limitMs, this.#config.leaseMs);
    }
    return { ...legacyOf(this.state), ...nothingCounted };
  }

  /** Takes its place in a sync group, before `start`. */
  joinGroup(settle: () => void): void {
    this.#settleGroup = settle;
    this.state = { ...this.state, inGroup: true };
  }

  input(input: InstanceInput): void {
    const { machine } = this;
    const step = this.#handle(this.state, input, machine.localMs());
    this.state = step.state;
    this.deadlineMs = nextDeadlineMs(step.state) ?? Number.POSITIVE_INFINITY;
    for (const effect of step.effects) {
      this.#run(effect);
    }
    for (const watcher of machine.lan.watchers) {
      watcher.handled(this, input);
    }
    machine.rearm();
    this.#settleGroup?.();
  }

  /** The addresses leave the interface, and not by this process's hand. */
  lose(why: string): void {
    if (this.lease.remove()) {
      this.#tellHolds(false, why);
    }
  }

  /** What a process that died here has left on the interface, for ever. */
  leaveBehind(): void {
    this.lease.put(Number.POSITIVE_INFINITY, 0);
  }

  #run(effect: InstanceEffect): void {
    const { watchers } = this.machine.lan;
    for (const watcher of watchers) {
      watcher.effect(this, effect);
    }
    switch (effect.kind) {
      case "send-advert":
        this.machine.lan.send(this.machine, this.#advert(effect.priority));
        break;
      case "put-addresses":
        this.#put();
        break;
      case "remove-addresses":
        this.#remove();
        break;
      case "announce":
        this.#ask(false, () => {
          this.announcements += effect.count;
          for (const watcher of watchers) {
            watcher.announced(this, effect.count);
          }
        });
        break;
      case "handed-over":
        this.handedOver = true;
        break;
      case "transition":
      case "priority-changed":
      case "log":
        break;
    }
  }

  #remove(): void {
    this.#holding = false;
    this.#decision++;
    this.#ask(true, () => {
      if (this.lease.remove()) {
        this.#tellHolds(false, "removed");
      }
    });
  }

  #put(): void {
    const first = !this.#holding;
    if (first) {
      this.#holding = true;
      this.#decision++;
    }
    this.#ask(first, () => {
      const { machine } = this;
      if (machine.kernelRefuses) {
        this.input({ kind: "fault", cause: "address", reason: "the kernel refuses the addresses" });
        return;
      }
      if (this.lease.put(machine.localMs(), this.#config.leaseMs)) {
        this.#tellHolds(true, "added");
        machine.rearm();
      }
    });
  }

  /**
   * One request after the other; when the decision that it came from has changed before its turn, it is passed over.
   * A change takes the kernel a while, a refresh is done at once.
   */
  #ask(change: boolean, done: () => void): void {
    const { machine } = this;
    const { lan } = machine;
    const start = Math.max(lan.nowMs, this.#busyUntilMs);
    const end = change ? start + machine.kernelMs() : start;
    this.#busyUntilMs = end;
    if (end === lan.nowMs && !machine.kernelRefuses) {
      done();
      return;
    }
    const decision = this.#decision;
    lan.at(end, () => {
      if (decision === this.#decision && machine.running) {
        done();
      }
    });
  }

  #tellHolds(holds: boolean, why: string): void {
    for (const watcher of this.machine.lan.watchers) {
      watcher.holds(this, holds, why);
    }
  }

  #advert(priority: number): Uint8Array {
    let bytes = this.#adverts.get(priority);
    if (bytes === undefined) {
      bytes = datagram(this.#encode(priority), { source: this.machine.address });
      this.#adverts.set(priority, bytes);
    }
    return bytes;
  }

  #encode(priority: number): Uint8Array {
    const path = { source: this.machine.address, destination: vrrpMulticastGroup };
    return encodeAdvert(this.#config, priority, path);
  }
}
