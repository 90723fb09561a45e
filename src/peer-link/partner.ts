/*
 * What one node does about its link to one partner:
 *
 *                    an advert was heard               both have proved the key
 *        +------+ -----------------------> +---------+ ------------> +----+
 *        | down |                          | dialing |               | up | <---------------+
 *        +------+ <----------------------- +---------+               +----+                 |
 *           ^  ^        failed: later again                            |  | its kernel      | it answers:
 *           |  +-------------------------------------------------------+  | closed it       | it lives
 *           |        silent, or it said goodbye: no verdict               v                 |
 *           |                                                        +----------+           |
 *           +------------------------------------------------------- | checking | ----------+
 *             refused: its port is closed, so its process is DEAD    +----------+
 *             anything else: no verdict
 *
 * The kernel of a partner closes its sockets when the process dies, however it dies; only then, and only if the port
 * refuses as well, is it dead. A link that is cut or silent proves nothing: VRRP goes by its adverts then, as ever.
 */

export interface PartnerState {
  readonly phase: "down" | "dialing" | "up" | "checking";
  /** Monotonic ms of the last change of phase. */
  readonly sinceMs: number;
  /** Why it is in this phase, without a full stop. */
  readonly reason: string;
  /** Attempts in a row that came to nothing. */
  readonly failures: number;
  /** Why the last attempt failed, as the log has it. */
  readonly complaint: string;
  /** Down: not dialed before. Checking: the next attempt. */
  readonly retryAtMs: number;
  readonly checksLeft: number;
  readonly saidGoodbye: boolean;
}

export type PartnerInput =
  /** An advert from it, while this node is its backup. */
  | { readonly kind: "heard" }
  /** A connection with it is open, whoever dialed. */
  | { readonly kind: "opened" }
  /** `byPeer`: its kernel ended it (FIN or RST); otherwise this side did. */
  | { readonly kind: "lost"; readonly byPeer: boolean; readonly reason: string }
  /** A dial of ours came to nothing. `refused`: no socket listens there (RST). `ended`: accepted, and closed at once. */
  | {
      readonly kind: "dial-failed";
      readonly outcome: "refused" | "ended" | "other";
      readonly reason: string;
    }
  | { readonly kind: "goodbye" }
  | { readonly kind: "timer" };

export type PartnerEffect =
  | { readonly kind: "dial"; readonly timeoutMs: number }
  /** The process is gone. */
  | { readonly kind: "dead" }
  | { readonly kind: "log"; readonly level: "info" | "warn"; readonly message: string };

export interface PartnerStep {
  readonly state: PartnerState;
  readonly effects: readonly PartnerEffect[];
}

const dialTimeoutMs = 1000;
/** On a LAN the answer takes less than one; a partner that needs longer is not known to be dead. */
const checkTimeoutMs = 250;
/** A dying process may still accept, its listening socket being closed after its connections. */
const checks = 20;
const checkAgainMs = 2;
const firstRetryMs = 1000;
const longestRetryMs = 60_000;

export function newPartner(nowMs: number): PartnerState {
  return {
    phase: "down",
    sinceMs: nowMs,
    reason: "not dialed yet",
    failures: 0,
    complaint: "",
    retryAtMs: nowMs,
    checksLeft: 0,
    saidGoodbye: false,
  };
}

/** When `handlePartner` wants to hear `timer`; null: not at all. */
export function partnerDeadlineMs(state: PartnerState): number | null {
  return state.phase === "checking" && state.retryAtMs !== Number.POSITIVE_INFINITY ? state.retryAtMs : null;
}

/** Pure. `name` is how the partner is called in the log. */
export function handlePartner(
  state: PartnerState,
  input: PartnerInput,
  nowMs: number,
  name: string,
): PartnerStep {
  switch (input.kind) {
    case "heard":
      return state.phase === "down" && nowMs >= state.retryAtMs ? dial(state, nowMs) : stay(state);
    case "opened":
      return opened(state, nowMs, name);
    case "goodbye":
      return stay({ ...state, saidGoodbye: true });
    case "lost":
      return lost(state, input.byPeer, input.reason, nowMs, name);
    case "dial-failed":
      return state.phase === "checking"
        ? checkFailed(state, input.outcome, input.reason, nowMs, name)
        : dialFailed(state, input.reason, nowMs, name);
    case "timer":
      return state.phase === "checking" && nowMs >= state.retryAtMs ? check(state) : stay(state);
  }
}

function dial(state: PartnerState, nowMs: number): PartnerStep {
  return {
    state: { ...state, phase: "dialing", sinceMs: nowMs, reason: "dialing" },
    effects: [{ kind: "dial", timeoutMs: dialTimeoutMs }],
  };
}

function opened(state: PartnerState, nowMs: number, name: string): PartnerStep {
  const again = state.phase === "checking" ? "is there again: its process lives" : "is open";
  return {
    state: { ...newPartner(nowMs), phase: "up", reason: "both nodes have proved the key" },
    effects:
      state.phase === "up" ? [] : [{ kind: "log", level: "info", message: `peer link to ${name} ${again}` }],
  };
}

function lost(
  state: PartnerState,
  byPeer: boolean,
  reason: string,
  nowMs: number,
  name: string,
): PartnerStep {
  if (state.phase !== "up") return stay(state);
  if (byPeer && !state.saidGoodbye) {
    const checking = { ...state, phase: "checking", sinceMs: nowMs, reason, checksLeft: checks } as const;
    return check(checking);
  }
  const why = state.saidGoodbye ? "it said goodbye" : reason;
  return {
    state: down(state, why, nowMs),
    effects: [{ kind: "log", level: "info", message: `peer link to ${name} ended: ${why}` }],
  };
}

function check(state: PartnerState): PartnerStep {
  return {
    state: { ...state, checksLeft: state.checksLeft - 1, retryAtMs: Number.POSITIVE_INFINITY },
    effects: [{ kind: "dial", timeoutMs: checkTimeoutMs }],
  };
}

function checkFailed(
  state: PartnerState,
  outcome: "refused" | "ended" | "other",
  reason: string,
  nowMs: number,
  name: string,
): PartnerStep {
  if (outcome === "refused") {
    const why = "its kernel closed the peer link and refuses another one: its process is dead";
    return {
      state: down(state, why, nowMs),
      effects: [{ kind: "log", level: "warn", message: `${name}: ${why}` }, { kind: "dead" }],
    };
  }
  if (outcome === "ended" && state.checksLeft > 0) {
    // What the listening socket had accepted is reset when it closes: the next one is refused.
    if (state.checksLeft === checks - 1) return check(state);
    return stay({ ...state, retryAtMs: nowMs + checkAgainMs });
  }
  return {
    state: down(state, reason, nowMs),
    effects: [
      {
        kind: "log",
        level: "warn",
        message: `peer link to ${name} was closed, and is not to be had again: ${reason}`,
      },
    ],
  };
}

/** Said once, not at every attempt: the partner may well be a keepalived, which has no peer link. */
function dialFailed(state: PartnerState, reason: string, nowMs: number, name: string): PartnerStep {
  if (state.phase !== "dialing") return stay(state);
  const failures = state.failures + 1;
  const retryMs = Math.min(longestRetryMs, firstRetryMs * 2 ** (failures - 1));
  return {
    state: {
      ...state,
      phase: "down",
      sinceMs: nowMs,
      reason,
      complaint: reason,
      failures,
      retryAtMs: nowMs + retryMs,
    },
    effects:
      reason !== state.complaint
        ? [{ kind: "log", level: "info", message: `no peer link to ${name}: ${reason}` }]
        : [],
  };
}

function down(state: PartnerState, reason: string, nowMs: number): PartnerState {
  return {
    ...state,
    phase: "down",
    sinceMs: nowMs,
    reason,
    retryAtMs: nowMs + firstRetryMs,
    saidGoodbye: false,
  };
}

function stay(state: PartnerState): PartnerStep {
  return { state, effects: [] };
}
