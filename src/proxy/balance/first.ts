import type { Algorithm } from "./algorithm.js";

/** HAProxy's `first`: the first server that may be chosen, in the order of the configuration. */
export class First implements Algorithm {
  choose(weights: Int32Array): number {
    for (let i = 0; i < weights.length; i++) if (weights[i] > 0) return i;
    return -1;
  }
}
