/**
 * What was dropped, and when to say so.
 *
 * Every dropped advert can mean two masters, so each is counted and its reason must be visible; but a neighbour
 * that is misconfigured sends one a second, for ever. So: the first of each reason and source is logged at once,
 * then at most one in a minute with the number that was passed over.
 */
export interface DropLine {
  /** Drops of this reason and source since the line before. */
  readonly suppressed: number;
}

interface Entry {
  saidMs: number;
  suppressed: number;
}

const quietMs = 60_000;
/** Beyond this many sources, new ones share one entry per reason: forged sources fill neither memory nor log. */
const mostEntries = 128;

export class DropLog {
  readonly #counts = new Map<string, number>();
  readonly #entries = new Map<string, Entry>();

  /** Counts one drop. A line to log, or null: not now. */
  note(reason: string, source: string, nowMs: number): DropLine | null {
    this.#counts.set(reason, (this.#counts.get(reason) ?? 0) + 1);
    const key = this.#key(reason, source, nowMs);
    const entry = this.#entries.get(key);
    if (entry === undefined) {
      this.#entries.set(key, { saidMs: nowMs, suppressed: 0 });
      return { suppressed: 0 };
    }
    if (nowMs - entry.saidMs < quietMs) {
      entry.suppressed++;
      return null;
    }
    const line = { suppressed: entry.suppressed };
    entry.saidMs = nowMs;
    entry.suppressed = 0;
    return line;
  }

  /** Drops so far by reason. */
  counts(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#counts);
  }

  #key(reason: string, source: string, nowMs: number): string {
    const key = `${reason} ${source}`;
    if (this.#entries.has(key)) {
      return key;
    }
    if (this.#entries.size >= mostEntries) {
      for (const [old, entry] of this.#entries) {
        if (nowMs - entry.saidMs >= quietMs) {
          this.#entries.delete(old);
        }
      }
    }
    return this.#entries.size >= mostEntries ? `${reason} *` : key;
  }
}
