import type { Config, ListenAddress } from "../config/config.js";
import { canReach } from "../config/proxy-sides.js";

/** One data thread: over which engine, and whose clients it takes. */
export interface ThreadPlan {
  readonly engine: Config["engine"];
  readonly takes: (proxyIndex: number, address: ListenAddress) => boolean;
}

/**
 * The data threads of a configuration. The direct engine's loop blocks in the kernel, where `node:tls` does not run: addresses
 * with TLS, and those of proxies whose servers have it, are served by as many threads of the portable engine, beside those of
 * the direct one for the others. Pure.
 */
export function planThreads({ proxies, threads, engine }: Config): readonly ThreadPlan[] {
  const repeat = (plan: ThreadPlan): ThreadPlan[] => Array.from({ length: threads }, () => plan);
  if (proxies.length === 0) return [];
  const toTls = proxies.map((_, index) =>
    proxies.some(
      ({ servers }, backend) =>
        canReach(proxies, index, backend) && servers.some(({ tls }) => tls !== undefined),
    ),
  );
  const needsTls = (proxyIndex: number, address: ListenAddress): boolean =>
    address.tls !== undefined || toTls[proxyIndex];
  const needs = proxies.flatMap(({ listen }, index) => listen.map((address) => needsTls(index, address)));
  if (engine === "portable" || !needs.includes(true)) return repeat({ engine, takes: () => true });
  const tls = repeat({ engine: "portable", takes: needsTls });
  if (!needs.includes(false)) return tls;
  return [...repeat({ engine, takes: (index, address) => !needsTls(index, address) }), ...tls];
}
