import type { VrrpInstanceConfig } from "../config/config.js";
import { compareIpLiterals } from "../netlink/ip-literal.js";
import type {
  FaultCause,
  HandingOver,
  InstanceEffect,
  InstanceInput,
  InstanceState,
} from "./instance-state.js";
import {
  earliestTakeoverMs,
  masterDownIntervalMs,
  skewMs,
  skewSpanMs,
  slowestTakeoverAfterPriorityZeroMs,
} from "./master-down.js";
import { heard, type Partner } from "./partners.js";
import type { VrrpStateName } from "./status.js";
import { nextPeriod, type TimerName, type Timers } from "./timers.js";

/*
 * The state machine of RFC 3768 §6.4 and RFC 9568 §6.4, with a fault state as in keepalived:
 *
 *                     start, priority 255
 *            +------+ ------------------------------------+
 *            | INIT |                                     v
 *            +------+        master-down interval     +--------+
 *               | start      without an advert        | MASTER |----+ hand-over: priority 0,
 *               v          +------------------------> |        |<---+ keeps the addresses until
 *            +--------+ ---+                          +--------+      another master is heard,
 *            | BACKUP |                                 |  | |        then INIT
 *            +--------+ <-------------------------------+  | |
 *             |   ^        a better router's advert        | |
 *       fault |   | last fault cleared         fault:      | | stop: priority 0, then INIT
 *             v   | (priority 255: MASTER)     priority 0  | v
 *            +-------+                                     | INIT
 *            | FAULT | <-----------------------------------+
 *            +-------+
 *
 * Whoever is not MASTER has removed the addresses: every way into BACKUP and FAULT says so again, which also
 * cleans up what a process that died here has left.
 */

/**
 * The old master answers for this long after it heard the new one. keepalived announces the addresses 0.2–3 ms after its
 * first advert, this speaker 2–24 ms on a busy machine, and rarely 150 ms; until then clients would talk to nobody. Not
 * longer: both nodes answer ARP meanwhile, and a client that asks just then may learn the one that is leaving.
 */
const releaseGraceMs = 100;
/** On top of the slowest partner's skew, for its advert to get here. */
const handOverSlackMs = 100;
/** Somebody who removes the address every time we put it back gets ten rounds a second, not all of the processor. */
const putBackGapMs = 100;
const faultRetryMs = 10_000;
/** Each try of a node that preempts disturbs the one that serves, so a kernel that goes on refusing is asked less often. */
const longestFaultRetryMs = 320_000;
/** A mastership that lasted so long shows that the kernel had taken the addresses. */
const provenMs = 60_000;
/** The living master serves meanwhile, and what takes longer goes on without: `nft` with many flows on a busy machine. */
const prepareLimitMs = 5000;
/** RFC 3768 §5.3.4: 0 is for giving up, 255 for the owner of the addresses; what is tracked never leads there. */
const ownerPriority = 255;
const lowestPriority = 1;
const highestPriority = 254;

export interface Step {
  readonly state: InstanceState;
  readonly effects: readonly InstanceEffect[];
}

/** The next state, and what must be done, in this order. Pure: `nowMs` is the only time there is. */
export function handle(state: InstanceState, input: InstanceInput, nowMs: number): Step {
  const step = new Draft(state, nowMs);
  noticeStall(step);
  switch (input.kind) {
    case "start":
      start(step);
      break;
    case "advert":
      onAdvert(step, input);
      break;
    case "timer":
      onTimer(step);
      break;
    case "peer-dead":
      onMasterGone(step, input, "is dead: its kernel closed the peer link and refuses another one");
      break;
    case "peer-left":
      onMasterGone(step, input, `is in ${input.state}, as it says over the peer link`);
      break;
    case "own-address":
      step.state.ownAddress = input.address;
      break;
    case "priority":
      onPriority(step, input.priority, input.reason);
      break;
    case "reconfigure":
      onReconfigure(step, input);
      break;
    case "become-master":
      if (step.state.name === "BACKUP") {
        becomeMaster(step, input.reason);
      }
      break;
    case "become-backup":
      if (step.state.name === "MASTER" && step.state.handingOver === null) {
        becomeBackup(step, input.reason, step.advertIntervalMs);
      }
      break;
    case "fault":
      onFault(step, input.cause, input.reason);
      break;
    case "fault-cleared":
      onFaultCleared(step, input.cause, input.reason);
      break;
    case "addresses-lost":
      onAddressesLost(step);
      break;
    case "hand-over":
      onHandOver(step, "INIT", input.assisted);
      break;
    case "peer-yields":
      onPeerYields(step, input.address);
      break;
    case "prepared":
      if (step.state.prepareUntilMs !== null) {
        takeOver(step, takeoverReason(step, step.masterDownIntervalMs));
      }
      break;
    case "drain":
      onDrain(step, input.assisted);
      break;
    case "undrain":
      onUndrain(step);
      break;
    case "stop":
      onStop(step, input.reason);
      break;
  }
  return { state: step.state, effects: step.effects };
}

type AdvertInput = Extract<InstanceInput, { kind: "advert" }>;
type ReconfigureInput = Extract<InstanceInput, { kind: "reconfigure" }>;
type Writable<T> = { -readonly [K in keyof T]: T[K] };

/** The new state while it is being written. */
class Draft {
  readonly state: Writable<InstanceState>;
  readonly effects: InstanceEffect[] = [];
  readonly now: number;

  constructor(state: InstanceState, nowMs: number) {
    this.state = { ...state };
    this.now = nowMs;
  }

  /** This node's own. */
  get advertIntervalMs(): number {
    return this.state.config.advertIntervalCs * 10;
  }

  /** Of the master that is listened to. */
  get skewMs(): number {
    const { config, priority, masterIntervalMs } = this.state;
    return skewMs(priority, skewSpanMs(config.version, masterIntervalMs));
  }

  get masterDownIntervalMs(): number {
    const { config, priority, masterIntervalMs } = this.state;
    return masterDownIntervalMs(priority, masterIntervalMs, skewSpanMs(config.version, masterIntervalMs));
  }

  effect(effect: InstanceEffect): void {
    this.effects.push(effect);
  }

  log(level: "info" | "warn", message: string): void {
    this.effect({ kind: "log", level, message });
  }

  arm(timers: Timers): void {
    this.state.timers = { ...this.state.timers, ...timers };
  }

  disarm(name: TimerName): void {
    const { [name]: _disarmed, ...others } = this.state.timers;
    this.state.timers = others;
  }

  /** When the timer was due, if it was. */
  due(name: TimerName): number | null {
    const deadline = this.state.timers[name];
    return deadline !== undefined && deadline <= this.now ? deadline : null;
  }

  enter(name: VrrpStateName, reason: string, timers: Timers): void {
    const from = this.state.name;
    this.state.name = name;
    this.state.reason = reason;
    this.state.timers = timers;
    this.state.handingOver = null;
    this.state.inDoubt = false;
    this.state.wantsMaster = null;
    this.state.goneMaster = null;
    this.state.prepareUntilMs = null;
    this.state.preemptFromMs = null;
    this.effect({ kind: "transition", from, to: name, reason });
  }
}

function start(step: Draft): void {
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

function leaveInit(step: Draft, why: string): void {
  step.disarm("startup");
  if (Object.keys(step.state.faults).length > 0) {
    enterFault(step);
  } else {
    begin(step, why);
  }
}

/** RFC 3768 §6.4.1: the owner of the addresses is master at once, everybody else listens first. */
function begin(step: Draft, why: string): void {
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

function becomeBackup(step: Draft, reason: string, masterIntervalMs: number): void {
  step.state.masterIntervalMs = masterIntervalMs;
  step.enter("BACKUP", reason, { masterDown: step.now + step.masterDownIntervalMs });
  step.effect({ kind: "remove-addresses" });
}

/** The advert leaves before the addresses are added, as in keepalived: the other master steps down meanwhile. */
function becomeMaster(step: Draft, reason: string): void {
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
function announceInFull(step: Draft): void {
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

function onAdvert(step: Draft, advert: AdvertInput): void {
  const { state } = step;
  const { source, priority } = advert;
  state.partners = heard(state.partners, { address: source, priority, lastHeardMs: step.now });
  if (state.name === "BACKUP") {
    onAdvertAsBackup(step, advert);
  } else if (state.handingOver !== null) {
    onAdvertHandingOver(step, source, priority);
  } else if (state.name === "MASTER") {
    onAdvertAsMaster(step, advert);
  }
}

/** RFC 9568 §6.4.2. There is no tie-break by address here: an equal priority is good enough to stay quiet. */
function onAdvertAsBackup(step: Draft, { source, priority, advertIntervalMs }: AdvertInput): void {
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

/** RFC 9568 §6.4.3. */
function onAdvertAsMaster(step: Draft, { source, priority, advertIntervalMs }: AdvertInput): void {
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

/** Nobody is answered any more; the first one who takes over ends it, after the time to announce itself. */
function onAdvertHandingOver(step: Draft, source: string, priority: number): void {
  if (priority === 0 || step.state.timers.release === undefined) {
    return;
  }
  const { handingOver } = step.state;
  if (handingOver === null || handingOver.heard) {
    return;
  }
  step.state.handingOver = { ...handingOver, outcome: `handed over to ${source}`, heard: true };
  step.arm({
    release: Math.min(step.state.timers.release, step.now + (handingOver.assisted ? 0 : releaseGraceMs)),
  });
  if (step.due("release") !== null) {
    endHandOver(step);
  }
}

function onTimer(step: Draft): void {
  if (step.due("startup") !== null) {
    leaveInit(step, `started ${step.state.config.startupDelayMs / 1000} s ago`);
  }
  if (step.due("release") !== null) {
    endHandOver(step);
  }
  if (step.due("masterDown") !== null) {
    onMasterDown(step);
  }
  if (step.due("retry") !== null) {
    onFaultCleared(step, "address", "trying the addresses again");
  }
  onMasterTimers(step);
}

/**
 * Not of the standard: the peer link tells of a crash at once, where VRRP waits out the master-down interval. Who was not
 * the master leaves nothing to take over. The deadline only ever comes nearer, so the worst is what VRRP does anyway.
 */
function onMasterGone(
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
function onPeerYields(step: Draft, address: string): void {
  const { state } = step;
  if (state.name === "BACKUP" && state.partners[0]?.address === address && state.drainedFrom === null) {
    takeOver(step, `${address} hands over to this node`);
  }
}

/** The member of a sync group says that it could, and goes on listening: the group goes when all of them can. */
function onMasterDown(step: Draft): void {
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

function takeOver(step: Draft, reason: string): void {
  if (step.state.inGroup) {
    step.state.wantsMaster = reason;
    step.arm({ masterDown: step.now + step.masterDownIntervalMs });
  } else {
    becomeMaster(step, reason);
  }
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

function takeoverReason(step: Draft, silenceMs: number): string {
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

function onMasterTimers(step: Draft): void {
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
function noticeStall(step: Draft): void {
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
function onAddressesLost(step: Draft): void {
  if (step.state.name !== "MASTER" || step.state.inDoubt) {
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

/**
 * Another effective priority, as keepalived takes it: a master goes on advertising with the new one, a backup has the
 * new one's skew from the last advert on. The owner of the addresses (255) has one priority only, RFC 3768 §6.1.
 */
function onPriority(step: Draft, wanted: number, reason: string): void {
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

function setPriority(step: Draft, to: number, reason: string): void {
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

/**
 * A reload in place: no state is left, and no timer starts anew that something else will not start anew soon. A backup
 * that runs with another interval than before takes it from the next advert on, for its master may not have it yet.
 */
function onReconfigure(step: Draft, input: ReconfigureInput): void {
  const { state } = step;
  const before = state.config;
  const { config } = input;
  state.config = config;
  state.inGroup = input.inGroup;
  state.preparesTakeovers = input.preparesTakeovers;
  if (!input.inGroup) {
    state.wantsMaster = null;
    onFaultCleared(step, "sync", "it belongs to no sync group any more");
  }
  reconfigurePriority(step, before.priority, input.priority);
  const { advert } = state.timers;
  if (advert !== undefined && config.advertIntervalCs !== before.advertIntervalCs) {
    step.arm({ advert: Math.min(advert, step.now + step.advertIntervalMs) });
  }
  if (state.name === "MASTER" && !state.inDoubt) {
    reconfigureHoldings(step, before);
  }
}

/** An owner's priority is 255 and nothing else; who becomes the owner is master at once, RFC 3768 §6.4.1. */
function reconfigurePriority(step: Draft, before: number, wanted: number): void {
  const { state } = step;
  const isOwner = state.config.priority === ownerPriority;
  const to = isOwner ? ownerPriority : Math.min(Math.max(wanted, lowestPriority), highestPriority);
  if (state.drainedFrom !== null) {
    state.drainedFrom = to;
    return;
  }
  setPriority(step, to, "the configuration was reloaded");
  if (isOwner && before !== ownerPriority && state.name === "BACKUP") {
    begin(step, "the configuration was reloaded");
  }
}

/** What is new is held and announced at once; what is no longer held, the shell has been told to remove. */
function reconfigureHoldings(step: Draft, before: VrrpInstanceConfig): void {
  const { config, handingOver } = step.state;
  const held = [...before.addresses, ...before.excludedAddresses].map(({ address }) => address);
  const holds = [...config.addresses, ...config.excludedAddresses].map(({ address }) => address);
  if (config.leaseMs !== before.leaseMs) {
    step.arm({ lease: step.now + config.leaseMs / 3 });
  }
  step.effect({ kind: "put-addresses" });
  if (handingOver === null && holds.some((address) => !held.includes(address))) {
    announceInFull(step);
  }
}

/** A master that cannot serve gives up at once; where nothing can be sent, it does not try. */
function onFault(step: Draft, cause: FaultCause, reason: string): void {
  const { state } = step;
  const known = state.faults[cause];
  state.faults = { ...state.faults, [cause]: reason };
  if (cause === "address") {
    if (known === undefined) {
      state.refusals = step.now - state.masterSinceMs >= provenMs ? 0 : state.refusals + 1;
    }
    const waitMs = faultRetryMs * 2 ** Math.max(0, state.refusals - 1);
    step.arm({ retry: step.now + Math.min(waitMs, longestFaultRetryMs) });
  }
  if (state.name === "INIT" || known === reason) {
    return;
  }
  if (state.name === "MASTER" && state.handingOver === null && cause !== "link") {
    step.effect({ kind: "send-advert", priority: 0 });
  }
  if (state.handingOver?.next === "INIT") {
    release(step, reason);
  } else if (state.name === "FAULT") {
    state.reason = faultReason(step);
    step.log("info", `still in FAULT: ${state.reason}`);
  } else {
    enterFault(step);
  }
}

function onFaultCleared(step: Draft, cause: FaultCause, reason: string): void {
  const { state } = step;
  const { [cause]: cleared, ...others } = state.faults;
  if (cleared === undefined) {
    return;
  }
  state.faults = others;
  if (cause === "address") {
    step.disarm("retry");
  }
  if (state.name !== "FAULT") {
    return;
  }
  if (Object.keys(others).length === 0) {
    begin(step, reason);
  } else {
    state.reason = faultReason(step);
  }
}

function enterFault(step: Draft): void {
  const { retry } = step.state.timers;
  step.enter("FAULT", faultReason(step), retry === undefined ? {} : { retry });
  step.effect({ kind: "remove-addresses" });
}

function faultReason(step: Draft): string {
  return Object.values(step.state.faults).join("; ");
}

/**
 * Priority 0 at once, so that a backup takes over after its skew (RFC 3768 §6.4.3), but the addresses stay and stay
 * leased until it is heard: clients see no gap. Who that will be is unknown, for a backup is silent; so the limit
 * is the slowest skew that there is.
 */
function onHandOver(step: Draft, next: HandingOver["next"], assisted: boolean): void {
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
  state.handingOver = { outcome, next, assisted, heard: false };
  state.inDoubt = false;
  state.reason = "handing over";
  step.log("info", "handing over: priority 0 is sent, the addresses stay until another master is heard");
}

function endHandOver(step: Draft): void {
  const { state } = step;
  const { outcome, next, heard } = state.handingOver ?? {
    outcome: "handed over",
    next: "INIT",
    heard: false,
  };
  if (next === "INIT") {
    release(step, outcome);
  } else if (heard) {
    becomeBackup(step, `drained: ${outcome}`, step.advertIntervalMs);
  } else {
    // Better this one than none.
    const lease = state.timers.lease ?? step.now;
    state.handingOver = null;
    state.reason = `drained, but ${outcome}`;
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
function onDrain(step: Draft, assisted: boolean): void {
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

function onUndrain(step: Draft): void {
  const { drainedFrom } = step.state;
  if (drainedFrom !== null) {
    step.state.drainedFrom = null;
    setPriority(step, drainedFrom, "no longer drained");
  }
}

function onStop(step: Draft, reason: string): void {
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

function release(step: Draft, reason: string): void {
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
