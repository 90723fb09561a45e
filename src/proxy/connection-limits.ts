import type { FrontendState, OperatorLimits } from "./operator-limits.js";
import { Cell } from "./stats/layout.js";
import type { StatsTable } from "./stats/table.js";

/** What the process needs besides its clients and their servers. */
const ownDescriptors = 128;

/** Client connections that so many descriptors allow: each may need a second one to a server. */
export function connectionsFor(descriptorLimit: number): number {
  return Math.max(1, Math.floor((descriptorLimit - ownDescriptors) / 2));
}

/** The limits of one process: all its proxies together, and each of them; null: no limit of its own. */
export interface Maxconn {
  readonly all: number;
  readonly proxies: readonly (number | null)[];
}

/**
 * Whether one more client may be accepted, seen over all data threads by the cells that each writes for itself. Two threads
 * that accept in the same instant may exceed a limit by one less than there are threads.
 */
export class ConnectionLimits {
  constructor(
    private readonly table: StatsTable,
    private readonly maxconn: Maxconn,
    /** What operators say counts before it. */
    private readonly operators: OperatorLimits,
  ) {}

  /** Which limit stands against one more client of this proxy; null: none. */
  reached(proxyIndex: number): "maxconn of the proxy" | "maxconn" | null {
    const said = this.operators.frontendMaxconn(proxyIndex);
    const own = said < 0 ? this.maxconn.proxies[proxyIndex] : said;
    if (own !== null && own > 0 && this.current(proxyIndex) >= own) return "maxconn of the proxy";
    let all = 0;
    for (let i = 0; i < this.maxconn.proxies.length; i++) all += this.current(i);
    const most = this.operators.maxconn();
    return all >= (most < 0 ? this.maxconn.all : most) ? "maxconn" : null;
  }

  /** What an operator has made of the frontend. */
  stateOf(proxyIndex: number): FrontendState {
    return this.operators.frontendState(proxyIndex);
  }

  private current(proxyIndex: number): number {
    const cell = this.table.frontendRow(proxyIndex) + Cell.sessionsCurrent;
    let sum = 0;
    for (const block of this.table.blocks) sum += block[cell];
    return sum;
  }
}
