import { compareIpLiterals } from "../netlink/ip-literal.js";
import type { AdvertInput, Draft } from "./instance-draft.js";
import { announceInFull, becomeBackup } from "./instance-roles.js";
import { earliestTakeoverMs } from "./master-down.js";
import { nextPeriod } from "./timers.js";

/* What a master makes of other masters, its own timers, and what was lost. Part of the state machine in `instance.ts`. */

/** Somebody who removes the address every time we put it back gets ten rounds a second, not all of the processor. */
const putBackGapMs = 100;

/** RFC 9568 §6.4.3. */
export function onAdvertAsMaster(step: Draft, { source, priority, advertIntervalMs }: AdvertInput): void {
  const { config, priority: own, ownAddress, inDoubt } = step.state;
  const theirs = advertIntervalMs ?? step.advertIntervalMs;
  if (priority > own) {
    yieldTo(step, `${source} advertises priority ${priority}, higher than ${own} here`, theirs);
  } else if (priority === own && ownAddress !== null && compareIpLiterals(source, ownAddress) > 0) {
    yieldTo(step, `${source} has the same priority ${priority} and the higher address`, theirs);
  } else if (inDoubt) {
    if (priority > 0 && !config.preempt) {
      becomeBackup(step, `${source} took over while this process did not run`, theirs);
    }
    // Else the advert that is overdue settles it, after everything that has arrived is read.
  } else if (priority === 0) {
    step.effect({ kind: "send-advert", priority: own });
    step.arm({ advert: step.now + step.advertIntervalMs });
  } else {
    answerAnotherMaster(step, source, priority);
  }
}

/**
 * The better master may never have heard of this one (a partition that has healed), and then it would not announce the
 * addresses again to clients that have learnt this one's. So it hears the last advert that there is to say: whoever has
 * been master for a while answers with an advert and announces; whoever has just become it does so anyway. Who is in
 * doubt asserts nothing.
 */
function yieldTo(step: Draft, reason: string, masterIntervalMs: number): void {
  const { state } = step;
  if (!state.inDoubt) {
    step.effect({ kind: "send-advert", priority: state.priority });
  }
  becomeBackup(step, reason, masterIntervalMs);
}

/**
 * A router that loses against us believes that it is master. RFC 3768 waits for our next advert; RFC 9568 §6.4.3
 * and keepalived send one at once, so that it steps down. It has announced the addresses too, so we do again.
 */
function answerAnotherMaster(step: Draft, source: string, priority: number): void {
  if (step.now - step.state.answeredMs < step.advertIntervalMs) {
    return;
  }
  step.state.answeredMs = step.now;
  step.log("warn", `${source} is master too, with priority ${priority}: advertised at once to end that`);
  step.effect({ kind: "send-advert", priority: step.state.priority });
  announceInFull(step);
}

export function onMasterTimers(step: Draft): void {
  const { config } = step.state;
  const advert = step.due("advert");
  if (advert !== null) {
    step.effect({ kind: "send-advert", priority: step.state.priority });
    step.arm({ advert: nextPeriod(advert, step.advertIntervalMs, step.now) });
    if (step.state.inDoubt) {
      step.state.inDoubt = false;
      step.state.answeredMs = step.now;
      step.effect({ kind: "put-addresses" });
      announceInFull(step);
    }
  }
  const lease = step.due("lease");
  if (lease !== null) {
    step.effect({ kind: "put-addresses" });
    step.arm({ lease: nextPeriod(lease, config.leaseMs / 3, step.now) });
  }
  if (step.due("putBack") !== null) {
    step.disarm("putBack");
    putBack(step);
  }
  if (step.due("announceAgain") !== null) {
    step.disarm("announceAgain");
    step.effect({ kind: "announce", count: config.gratuitousArp.repeat });
  }
  const slowly = step.due("announceSlowly");
  if (slowly !== null) {
    step.effect({ kind: "announce", count: 1 });
    step.arm({ announceSlowly: nextPeriod(slowly, config.gratuitousArp.refreshMs, step.now) });
  }
}

/**
 * A frozen process or virtual machine cannot know what happened meanwhile, and sees its own freeze by the deadlines
 * that it missed. A master that was silent long enough to be replaced asserts nothing until what has arrived is read
 * (the shell reads it before any `timer`). A backup listens once more before it takes over.
 */
export function noticeStall(step: Draft): void {
  const { state, now } = step;
  const { advert, masterDown } = state.timers;
  const { masterIntervalMs } = state;
  const interval = step.advertIntervalMs;
  if (advert !== undefined && !state.inDoubt && now - (advert - interval) >= earliestTakeoverMs(interval)) {
    state.inDoubt = true;
    step.log(
      "warn",
      `this process did not run for ${Math.round(now - advert)} ms: listening before asserting`,
    );
  }
  if (masterDown !== undefined && now - masterDown >= masterIntervalMs) {
    step.arm({ masterDown: now + masterIntervalMs + step.skewMs });
    step.log("warn", `this process did not run for ${Math.round(now - masterDown)} ms: listening once more`);
  }
}

/** Put back at once and without a flip: the node is master all the same (keepalived flips twice here). */
export function onAddressesLost(step: Draft): void {
  if (step.state.name !== "MASTER" || step.state.inDoubt) {
    return;
  }
  // A process that did not run while it handed over: who has taken over may be in what has arrived and is not read.
  if (step.due("release") !== null) {
    return;
  }
  const again = step.state.putBackMs + putBackGapMs;
  if (step.now < again) {
    step.arm({ putBack: again });
  } else {
    putBack(step);
  }
}

function putBack(step: Draft): void {
  step.state.putBackMs = step.now;
  step.log("warn", "a virtual address was gone from the interface: put back");
  step.effect({ kind: "put-addresses" });
  announceInFull(step);
}
