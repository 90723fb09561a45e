import { type Algorithm, noKey } from "./algorithm.js";
import { serverAt } from "./random-choices.js";

/**
 * HAProxy's `hash-type map-based`: the key's hash modulo the sum of the weights. Exactly by weight, and when a server
 * comes or goes most keys move. A request without a key goes by `fallback`.
 */
export class MapHash implements Algorithm {
  constructor(private readonly fallback: Algorithm) {}

  choose(weights: Int32Array, key: number): number {
    if (key === noKey) return this.fallback.choose(weights, key);
    let total = 0;
    for (let i = 0; i < weights.length; i++) total += weights[i];
    return total === 0 ? -1 : serverAt(weights, key % total);
  }
}
