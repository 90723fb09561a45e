import { bucketBoundsMs, type Histogram, type Latencies } from "../../proxy/stats/latency.js";
import type { NodeView } from "../node-view.js";
import type { Percentiles } from "./shape.js";

const everyMs = 5000;
/** How far back it goes: long enough for a 99th percentile, short enough to see a change. */
const windowMs = 60_000;

/** Counts by bucket: of each proxy its servers' and, behind them, the backend's. */
type Counts = readonly (readonly (readonly number[])[])[];

/** How fast each server and each backend has answered in the last minute. Pure: the views are handed in. */
export class RecentLatencies {
  private snapshots: { readonly atMs: number; readonly counts: Counts }[] = [];
  private found: readonly (readonly (Percentiles | null)[])[] = [];

  /** Called each second; reads the histograms every five. */
  take(view: NodeView): void {
    const atMs = view.nowMonotonicMs;
    const last = this.snapshots.at(-1);
    if (last !== undefined && atMs - last.atMs < everyMs) return;
    const counts = countsOf(view);
    if (last !== undefined && hasShrunk(last.counts, counts)) this.snapshots = [];
    this.snapshots = [...this.snapshots.filter((one) => atMs - one.atMs <= windowMs), { atMs, counts }];
    const [oldest] = this.snapshots;
    this.found = counts.map((rows, i) =>
      rows.map((row, j) => percentiles(row.map((count, k) => count - oldest.counts[i][j][k]))),
    );
  }

  /** Null: nothing was answered in this time. */
  server(proxy: number, server: number): Percentiles | null {
    return this.found[proxy]?.[server] ?? null;
  }

  backend(proxy: number): Percentiles | null {
    return this.found[proxy]?.at(-1) ?? null;
  }
}

/** The upper bounds of the buckets that the median and the 99th of a hundred are in. Pure. */
export function percentiles(counts: readonly number[]): Percentiles | null {
  const all = counts.reduce((sum, count) => sum + count, 0);
  if (all <= 0) return null;
  const at = (share: number): number | null => {
    let seen = 0;
    const bucket = counts.findIndex((count) => {
      seen += count;
      return seen >= all * share;
    });
    return bucketBoundsMs[bucket] ?? null;
  };
  return { p50: at(0.5), p99: at(0.99) };
}

/** To the head of the response; sessions of mode tcp have none, but were connected. */
function countsOf({ proxies, latencies }: NodeView): Counts {
  return latencies().map(({ servers, backend }, i) => {
    const kind: keyof Latencies = proxies[i].mode === "tcp" ? "connect" : "response";
    return [...servers, backend].map((one): Histogram["counts"] => one[kind].counts);
  });
}

/** Counters were cleared. */
function hasShrunk(before: Counts, after: Counts): boolean {
  return before.some((rows, i) =>
    rows.some((row, j) => row.some((count, k) => (after[i]?.[j]?.[k] ?? 0) < count)),
  );
}
