import type { AdvertInput, Draft } from "./instance-draft.js";
import { takeOver } from "./instance-roles.js";
import type { Partner } from "./partners.js";

/* What a backup makes of adverts, silence, and what the peer link tells. Part of the state machine in `instance.ts`. */

/** The living master serves meanwhile, and what takes longer goes on without: `nft` with many flows on a busy machine. */
const prepareLimitMs = 5000;

/** RFC 9568 §6.4.2. There is no tie-break by address here: an equal priority is good enough to stay quiet. */
export function onAdvertAsBackup(step: Draft, { source, priority, advertIntervalMs }: AdvertInput): void {
  const { state } = step;
  state.goneMaster = null;
  if (priority >= state.priority) {
    state.preemptFromMs = null;
  }
  if (priority === 0) {
    step.arm({ masterDown: step.now + step.skewMs });
    step.log("info", `${source} gives mastership up`);
  } else if (!state.config.preempt || priority >= state.priority || isLeftInPeace(step, source, priority)) {
    state.masterIntervalMs = advertIntervalMs ?? step.advertIntervalMs;
    state.wantsMaster = null;
    state.prepareUntilMs = null;
    step.arm({ masterDown: step.now + step.masterDownIntervalMs });
  }
  // A lower priority is not listened to: the timer runs on, and then this node takes over.
}

/** Whether `preempt_delay` still protects a master of lower priority; it counts from the first advert of one. */
function isLeftInPeace(step: Draft, source: string, priority: number): boolean {
  const { preemptDelayMs } = step.state.config;
  if (preemptDelayMs === 0) {
    return false;
  }
  if (step.state.preemptFromMs === null) {
    step.state.preemptFromMs = step.now + preemptDelayMs;
    step.log("info", `${source} is master with priority ${priority}: left so for ${preemptDelayMs / 1000} s`);
  }
  return step.now < step.state.preemptFromMs;
}

/**
 * Not of the standard: the peer link tells of a crash at once, where VRRP waits out the master-down interval. Who was not
 * the master leaves nothing to take over. The deadline only ever comes nearer, so the worst is what VRRP does anyway.
 */
export function onMasterGone(
  step: Draft,
  { address, delayMs }: { readonly address: string; readonly delayMs: number },
  how: string,
): void {
  const { state } = step;
  const { masterDown } = state.timers;
  if (state.name !== "BACKUP" || state.partners[0]?.address !== address || masterDown === undefined) {
    return;
  }
  state.goneMaster = { address, how };
  step.arm({ masterDown: Math.min(masterDown, step.now + delayMs) });
  if (step.due("masterDown") !== null) {
    onMasterDown(step);
  }
}

/** Of all backups the master chose this one, which is ready: there is no skew to wait for. */
export function onPeerYields(step: Draft, address: string): void {
  const { state } = step;
  if (state.name === "BACKUP" && state.partners[0]?.address === address && state.drainedFrom === null) {
    takeOver(step, `${address} hands over to this node`);
  }
}

/** The member of a sync group says that it could, and goes on listening: the group goes when all of them can. */
export function onMasterDown(step: Draft): void {
  const { state } = step;
  const silence = step.masterDownIntervalMs;
  const living = livingMaster(step);
  if (living !== null && state.preparesTakeovers && !state.inGroup) {
    const begins = state.prepareUntilMs === null;
    state.prepareUntilMs ??= step.now + prepareLimitMs;
    if (step.now < state.prepareUntilMs) {
      // Should it fall silent meanwhile, nothing is waited for beyond its master-down interval.
      step.arm({ masterDown: Math.min(state.prepareUntilMs, living.lastHeardMs + silence) });
      if (begins) {
        step.effect({ kind: "prepare-takeover", from: living.address });
      }
      return;
    }
  }
  takeOver(step, takeoverReason(step, silence));
}

/** Who advertises a lower priority still, and will lose the mastership to this node. */
function livingMaster(step: Draft): Partner | null {
  const last = step.state.partners[0];
  const isLiving =
    last !== undefined &&
    last.priority > 0 &&
    last.priority < step.state.priority &&
    last.address !== step.state.goneMaster?.address &&
    step.now - last.lastHeardMs < step.masterDownIntervalMs;
  return isLiving ? last : null;
}

export function takeoverReason(step: Draft, silenceMs: number): string {
  const last = step.state.partners[0];
  const { goneMaster } = step.state;
  if (last !== undefined && last.address === goneMaster?.address) {
    return `${last.address} ${goneMaster.how}`;
  }
  if (last === undefined) {
    return `no master was heard for ${Math.round(silenceMs)} ms`;
  }
  if (last.priority === 0) {
    return `${last.address} gave mastership up`;
  }
  return last.priority < step.state.priority && step.now - last.lastHeardMs < silenceMs
    ? `${last.address} advertises priority ${last.priority}, lower than ${step.state.priority} here`
    : `${last.address} was not heard for ${Math.round(step.now - last.lastHeardMs)} ms`;
}
