import { hasFrontend } from "../../config/proxy-sides.js";
import type { VrrpStatus } from "../../vrrp/status.js";
import { describeDuration, describeEndpoint } from "../format.js";
import type { NodeView } from "../node-view.js";
import { frontendRate } from "./history.js";
import { findings, partnerServers } from "./partner-summary.js";
import { RecentLatencies } from "./recent-latency.js";
import { describeCheck, toneOf } from "./server-words.js";
import {
  type DashboardEvent,
  type DashboardState,
  dashboardFormat,
  type InstanceSummary,
  type LoadSummary,
  type NodeSummary,
  type ProxySummary,
  type Sample,
} from "./shape.js";

/** How fast the partners' requests come, by address, where two of their words are known. */
export type PartnerRates = ReadonlyMap<string, number>;

/** The dashboard's words for a view. Pure. */
export function dashboardState(
  view: NodeView,
  sample: Sample,
  events: readonly DashboardEvent[],
  partnerRates: PartnerRates,
  readOnly: string | null,
  latencies: RecentLatencies = new RecentLatencies(),
): DashboardState {
  return {
    format: dashboardFormat,
    nowEpochMs: view.nowEpochMs,
    nodes: [self(view), ...partners(view, partnerRates)],
    instances: view.vrrp.map(instanceSummary),
    proxies: view.proxies.map((_, i) => proxySummary(view, i, latencies)),
    partners: partnerServers(view),
    findings: findings(view),
    events,
    readOnly,
    sample,
  };
}

function self(view: NodeView): NodeSummary {
  const servers = view.backends.flatMap((backend) => backend.servers);
  return {
    name: view.node,
    isSelf: true,
    how: `version ${view.version}, up ${describeDuration(view.nowEpochMs - view.startedEpochMs)}`,
    isSilent: false,
    routers: view.vrrp.map(({ name, state, priority }) => ({ instance: name, state, priority })),
    load: {
      requestsPerSecond: view.rates.requests.perSecond,
      connections: view.snapshot.threads.reduce((sum, thread) => sum + thread.connectionsCurrent, 0),
      serversUp: servers.filter(({ isUsable }) => isUsable).length,
      serversTotal: servers.length,
    },
  };
}

/** Of the peer link where there is one, and else what their adverts tell. */
function partners(view: NodeView, rates: PartnerRates): NodeSummary[] {
  const links = view.vrrp[0]?.peerLink?.partners ?? [];
  const linked = links.map(({ address, node, phase, routers, load, sinceEpochMs }): NodeSummary => {
    const isUp = phase === "up";
    const summary: LoadSummary | null =
      load === null || !isUp
        ? null
        : {
            requestsPerSecond: rates.get(address) ?? null,
            connections: load.connections,
            serversUp: load.serversUp,
            serversTotal: load.serversTotal,
          };
    const since = describeDuration(view.nowEpochMs - sinceEpochMs);
    return {
      name: node ?? address,
      isSelf: false,
      how: `${address}, peer link ${phase} for ${since}`,
      isSilent: !isUp,
      routers: !isUp ? [] : view.vrrp.flatMap((status) => routerOf(status, routers)),
      load: summary,
    };
  });
  const known = new Set(links.map(({ address }) => address));
  const heard = new Map<string, NodeSummary>();
  for (const { name, partners, state } of view.vrrp) {
    for (const { address, priority, lastHeardEpochMs } of partners) {
      if (known.has(address)) continue;
      const ago = view.nowEpochMs - lastHeardEpochMs;
      // Only a master advertises, and with priority 0 it says that it is none any more.
      const isMaster = priority > 0 && state !== "MASTER" && ago < 10_000;
      const routers = isMaster ? [{ instance: name, state: "MASTER", priority }] : [];
      const before = heard.get(address);
      heard.set(address, {
        name: address,
        isSelf: false,
        how: `its last advert came ${describeDuration(ago)} ago; no peer link`,
        isSilent: !isMaster && (before?.isSilent ?? true),
        routers: [...(before?.routers ?? []), ...routers],
        load: null,
      });
    }
  }
  return [...linked, ...heard.values()];
}

type LinkedRouters = NonNullable<VrrpStatus["peerLink"]>["partners"][number]["routers"];

function routerOf({ name, virtualRouterId, addresses }: VrrpStatus, routers: LinkedRouters) {
  const family = addresses[0]?.includes(":") ? 6 : 4;
  return routers
    .filter((router) => router.virtualRouterId === virtualRouterId && router.family === family)
    .map(({ state, priority }) => ({ instance: name, state, priority }));
}

function instanceSummary(status: VrrpStatus): InstanceSummary {
  const { splitBrain } = status;
  return {
    name: status.name,
    addresses: status.addresses,
    state: status.state,
    sinceEpochMs: status.sinceEpochMs,
    reason: status.reason,
    master: status.master,
    ifStopped: status.ifStopped,
    priority: status.priority,
    isDrained: status.drained,
    splitBrain: splitBrain.active ? `${splitBrain.other} is master too: ${splitBrain.how}` : null,
    advice: status.advice,
  };
}

function proxySummary(view: NodeView, index: number, latencies: RecentLatencies): ProxySummary {
  const proxy = view.proxies[index];
  return {
    name: proxy.name,
    listen: proxy.listen.map(({ address, port }) => describeEndpoint(address, port)),
    requestsPerSecond: hasFrontend(proxy) ? frontendRate(view, index) : null,
    latency: latencies.backend(index),
    servers: proxy.servers.map(({ name, host, port }, j) => {
      const row = view.snapshot.proxies[index].servers[j];
      const rates = view.rates.proxies[index].servers[j];
      const state = view.backends[index].servers[j];
      return {
        name,
        address: describeEndpoint(host, port),
        status: state.status,
        tone: toneOf(state),
        detail: describeCheck(state),
        admin: state.admin,
        weight: state.userWeight,
        sessions: row.sessionsCurrent,
        requestsPerSecond: rates.sessions.perSecond,
        latency: latencies.server(index, j),
        responseMs: Math.round(row.responseTimeAverage * 10) / 10,
        errors: row.connectErrors + row.responseErrors,
      };
    }),
  };
}
