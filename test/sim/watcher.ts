import type { InstanceEffect, InstanceInput } from "../../src/vrrp/instance-state.js";
import type { SimulatedMachine } from "./machine.js";
import type { SimulatedRouter } from "./router.js";

export type AdvertInput = Extract<InstanceInput, { kind: "advert" }>;

/** Who looks on at a simulated LAN. What does not interest a watcher, it does not override. */
export class Watcher {
  /** An advert passed the receive checks; the state machine has not heard of it yet. */
  hears(_router: SimulatedRouter, _advert: AdvertInput): void {}
  /** The peer link says that a partner's process is dead; the state machine has not heard of it yet. */
  peerDead(_router: SimulatedRouter, _address: string, _delayMs: number): void {}
  /** The receive checks refused an advert. */
  refused(_machine: SimulatedMachine, _reason: string, _source: string): void {}
  /** The state machine wants this done; it is done next. */
  effect(_router: SimulatedRouter, _effect: InstanceEffect): void {}
  /** The state machine has dealt with an input, and all its effects have been asked for. */
  handled(_router: SimulatedRouter, _input: InstanceInput): void {}
  /** The kernel's addresses came or went. */
  holds(_router: SimulatedRouter, _holds: boolean, _why: string): void {}
  /** Gratuitous ARP left the machine. */
  announced(_router: SimulatedRouter, _count: number): void {}
  /** Something was done to a machine or to the network: how it reads. */
  disturbed(_what: () => string): void {}
  /** Machines, links or configurations are not what they were. */
  worldChanged(): void {}
}
