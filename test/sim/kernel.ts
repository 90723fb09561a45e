/**
 * What the kernel of one machine holds of one virtual router: its addresses, as a lease on the machine's own clock.
 *
 * A process that is killed or frozen loses them by the kernel's hand (IFA_CACHEINFO valid_lft). All times are local ms.
 */
export class AddressLease {
  #untilMs = Number.NEGATIVE_INFINITY;
  #held = false;
  /** When it was last added or refreshed. */
  refreshedMs = Number.NEGATIVE_INFINITY;

  get held(): boolean {
    return this.#held;
  }

  /** Infinity when nothing is held. */
  get untilMs(): number {
    return this.#held ? this.#untilMs : Number.POSITIVE_INFINITY;
  }

  /** True when the addresses were not there before. */
  put(nowMs: number, leaseMs: number): boolean {
    const added = !this.#held;
    this.#held = true;
    this.#untilMs = nowMs + leaseMs;
    this.refreshedMs = nowMs;
    return added;
  }

  /** True when there was something to remove. */
  remove(): boolean {
    const removed = this.#held;
    this.#held = false;
    return removed;
  }
}
