/**
 * A machine's monotonic clock beside the true time of the simulation. It may drift, and it stands still while the
 * machine is paused in a way that it does not notice.
 */
export class MachineClock {
  #rate: number;
  #trueBaseMs = 0;
  #localBaseMs: number;
  #stopped = false;

  /** `rate` 1.001: it gains a millisecond a second. `startMs`: what it shows at the true time 0. */
  constructor(rate = 1, startMs = 0) {
    this.#rate = rate;
    this.#localBaseMs = startMs;
  }

  get rate(): number {
    return this.#rate;
  }

  /** What it shows at a true time. */
  at(trueMs: number): number {
    return this.#stopped ? this.#localBaseMs : this.#localBaseMs + (trueMs - this.#trueBaseMs) * this.#rate;
  }

  /** The true time when it shows `localMs`; Infinity while it stands still. */
  when(localMs: number): number {
    return this.#stopped
      ? Number.POSITIVE_INFINITY
      : this.#trueBaseMs + (localMs - this.#localBaseMs) / this.#rate;
  }

  setRate(rate: number, trueMs: number): void {
    this.#rebase(trueMs);
    this.#rate = rate;
  }

  stop(trueMs: number): void {
    this.#rebase(trueMs);
    this.#stopped = true;
  }

  goOn(trueMs: number): void {
    this.#rebase(trueMs);
    this.#stopped = false;
  }

  #rebase(trueMs: number): void {
    this.#localBaseMs = this.at(trueMs);
    this.#trueBaseMs = trueMs;
  }
}
