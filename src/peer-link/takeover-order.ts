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
export function takeoverDelayMs(own: Candidate, last: StateMessage | null): number {
  const better = (last?.members ?? []).filter(({ address, routers }) => {
    if (address === own.address) return false;
    return routers.some(
      (router) =>
        router.virtualRouterId === own.virtualRouterId &&
        router.family === own.family &&
        router.state === "BACKUP" &&
        (router.priority > own.priority ||
          (router.priority === own.priority && compareIpLiterals(address, own.address) > 0)),
    );
  });
  return better.length * takeoverStepMs;
}
