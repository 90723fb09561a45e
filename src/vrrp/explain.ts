import type { InstanceState } from "./instance-state.js";
import type { Partner } from "./partners.js";

/** Sentences for an operator, without a full stop. Pure. */

/** What the peer link knows of the others, as far as it matters here. */
export interface LinkedRouter {
  readonly address: string;
  readonly state: string;
  readonly priority: number;
}

/** Who is master, and why, as far as this node knows. */
export function explainMaster(state: InstanceState, nowMs: number): string {
  if (state.name === "MASTER") return `this node: ${state.reason}`;
  const master = heardMaster(state, nowMs);
  if (master === null) return "nobody that this node hears";
  return `${master.address} with priority ${master.priority}${explainOrder(state, master)}`;
}

function explainOrder(state: InstanceState, master: Partner): string {
  if (state.name !== "BACKUP") return `; this node is in ${state.name}`;
  if (state.drainedFrom !== null) return ": this node is drained";
  if (master.priority > state.priority) return `: it is higher than ${state.priority} here`;
  if (!state.config.preempt) return ": this node does not preempt";
  if (master.priority === state.priority) return ": it is the same here, and it was first";
  return `: this node, with ${state.priority}, is about to take over`;
}

/** What the clients would see if this process ended in good order now. */
export function explainStop(state: InstanceState, linked: readonly LinkedRouter[], nowMs: number): string {
  if (state.name !== "MASTER") {
    const master = heardMaster(state, nowMs);
    return master === null
      ? "nothing would change: this node holds no address"
      : `nothing would move: ${master.address} is master; it would have one backup less`;
  }
  const ready = linked.filter(({ state: theirs }) => theirs === "BACKUP");
  if (ready.length > 0) {
    const best = ready.reduce((a, b) => (b.priority > a.priority ? b : a));
    return `${best.address} (priority ${best.priority}) would take over at once, and open connections would go on`;
  }
  const [last] = state.partners;
  if (last === undefined) return "nobody else has ever been heard: the address would be gone";
  const ago = Math.round((nowMs - last.lastHeardMs) / 1000);
  return `a backup would take over after its skew, if there is one: backups are silent, ${last.address} was heard ${ago} s ago`;
}

/** Whoever advertises: the most recent one, if it is no longer ago than a master may be silent. */
function heardMaster({ partners, masterIntervalMs }: InstanceState, nowMs: number): Partner | null {
  const [last] = partners;
  const isThere = last !== undefined && last.priority > 0 && nowMs - last.lastHeardMs < 4 * masterIntervalMs;
  return isThere ? last : null;
}
