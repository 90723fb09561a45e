import type { NamedProxy } from "./carry-over.js";
import { Cell } from "./layout.js";
import type { StatsTable } from "./table.js";

/**
 * Whether a server can be reached, by what was last tried: any thread's later success outweighs every earlier failure.
 * A server that nobody has tried counts as reachable. Cheap: some cells a server, no allocation.
 */
export function isReachable(table: StatsTable, proxyIndex: number, serverIndex: number): boolean {
  const row = table.serverRow(proxyIndex, serverIndex);
  let failedMs = 0;
  let reachedMs = 0;
  for (const block of table.rowBlocks) {
    failedMs = Math.max(failedMs, block[row + Cell.lastFailedMs]);
    reachedMs = Math.max(reachedMs, block[row + Cell.lastReachedMs]);
  }
  return failedMs <= reachedMs;
}

/** Names of the proxies that reach none of their servers. */
export function unservedProxies(table: StatsTable, proxies: readonly NamedProxy[]): string[] {
  return proxies
    .filter(
      ({ servers }, proxyIndex) =>
        servers.length > 0 && servers.every((_, server) => !isReachable(table, proxyIndex, server)),
    )
    .map(({ name }) => name);
}

/** Notes in the main thread's own block that a probe has reached a server. `nowMs`: the clock of `monotonicMs`. */
export function noteReached(table: StatsTable, proxyIndex: number, serverIndex: number, nowMs: number): void {
  table.carried[table.serverRow(proxyIndex, serverIndex) + Cell.lastReachedMs] = nowMs;
}
