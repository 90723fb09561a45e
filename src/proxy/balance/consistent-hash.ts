import { type Algorithm, noKey } from "./algorithm.js";
import { mix } from "./key-hash.js";

/**
 * HAProxy's `hash-type consistent`: a server that goes takes only its own keys with it, and a server that comes takes its
 * share and no other key moves. By weighted rendezvous hashing (Thaler and Ravishankar, "Using name-based mappings to
 * increase hit rates"): every server draws a number for the key, and the lowest one wins. That needs no ring of points
 * to be kept, and shares are as exact as the weights.
 *
 * `names` tell the servers from one another, so both nodes of a pair send a key to the same server, whatever the order
 * in their files. A request without a key goes by `fallback`.
 */
export class ConsistentHash implements Algorithm {
  private readonly salts: Uint32Array;

  constructor(
    nameHashes: readonly number[],
    private readonly fallback: Algorithm,
  ) {
    this.salts = Uint32Array.from(nameHashes);
  }

  choose(weights: Int32Array, key: number): number {
    if (key === noKey) return this.fallback.choose(weights, key);
    let best = -1;
    let bestDraw = Number.POSITIVE_INFINITY;
    for (let i = 0; i < weights.length; i++) {
      if (weights[i] === 0) continue;
      // Uniform in (0, 1); its logarithm over the weight is an exponential draw with that rate.
      const uniform = (mix(key ^ this.salts[i]) + 0.5) / 2 ** 32;
      const draw = -Math.log(uniform) / weights[i];
      if (draw < bestDraw) {
        best = i;
        bestDraw = draw;
      }
    }
    return best;
  }
}
