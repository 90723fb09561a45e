import { type Draft, ownerPriority } from "./instance-draft.js";

/* How an instance enters its states. Parts of the state machine in `instance.ts`, pure like it. */

export function start(step: Draft): void {
  const { state } = step;
  if (state.name !== "INIT") {
    return;
  }
  const { startupDelayMs } = state.config;
  if (startupDelayMs > 0) {
    state.reason = `waiting ${startupDelayMs / 1000} s after the start`;
    step.arm({ startup: step.now + startupDelayMs });
    // What a process that died here has left must not wait as long.
    step.effect({ kind: "remove-addresses" });
  } else {
    leaveInit(step, "started");
  }
}

export function leaveInit(step: Draft, why: string): void {
  step.disarm("startup");
  if (Object.keys(step.state.faults).length > 0) {
    enterFault(step);
  } else {
    begin(step, why);
  }
}

/** RFC 3768 §6.4.1: the owner of the addresses is master at once, everybody else listens first. */
export function begin(step: Draft, why: string): void {
  const ownerReason = `${why}, and this node owns the addresses (priority 255)`;
  if (step.state.config.priority !== ownerPriority || step.state.drainedFrom !== null) {
    becomeBackup(step, why, step.advertIntervalMs);
  } else if (step.state.inGroup) {
    becomeBackup(step, why, step.advertIntervalMs);
    step.state.wantsMaster = ownerReason;
  } else {
    becomeMaster(step, ownerReason);
  }
}

export function becomeBackup(step: Draft, reason: string, masterIntervalMs: number): void {
  step.state.masterIntervalMs = masterIntervalMs;
  step.enter("BACKUP", reason, { masterDown: step.now + step.masterDownIntervalMs });
  step.effect({ kind: "remove-addresses" });
}

/** The advert leaves before the addresses are added, as in keepalived: the other master steps down meanwhile. */
export function becomeMaster(step: Draft, reason: string): void {
  const { config, priority } = step.state;
  step.effect({ kind: "send-advert", priority });
  step.enter("MASTER", reason, {
    advert: step.now + step.advertIntervalMs,
    lease: step.now + config.leaseMs / 3,
  });
  step.state.answeredMs = step.now;
  step.state.masterSinceMs = step.now;
  step.effect({ kind: "put-addresses" });
  announceInFull(step);
}

/** Both bursts of gratuitous ARP, and the slow refresh counted from now: after becoming master and after any doubt. */
export function announceInFull(step: Draft): void {
  const { repeat, delayMs, refreshMs } = step.state.config.gratuitousArp;
  if (repeat > 0) {
    step.effect({ kind: "announce", count: repeat });
    if (delayMs > 0) {
      step.arm({ announceAgain: step.now + delayMs });
    }
  }
  if (refreshMs > 0) {
    step.arm({ announceSlowly: step.now + refreshMs });
  }
}

export function takeOver(step: Draft, reason: string): void {
  if (step.state.inGroup) {
    step.state.wantsMaster = reason;
    step.arm({ masterDown: step.now + step.masterDownIntervalMs });
  } else {
    becomeMaster(step, reason);
  }
}

export function enterFault(step: Draft): void {
  const { retry } = step.state.timers;
  step.enter("FAULT", faultReason(step), retry === undefined ? {} : { retry });
  step.effect({ kind: "remove-addresses" });
}

export function faultReason(step: Draft): string {
  return Object.values(step.state.faults).join("; ");
}
