import { Cell } from "./layout.js";

/** HAProxy's TIME_STATS_SAMPLES: times are averaged over this many requests. */
export const slidingWindow = 1024;

/**
 * Adds one time (ms) to a sliding sum of `row`, as HAProxy's `swrate_add`:
 *
 *     sum += value                 while timedRequests < 1024   (a plain sum)
 *     sum += value − sum / 1024    from then on                 (old samples fade)
 *
 * so that the average is `sum / min(timedRequests, 1024)` at any time. The writer adds 1 to
 * `Cell.timedRequests` after it has added every sum of the request; `addTimings` does all of it.
 */
export function addSlidingSample(cells: Float64Array, row: number, sumCell: number, value: number): void {
  const sum = cells[row + sumCell];
  const full = cells[row + Cell.timedRequests] >= slidingWindow;
  cells[row + sumCell] = full ? sum + value - sum / slidingWindow : sum + value;
}

/** Records the times (ms) of one finished request in `row`: sliding sums, maxima, one count. */
export function addTimings(
  cells: Float64Array,
  row: number,
  connectMs: number,
  responseMs: number,
  totalMs: number,
  queueMs = 0,
): void {
  addSlidingSample(cells, row, Cell.queueTimeSum, queueMs);
  if (queueMs > cells[row + Cell.queueTimeMax]) cells[row + Cell.queueTimeMax] = queueMs;
  addSlidingSample(cells, row, Cell.connectTimeSum, connectMs);
  addSlidingSample(cells, row, Cell.responseTimeSum, responseMs);
  addSlidingSample(cells, row, Cell.totalTimeSum, totalMs);
  if (connectMs > cells[row + Cell.connectTimeMax]) cells[row + Cell.connectTimeMax] = connectMs;
  if (responseMs > cells[row + Cell.responseTimeMax]) cells[row + Cell.responseTimeMax] = responseMs;
  if (totalMs > cells[row + Cell.totalTimeMax]) cells[row + Cell.totalTimeMax] = totalMs;
  cells[row + Cell.timedRequests] += 1;
}
