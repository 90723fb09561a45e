import { latencyCells } from "./latency.js";
import { Cell, latencyCell, rowCells } from "./layout.js";
import { slidingWindow } from "./sliding.js";
import { type RowSnapshot, readSnapshot } from "./snapshot.js";
import type { StatsTable } from "./table.js";

/** What tells a proxy's and a server's row from another: their names. */
export interface NamedProxy {
  readonly name: string;
  readonly servers: readonly { readonly name: string }[];
}

export interface CarryTarget {
  readonly table: StatsTable;
  readonly proxies: readonly NamedProxy[];
}

const cellNames = Object.keys(Cell) as (keyof typeof Cell)[];

/**
 * Writes what `from` counted into the carried block of `to`, row by row for the proxies and servers that have the same
 * names, so that counters survive a reload. Sets and does not add: call it again while the old threads still finish
 * their exchanges, gauges included.
 */
export function carryOver(from: CarryTarget, to: CarryTarget): void {
  const { carried } = to.table;
  const snapshot = readSnapshot(from.table, from.proxies);
  for (const [index, proxy] of to.proxies.entries()) {
    const oldIndex = from.proxies.findIndex(({ name }) => name === proxy.name);
    if (oldIndex < 0) continue;
    const { frontend, servers, backend } = snapshot.proxies[oldIndex];
    writeCarriedRow(carried, to.table.frontendRow(index), frontend);
    carryLatencies(from.table, from.table.frontendRow(oldIndex), carried, to.table.frontendRow(index));
    writeCarriedRow(carried, to.table.backendRow(index), backend);
    for (const [serverIndex, server] of proxy.servers.entries()) {
      const old = from.proxies[oldIndex].servers.findIndex(({ name }) => name === server.name);
      if (old < 0) continue;
      const row = to.table.serverRow(index, serverIndex);
      writeCarriedRow(carried, row, servers[old]);
      carryLatencies(from.table, from.table.serverRow(oldIndex, old), carried, row);
    }
  }
}

function carryLatencies(from: StatsTable, fromRow: number, block: Float64Array, row: number): void {
  for (let i = latencyCell; i < latencyCell + latencyCells; i++)
    block[row + i] = from.rowBlocks.reduce((sum, one) => sum + one[fromRow + i], 0);
}

/** Of the carried block. */
export function writeCarriedRow(block: Float64Array, row: number, values: RowSnapshot): void {
  block.fill(0, row, row + rowCells);
  for (const name of cellNames) block[row + Cell[name]] = values[name];
  // Several threads' windows become one: their averages stay what they were.
  const samples = Math.min(values.timedRequests, slidingWindow);
  block[row + Cell.queueTimeSum] = values.queueTimeAverage * samples;
  block[row + Cell.connectTimeSum] = values.connectTimeAverage * samples;
  block[row + Cell.responseTimeSum] = values.responseTimeAverage * samples;
  block[row + Cell.totalTimeSum] = values.totalTimeAverage * samples;
}
