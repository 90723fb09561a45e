import { latencyCells } from "./latency.js";
import { Cell, latencyCell } from "./layout.js";
import type { StatsTable, TableProxy } from "./table.js";

/** What stands for now, and not for what was: it stays. */
const gauges: ReadonlySet<number> = new Set([
  Cell.sessionsCurrent,
  Cell.idleConnections,
  Cell.usedConnections,
  Cell.queueCurrent,
  Cell.http2ConnectionsCurrent,
  Cell.http2StreamsCurrent,
  // The balancer goes by these.
  Cell.lastFailedMs,
  Cell.lastReachedMs,
  Cell.errorsInRow,
]);

const maxima = [
  Cell.sessionsMax,
  Cell.queueMax,
  Cell.queueTimeMax,
  Cell.connectTimeMax,
  Cell.responseTimeMax,
  Cell.totalTimeMax,
] as const;

/**
 * HAProxy's `clear counters`: the greatest values begin anew at 0, as there, and with `all` everything else too. The data
 * threads go on counting meanwhile: of what one of them is about to add, one addition may be lost or one value outlive.
 */
export function clearCounters(table: StatsTable, proxies: readonly TableProxy[], all: boolean): void {
  for (const block of table.rowBlocks) {
    for (const [index, { servers }] of proxies.entries()) {
      clearRow(block, table.frontendRow(index), all);
      clearRow(block, table.backendRow(index), all);
      for (let server = 0; server < servers.length; server++) {
        clearRow(block, table.serverRow(index, server), all);
      }
    }
  }
}

function clearRow(block: Float64Array, row: number, all: boolean): void {
  if (all) {
    for (const cell of Object.values(Cell)) if (!gauges.has(cell)) block[row + cell] = 0;
    block.fill(0, row + latencyCell, row + latencyCell + latencyCells);
  }
  for (const cell of maxima) block[row + cell] = 0;
}
