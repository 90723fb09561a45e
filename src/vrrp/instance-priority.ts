import { type Draft, highestPriority, lowestPriority, ownerPriority } from "./instance-draft.js";

/* The effective priority. Part of the state machine in `instance.ts`. */

/**
 * Another effective priority, as keepalived takes it: a master goes on advertising with the new one, a backup has the
 * new one's skew from the last advert on. The owner of the addresses (255) has one priority only, RFC 3768 §6.1.
 */
export function onPriority(step: Draft, wanted: number, reason: string): void {
  const { state } = step;
  const to = Math.min(Math.max(Math.round(wanted), lowestPriority), highestPriority);
  if (state.config.priority === ownerPriority) {
    return;
  }
  if (state.drainedFrom === null) {
    setPriority(step, to, reason);
  } else {
    state.drainedFrom = to;
  }
}

export function setPriority(step: Draft, to: number, reason: string): void {
  const { state } = step;
  const from = state.priority;
  if (to === from) {
    return;
  }
  const skewBefore = step.skewMs;
  state.priority = to;
  const { masterDown } = state.timers;
  if (masterDown !== undefined) {
    step.arm({ masterDown: masterDown + step.skewMs - skewBefore });
  }
  step.effect({ kind: "priority-changed", from, to, reason });
}
