/** The times that decide when a backup takes over (RFC 3768 §6.1). All in ms. */

/** A backup's head start by priority, so that the best of several backups is first. VRRPv2: up to one second. */
export function skewMs(priority: number): number {
  return ((256 - priority) * 1000) / 256;
}

/** How long a backup with this priority waits for an advert before it takes over. */
export function masterDownIntervalMs(priority: number, advertIntervalMs: number): number {
  return 3 * advertIntervalMs + skewMs(priority);
}

/** A master that was silent for this long may have been replaced: the quickest backup has (almost) no skew. */
export function earliestTakeoverMs(advertIntervalMs: number): number {
  return 3 * advertIntervalMs;
}

/** After a priority 0 advert every backup has taken over by then, whatever its priority. */
export const slowestTakeoverAfterPriorityZeroMs = skewMs(1);
