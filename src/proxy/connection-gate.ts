import { addressBytes, isInRange } from "../config/address-range.js";
import type { ConnectionRule } from "../config/connection-rule-section.js";
import { SlidingWindow } from "./rules/sliding-window.js";
import { SourceCounts } from "./rules/source-counts.js";

/** Who may connect to a proxy, by its connection rules: one for each proxy in each data thread. Time comes in. */
export class ConnectionGate {
  private readonly counts: readonly (SourceCounts | null)[];
  private readonly windows: readonly (SlidingWindow | null)[];
  private readonly isCounting: boolean;
  /** Slots of the connections that are counted, by who has them. */
  private readonly places = new Map<object, readonly number[]>();

  /** `memory`: what `createGateMemory` made for these rules. */
  constructor(
    private readonly rules: readonly ConnectionRule[],
    memory: readonly (SharedArrayBuffer | null)[],
    threads: number,
    thread: number,
  ) {
    this.counts = rules.map(({ action }, i) => {
      const buffer = memory[i];
      return action.kind === "max-connections" && buffer
        ? new SourceCounts(buffer, threads, thread, action.count)
        : null;
    });
    this.windows = rules.map(({ action }, i) => {
      const buffer = memory[i];
      return action.kind === "rate-limit" && buffer
        ? new SlidingWindow(buffer, action.connections, action.periodMs)
        : null;
    });
    this.isCounting = this.counts.some((counts) => counts !== null);
  }

  /** Whether a client from `source` may stay: the places that it takes, for `hold`; null: it may not. */
  admits(source: string, nowMs: number): readonly number[] | null {
    const places: number[] = [];
    for (const [index, rule] of this.rules.entries()) {
      if (!applies(rule, source) || this.passes(index, rule, source, nowMs, places)) continue;
      this.giveBack(places);
      return null;
    }
    return places;
  }

  /** `owner` is to be named to `left` when that client is gone. */
  hold(owner: object, places: readonly number[]): void {
    if (places.length > 0) this.places.set(owner, places);
  }

  /** A client that was admitted is gone. */
  left(owner: object): void {
    if (!this.isCounting) return;
    const places = this.places.get(owner);
    if (places === undefined) return;
    this.places.delete(owner);
    this.giveBack(places);
  }

  private passes(
    index: number,
    { action }: ConnectionRule,
    source: string,
    nowMs: number,
    places: number[],
  ): boolean {
    if (action.kind === "reject") return false;
    if (action.kind === "rate-limit") return this.windows[index]?.admits(source, nowMs) !== false;
    const slot = this.counts[index]?.enter(source) ?? 0;
    if (slot < 0) return false;
    if (slot > 0) places.push(index, slot);
    return true;
  }

  /** A client that was admitted is gone, and nobody held its places. */
  giveBack(places: readonly number[]): void {
    for (let i = 0; i < places.length; i += 2) this.counts[places[i]]?.leave(places[i + 1]);
  }
}

function applies({ when, unless }: ConnectionRule, source: string): boolean {
  if (when === null && unless === null) return true;
  const address = addressBytes(source.replace(/%.*$/, ""));
  if (address === null) return when === null;
  if (when !== null && !when.some((range) => isInRange(address, range))) return false;
  return unless === null || !unless.some((range) => isInRange(address, range));
}
