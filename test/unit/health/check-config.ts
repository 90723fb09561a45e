import type { CheckConfig } from "../../../src/config/server-config.js";

/** A check as it is without further words: every 2 s, up after two that pass, down after three that fail. */
export const defaultCheck: CheckConfig = {
  intervalMs: 2000,
  fastIntervalMs: 2000,
  downIntervalMs: 2000,
  rise: 2,
  fall: 3,
  port: 80,
  timeoutMs: 1000,
};

/** A check that comes every `ms` whatever state its server is in, and may take as long. */
export function checkEvery(ms: number, words: Partial<CheckConfig> = {}): CheckConfig {
  const intervals = { intervalMs: ms, fastIntervalMs: ms, downIntervalMs: ms };
  return { ...defaultCheck, ...intervals, timeoutMs: ms, ...words };
}
