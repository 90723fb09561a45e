import type { ConnectionRule } from "../../config/connection-rule-section.js";
import type { Rule } from "../../config/rule-config.js";
import { createSlidingWindow } from "./sliding-window.js";
import { clearSourceCounts, createSourceCounts } from "./source-counts.js";

/**
 * The memory of a proxy's rate limits, for all its data threads: a buffer for each, in the rules' order. `random`: any int32,
 * secret.
 */
export function createRuleCounters(rules: readonly Rule[], random: () => number): SharedArrayBuffer[] {
  return rules.flatMap(({ action }) =>
    action.kind === "rate-limit" ? [createSlidingWindow(action.keys, random)] : [],
  );
}

/** The same for connection rules: a buffer for each that counts, null for the others. */
export function createGateMemory(
  rules: readonly ConnectionRule[],
  threads: number,
  random: () => number,
): (SharedArrayBuffer | null)[] {
  return rules.map(({ action }) => {
    if (action.kind === "rate-limit") return createSlidingWindow(action.keys, random);
    return action.kind === "max-connections" ? createSourceCounts(action.keys, threads, random) : null;
  });
}

/** A dead thread has no connections any more. */
export function clearGateMemory(
  rules: readonly ConnectionRule[],
  memory: readonly (SharedArrayBuffer | null)[],
  thread: number,
  threads: number,
): void {
  for (const [index, { action }] of rules.entries()) {
    const buffer = memory[index];
    if (action.kind === "max-connections" && buffer) clearSourceCounts(buffer, thread, threads);
  }
}
