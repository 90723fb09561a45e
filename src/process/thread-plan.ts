import type { Config, ListenAddress } from "../config/config.js";

/** One data thread: over which engine, and whose clients it takes. */
export interface ThreadPlan {
  readonly engine: Config["engine"];
  readonly takes: (address: ListenAddress) => boolean;
}

/**
 * The data threads of a configuration. The direct engine's loop blocks in the kernel, where `node:tls` does not run: addresses
 * with TLS are served by as many threads of the portable engine, beside those of the direct one for the others. Pure.
 */
export function planThreads({ proxies, threads, engine }: Config): readonly ThreadPlan[] {
  const repeat = (plan: ThreadPlan): ThreadPlan[] => Array.from({ length: threads }, () => plan);
  const listen = proxies.flatMap((proxy) => proxy.listen);
  if (proxies.length === 0) return [];
  const hasTls = listen.some(overTls);
  if (!hasTls || engine === "portable") return repeat({ engine, takes: () => true });
  const tls = repeat({ engine: "portable", takes: overTls });
  if (listen.every(overTls)) return tls;
  return [...repeat({ engine, takes: (address) => !overTls(address) }), ...tls];
}

const overTls = ({ tls }: ListenAddress): boolean => tls !== undefined;
