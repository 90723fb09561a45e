import type { ServerTable } from "../health/server-table.js";
import { Cell } from "./layout.js";
import type { StatsTable } from "./table.js";

/**
 * Whether a server can be reached, by what was last tried: any thread's later success outweighs every earlier failure.
 * A server that nobody has tried counts as reachable. Cheap: some cells a server, no allocation.
 */
function isReachable(table: StatsTable, proxyIndex: number, serverIndex: number): boolean {
  const row = table.serverRow(proxyIndex, serverIndex);
  let failedMs = 0;
  let reachedMs = 0;
  for (const block of table.rowBlocks) {
    failedMs = Math.max(failedMs, block[row + Cell.lastFailedMs]);
    reachedMs = Math.max(reachedMs, block[row + Cell.lastReachedMs]);
  }
  return failedMs <= reachedMs;
}

/**
 * Whether a server takes requests, as far as is known: what is checked by what its checks say, the others by what was
 * last tried. One that an operator has taken out takes none.
 */
export function takesRequests(
  table: StatsTable,
  states: ServerTable,
  proxyIndex: number,
  serverIndex: number,
): boolean {
  if (states.effectiveWeight(proxyIndex, serverIndex) === 0) return false;
  const { check } = states.proxies[proxyIndex].servers[serverIndex];
  return check !== undefined || isReachable(table, proxyIndex, serverIndex);
}

/** Names of the proxies none of whose servers takes requests. */
export function unservedProxies(table: StatsTable, states: ServerTable): string[] {
  return states.proxies
    .filter(
      ({ servers }, proxyIndex) =>
        servers.length > 0 && servers.every((_, server) => !takesRequests(table, states, proxyIndex, server)),
    )
    .map(({ name }) => name);
}

/** Notes in the main thread's own block that a probe has reached a server. `nowMs`: the clock of `monotonicMs`. */
export function noteReached(table: StatsTable, proxyIndex: number, serverIndex: number, nowMs: number): void {
  table.carried[table.serverRow(proxyIndex, serverIndex) + Cell.lastReachedMs] = nowMs;
}
