/**
 * Whether this node can serve, judged by its data threads. Pure. VRRP gives mastership up while it cannot, so the
 * verdict must come soon and must not flutter.
 */
export interface ThreadHealth {
  readonly name: string;
  /** serving: its loop turns; stuck: its loop has not turned for 2 s; down: dead, or not ready yet. */
  readonly state: "serving" | "stuck" | "down";
  readonly keepsDying: boolean;
}

export interface Fitness {
  readonly fit: boolean;
  /** Why, as one sentence without a full stop. */
  readonly reason: string;
  /** Since when no thread serves; null: one does. */
  readonly silentSinceMs: number | null;
  /** Since when nothing is wrong, while `fit` is false; null: something is. */
  readonly wellSinceMs: number | null;
}

/**
 * How long no thread at all may serve before the node is unfit. A thread is back within some 100 ms, and meanwhile
 * clients wait in the backlog of the listening sockets, which the main thread keeps open: less harm than a move.
 */
export const silenceMs = 1000;

/** How long everything must be well before an unfit node is fit again. */
export const recoveryMs = 3000;

export const fitAtStart: Fitness = {
  fit: true,
  reason: "every data thread serves",
  silentSinceMs: null,
  wellSinceMs: null,
};

/** The next verdict. A node without data threads (no proxies) is always fit. */
export function judgeFitness(before: Fitness, threads: readonly ThreadHealth[], nowMs: number): Fitness {
  const isSilent = threads.length > 0 && !threads.some((thread) => thread.state === "serving");
  const silentSinceMs = isSilent ? (before.silentSinceMs ?? nowMs) : null;
  const fault = findFault(threads, silentSinceMs, nowMs);
  if (fault !== null) return { fit: false, reason: fault, silentSinceMs, wellSinceMs: null };
  if (before.fit) return { fit: true, reason: before.reason, silentSinceMs, wellSinceMs: null };
  if (threads.some((thread) => thread.state !== "serving"))
    return { ...before, silentSinceMs, wellSinceMs: null };
  const wellSinceMs = before.wellSinceMs ?? nowMs;
  if (nowMs - wellSinceMs < recoveryMs) return { ...before, silentSinceMs, wellSinceMs };
  return { fit: true, reason: "every data thread serves again", silentSinceMs, wellSinceMs: null };
}

function findFault(
  threads: readonly ThreadHealth[],
  silentSinceMs: number | null,
  nowMs: number,
): string | null {
  const stuck = threads.find((thread) => thread.state === "stuck");
  if (stuck !== undefined) return `${stuck.name} is stuck`;
  const dying = threads.find((thread) => thread.keepsDying);
  if (dying !== undefined) return `${dying.name} keeps dying`;
  if (silentSinceMs !== null && nowMs - silentSinceMs >= silenceMs) return "no data thread serves";
  return null;
}
