import type { Algorithm, Loads } from "./algorithm.js";
import { costOf } from "./least-connections.js";

/**
 * HAProxy's `random(draws)`: so many servers are drawn, each as likely as its weight says, and the least loaded of them is
 * chosen. With two draws the load is spread almost as by `leastconn`, and balancers that know nothing of each other do
 * not all run to the same idle server (Mitzenmacher, "The Power of Two Choices in Randomized Load Balancing").
 */
export class RandomChoices implements Algorithm {
  /** `random`: a number from 0 to below 1, a new one each time. */
  constructor(
    private readonly draws: number,
    private readonly loads: Loads,
    private readonly random: () => number,
  ) {}

  choose(weights: Int32Array): number {
    let total = 0;
    for (let i = 0; i < weights.length; i++) total += weights[i];
    let best = -1;
    let bestCost = Number.POSITIVE_INFINITY;
    for (let draw = 0; draw < this.draws; draw++) {
      const index = serverAt(weights, Math.floor(this.random() * total));
      if (index < 0) return best;
      const cost = costOf(this.loads.current(index), weights[index]);
      if (best < 0 || cost < bestCost) {
        best = index;
        bestCost = cost;
      }
    }
    return best;
  }
}

/** The server on whose stretch `point` lies when their weights are laid end to end; -1 beyond the last. */
export function serverAt(weights: Int32Array, point: number): number {
  let rest = point;
  for (let i = 0; i < weights.length; i++) {
    if (rest < weights[i]) return i;
    rest -= weights[i];
  }
  return -1;
}
