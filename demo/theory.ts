/**
 * What keepalived comes to in the same place, with the demo's settings: one second between adverts, priorities
 * 101 and 100 (RFC 3768 §6.1; keepalived 2.2.7 was measured within 10 ms of it).
 */
const advertIntervalMs = 1000;
/** (256 − priority) / 256 s. */
const skewMs = ((256 - 100) / 256) * 1000;
export const masterDownMs = 3 * advertIntervalMs + skewMs;

export interface Theory {
  readonly lowMs: number;
  readonly highMs: number;
  readonly why: string;
}

/** The master says priority 0 and drops the address; the backup waits its skew time. */
export const stopped: Theory = {
  lowMs: skewMs,
  highMs: skewMs,
  why: "skew time of the backup; measured 618",
};

/**
 * The master falls silent without a word.
 *
 * @param sinceAdvertMs time from its last advert to its end, or null if it was not seen
 */
export function silent(sinceAdvertMs: number | null): Theory {
  if (sinceAdvertMs === null)
    return { lowMs: masterDownMs - advertIntervalMs, highMs: masterDownMs, why: "master-down interval" };
  const expected = masterDownMs - sinceAdvertMs;
  const why = `master-down interval, its last advert was ${Math.round(sinceAdvertMs)} ms ago`;
  return { lowMs: expected, highMs: expected, why };
}

/** The old master comes back with the higher priority and takes over: 18 to 115 ms (`npm run bench:failover`). */
export const preempted: Theory = { lowMs: 18, highMs: 115, why: "the address moves; measured in this lab" };

export function describeTheory(theory: Theory): string {
  const [low, high] = [Math.round(theory.lowMs), Math.round(theory.highMs)];
  return low === high ? `${low}` : `${low}–${high}`;
}
