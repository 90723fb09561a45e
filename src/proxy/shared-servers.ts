import type { Loads } from "./balance/algorithm.js";
import type { ServerWeights } from "./balance/balancer.js";
import type { ServerTable } from "./health/server-table.js";
import { Cell } from "./stats/layout.js";
import type { StatsTable } from "./stats/table.js";

/** What a proxy's balancer knows of its servers from the shared tables: what control says, and what all threads do. */
export class SharedServers implements ServerWeights, Loads {
  constructor(
    private readonly states: ServerTable,
    private readonly stats: StatsTable,
    private readonly proxyIndex: number,
  ) {}

  get version(): number {
    return this.states.version;
  }

  weight(server: number): number {
    return this.states.effectiveWeight(this.proxyIndex, server);
  }

  recoveries(server: number): number {
    return this.states.recoveries(this.proxyIndex, server);
  }

  /** Exchanges of all threads. */
  current(server: number): number {
    const { rowBlocks } = this.stats;
    const cell = this.stats.serverRow(this.proxyIndex, server) + Cell.sessionsCurrent;
    let sum = 0;
    for (let block = 0; block < rowBlocks.length; block++) sum += rowBlocks[block][cell];
    return sum;
  }
}
