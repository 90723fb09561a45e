import type { Algorithm, Loads } from "./algorithm.js";

/**
 * HAProxy's `leastconn`: the server with the fewest exchanges in hand for its weight; those that are equal take turns.
 * Compared is `(current + 1) / weight`, and an idle server comes before all others whatever its weight.
 */
export class LeastConnections implements Algorithm {
  private cursor: number;

  constructor(
    private readonly servers: number,
    private readonly loads: Loads,
    offset = 0,
  ) {
    this.cursor = servers > 0 ? offset % servers : 0;
  }

  choose(weights: Int32Array): number {
    let best = -1;
    let bestCost = Number.POSITIVE_INFINITY;
    let index = this.cursor;
    for (let step = 0; step < this.servers; step++) {
      const weight = weights[index];
      if (weight > 0) {
        const cost = costOf(this.loads.current(index), weight);
        if (cost < bestCost) {
          best = index;
          bestCost = cost;
        }
      }
      index = index + 1 === this.servers ? 0 : index + 1;
    }
    if (best >= 0) this.cursor = best + 1 === this.servers ? 0 : best + 1;
    return best;
  }
}

/** What one more exchange would weigh on a server. */
export function costOf(current: number, weight: number): number {
  return current <= 0 ? 0 : (current + 1) / weight;
}
