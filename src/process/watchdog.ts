import type { ThreadHealth } from "./fitness.js";
import type { SdNotify } from "./sd-notify.js";

/**
 * Feeds the service manager's watchdog, if it asks for that: a main thread that stalls, or a data thread that nothing helps,
 * makes it start the service anew. Returns what ends it.
 */
export function startWatchdog(
  notify: SdNotify | null,
  isServing: () => boolean,
  threads: () => readonly ThreadHealth[],
): () => void {
  const watchdogMs = notify?.watchdogMs ?? null;
  if (notify === null || watchdogMs === null) return () => {};
  const feed = (): void => {
    const isIll = threads().some(({ state, keepsDying }) => state === "stuck" || keepsDying);
    if (!isServing() || !isIll) notify.send("WATCHDOG=1");
  };
  feed();
  const timer = setInterval(feed, watchdogMs / 2);
  return () => clearInterval(timer);
}
