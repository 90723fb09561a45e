import type { Algorithm } from "./algorithm.js";

/**
 * HAProxy's `roundrobin`: in turn, each as often as its weight says, spread evenly (5, 1, 1 gives a a b a c a a and not
 * a a a a a b c). Every server gains its weight, the one with the most is chosen and pays what all have gained
 * together, as nginx does it. Weights may change at any time.
 */
export class SmoothWeighted implements Algorithm {
  private readonly credits: Float64Array;
  private toSkip: number;

  /** `offset`: turns passed over at first, so that the threads' first requests do not all meet the same server. */
  constructor(servers: number, offset = 0) {
    this.credits = new Float64Array(servers);
    this.toSkip = servers > 0 ? offset % servers : 0;
  }

  choose(weights: Int32Array): number {
    for (; this.toSkip > 0; this.toSkip--) this.turn(weights);
    return this.turn(weights);
  }

  private turn(weights: Int32Array): number {
    const { credits } = this;
    let total = 0;
    let best = -1;
    for (let i = 0; i < weights.length; i++) {
      const weight = weights[i];
      if (weight === 0) continue;
      total += weight;
      credits[i] += weight;
      if (best < 0 || credits[i] > credits[best]) best = i;
    }
    if (best >= 0) credits[best] -= total;
    return best;
  }
}
