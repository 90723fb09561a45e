/**
 * Histograms of times, for Prometheus: cumulative since the start, in the rows of the shared table behind the cells of
 * `layout.ts`. Hot path: one look-up, two additions for each time of a finished request (docs/performance.md).
 */

/** HAProxy's Tw, Tc, Tr, and the whole of it from the request on. */
export const Latency = { queue: 0, connect: 1, response: 2, total: 3 } as const;
export type Latency = (typeof Latency)[keyof typeof Latency];

/** Upper bounds of the buckets in ms, whole numbers; what is longer falls into one more. */
export const bucketBoundsMs = [
  ...[1, 2, 5, 10, 20, 50, 100, 200, 500],
  ...[1_000, 2_000, 5_000, 10_000, 20_000, 50_000],
] as const;
const buckets = bucketBoundsMs.length + 1;
/** The buckets, and their sum in ms. */
const cellsEach = buckets + 1;
const sumCell = buckets;
export const latencyCells = Object.keys(Latency).length * cellsEach;

/** By whole ms, rounded up: most times are shorter, and found at once. */
const quickMs = 1_024;
const quick = Uint8Array.from({ length: quickMs + 1 }, (_, ms) => slowBucketOf(ms));

function slowBucketOf(ms: number): number {
  const bucket = bucketBoundsMs.findIndex((bound) => ms <= bound);
  return bucket < 0 ? buckets - 1 : bucket;
}

/** Which bucket a time belongs to: the first one whose bound it does not exceed. */
export function bucketOf(ms: number): number {
  return ms <= quickMs ? quick[Math.ceil(ms)] : slowBucketOf(ms);
}

/** Adds a time (ms; below 0 there was none) to the histogram `kind` of those that begin at `base`. */
export function addLatency(cells: Float64Array, base: number, kind: Latency, ms: number): void {
  const first = base + kind * cellsEach;
  if (ms <= 0) {
    // Nobody waited, or the connection was there: the usual case of two of the four.
    if (ms === 0) cells[first]++;
    return;
  }
  cells[first + bucketOf(ms)]++;
  cells[first + sumCell] += ms;
}

/** Counts by bucket, not cumulated, and the sum of all times. */
export interface Histogram {
  readonly counts: readonly number[];
  readonly sumMs: number;
}

export type Latencies = Readonly<Record<keyof typeof Latency, Histogram>>;

/** Sums the histograms that begin at `base` over blocks, such as those of the threads. */
export function readLatencies(blocks: readonly Float64Array[], base: number): Latencies {
  const sum = (cell: number): number => blocks.reduce((total, block) => total + block[cell], 0);
  const read = (kind: Latency): Histogram => {
    const first = base + kind * cellsEach;
    return { counts: Array.from({ length: buckets }, (_, i) => sum(first + i)), sumMs: sum(first + sumCell) };
  };
  return {
    queue: read(Latency.queue),
    connect: read(Latency.connect),
    response: read(Latency.response),
    total: read(Latency.total),
  };
}

export function addHistograms(all: readonly Histogram[]): Histogram {
  return {
    counts: Array.from({ length: buckets }, (_, i) => all.reduce((sum, { counts }) => sum + counts[i], 0)),
    sumMs: all.reduce((sum, { sumMs }) => sum + sumMs, 0),
  };
}
