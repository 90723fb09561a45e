/**
 * Two masters of one virtual router, as one of them sees it: another one advertises (and should have stepped down), or
 * its adverts are dropped here, or it says so over the peer link. Pure.
 *
 * In every change of masters two of them overlap for a moment. So it takes evidence on two occasions.
 */
export interface SplitBrain {
  /** Since when there is evidence; null: there is none. */
  readonly sinceMs: number | null;
  readonly lastMs: number;
  readonly other: string;
  /** How this node knows, as a sentence without a full stop. */
  readonly how: string;
  /** The second occasion has come: it is no mere change. */
  readonly active: boolean;
  /** Times that it became active. */
  readonly times: number;
}

export const noSplitBrain: SplitBrain = {
  sinceMs: null,
  lastMs: 0,
  other: "",
  how: "",
  active: false,
  times: 0,
};

const shortestGapMs = 300;
const shortestQuietMs = 3000;

/** Another master was seen. */
export function noteMaster(
  before: SplitBrain,
  other: string,
  how: string,
  nowMs: number,
  advertIntervalMs: number,
): SplitBrain {
  const now = settleSplitBrain(before, nowMs, advertIntervalMs);
  if (now.sinceMs === null) return { ...now, sinceMs: nowMs, lastMs: nowMs, other, how };
  const isSecond = nowMs - now.sinceMs >= Math.max(shortestGapMs, advertIntervalMs / 2);
  const active = now.active || isSecond;
  return { ...now, lastMs: nowMs, other, how, active, times: now.times + (active && !now.active ? 1 : 0) };
}

/** Over when nothing was seen for three intervals; at once when this node is `noLongerMaster`. */
export function settleSplitBrain(
  before: SplitBrain,
  nowMs: number,
  advertIntervalMs: number,
  noLongerMaster = false,
): SplitBrain {
  if (before.sinceMs === null) return before;
  const isQuiet = nowMs - before.lastMs >= Math.max(shortestQuietMs, 3 * advertIntervalMs);
  return isQuiet || noLongerMaster ? { ...before, sinceMs: null, active: false } : before;
}
