import { type AdvertInput, type Draft, lowestPriority } from "./instance-draft.js";
import { setPriority } from "./instance-priority.js";
import { announceInFull, becomeBackup } from "./instance-roles.js";
import type { HandingOver } from "./instance-state.js";
import { skewSpanMs, slowestTakeoverAfterPriorityZeroMs } from "./master-down.js";

/* Hand-over, drain and stop. Part of the state machine in `instance.ts`. */

/**
 * The old master answers for this long after it heard the new one. keepalived announces the addresses 0.2–3 ms after its
 * first advert, this speaker 2–24 ms on a busy machine, and rarely 150 ms; until then clients would talk to nobody. Not
 * longer: both nodes answer ARP meanwhile, and a client that asks just then may learn the one that is leaving.
 */
const releaseGraceMs = 100;
/** On top of the slowest partner's skew, for its advert to get here. */
const handOverSlackMs = 100;

/**
 * Priority 0 at once, so that a backup takes over after its skew (RFC 3768 §6.4.3), but the addresses stay and stay
 * leased until it is heard: clients see no gap. Who that will be is unknown, for a backup is silent; so the limit
 * is the slowest skew that there is.
 */
export function onHandOver(step: Draft, next: HandingOver["next"], assisted: boolean): void {
  const { state } = step;
  if (state.handingOver !== null) {
    state.handingOver = { ...state.handingOver, next };
    return;
  }
  if (state.name !== "MASTER") {
    leave(step, "stopped");
    return;
  }
  const span = skewSpanMs(state.config.version, step.advertIntervalMs);
  const limit = slowestTakeoverAfterPriorityZeroMs(span) + handOverSlackMs;
  step.effect({ kind: "send-advert", priority: 0 });
  // No more adverts; but what keeps the addresses there goes on.
  const { lease, putBack } = state.timers;
  state.timers = {
    release: step.now + limit,
    ...(lease === undefined ? {} : { lease }),
    ...(putBack === undefined ? {} : { putBack }),
  };
  const outcome = `nobody took over within ${Math.round(limit)} ms`;
  state.handingOver = { outcome, next, assisted, successorIntervalMs: null };
  state.inDoubt = false;
  state.reason = "handing over";
  step.log("info", "handing over: priority 0 is sent, the addresses stay until another master is heard");
}

/** Nobody is answered any more; the first one who takes over ends it, after the time to announce itself. */
export function onAdvertHandingOver(step: Draft, { source, priority, advertIntervalMs }: AdvertInput): void {
  const { handingOver, timers } = step.state;
  if (handingOver === null || timers.release === undefined) {
    return;
  }
  const isFirst = handingOver.successorIntervalMs === null;
  if (isFirst && priority === 0) {
    return;
  }
  // Of several it is the last one to whom this node will listen.
  const successorIntervalMs = advertIntervalMs ?? step.advertIntervalMs;
  step.state.handingOver = { ...handingOver, successorIntervalMs };
  if (!isFirst) {
    return;
  }
  step.state.handingOver = { ...step.state.handingOver, outcome: `handed over to ${source}` };
  step.arm({ release: Math.min(timers.release, step.now + (handingOver.assisted ? 0 : releaseGraceMs)) });
  if (step.due("release") !== null) {
    endHandOver(step);
  }
}

export function endHandOver(step: Draft): void {
  const { state } = step;
  const { outcome, next, successorIntervalMs } = state.handingOver ?? {
    outcome: "handed over",
    next: "INIT",
    successorIntervalMs: null,
  };
  if (next === "INIT") {
    release(step, outcome);
  } else if (successorIntervalMs !== null) {
    becomeBackup(step, describeDrain(step, "drained: ", outcome), successorIntervalMs);
  } else {
    // Better this one than none.
    const lease = state.timers.lease ?? step.now;
    state.handingOver = null;
    state.reason = describeDrain(step, "drained, but ", outcome);
    state.timers = { advert: step.now + step.advertIntervalMs, lease };
    step.effect({ kind: "send-advert", priority: state.priority });
    announceInFull(step);
    step.log("warn", `${outcome}: still master, with priority ${state.priority}, until somebody does`);
  }
}

/**
 * A drained node has the lowest priority, so that it preempts nobody and everybody preempts it; where there is nobody
 * else, it serves all the same. A backup that does not preempt takes over by the priority 0.
 */
export function onDrain(step: Draft, assisted: boolean): void {
  const { state } = step;
  if (state.drainedFrom !== null) {
    return;
  }
  state.drainedFrom = state.priority;
  setPriority(step, lowestPriority, "drained by the operator");
  if (state.name === "MASTER") {
    onHandOver(step, "BACKUP", assisted);
  }
}

export function onUndrain(step: Draft): void {
  const { state } = step;
  const { drainedFrom, reason } = state;
  if (drainedFrom === null) {
    return;
  }
  state.drainedFrom = null;
  setPriority(step, drainedFrom, undrained);
  // What came of the drain is why this node is what it is, but it is drained no more.
  const drained = /^drained(?:: |, but )/.exec(reason);
  if (drained !== null) {
    state.reason = describeDrain(step, drained[0], reason.slice(drained[0].length));
  }
}

const undrained = "no longer drained";

/** `drained, but nobody took over within 1211 ms`; with the drain undone, `no longer drained; before, nobody took over …`. */
function describeDrain({ state }: Draft, drained: string, outcome: string): string {
  return state.drainedFrom === null ? `${undrained}; before, ${outcome}` : `${drained}${outcome}`;
}

export function onStop(step: Draft, reason: string): void {
  const { state } = step;
  if (state.name !== "MASTER") {
    leave(step, reason);
    return;
  }
  if (state.handingOver === null) {
    step.effect({ kind: "send-advert", priority: 0 });
  }
  release(step, reason);
}

export function release(step: Draft, reason: string): void {
  step.effect({ kind: "remove-addresses" });
  leave(step, reason);
}

function leave(step: Draft, reason: string): void {
  if (step.state.name !== "INIT") {
    step.enter("INIT", reason, {});
  }
  step.disarm("startup");
  step.effect({ kind: "handed-over" });
}
