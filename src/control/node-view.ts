import type { ProxyConfig } from "../config/config.js";
import type { FrontendState, OperatorLimits } from "../proxy/operator-limits.js";
import type { ProxyLatencies } from "../proxy/stats/proxy-latencies.js";
import type { Rates } from "../proxy/stats/rates.js";
import type { Snapshot } from "../proxy/stats/snapshot.js";
import type { VrrpStatus } from "../vrrp/status.js";
import type { PartnerReport } from "./partner-servers.js";
import type { BackendView } from "./server-view.js";

/** What operators have said of clients; null: nothing. */
export interface LimitView {
  readonly maxconn: number | null;
  /** Proxy by proxy. */
  readonly frontends: readonly { readonly maxconn: number | null; readonly state: FrontendState }[];
}

export function viewLimits(limits: OperatorLimits): LimitView {
  const orNull = (value: number) => (value < 0 ? null : value);
  return {
    maxconn: orNull(limits.maxconn()),
    frontends: limits.proxies.map((_, proxy) => ({
      maxconn: orNull(limits.frontendMaxconn(proxy)),
      state: limits.frontendState(proxy),
    })),
  };
}

/** Everything that a reader may see of this node, at one instant: what every answer is made from. */
export interface NodeView {
  readonly node: string;
  readonly version: string;
  /** `2026/11/23`, HAProxy's form. */
  readonly releaseDate: string;
  readonly pid: number;
  readonly engine: "direct" | "portable";
  readonly startedEpochMs: number;
  readonly nowEpochMs: number;
  /** The clock of `Cell.lastSessionMs`. */
  readonly nowMonotonicMs: number;
  /** Open files that the process may have. */
  readonly descriptorLimit: number;
  /** Client connections that all proxies together may have: what the configuration and the open files allow. */
  readonly maxconn: number;
  /** What operators say of that, and of frontends. */
  readonly limits: LimitView;
  readonly residentBytes: number;
  /** Listening sockets: the proxies', the admin server's, the stats socket. */
  readonly listeners: number;
  readonly proxies: readonly ProxyConfig[];
  readonly snapshot: Snapshot;
  readonly rates: Rates;
  /** Read when they are asked for. */
  readonly latencies: () => readonly ProxyLatencies[];
  /** The servers' health and states, proxy by proxy. */
  readonly backends: readonly BackendView[];
  readonly vrrpConfigured: boolean;
  readonly vrrp: readonly VrrpStatus[];
  /** What the partners last said of their servers, by address; they do so while somebody looks. */
  readonly partnerServers: ReadonlyMap<string, PartnerReport>;
}

export function uptimeSeconds(view: NodeView): number {
  return Math.max(0, Math.floor((view.nowEpochMs - view.startedEpochMs) / 1000));
}
