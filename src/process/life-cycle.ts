/**
 * How the daemon starts and goes, as a pure state machine: `handleLifeCycle(state, input, nowMs) → state and effects`.
 *
 *     starting ──started──▶ serving ──stop──▶ handing-over ──released──▶ draining ──drained──▶ closing ──closed──▶ stopped
 *         │                                        │                        │                     │
 *         └───────────stop─────────────────────────┴───────stop again, or a failure───────────────┴──▶ leaving ──released──▶ stopped
 *
 * Each state after serving has a deadline, so a part that never answers cannot keep the daemon.
 */
export type LifeCycleState =
  | { readonly name: "starting" }
  | { readonly name: "serving" }
  | { readonly name: "stopped" }
  | { readonly name: "handing-over" | "draining" | "closing"; readonly deadlineMs: number }
  | { readonly name: "leaving"; readonly deadlineMs: number; readonly exitCode: number };

export type LifeCycleInput =
  /** Every thread is ready and VRRP runs. */
  | { readonly kind: "started" }
  /** Another process has taken over everything but what is open here. */
  | { readonly kind: "superseded" }
  /** SIGTERM or SIGINT. */
  | { readonly kind: "stop" }
  /** Something that the daemon cannot live without has failed. */
  | { readonly kind: "failed"; readonly exitCode: number }
  /** The virtual addresses are off this node. */
  | { readonly kind: "released" }
  /** No data thread has an exchange in flight. */
  | { readonly kind: "drained" }
  /** The control thread has closed its sockets. */
  | { readonly kind: "closed" }
  /** The deadline may have passed. */
  | { readonly kind: "timer" };

export type LifeCycleEffect =
  | { readonly kind: "announce-serving" }
  | { readonly kind: "announce-stopping" }
  /** Tell the service manager who is the main process now, and leave it what is still shared. */
  | { readonly kind: "retire" }
  /** Priority 0 now; keep the addresses until the partner is heard; answer `released`. */
  | { readonly kind: "hand-over" }
  /** Stop accepting, finish what is in flight within `timeoutMs`; answer `drained`. */
  | { readonly kind: "drain"; readonly timeoutMs: number }
  /** Stop the control thread; answer `closed`. */
  | { readonly kind: "close" }
  /** Release every address at once; answer `released`. */
  | { readonly kind: "release" }
  /** A part did not answer in time; the daemon goes on without it. */
  | { readonly kind: "gave-up-waiting"; readonly state: LifeCycleState["name"] }
  | { readonly kind: "exit"; readonly exitCode: number };

export interface LifeCycleStep {
  readonly state: LifeCycleState;
  readonly effects: readonly LifeCycleEffect[];
}

/** The partner is ready within 2.5 s, and then heard within 1.1 s, or never. */
const handOverLimitMs = 5000;
/** What a data thread may take to cut what is left at the drain's end. */
const drainSlackMs = 1000;
/** The control thread waits up to 4 s for scripts and mails that tell of the end. */
export const closeLimitMs = 5000;
export const releaseLimitMs = 1000;

export const beforeStart: LifeCycleState = { name: "starting" };

export function handleLifeCycle(
  state: LifeCycleState,
  input: LifeCycleInput,
  nowMs: number,
  drainTimeoutMs: number,
): LifeCycleStep {
  const stay: LifeCycleStep = { state, effects: [] };
  if (state.name === "stopped") return stay;
  if (input.kind === "failed") {
    return state.name === "leaving" ? stay : leave(nowMs, input.exitCode);
  }
  if (input.kind === "timer") {
    if (!("deadlineMs" in state) || nowMs < state.deadlineMs) return stay;
    const next = advance(state, nowMs, drainTimeoutMs);
    return { state: next.state, effects: [{ kind: "gave-up-waiting", state: state.name }, ...next.effects] };
  }
  switch (state.name) {
    case "starting":
      if (input.kind === "started")
        return { state: { name: "serving" }, effects: [{ kind: "announce-serving" }] };
      return input.kind === "stop" ? leave(nowMs, 0) : stay;
    case "serving":
      if (input.kind === "superseded") {
        const { state: draining, effects } = drain(nowMs, drainTimeoutMs);
        return { state: draining, effects: [{ kind: "retire" }, ...effects] };
      }
      if (input.kind !== "stop") return stay;
      return {
        state: { name: "handing-over", deadlineMs: nowMs + handOverLimitMs },
        effects: [{ kind: "hand-over" }, { kind: "announce-stopping" }],
      };
    case "leaving":
      return input.kind === "released" ? advance(state, nowMs, drainTimeoutMs) : stay;
    default:
      if (input.kind === "stop") return leave(nowMs, 0);
      return input.kind === answers[state.name] ? advance(state, nowMs, drainTimeoutMs) : stay;
  }
}

/** What each waiting state waits for. */
const answers = { "handing-over": "released", draining: "drained", closing: "closed" } as const;

function advance(
  state: Extract<LifeCycleState, { readonly deadlineMs: number }>,
  nowMs: number,
  drainTimeoutMs: number,
): LifeCycleStep {
  switch (state.name) {
    case "handing-over":
      return drain(nowMs, drainTimeoutMs);
    case "draining":
      return { state: { name: "closing", deadlineMs: nowMs + closeLimitMs }, effects: [{ kind: "close" }] };
    case "closing":
      return { state: { name: "stopped" }, effects: [{ kind: "exit", exitCode: 0 }] };
    case "leaving":
      return { state: { name: "stopped" }, effects: [{ kind: "exit", exitCode: state.exitCode }] };
  }
}

function drain(nowMs: number, timeoutMs: number): LifeCycleStep {
  return {
    state: { name: "draining", deadlineMs: nowMs + timeoutMs + drainSlackMs },
    effects: [{ kind: "drain", timeoutMs }],
  };
}

function leave(nowMs: number, exitCode: number): LifeCycleStep {
  return {
    state: { name: "leaving", deadlineMs: nowMs + releaseLimitMs, exitCode },
    effects: [{ kind: "release" }, { kind: "announce-stopping" }],
  };
}
