import type { Random } from "./random.js";

/** One direction between two machines. Everything in ms, or a probability 0–1 of every packet. */
export interface Link {
  /** How many reasons there are for nothing to get through. */
  cuts: number;
  latencyMs: number;
  /** Added at random, evenly from 0 to this. More than the gap between two packets reorders them. */
  jitterMs: number;
  loss: number;
  duplicates: number;
  /** Packets that take a detour of up to `detourMs`. */
  detours: number;
  detourMs: number;
}

export function quietLink(latencyMs: number, jitterMs = 0): Link {
  return { cuts: 0, latencyMs, jitterMs, loss: 0, duplicates: 0, detours: 0, detourMs: 0 };
}

/** How long a packet takes that gets through. */
export function travelMs(link: Link, random: Random): number {
  let ms = link.latencyMs;
  if (link.jitterMs > 0) {
    ms += link.jitterMs * random.next();
  }
  if (link.detours > 0 && random.chance(link.detours)) {
    ms += link.detourMs * random.next();
  }
  return ms;
}
