/** CLOCK_MONOTONIC in ms: one time base for every process on this machine (performance.now() is per process). */
export function nowMs(): number {
  return Number(process.hrtime.bigint() / 1000n) / 1000;
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/**
 * Asks `condition` again and again until it gives something other than null, false or undefined.
 *
 * @throws Error `what` did not happen within `timeoutMs`.
 */
export async function waitFor<T>(
  what: string,
  timeoutMs: number,
  condition: () => Promise<T | null | false | undefined> | T | null | false | undefined,
  everyMs = 30,
): Promise<T> {
  const deadline = nowMs() + timeoutMs;
  for (;;) {
    const value = await condition();
    if (value !== null && value !== false && value !== undefined) return value;
    if (nowMs() > deadline) throw new Error(`${what}: not within ${timeoutMs} ms`);
    await sleep(everyMs);
  }
}
