import type { Found } from "../../vrrp/tracking.js";

/** What a series of results has come to, by keepalived's `rise` and `fall`. */
export interface RiseFall {
  readonly found: Found;
  /** Results in a row that speak against it. */
  readonly against: number;
}

/**
 * The next one. Pure. The first result decides at once; from then on it takes `rise` successes in a row to be up, and
 * `fall` failures in a row to be down.
 */
export function nextRiseFall(before: RiseFall, ok: boolean, rise: number, fall: number): RiseFall {
  const now: Found = ok ? "up" : "down";
  if (before.found === "unknown") return { found: now, against: 0 };
  if (before.found === now) return { found: now, against: 0 };
  const against = before.against + 1;
  return against >= (ok ? rise : fall) ? { found: now, against: 0 } : { found: before.found, against };
}
