import type { ProxyConfig } from "../config/config.js";
import { readSnapshot } from "../proxy/stats/snapshot.js";
import type { StatsTable } from "../proxy/stats/table.js";

/** The counters of each proxy in a few words, for one line of the log. */
export function summarizeCounters(table: StatsTable, proxies: readonly ProxyConfig[]): object {
  const snapshot = readSnapshot(table, proxies);
  return Object.fromEntries(
    snapshot.proxies.map(({ frontend, servers, backend }, index) => [
      proxies[index].name,
      {
        connections: frontend.connectionsTotal,
        sessions: frontend.sessionsCurrent,
        requests: frontend.requestsTotal,
        bytesIn: frontend.bytesIn,
        bytesOut: frontend.bytesOut,
        requestErrors: frontend.requestErrors,
        connectErrors: backend.connectErrors,
        responseErrors: backend.responseErrors,
        redispatches: backend.redispatches,
        servers: Object.fromEntries(
          servers.map((server, i) => [proxies[index].servers[i].name, server.selections]),
        ),
      },
    ]),
  );
}
