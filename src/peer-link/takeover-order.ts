import { compareIpLiterals } from "../netlink/ip-literal.js";
import type { StateMessage } from "./message.js";

/**
 * Of several backups that learn of a master's death in the same millisecond only the best takes over; the next one
 * waits so long for its advert, and so on. A takeover and its advert take 1–3 ms; this leaves room for a busy machine.
 */
export const takeoverStepMs = 40;

/** This node's own standing for one virtual router. */
export interface Candidate {
  readonly virtualRouterId: number;
  readonly family: 4 | 6;
  readonly priority: number;
  /** By which the dead master knew this node. */
  readonly address: string;
}

/**
 * How long this node waits before it takes over from a master that has died, in ms: a step for each better backup.
 * `last` is the dead master's last word; it names whoever had a link to it.
 */
export function takeoverDelayMs(own: Candidate, last: Pick<StateMessage, "members"> | null): number {
  const { virtualRouterId, family } = own;
  const others = (last?.members ?? []).filter(({ address }) => address !== own.address);
  const ranked = rank(
    others.map(({ address, routers }) => ({ address, said: { routers } })),
    virtualRouterId,
    family,
  );
  return ranked.filter((other) => isBetter(other, own)).length * takeoverStepMs;
}

/** The addresses of the members that are backup for a virtual router, the best first. */
export function orderOf(members: readonly Member[], virtualRouterId: number, family: 4 | 6): string[] {
  return rank(members, virtualRouterId, family).map(({ address }) => address);
}

interface Member {
  readonly address: string;
  readonly said: Pick<StateMessage, "routers"> | null;
}

interface Ranked {
  readonly address: string;
  readonly priority: number;
}

function rank(members: readonly Member[], virtualRouterId: number, family: 4 | 6): Ranked[] {
  return members
    .flatMap(({ address, said }) =>
      (said?.routers ?? [])
        .filter((router) => router.virtualRouterId === virtualRouterId && router.family === family)
        .filter((router) => router.state === "BACKUP")
        .map(({ priority }) => ({ address, priority })),
    )
    .toSorted((a, b) => (isBetter(a, b) ? -1 : 1));
}

function isBetter(one: Ranked, other: Ranked): boolean {
  if (one.priority !== other.priority) return one.priority > other.priority;
  return compareIpLiterals(one.address, other.address) > 0;
}
