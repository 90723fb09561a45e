import {
  onAdvertAsBackup,
  onMasterDown,
  onMasterGone,
  onPeerYields,
  takeoverReason,
} from "./instance-backup.js";
import { type AdvertInput, Draft } from "./instance-draft.js";
import { onFault, onFaultCleared } from "./instance-fault.js";
import {
  endHandOver,
  onAdvertHandingOver,
  onDrain,
  onHandOver,
  onStop,
  onUndrain,
} from "./instance-leaving.js";
import { noticeStall, onAddressesLost, onAdvertAsMaster, onMasterTimers } from "./instance-master.js";
import { onPriority } from "./instance-priority.js";
import { onReconfigure } from "./instance-reload.js";
import { onResume } from "./instance-resume.js";
import { becomeBackup, becomeMaster, leaveInit, start, takeOver } from "./instance-roles.js";
import type { InstanceEffect, InstanceInput, InstanceState } from "./instance-state.js";
import { heard } from "./partners.js";

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
    case "resume":
      onResume(step, input.from);
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

function onAdvert(step: Draft, advert: AdvertInput): void {
  const { state } = step;
  const { source, priority } = advert;
  state.partners = heard(state.partners, { address: source, priority, lastHeardMs: step.now });
  if (state.name === "BACKUP") {
    onAdvertAsBackup(step, advert);
  } else if (state.handingOver !== null) {
    onAdvertHandingOver(step, advert);
  } else if (state.name === "MASTER") {
    onAdvertAsMaster(step, advert);
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
