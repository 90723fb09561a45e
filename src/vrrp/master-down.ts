/** The times that decide when a backup takes over (RFC 3768 §6.1, RFC 9568 §6.1). All in ms. */

/** Versions of VRRP: they count the skew time differently, and only version 3 learns the master's interval. */
export type VrrpVersion = 2 | 3;

/**
 * The span over which priorities spread their takeovers: a second in VRRPv2 whatever the interval, and the master's
 * own interval in VRRPv3.
 */
export function skewSpanMs(version: VrrpVersion, masterIntervalMs: number): number {
  return version === 2 ? 1000 : masterIntervalMs;
}

/** A backup's head start by priority, so that the best of several backups is first. */
export function skewMs(priority: number, spanMs: number): number {
  return ((256 - priority) * spanMs) / 256;
}

/** How long a backup with this priority waits for an advert before it takes over. */
export function masterDownIntervalMs(priority: number, masterIntervalMs: number, spanMs: number): number {
  return 3 * masterIntervalMs + skewMs(priority, spanMs);
}

/** A master that was silent for this long may have been replaced: the quickest backup has (almost) no skew. */
export function earliestTakeoverMs(advertIntervalMs: number): number {
  return 3 * advertIntervalMs;
}

/** After a priority 0 advert every backup has taken over by then, whatever its priority. */
export function slowestTakeoverAfterPriorityZeroMs(spanMs: number): number {
  return skewMs(1, spanMs);
}
