import type { ServerConfig } from "../config/config.js";
import type { Loads } from "./balance/algorithm.js";
import type { ServerWeights } from "./balance/balancer.js";
import type { ServerTable } from "./health/server-table.js";
import { Cell } from "./stats/layout.js";
import type { StatsTable } from "./stats/table.js";

/** What a proxy's balancer knows of its servers from the shared tables: what control says, and what all threads do. */
export class SharedServers implements ServerWeights, Loads {
  /** Servers that this thread takes for up before their first check has ended. */
  private readonly presumedUp = new Set<number>();
  private presumptions = 0;

  constructor(
    private readonly states: ServerTable,
    private readonly stats: StatsTable,
    private readonly proxyIndex: number,
  ) {}

  get version(): number {
    return this.states.version + this.presumptions;
  }

  /** That of a server whose first check has not ended is 0: it is not known to be up. */
  /** Changes when an operator sends connections to another address. */
  get targetVersion(): number {
    return this.states.targetVersion;
  }

  /** Where a server is now; the same object until that changes. */
  target(server: number): ServerConfig {
    return this.states.effectiveServer(this.proxyIndex, server);
  }

  weight(server: number): number {
    return this.isAwaited(server) ? 0 : this.states.effectiveWeight(this.proxyIndex, server);
  }

  /** Its first check has not ended, and it is not taken for up yet. */
  isAwaited(server: number): boolean {
    if (this.states.isAwaited(this.proxyIndex, server)) return !this.presumedUp.has(server);
    if (this.presumedUp.size > 0) this.presumedUp.delete(server);
    return false;
  }

  /** Whether it would get requests if it were up. */
  wouldServe(server: number): boolean {
    return this.states.effectiveWeight(this.proxyIndex, server) > 0;
  }

  presumeUp(): void {
    for (const [server] of this.states.proxies[this.proxyIndex].servers.entries()) {
      if (this.isAwaited(server)) this.presumedUp.add(server);
    }
    this.presumptions++;
  }

  /** Down, or in maintenance. */
  isStopped(server: number): boolean {
    return this.states.isStopped(this.proxyIndex, server);
  }

  /** What its agent or an operator says, 0: no limit; −1: nothing. */
  maxconn(server: number): number {
    return this.states.maxconn(this.proxyIndex, server);
  }

  recoveries(server: number): number {
    return this.states.recoveries(this.proxyIndex, server);
  }

  /** Exchanges of one thread. */
  currentIn(thread: number, server: number): number {
    return this.stats.blocks[thread][this.stats.serverRow(this.proxyIndex, server) + Cell.sessionsCurrent];
  }

  /** Exchanges of all threads. */
  current(server: number): number {
    return this.sum(this.stats.serverRow(this.proxyIndex, server) + Cell.sessionsCurrent);
  }

  /** Who waits for it, in all threads; −1: for any server. */
  queued(server: number): number {
    const { stats, proxyIndex } = this;
    const row = server < 0 ? stats.backendRow(proxyIndex) : stats.serverRow(proxyIndex, server);
    return this.sum(row + Cell.queueCurrent);
  }

  private sum(cell: number): number {
    const { rowBlocks } = this.stats;
    let sum = 0;
    for (let block = 0; block < rowBlocks.length; block++) sum += rowBlocks[block][cell];
    return sum;
  }
}
