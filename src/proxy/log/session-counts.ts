import { Cell } from "../stats/layout.js";
import type { StatsTable } from "../stats/table.js";
import type { SessionCounts } from "./exchange-log.js";

/** The counts of one proxy, from the table that all data threads write. */
export class SharedSessionCounts implements SessionCounts {
  constructor(
    private readonly table: StatsTable,
    private readonly proxyCount: number,
    private readonly proxyIndex: number,
    /** Whose backend's and servers' rows count. */
    private readonly backendIndex = proxyIndex,
  ) {}

  process(): number {
    let sum = 0;
    for (let i = 0; i < this.proxyCount; i++) sum += this.current(this.table.frontendRow(i));
    return sum;
  }

  frontend(): number {
    return this.current(this.table.frontendRow(this.proxyIndex));
  }

  backend(): number {
    return this.current(this.table.backendRow(this.backendIndex));
  }

  server(server: number): number {
    return this.current(this.table.serverRow(this.backendIndex, server));
  }

  private current(row: number): number {
    let sum = 0;
    for (const block of this.table.rowBlocks) sum += block[row + Cell.sessionsCurrent];
    return sum;
  }
}
