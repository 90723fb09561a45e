import { hasBackend, hasFrontend } from "../config/proxy-sides.js";
import type { VrrpStatus } from "../vrrp/status.js";
import { findings, partnerServers } from "./dashboard/partner-summary.js";
import type { Finding, PartnerServersSummary } from "./dashboard/shape.js";
import { describeEndpoint } from "./format.js";
import { type NodeView, uptimeSeconds } from "./node-view.js";

/** One node at one instant, for `lb watch` and `lb server list`; everything an operator looks at, and no secret. */
export interface NodeReport {
  readonly node: string;
  readonly version: string;
  readonly engine: string;
  readonly uptimeSeconds: number;
  readonly nowEpochMs: number;
  readonly connections: number;
  readonly requestsPerSecond: number;
  readonly bytesOutPerSecond: number;
  readonly vrrp: readonly VrrpStatus[];
  readonly proxies: readonly ProxyReport[];
  /** The partners' servers, as they tell of them while somebody asks; a daemon before this version has none. */
  readonly partners?: readonly PartnerServersSummary[];
  /** Where both nodes see the same server differently. */
  readonly findings?: readonly Finding[];
}

export interface ProxyReport {
  readonly name: string;
  readonly listen: readonly string[];
  readonly isUp: boolean;
  readonly sessions: number;
  readonly requestsPerSecond: number;
  readonly requests: number;
  readonly errors: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly responseMs: number;
  readonly servers: readonly ServerReport[];
}

export interface ServerReport {
  /** `http/web01`. */
  readonly name: string;
  readonly address: string;
  /** HAProxy's word: `UP`, `DOWN 1/2`, `no check`, `DRAIN`, `MAINT`. */
  readonly status: string;
  readonly admin: string;
  readonly takesRequests: boolean;
  readonly weight: number;
  readonly configuredWeight: number;
  readonly backup: boolean;
  /** What the last check said; empty without checks. */
  readonly check: string;
  readonly sessions: number;
  readonly requestsPerSecond: number;
  readonly requests: number;
  readonly errors: number;
  readonly bytesOut: number;
  readonly responseMs: number;
  readonly sinceMs: number;
}

export function reportNode(view: NodeView): NodeReport {
  return {
    node: view.node,
    version: view.version,
    engine: view.engine,
    uptimeSeconds: uptimeSeconds(view),
    nowEpochMs: view.nowEpochMs,
    connections: view.snapshot.threads.reduce((sum, thread) => sum + thread.connectionsCurrent, 0),
    requestsPerSecond: view.rates.requests.perSecond,
    bytesOutPerSecond: view.rates.bytesOut.perSecond,
    vrrp: view.vrrp,
    partners: partnerServers(view),
    findings: findings(view),
    proxies: view.proxies.map((proxy, i): ProxyReport => {
      const { frontend, backend, servers } = view.snapshot.proxies[i];
      const rates = view.rates.proxies[i];
      const row = hasFrontend(proxy) ? frontend : backend;
      const rate = hasFrontend(proxy) ? rates.frontend : rates.backend;
      return {
        name: proxy.name,
        listen: proxy.listen.map(({ address, port }) => describeEndpoint(address, port)),
        isUp: !hasBackend(proxy) || view.backends[i].isUp,
        sessions: row.sessionsCurrent,
        requestsPerSecond: proxy.mode === "tcp" ? rate.sessions.perSecond : rate.requests.perSecond,
        requests: proxy.mode === "tcp" ? row.sessionsTotal : row.requestsTotal,
        errors: backend.connectErrors + backend.responseErrors + frontend.requestErrors,
        bytesIn: row.bytesIn,
        bytesOut: row.bytesOut,
        responseMs: Math.round(backend.responseTimeAverage),
        servers: proxy.servers.map((server, j): ServerReport => {
          const counters = servers[j];
          const state = view.backends[i].servers[j];
          return {
            name: `${proxy.name}/${server.name}`,
            address: describeEndpoint(state.host, state.port),
            status: state.status,
            admin: state.admin,
            takesRequests: state.isUsable,
            weight: state.userWeight,
            configuredWeight: server.weight ?? 1,
            backup: server.backup === true,
            check: state.check === null ? "" : describeCheck(state.check),
            sessions: counters.sessionsCurrent,
            requestsPerSecond: rates.servers[j].sessions.perSecond,
            requests: counters.selections,
            errors: counters.connectErrors + counters.responseErrors,
            bytesOut: counters.bytesOut,
            responseMs: Math.round(counters.responseTimeAverage),
            sinceMs: Math.max(0, Math.round(state.lastChangeMs)),
          };
        }),
      };
    }),
  };
}

export function formatNodeJson(view: NodeView): string {
  return `${JSON.stringify(reportNode(view))}\n`;
}

function describeCheck({
  status,
  code,
  detail,
}: {
  readonly status: string;
  readonly code: number | null;
  readonly detail: string;
}): string {
  return `${status}${code === null ? "" : `/${code}`}${detail === "" ? "" : ` ${detail}`}`;
}
