import { type CarryTarget, writeCarriedRow } from "./carry-over.js";
import { latencyCells } from "./latency.js";
import { latencyCell } from "./layout.js";
import { type RowSnapshot, readSnapshot } from "./snapshot.js";
import type { StatsTable } from "./table.js";

/** A row by the names of its cells, and of the averages that follow from them; what is 0 is left out. */
export type CountedRow = Readonly<Record<string, number>>;

/** What was counted, by name: for another process, whose table may have other cells. */
export interface CountedProxy {
  readonly name: string;
  readonly frontend: CountedRow;
  readonly backend: CountedRow;
  readonly servers: readonly { readonly name: string; readonly row: CountedRow }[];
}

export function describeCounts(table: StatsTable, proxies: CarryTarget["proxies"]) {
  const snapshot = readSnapshot(table, proxies);
  return proxies.map(({ name, servers }, i) => {
    const { frontend, backend, servers: rows } = snapshot.proxies[i];
    return {
      name,
      frontend: { ...withoutZeros(frontend), ...latenciesOf(table, table.frontendRow(i)) },
      backend: withoutZeros(backend),
      servers: servers.map((server, j) => ({
        name: server.name,
        row: { ...withoutZeros(rows[j]), ...latenciesOf(table, table.serverRow(i, j)) },
      })),
    };
  });
}

/** Writes what another process counted into the carried block, as `carryOver` does. */
export function carryCounts(counts: readonly CountedProxy[], to: CarryTarget): void {
  // Only its names are of use: whatever the other process does not have is 0.
  const empty = readSnapshot(to.table, to.proxies);
  for (const [i, proxy] of to.proxies.entries()) {
    const counted = counts.find(({ name }) => name === proxy.name);
    if (counted === undefined) continue;
    const { carried } = to.table;
    const { frontend, backend, servers } = empty.proxies[i];
    writeCarriedRow(carried, to.table.frontendRow(i), filled(frontend, counted.frontend));
    writeLatencies(carried, to.table.frontendRow(i), counted.frontend);
    writeCarriedRow(carried, to.table.backendRow(i), filled(backend, counted.backend));
    for (const [j, { name }] of proxy.servers.entries()) {
      const server = counted.servers.find((one) => one.name === name);
      if (server === undefined) continue;
      writeCarriedRow(carried, to.table.serverRow(i, j), filled(servers[j], server.row));
      writeLatencies(carried, to.table.serverRow(i, j), server.row);
    }
  }
}

/** A histogram's cells have no names, but a number each. */
const latencyPrefix = "latency";

function latenciesOf({ rowBlocks }: StatsTable, row: number): Record<string, number> {
  const cells: Record<string, number> = {};
  for (let i = 0; i < latencyCells; i++) {
    const count = rowBlocks.reduce((sum, block) => sum + block[row + latencyCell + i], 0);
    if (count !== 0) cells[`${latencyPrefix}${i}`] = count;
  }
  return cells;
}

function writeLatencies(block: Float64Array, row: number, counted: CountedRow): void {
  for (let i = 0; i < latencyCells; i++) block[row + latencyCell + i] = counted[`${latencyPrefix}${i}`] ?? 0;
}

function withoutZeros(row: RowSnapshot): Record<string, number> {
  return Object.fromEntries(Object.entries(row).filter(([, value]) => value !== 0));
}

function filled(names: RowSnapshot, row: CountedRow): RowSnapshot {
  const values = { ...names };
  for (const name of Object.keys(names) as (keyof RowSnapshot)[])
    Object.assign(values, { [name]: row[name] ?? 0 });
  return values;
}
