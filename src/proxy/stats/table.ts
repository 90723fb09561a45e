import { rowCells, threadHeaderCells } from "./layout.js";

/** What the table needs to know of a proxy: how many servers it has. */
export interface TableProxy {
  readonly servers: { readonly length: number };
}

/**
 * The shared counters: rows by offset within a thread's block, blocks by thread.
 *
 * A writer takes `blocks[threadIndex]` once and adds to `block[row + Cell.x]`. One more block, `carried`, belongs to the
 * main thread: what the threads before a reload had counted. A reader sums over `rowBlocks`.
 */
export class StatsTable {
  readonly buffer: SharedArrayBuffer;
  readonly blocks: readonly Float64Array[];
  readonly carried: Float64Array;
  readonly rowBlocks: readonly Float64Array[];
  /** First row of each proxy: FRONTEND, then its servers, then BACKEND. */
  private readonly firstRows: readonly number[];
  private readonly serverCounts: readonly number[];

  constructor(proxies: readonly TableProxy[], threads: number, buffer?: SharedArrayBuffer) {
    const firstRows: number[] = [];
    let cells = threadHeaderCells;
    for (const proxy of proxies) {
      firstRows.push(cells);
      cells += (proxy.servers.length + 2) * rowCells;
    }
    this.firstRows = firstRows;
    this.serverCounts = proxies.map((proxy) => proxy.servers.length);
    this.buffer = buffer ?? new SharedArrayBuffer(cells * 8 * (threads + 1));
    const shared = this.buffer;
    this.rowBlocks = Array.from(
      { length: threads + 1 },
      (_, i) => new Float64Array(shared, i * cells * 8, cells),
    );
    this.blocks = this.rowBlocks.slice(0, threads);
    this.carried = this.rowBlocks[threads];
  }

  /** Offset of the FRONTEND row in every block. */
  frontendRow(proxyIndex: number): number {
    return this.firstRows[proxyIndex];
  }

  serverRow(proxyIndex: number, serverIndex: number): number {
    return this.firstRows[proxyIndex] + (1 + serverIndex) * rowCells;
  }

  backendRow(proxyIndex: number): number {
    return this.firstRows[proxyIndex] + (1 + this.serverCounts[proxyIndex]) * rowCells;
  }
}
