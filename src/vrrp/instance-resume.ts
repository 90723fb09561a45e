import { type Draft, lowestPriority } from "./instance-draft.js";
import { begin, enterFault, start } from "./instance-roles.js";
import type { InstanceState } from "./instance-state.js";
import type { InstanceLegacy } from "./legacy.js";
import { heard } from "./partners.js";

/* Going on where another process of this node has left off. Part of the state machine in `instance.ts`. */

/** What of a state is left to the process that follows; the shell adds its own counts. */
export function legacyOf(
  state: InstanceState,
): Omit<
  InstanceLegacy,
  | "sinceEpochMs"
  | "advertsSent"
  | "advertsReceived"
  | "becameMaster"
  | "drops"
  | "identification"
  | "sequence"
> {
  const { config, timers } = state;
  return {
    name: config.name,
    virtualRouterId: config.virtualRouterId,
    interface: config.interface,
    state: state.name,
    reason: state.reason,
    partners: [...state.partners],
    masterIntervalMs: state.masterIntervalMs,
    isDrained: state.drainedFrom !== null,
    refusals: state.refusals,
    addressFault: state.faults.address ?? null,
    retryMs: timers.retry ?? null,
    startupMs: timers.startup ?? null,
    masterSinceMs: Number.isFinite(state.masterSinceMs) ? state.masterSinceMs : null,
    preemptFromMs: state.preemptFromMs,
    announceAgainMs: timers.announceAgain ?? null,
    announceSlowlyMs: timers.announceSlowly ?? null,
  };
}

/**
 * Takes the place of the process before: what it was, this one is, and no partner hears of a change. A master says so at
 * once and refreshes its addresses, which have never been gone. A backup waits a whole master-down interval again: adverts
 * may have come while neither process listened. Faults are this process's own, but for what the kernel has refused.
 */
export function onResume(step: Draft, from: InstanceLegacy): void {
  const { state } = step;
  if (state.name !== "INIT") return;
  state.partners = [...state.partners].reverse().reduce(heard, from.partners);
  state.masterIntervalMs = from.masterIntervalMs;
  state.refusals = from.refusals;
  state.masterSinceMs = from.masterSinceMs ?? state.masterSinceMs;
  if (from.isDrained) {
    state.drainedFrom = state.priority;
    state.priority = lowestPriority;
  }
  if (from.addressFault !== null) {
    state.faults = { ...state.faults, address: from.addressFault };
    step.arm({ retry: from.retryMs ?? step.now });
  }
  switch (from.state) {
    case "INIT":
      start(step);
      if (from.startupMs !== null && state.timers.startup !== undefined)
        step.arm({ startup: from.startupMs });
      break;
    case "FAULT":
      resumeFault(step, from);
      break;
    case "BACKUP":
      resumeBackup(step, from);
      break;
    case "MASTER":
      resumeMaster(step, from);
      break;
  }
}

function resumeFault(step: Draft, from: InstanceLegacy): void {
  step.state.name = "FAULT";
  step.state.reason = from.reason;
  if (!isFaulty(step)) begin(step, "the process that follows finds no fault");
}

function resumeBackup(step: Draft, from: InstanceLegacy): void {
  step.state.name = "BACKUP";
  step.state.reason = from.reason;
  step.state.preemptFromMs = from.preemptFromMs;
  step.arm({ masterDown: step.now + step.masterDownIntervalMs });
  if (isFaulty(step)) enterFault(step);
}

function resumeMaster(step: Draft, from: InstanceLegacy): void {
  const { state } = step;
  const { config, priority } = state;
  state.name = "MASTER";
  state.reason = from.reason;
  state.answeredMs = step.now;
  if (isFaulty(step)) {
    if (state.faults.link === undefined) step.effect({ kind: "send-advert", priority: 0 });
    enterFault(step);
    return;
  }
  step.effect({ kind: "send-advert", priority });
  step.effect({ kind: "put-addresses" });
  step.arm({
    advert: step.now + step.advertIntervalMs,
    lease: step.now + config.leaseMs / 3,
    ...(from.announceAgainMs === null ? {} : { announceAgain: from.announceAgainMs }),
    ...(from.announceSlowlyMs === null ? {} : { announceSlowly: from.announceSlowlyMs }),
  });
}

function isFaulty({ state }: Draft): boolean {
  return Object.keys(state.faults).length > 0;
}
