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

/** Names of the backends that a frontend's rules may choose. */
export function chosenBackends({ rules = [] }: ProxyConfig): string[] {
  const names = rules.flatMap(({ action }) => (action.kind === "use-backend" ? [action.backend] : []));
  return [...new Set(names)];
}

/** Whether clients of `proxies[index]` may come to the servers of `backend`. */
export function canReach(proxies: readonly ProxyConfig[], index: number, backend: number): boolean {
  return (
    hasFrontend(proxies[index]) &&
    (backendOf(proxies, index) === backend || chosenBackends(proxies[index]).includes(proxies[backend].name))
  );
}

/**
 * What the clients of a frontend meet: its own words about clients, and its backend's about servers. A listen meets itself.
 */
export function joinSides(frontend: ProxyConfig, backend: ProxyConfig): ProxyConfig {
  if (frontend === backend) return frontend;
  const {
    name,
    listen,
    connectionRules,
    rules,
    responseRules,
    uniqueIdHeader,
    forwardFor,
    traceparent,
    log,
    errorFiles,
    maxHeadBytes,
    maxconn,
    timeouts: ofClient,
  } = frontend;
  const { timeouts: ofServer } = backend;
  const halfClosedMs = Math.min(ofClient.halfClosedMs ?? Infinity, ofServer.halfClosedMs ?? Infinity);
  // In mode tcp a backend without a tunnel time-out has its server time-out there, and the shorter of both sides' counts.
  const isShorter = backend.mode === "tcp" && ofServer.tunnelMs === ofServer.serverMs;
  // A listen's words about its own clients are not those of the frontends that share its servers.
  const {
    defaultBackend: _defaultBackend,
    connectionRules: _connectionRules,
    rules: _rules,
    responseRules: _responseRules,
    uniqueIdHeader: _uniqueIdHeader,
    forwardFor: _forwardFor,
    traceparent: _traceparent,
    log: _log,
    errorFiles: _errorFiles,
    ...servers
  } = backend;
  return {
    ...servers,
    name,
    listen,
    ...(connectionRules !== undefined && { connectionRules }),
    ...(rules !== undefined && { rules }),
    ...(responseRules !== undefined && { responseRules }),
    ...(uniqueIdHeader !== undefined && { uniqueIdHeader }),
    ...(forwardFor !== undefined && { forwardFor }),
    ...(traceparent === true && { traceparent }),
    ...(log !== undefined && { log }),
    ...(errorFiles !== undefined && { errorFiles }),
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
      ...(ofClient.inspectMs !== undefined && { inspectMs: ofClient.inspectMs }),
      ...(ofServer.queueMs !== undefined && { queueMs: ofServer.queueMs }),
    },
  };
}
