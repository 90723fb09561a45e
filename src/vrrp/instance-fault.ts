import type { Draft } from "./instance-draft.js";
import { release } from "./instance-leaving.js";
import { begin, enterFault, faultReason } from "./instance-roles.js";
import type { FaultCause } from "./instance-state.js";

/* Faults and their end. Part of the state machine in `instance.ts`. */

const faultRetryMs = 10_000;
/** Each try of a node that preempts disturbs the one that serves, so a kernel that goes on refusing is asked less often. */
const longestFaultRetryMs = 320_000;
/** A mastership that lasted so long shows that the kernel had taken the addresses. */
const provenMs = 60_000;

/** A master that cannot serve gives up at once; where nothing can be sent, it does not try. */
export function onFault(step: Draft, cause: FaultCause, reason: string): void {
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

export function onFaultCleared(step: Draft, cause: FaultCause, reason: string): void {
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
