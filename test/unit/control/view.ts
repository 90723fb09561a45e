import type { ProxyConfig, ServerConfig } from "../../../src/config/config.js";
import type { SocketActions } from "../../../src/control/commands.js";
import { type NodeView, viewLimits } from "../../../src/control/node-view.js";
import { viewServers } from "../../../src/control/server-view.js";
import { ServerTable } from "../../../src/proxy/health/server-table.js";
import { OperatorLimits } from "../../../src/proxy/operator-limits.js";
import { ThreadCell } from "../../../src/proxy/stats/layout.js";
import { readProxyLatencies } from "../../../src/proxy/stats/proxy-latencies.js";
import { startRates } from "../../../src/proxy/stats/rates.js";
import { readSnapshot } from "../../../src/proxy/stats/snapshot.js";
import { StatsTable } from "../../../src/proxy/stats/table.js";

export function makeProxy(name: string, servers: readonly ServerConfig[]): ProxyConfig {
  return {
    name,
    listen: [{ address: "192.168.33.84", port: 80 }],
    balance: "roundrobin",
    servers,
    timeouts: {
      connectMs: 5_000,
      requestHeadMs: 10_000,
      clientMs: 60_000,
      serverMs: 60_000,
      keepAliveMs: 60_000,
      tunnelMs: 3_600_000,
    },
    maxHeadBytes: 16_384,
    maxconn: null,
  };
}

/** The demo's proxy. */
export const demoProxy = makeProxy("http", [
  { name: "web01", host: "192.168.33.68", port: 80 },
  { name: "web02", host: "192.168.33.69", port: 80 },
]);

/** Its clock. */
export const nowMonotonicMs = 9_000_000;

/** A node that started an hour ago, on two threads, whose counters `fill` and whose servers' states `states` set. */
export function makeView(
  proxies: readonly ProxyConfig[] = [demoProxy],
  fill: (table: StatsTable) => void = () => {},
  changes: Partial<NodeView> = {},
  states: (table: ServerTable) => void = () => {},
  lastCheck = "",
): NodeView {
  const table = new StatsTable(proxies, 2);
  for (const block of table.blocks) {
    block[ThreadCell.heartbeat] = 7;
    block[ThreadCell.idlePercent] = 90;
  }
  fill(table);
  const limits = new OperatorLimits(proxies);
  const snapshot = readSnapshot(table, proxies);
  const servers = new ServerTable(proxies, { nowMs: nowMonotonicMs - 3_600_000 });
  states(servers);
  return {
    node: "lb-box1",
    version: "0.1.0",
    releaseDate: "2026/11/23",
    pid: 4711,
    engine: "portable",
    startedEpochMs: 1_795_400_000_000,
    nowEpochMs: 1_795_403_600_000,
    nowMonotonicMs,
    descriptorLimit: 4_128,
    maxconn: 2_000,
    limits: viewLimits(limits),
    residentBytes: 73_400_320,
    listeners: 3,
    proxies,
    snapshot,
    rates: startRates(snapshot, 0),
    latencies: () => readProxyLatencies(table, proxies),
    backends: viewServers(servers, proxies, nowMonotonicMs, {
      lastCheck: () => lastCheck,
      lastAnswer: () => "",
      agentTarget: () => null,
    }),
    vrrpConfigured: true,
    vrrp: [],
    partnerServers: new Map(),
    ...changes,
  };
}

/** For commands that change nothing. */
export const noActions: SocketActions = {
  setState: () => {},
  setWeight: () => {},
  setTarget: () => {},
  setHealth: () => {},
  sockets: () => "",
  look: () => {},
  setAgentEnabled: () => {},
  setAgentHealth: () => {},
  setAgentTarget: () => {},
  clearCounters: () => {},
  setFrontendState: () => {},
  setFrontendMaxconn: () => {},
  setMaxconn: () => {},
  setServerMaxconn: () => {},
};
