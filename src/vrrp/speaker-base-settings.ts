import { readFileSync, writeFileSync } from "node:fs";
import type { InterfaceSettings } from "./legacy.js";

interface Held {
  /** What it was before; null: it could not be read, and is left as it is. */
  readonly arpIgnore: string | null;
  readonly holders: Set<string>;
}

/**
 * What macvlans need of the interface below them: it must not answer ARP for their addresses with its own MAC (arp_ignore).
 * What was there before the first of them is put back when the last one has gone, whichever process of an upgrade saw it.
 */
export class BaseSettings {
  readonly #held = new Map<string, Held>();

  /** For the macvlan `holder`, on `base`. */
  hold(base: string, holder: string): void {
    const held = this.#held.get(base) ?? { arpIgnore: readSetting(arpIgnoreOf(base)), holders: new Set() };
    this.#held.set(base, held);
    held.holders.add(holder);
    writeSetting(arpIgnoreOf(base), "1");
  }

  release(base: string, holder: string): void {
    const held = this.#held.get(base);
    if (held === undefined || !held.holders.delete(holder)) return;
    if (held.holders.size === 0) this.#putBack(base, held);
  }

  /** Every interface as it was before. */
  releaseAll(): void {
    for (const [base, held] of this.#held) this.#putBack(base, held);
  }

  /** For the process that follows: as it was before. */
  before(): InterfaceSettings[] {
    return [...this.#held].flatMap(([base, { arpIgnore }]) =>
      arpIgnore === null ? [] : [{ interface: base, arpIgnore }],
    );
  }

  /** What the process before this one found: this one has found that one's. */
  inherit(before: readonly InterfaceSettings[]): void {
    for (const { interface: base, arpIgnore } of before) {
      this.#held.set(base, { arpIgnore, holders: this.#held.get(base)?.holders ?? new Set() });
    }
  }

  #putBack(base: string, { arpIgnore }: Held): void {
    this.#held.delete(base);
    if (arpIgnore !== null) writeSetting(arpIgnoreOf(base), arpIgnore);
  }
}

function arpIgnoreOf(base: string): string {
  return `ipv4/conf/${base}/arp_ignore`;
}

/** Of /proc/sys/net; null: there is none, or it may not be read. */
function readSetting(path: string): string | null {
  try {
    return readFileSync(`/proc/sys/net/${path}`, "utf8").trim();
  } catch {
    return null;
  }
}

/** A kernel without IPv6 has half of them. */
export function writeSetting(path: string, value: string): void {
  try {
    writeFileSync(`/proc/sys/net/${path}`, value);
  } catch {
    // Told by what does not work then; not every container may write here.
  }
}
