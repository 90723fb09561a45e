import { Cell, ThreadCell } from "./layout.js";
import { slidingWindow } from "./sliding.js";
import type { StatsTable, TableProxy } from "./table.js";

type CellName = keyof typeof Cell;

/** One row over all threads: every cell by its name, and what follows from them. */
export interface RowSnapshot extends Readonly<Record<CellName, number>> {
  /** Averages over the last 1024 requests, ms. */
  readonly queueTimeAverage: number;
  readonly connectTimeAverage: number;
  readonly responseTimeAverage: number;
  readonly totalTimeAverage: number;
}

export interface ProxySnapshot {
  readonly frontend: RowSnapshot;
  readonly servers: readonly RowSnapshot[];
  readonly backend: RowSnapshot;
}

export interface ThreadSnapshot {
  readonly heartbeat: number;
  readonly connectionsCurrent: number;
  /** 0–100. */
  readonly idlePercent: number;
  readonly pipesUsed: number;
  readonly pipesFree: number;
  readonly invalidMessages: number;
}

/** The whole table at one instant. Each cell is exact; two cells may be a request apart. */
export interface Snapshot {
  readonly threads: readonly ThreadSnapshot[];
  readonly proxies: readonly ProxySnapshot[];
}

const cellNames = Object.keys(Cell) as CellName[];

/** Cells whose value for the process is the greatest of the threads' values; all others are added up. */
const greatest: ReadonlySet<CellName> = new Set<CellName>([
  "lastSessionMs",
  "lastFailedMs",
  "lastReachedMs",
  "queueTimeMax",
  "connectTimeMax",
  "responseTimeMax",
  "totalTimeMax",
]);

/**
 * Sums the table over its threads.
 *
 * `sessionsMax` is the sum of the threads' own maxima: never less than the true maximum, and more only if the
 * threads had theirs at different times.
 */
export function readSnapshot(table: StatsTable, proxies: readonly TableProxy[]): Snapshot {
  const { blocks, rowBlocks } = table;
  return {
    threads: blocks.map(readThread),
    proxies: proxies.map((proxy, proxyIndex) => ({
      frontend: readRow(rowBlocks, table.frontendRow(proxyIndex)),
      servers: Array.from({ length: proxy.servers.length }, (_, serverIndex) =>
        readRow(rowBlocks, table.serverRow(proxyIndex, serverIndex)),
      ),
      backend: readRow(rowBlocks, table.backendRow(proxyIndex)),
    })),
  };
}

function readThread(block: Float64Array): ThreadSnapshot {
  return {
    heartbeat: block[ThreadCell.heartbeat],
    connectionsCurrent: block[ThreadCell.connectionsCurrent],
    idlePercent: block[ThreadCell.idlePercent],
    pipesUsed: block[ThreadCell.pipesUsed],
    pipesFree: block[ThreadCell.pipesFree],
    invalidMessages: block[ThreadCell.invalidMessages],
  };
}

function readRow(blocks: readonly Float64Array[], row: number): RowSnapshot {
  // A copy of `Cell` has every name; each value is then replaced by the one read.
  const values: Record<CellName, number> = { ...Cell };
  for (const name of cellNames) {
    const offset = row + Cell[name];
    let value = 0;
    for (const block of blocks) {
      value = greatest.has(name) ? Math.max(value, block[offset]) : value + block[offset];
    }
    values[name] = value;
  }
  let samples = 0;
  for (const block of blocks) samples += Math.min(block[row + Cell.timedRequests], slidingWindow);
  const average = (sum: number) => (samples === 0 ? 0 : sum / samples);
  return {
    ...values,
    queueTimeAverage: average(values.queueTimeSum),
    connectTimeAverage: average(values.connectTimeSum),
    responseTimeAverage: average(values.responseTimeSum),
    totalTimeAverage: average(values.totalTimeSum),
  };
}
