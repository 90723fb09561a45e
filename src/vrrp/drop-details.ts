import type { Drop } from "./drop.js";
import type { DropStatus } from "./status.js";

/** What an operator needs; more sources than that are an attack, and memory stays bounded. */
const mostDetails = 16;

/** Which adverts were dropped and why, by reason and source. */
export class DropDetails {
  readonly #details = new Map<string, DropStatus>();

  note({ reason, source, sentence }: Drop, epochMs: number): void {
    const key = `${reason} ${source}`;
    const count = (this.#details.get(key)?.count ?? 0) + 1;
    // Behind all others: a Map keeps the order of insertion.
    this.#details.delete(key);
    this.#details.set(key, { reason, source, sentence, count, lastEpochMs: epochMs });
    const [oldest] = this.#details.keys();
    if (this.#details.size > mostDetails) this.#details.delete(oldest);
  }

  /** Most recent first. */
  list(): DropStatus[] {
    return [...this.#details.values()].reverse();
  }
}
