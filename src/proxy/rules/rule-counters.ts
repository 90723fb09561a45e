import type { Rule } from "../../config/rule-config.js";
import { slidingWindowBytes } from "./sliding-window.js";

/** The memory of a proxy's rate limits, for all its data threads: a buffer for each, in the rules' order. */
export function createRuleCounters(rules: readonly Rule[]): SharedArrayBuffer[] {
  return rules.flatMap(({ action }) =>
    action.kind === "rate-limit" ? [new SharedArrayBuffer(slidingWindowBytes(action.keys))] : [],
  );
}
