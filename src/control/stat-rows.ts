import { balanceName } from "../config/balance.js";
import type { ProxyConfig, ServerConfig } from "../config/config.js";
import { canReach, hasBackend, hasFrontend } from "../config/proxy-sides.js";
import { type CheckStatus, checkStatuses } from "../proxy/health/check-status.js";
import type { ProxyRates, RowRates } from "../proxy/stats/rates.js";
import type { ProxySnapshot, RowSnapshot } from "../proxy/stats/snapshot.js";
import { describeEndpoint } from "./format.js";
import type { NodeView } from "./node-view.js";
import type { BackendView, ServerView } from "./server-view.js";
import type { StatColumn } from "./stat-columns.js";

/** One row of `show stat`. A column without a cell does not apply to this kind of row, and stays empty. */
export interface StatRow {
  readonly kind: "Frontend" | "Server" | "Backend";
  /** HAProxy's `iid`. */
  readonly proxyId: number;
  readonly serverId: number;
  readonly cells: Cells;
}

export type Cells = Readonly<Partial<Record<StatColumn, string | number>>>;

/** Proxy numbers begin at 2, as HAProxy's do in a configuration without explicit ids. */
export const firstProxyId = 2;

/** HAProxy's type numbers; a filter's bit is `1 << number`. */
export const rowTypes = { Frontend: 0, Backend: 1, Server: 2 } as const;

/**
 * The rows of `show stat`: for each proxy FRONTEND, its servers, BACKEND; a frontend has the first of them alone, a backend
 * the others. Which cells each kind fills is what
 * HAProxy 2.6 was seen to fill (`test/unit/control/fixtures`). What Tandem does not do (queues, caches,
 * compression, TLS, HTTP/2) is 0 where HAProxy without it says 0.
 */
export function statRows(view: NodeView): StatRow[] {
  return view.proxies.flatMap((proxy, i) => {
    const counters = view.snapshot.proxies[i];
    const rates = view.rates.proxies[i];
    const backend = view.backends[i];
    const proxyId = firstProxyId + i;
    const place = { proxyId, serverId: 0 };
    const rows: StatRow[] = [];
    if (hasFrontend(proxy)) {
      const cells = frontendCells(view, proxy, proxyId, counters, rates);
      rows.push({ kind: "Frontend", ...place, cells });
    }
    if (!hasBackend(proxy)) return rows;
    for (const [j, server] of proxy.servers.entries()) {
      const cells = serverCells(view, proxy, server, j, proxyId, counters, rates, backend.servers[j]);
      rows.push({ kind: "Server", proxyId, serverId: j + 1, cells });
    }
    const cells = backendCells(view, proxy, proxyId, counters, rates, backend);
    rows.push({ kind: "Backend", ...place, cells });
    return rows;
  });
}

/** HAProxy's words. */
const frontendStatuses = { open: "OPEN", disabled: "PAUSED", stopped: "STOP" } as const;

function frontendCells(
  view: NodeView,
  proxy: ProxyConfig,
  proxyId: number,
  counters: ProxySnapshot,
  rates: ProxyRates,
): Cells {
  const row = counters.frontend;
  const rate = rates.frontend;
  const said = view.limits.frontends[proxyId - firstProxyId];
  return {
    ...commonCells(proxy, "FRONTEND", proxyId, 0, row, rate),
    type: rowTypes.Frontend,
    slim: said.maxconn ?? Math.min(proxy.maxconn ?? Infinity, view.maxconn),
    dreq: row.requestsDenied,
    ereq: row.requestErrors,
    status: frontendStatuses[said.state],
    rate_lim: 0,
    req_rate: rate.requests.perSecond,
    req_rate_max: rate.requests.max,
    req_tot: row.requestsTotal,
    ...(proxy.mode !== "tcp" && { intercepted: row.intercepted, ...notCached }),
    ...notCompressed,
    conn_rate: rate.connections.perSecond,
    conn_rate_max: rate.connections.max,
    conn_tot: row.connectionsTotal,
    dcon: row.connectionsDenied,
    dses: 0,
    ssl_sess: row.tlsSessions,
    ssl_reused_sess: row.tlsResumed,
    ssl_failed_handshake: row.tlsFailed,
    ...notHttp2,
    h2_headers_rcvd: row.http2StreamsTotal,
    h2_open_connections: row.http2ConnectionsCurrent,
    h2_backend_open_streams: row.http2StreamsCurrent,
    h2_total_connections: row.http2ConnectionsTotal,
    h2_backend_total_streams: row.http2StreamsTotal,
    ...http1Cells(proxy, {
      h1_open_connections: row.sessionsCurrent - row.http2ConnectionsCurrent,
      h1_open_streams: Math.max(0, counters.backend.sessionsCurrent - row.http2StreamsCurrent),
      h1_total_connections: row.connectionsTotal - row.http2ConnectionsTotal,
      h1_total_streams: Math.max(0, row.requestsTotal - row.http2StreamsTotal),
      h1_bytes_in: row.bytesIn,
      h1_bytes_out: row.bytesOut,
    }),
  };
}

function serverCells(
  view: NodeView,
  proxy: ProxyConfig,
  server: ServerConfig,
  serverIndex: number,
  proxyId: number,
  counters: ProxySnapshot,
  rates: ProxyRates,
  state: ServerView,
): Cells {
  const row = counters.servers[serverIndex];
  return {
    ...commonCells(proxy, server.name, proxyId, serverIndex + 1, row, rates.servers[serverIndex]),
    ...outgoingCells(view, row),
    type: rowTypes.Server,
    status: state.status,
    weight: state.weight,
    act: server.backup === true ? 0 : 1,
    bck: server.backup === true ? 1 : 0,
    uweight: state.userWeight,
    lastchg: seconds(state.lastChangeMs),
    ...(state.warmth < 1 && { throttle: Math.max(1, Math.floor(state.warmth * 100)) }),
    ...checkCells(state),
    ...agentCells(state),
    ...limitCells(server, state, row),
    ...(server.maxqueue !== undefined && { qlimit: server.maxqueue }),
    addr: describeEndpoint(state.host, state.port),
    ...(server.cookie !== undefined && { cookie: server.cookie }),
    srv_icur: row.idleConnections,
    idle_conn_cur: row.idleConnections,
    safe_conn_cur: 0,
    used_conn_cur: row.usedConnections,
    need_conn_est: row.usedConnections,
  };
}

function backendCells(
  view: NodeView,
  proxy: ProxyConfig,
  proxyId: number,
  counters: ProxySnapshot,
  rates: ProxyRates,
  state: BackendView,
): Cells {
  const row = counters.backend;
  const { servers } = counters;
  const open = servers.reduce((sum, server) => sum + server.usedConnections + server.idleConnections, 0);
  return {
    ...commonCells(proxy, "BACKEND", proxyId, 0, row, rates.backend),
    ...outgoingCells(view, row),
    type: rowTypes.Backend,
    slim: fullconn(view, proxyId - firstProxyId),
    dreq: row.requestsDenied,
    status: state.isUp ? "UP" : "DOWN",
    weight: state.weight,
    act: state.active,
    bck: state.backup,
    chkdown: state.downs,
    lastchg: seconds(state.lastChangeMs),
    downtime: seconds(state.downtimeMs),
    ...notCompressed,
    ...(proxy.mode !== "tcp" && notCached),
    ...(proxy.cookie !== undefined && { cookie: proxy.cookie.name }),
    algo: balanceName(proxy.balance),
    uweight: state.userWeight,
    agg_server_status: 0,
    agg_server_check_status: 0,
    agg_check_status: 0,
    ...notHttp2,
    ...http1Cells(proxy, {
      h1_open_connections: open,
      h1_open_streams: row.sessionsCurrent,
      h1_total_connections: row.connectsTotal,
      // One for each attempt.
      h1_total_streams: servers.reduce((sum, server) => sum + server.sessionsTotal, 0),
      h1_bytes_in: row.bytesOut,
      h1_bytes_out: row.bytesIn,
    }),
  };
}

/** HAProxy's fullconn: a tenth of what the backend's frontends may take. */
function fullconn({ maxconn, proxies }: NodeView, backend: number): number {
  const frontends = proxies.filter((_, i) => canReach(proxies, i, backend));
  const most = frontends.reduce((sum, frontend) => sum + Math.min(frontend.maxconn ?? maxconn, maxconn), 0);
  return Math.ceil(most / 10);
}

/** What checks say; in maintenance, where nothing is checked, only the counters stay. */
function checkCells({ check, admin, downtimeMs }: ServerView): Cells {
  if (check === null) return {};
  return {
    chkfail: check.failed,
    chkdown: check.downs,
    downtime: seconds(downtimeMs),
    ...(check.errorLimits !== null && { hanafail: check.errorLimits }),
    ...(admin !== "maint" && {
      // HAProxy's star: a check runs, and what stands here is the one before.
      check_status: `${check.isRunning ? "* " : ""}${check.status}`,
      ...(check.code !== null && { check_code: check.code }),
      ...(check.durationMs !== null && { check_duration: check.durationMs }),
      last_chk: check.detail,
      check_desc: checkStatuses[check.status].text,
      check_rise: check.rise,
      check_fall: check.fall,
      check_health: check.health,
    }),
  };
}

/** `slim` and, below it, `smax`: the threads' own maxima were not all at once. */
function limitCells(server: ServerConfig, { maxconn }: ServerView, row: RowSnapshot): Cells {
  const limit = maxconn ?? server.maxconn ?? 0;
  if (limit === 0) return {};
  // What an agent has lowered may have been exceeded before.
  return maxconn === null ? { slim: limit, smax: Math.min(row.sessionsMax, limit) } : { slim: limit };
}

/** HAProxy's HCHK_STATUS_L57DATA: from here on there was an answer that could be read. */
const hasCode = (status: CheckStatus): boolean => checkStatuses[status].number > 14;

function agentCells({ agent }: ServerView): Cells {
  if (agent === null || !agent.isEnabled) return {};
  return {
    agent_status: `${agent.isRunning ? "* " : ""}${agent.status}`,
    ...(hasCode(agent.status) && { agent_code: 0 }),
    agent_duration: agent.durationMs ?? 0,
    agent_desc: checkStatuses[agent.status].text,
    last_agt: agent.detail,
    agent_rise: agent.rise,
    agent_fall: agent.fall,
    agent_health: agent.health,
  };
}

function seconds(ms: number): number {
  return Math.max(0, Math.floor(ms / 1000));
}

/** Cells that every kind of row fills. */
function commonCells(
  { name: proxyName, mode }: ProxyConfig,
  serverName: string,
  proxyId: number,
  serverId: number,
  row: RowSnapshot,
  rates: RowRates,
): Cells {
  return {
    pxname: proxyName,
    svname: serverName,
    scur: row.sessionsCurrent,
    smax: row.sessionsMax,
    stot: row.sessionsTotal,
    bin: row.bytesIn,
    bout: row.bytesOut,
    dresp: row.responsesDenied,
    pid: 1,
    iid: proxyId,
    sid: serverId,
    rate: rates.sessions.perSecond,
    rate_max: rates.sessions.max,
    ...(mode !== "tcp" && {
      hrsp_1xx: row.responses1xx,
      hrsp_2xx: row.responses2xx,
      hrsp_3xx: row.responses3xx,
      hrsp_4xx: row.responses4xx,
      hrsp_5xx: row.responses5xx,
      hrsp_other: row.responsesOther,
      req_tot: row.requestsTotal,
    }),
    mode: mode ?? "http",
    wrew: 0,
    eint: row.internalErrors,
    "-": "-",
    ssl_sess: 0,
    ssl_reused_sess: 0,
    ssl_failed_handshake: 0,
  };
}

/** Cells of the sides that open connections: servers and backend. */
function outgoingCells(view: NodeView, row: RowSnapshot): Cells {
  return {
    qcur: row.queueCurrent,
    qmax: row.queueMax,
    econ: row.connectErrors,
    eresp: row.responseErrors,
    wretr: row.retries,
    wredis: row.redispatches,
    lbtot: row.selections,
    cli_abrt: row.clientAborts,
    srv_abrt: row.serverAborts,
    // −1: never had one.
    lastsess: row.lastSessionMs === 0 ? -1 : ageSeconds(view.nowMonotonicMs, row.lastSessionMs),
    qtime: Math.round(row.queueTimeAverage),
    ctime: Math.round(row.connectTimeAverage),
    rtime: Math.round(row.responseTimeAverage),
    ttime: Math.round(row.totalTimeAverage),
    qtime_max: Math.round(row.queueTimeMax),
    ctime_max: Math.round(row.connectTimeMax),
    rtime_max: Math.round(row.responseTimeMax),
    ttime_max: Math.round(row.totalTimeMax),
    connect: row.connectsTotal,
    reuse: row.reuses,
  };
}

function ageSeconds(nowMs: number, thenMs: number): number {
  return Math.max(0, Math.floor((nowMs - thenMs) / 1000));
}

/** In `mode: tcp` nothing of it is HTTP. */
function http1Cells({ mode }: ProxyConfig, cells: Cells): Cells {
  const counted = Object.entries(cells).map(([column, value]) => [column, mode === "tcp" ? 0 : value]);
  return { ...Object.fromEntries(counted), h1_spliced_bytes_in: 0, h1_spliced_bytes_out: 0 };
}

const notCompressed: Cells = { comp_in: 0, comp_out: 0, comp_byp: 0, comp_rsp: 0 };
const notCached: Cells = { cache_lookups: 0, cache_hits: 0 };
const notHttp2: Cells = {
  h2_headers_rcvd: 0,
  h2_data_rcvd: 0,
  h2_settings_rcvd: 0,
  h2_rst_stream_rcvd: 0,
  h2_goaway_rcvd: 0,
  h2_detected_conn_protocol_errors: 0,
  h2_detected_strm_protocol_errors: 0,
  h2_rst_stream_resp: 0,
  h2_goaway_resp: 0,
  h2_open_connections: 0,
  h2_backend_open_streams: 0,
  h2_total_connections: 0,
  h2_backend_total_streams: 0,
};
