/**
 * When a thread that died is started again, and when it has died too often. Pure: time comes in as a number (ms of any
 * clock that does not jump).
 */
export interface RestartPolicy {
  /** Delay of the second restart in a row; the first is at once, every further one waits twice as long. */
  readonly firstDelayMs: number;
  readonly longestDelayMs: number;
  /** So many deaths within `windowMs`: the thread keeps dying. */
  readonly deaths: number;
  readonly windowMs: number;
  /** After so long without a death everything is forgotten. */
  readonly quietMs: number;
}

export const defaultRestartPolicy: RestartPolicy = {
  firstDelayMs: 200,
  longestDelayMs: 10_000,
  deaths: 3,
  windowMs: 60_000,
  quietMs: 30_000,
};

/** Times of the deaths that are not forgotten, oldest first. */
export type RestartState = readonly number[];

export const neverDied: RestartState = [];

/** A death at `nowMs`: the new state, and how long to wait before the thread is started again. */
export function recordDeath(
  state: RestartState,
  nowMs: number,
  policy: RestartPolicy,
): { readonly state: RestartState; readonly delayMs: number } {
  const recent = remembered(state, nowMs, policy);
  const delayMs =
    recent.length === 0 ? 0 : Math.min(policy.firstDelayMs * 2 ** (recent.length - 1), policy.longestDelayMs);
  return { state: [...recent, nowMs], delayMs };
}

/** Whether the thread dies again and again: nobody should rely on it until it has been quiet. */
export function keepsDying(state: RestartState, nowMs: number, policy: RestartPolicy): boolean {
  return remembered(state, nowMs, policy).length >= policy.deaths;
}

function remembered(state: RestartState, nowMs: number, policy: RestartPolicy): RestartState {
  const last = state.at(-1);
  if (last === undefined || nowMs - last >= policy.quietMs) return neverDied;
  return state.filter((time) => nowMs - time < policy.windowMs);
}
