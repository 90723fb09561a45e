import type { NodeReport } from "../control/show-node.js";
import { parseJson } from "../json.js";

/** Reads the answer of `show node`; null: it is something else. The daemon's own word is trusted beyond its outline. */
export function parseNodeReport(text: string): NodeReport | null {
  const value = parseJson(text);
  return isNodeReport(value) ? value : null;
}

function isNodeReport(value: unknown): value is NodeReport {
  if (typeof value !== "object" || value === null) return false;
  const has = (name: string, is: (member: unknown) => boolean): boolean => is(Reflect.get(value, name));
  const isProxy = (proxy: unknown): boolean =>
    typeof proxy === "object" && proxy !== null && Array.isArray(Reflect.get(proxy, "servers"));
  return (
    has("node", (name) => typeof name === "string") &&
    has("nowEpochMs", (time) => typeof time === "number") &&
    has("vrrp", Array.isArray) &&
    has("proxies", (proxies) => Array.isArray(proxies) && proxies.every(isProxy))
  );
}
