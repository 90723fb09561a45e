/**
 * The process-wide clock of `Cell.lastSessionMs`: ms of CLOCK_MONOTONIC. `performance.now()` will not do, it
 * counts from each worker's own start.
 */
export function monotonicMs(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1000 + nanoseconds / 1e6;
}
