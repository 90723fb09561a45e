import type { ProxyConfig } from "./config.js";

/** Whether clients come in here: a listen or a frontend. */
export function hasFrontend({ side }: ProxyConfig): boolean {
  return side !== "backend";
}

/** Whether servers stand behind it: a listen or a backend. */
export function hasBackend({ side }: ProxyConfig): boolean {
  return side !== "frontend";
}

/** Index of the proxy whose servers serve the clients of `proxies[index]`. */
export function backendOf(proxies: readonly ProxyConfig[], index: number): number {
  const { defaultBackend } = proxies[index];
  if (defaultBackend === undefined) return index;
  return proxies.findIndex((proxy) => proxy.name === defaultBackend && hasBackend(proxy));
}

/**
 * What the clients of a frontend meet: its own words about clients, and its backend's about servers. A listen meets itself.
 */
export function joinSides(frontend: ProxyConfig, backend: ProxyConfig): ProxyConfig {
  if (frontend === backend) return frontend;
  const { name, listen, rules, log, maxHeadBytes, maxconn, timeouts: ofClient } = frontend;
  const { timeouts: ofServer } = backend;
  const halfClosedMs = Math.min(ofClient.halfClosedMs ?? Infinity, ofServer.halfClosedMs ?? Infinity);
  // In mode tcp a backend without a tunnel time-out has its server time-out there, and the shorter of both sides' counts.
  const isShorter = backend.mode === "tcp" && ofServer.tunnelMs === ofServer.serverMs;
  const { defaultBackend: _, ...servers } = backend;
  return {
    ...servers,
    name,
    listen,
    ...(rules !== undefined && { rules }),
    ...(log !== undefined && { log }),
    maxHeadBytes,
    maxconn,
    timeouts: {
      connectMs: ofServer.connectMs,
      requestHeadMs: ofClient.requestHeadMs,
      clientMs: ofClient.clientMs,
      serverMs: ofServer.serverMs,
      keepAliveMs: ofClient.keepAliveMs,
      tunnelMs: isShorter ? Math.min(ofClient.clientMs, ofServer.tunnelMs) : ofServer.tunnelMs,
      ...(halfClosedMs < Infinity && { halfClosedMs }),
    },
  };
}
