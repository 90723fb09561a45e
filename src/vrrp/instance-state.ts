import type { VrrpInstanceConfig } from "../config/config.js";
import type { InstanceLegacy } from "./legacy.js";
import type { Partners } from "./partners.js";
import type { VrrpStateName } from "./status.js";
import { earliestDeadline, type Timers } from "./timers.js";

/** One virtual router on this node, as a value. `handle` in `instance.ts` makes the next one. Times are monotonic ms. */
export interface InstanceState {
  readonly config: VrrpInstanceConfig;
  readonly name: VrrpStateName;
  /** The effective priority: the configured one, or what tracking makes of it. 1–254, or 255 for the owner. */
  readonly priority: number;
  /** Why it is in this state, one sentence without a full stop. */
  readonly reason: string;
  readonly timers: Timers;
  /** What keeps it in FAULT, by cause. Empty: nothing does. */
  readonly faults: Faults;
  /** This node's own address on the interface; null as long as there is none. */
  readonly ownAddress: string | null;
  readonly partners: Partners;
  /** Interval of the master that is listened to: in VRRPv3 its own, as it advertises it; else this node's. */
  readonly masterIntervalMs: number;
  /** MASTER on its way out: it has sent priority 0 and goes on answering for the addresses. */
  readonly handingOver: HandingOver | null;
  /** MASTER that did not run for so long that another may have taken over: it listens before it asserts anything. */
  readonly inDoubt: boolean;
  /** Whether it goes with others; `settleGroup` in `sync-group.ts` then decides who becomes master and backup. */
  readonly inGroup: boolean;
  /** BACKUP of a group that would take over by itself, and why; null: it would not. */
  readonly wantsMaster: string | null;
  /** BACKUP: the master that is known to be one no more, and how, while better backups go first. */
  readonly goneMaster: { readonly address: string; readonly how: string } | null;
  /** BACKUP under a master of lower priority: from when on it preempts (`preempt_delay`); null: it has heard none. */
  readonly preemptFromMs: number | null;
  /** Whether a takeover from a living master is made ready first: `prepare-takeover`, answered by `prepared`. */
  readonly preparesTakeovers: boolean;
  /** BACKUP that makes its takeover ready: until when at most, as long as the master lives; null: it does not. */
  readonly prepareUntilMs: number | null;
  /** An operator wants it to be backup: the priority that it has meanwhile given up; null: nobody does. */
  readonly drainedFrom: number | null;
  /** How often in a row the kernel has refused the addresses: each time doubles the wait for the next try. */
  readonly refusals: number;
  /** When it became master last. */
  readonly masterSinceMs: number;
  /** When another master was last answered with an advert out of turn. */
  readonly answeredMs: number;
  /** When the addresses were last put back after somebody removed them. */
  readonly putBackMs: number;
}

export type Faults = Readonly<Partial<Record<FaultCause, string>>>;

/** Each cause comes and goes by itself; the instance leaves FAULT when none is left. */
export type FaultCause =
  /** The interface is missing, down, or has no address of its own: nothing can be said on it either. */
  | "link"
  /** The process that owns both says that this node cannot serve. */
  | "fitness"
  /** The kernel refuses the virtual addresses. */
  | "address"
  /** Something that is tracked without a weight is down. */
  | "tracking"
  /** Another member of its sync group is in FAULT. */
  | "sync";

export interface HandingOver {
  /** How it ended, as a reason: who took over, or that nobody did. */
  readonly outcome: string;
  /** What it becomes: an operator's `drain` leaves it a backup. */
  readonly next: "INIT" | "BACKUP";
  /** The partner takes care of the connections: nothing has to stay until it has announced itself. */
  readonly assisted: boolean;
  /** The advert interval of who took over; null: nobody has been heard. */
  readonly successorIntervalMs: number | null;
}

export type InstanceInput =
  | { readonly kind: "start" }
  /** In place of `start`: another process of this node has left off there. */
  | { readonly kind: "resume"; readonly from: InstanceLegacy }
  /** An advert that passed every receive check. */
  | {
      readonly kind: "advert";
      readonly source: string;
      readonly priority: number;
      /** The sender's interval where a receiver adopts it (VRRPv3). */
      readonly advertIntervalMs?: number;
    }
  /** A deadline may have passed. Whoever calls has handed in every advert that had arrived by then. */
  | { readonly kind: "timer" }
  /**
   * A partner's process is gone: its kernel said so over the peer link. Every advert that had arrived is handed in.
   * `delayMs`: so long do better backups go first.
   */
  | { readonly kind: "peer-dead"; readonly address: string; readonly delayMs: number }
  /** A partner says over the peer link that it is master no more: it is in FAULT or INIT. `delayMs` as above. */
  | {
      readonly kind: "peer-left";
      readonly address: string;
      readonly state: "FAULT" | "INIT";
      readonly delayMs: number;
    }
  /** The master hands over to this node of all backups, as it said over the peer link. */
  | { readonly kind: "peer-yields"; readonly address: string }
  /**
   * The configuration was reloaded: the same virtual router in other words. `priority` is the effective one, brought into
   * its limits; what an instance is and how long it waits stays.
   */
  | {
      readonly kind: "reconfigure";
      readonly config: VrrpInstanceConfig;
      readonly priority: number;
      readonly inGroup: boolean;
      readonly preparesTakeovers: boolean;
    }
  /** What `prepare-takeover` asked for is done, or cannot be. */
  | { readonly kind: "prepared" }
  /** An operator wants this node to be backup, as long as another one can be master. */
  | { readonly kind: "drain"; readonly assisted: boolean }
  | { readonly kind: "undrain" }
  | { readonly kind: "own-address"; readonly address: string }
  /** What is tracked makes another effective priority, brought into 1–254; the owner (255) keeps its own. */
  | { readonly kind: "priority"; readonly priority: number; readonly reason: string }
  /** From its sync group, when all members can become master. */
  | { readonly kind: "become-master"; readonly reason: string }
  /** From its sync group, when a member is no longer master. */
  | { readonly kind: "become-backup"; readonly reason: string }
  | { readonly kind: "fault"; readonly cause: FaultCause; readonly reason: string }
  | { readonly kind: "fault-cleared"; readonly cause: FaultCause; readonly reason: string }
  /** Somebody removed a virtual address, or its lease ran out. */
  | { readonly kind: "addresses-lost" }
  /** Give mastership up without a gap. `assisted`: a partner is ready to take over without losing a connection. */
  | { readonly kind: "hand-over"; readonly assisted: boolean }
  /** Give mastership up now. */
  | { readonly kind: "stop"; readonly reason: string };

export type InstanceEffect =
  | { readonly kind: "send-advert"; readonly priority: number }
  /** Add the addresses with a fresh lease, or refresh it. */
  | { readonly kind: "put-addresses" }
  | { readonly kind: "remove-addresses" }
  /** Gratuitous ARP for each address, `count` times. Not before the addresses are there. */
  | { readonly kind: "announce"; readonly count: number }
  | {
      readonly kind: "transition";
      readonly from: VrrpStateName;
      readonly to: VrrpStateName;
      readonly reason: string;
    }
  | {
      readonly kind: "priority-changed";
      readonly from: number;
      readonly to: number;
      readonly reason: string;
    }
  /** Before it takes over from a living master. It goes on after `prepared`, or by itself after some seconds. */
  | { readonly kind: "prepare-takeover"; readonly from: string }
  | { readonly kind: "log"; readonly level: "info" | "warn"; readonly message: string }
  /** The addresses are given up for good; comes after `remove-addresses`. */
  | { readonly kind: "handed-over" };

/** An instance before `start`. It is in no one's way: it listens to faults and partners and does nothing. */
export function initialState(
  config: VrrpInstanceConfig,
  inGroup = false,
  preparesTakeovers = false,
): InstanceState {
  return {
    config,
    priority: config.priority,
    name: "INIT",
    reason: "not started yet",
    timers: {},
    faults: {},
    ownAddress: null,
    partners: [],
    masterIntervalMs: config.advertIntervalCs * 10,
    handingOver: null,
    inDoubt: false,
    inGroup,
    wantsMaster: null,
    preemptFromMs: null,
    goneMaster: null,
    preparesTakeovers,
    prepareUntilMs: null,
    drainedFrom: null,
    refusals: 0,
    masterSinceMs: Number.NEGATIVE_INFINITY,
    answeredMs: Number.NEGATIVE_INFINITY,
    putBackMs: Number.NEGATIVE_INFINITY,
  };
}

/** When `handle` wants to hear `timer` next; null: not at all. */
export function nextDeadlineMs(state: InstanceState): number | null {
  return earliestDeadline(state.timers);
}
