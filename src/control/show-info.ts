import { describeInfo } from "./info-descriptions.js";
import { type NodeView, uptimeSeconds } from "./node-view.js";
import { type TypedField, typedLine, typedObject } from "./typed.js";

/**
 * The fields of `show info` in HAProxy 2.6's order, with its positions, tags and types; what Tandem does not
 * have (TLS, compression, limits) is 0 as in a HAProxy that does not use it. Behind them come our own:
 * the engine, each data thread's heartbeat and idle share, each VRRP instance's state. `asFloat`: times and rates have HAProxy's
 * type `flt`, times to the microsecond.
 */
export function infoFields(view: NodeView, asFloat = false): TypedField[] {
  const { threads } = view.snapshot;
  const { connections, requests, bytesOut } = view.rates;
  const sum = (of: (thread: (typeof threads)[number]) => number) =>
    threads.reduce((total, thread) => total + of(thread), 0);
  const uptime = uptimeSeconds(view);
  const limit = view.limits.maxconn ?? view.maxconn;
  const current = sum((thread) => thread.connectionsCurrent);
  const resident = Math.round(view.residentBytes);
  const residentMb = Math.round(resident / 1048576);
  const exchanges = view.snapshot.proxies.reduce((n, proxy) => n + proxy.backend.sessionsCurrent, 0);
  const heard = threads.filter((thread) => thread.heartbeat > 0);
  const idle = heard.length === 0 ? 100 : heard.reduce((n, t) => n + t.idlePercent, 0) / heard.length;

  const fields: [position: number, name: string, tags: string, type: string, value: string | number][] = [
    [0, "Name", "POS", "str", "Tandem"],
    [1, "Version", "POS", "str", view.version],
    [2, "Release_date", "POS", "str", view.releaseDate],
    [3, "Nbthread", "CGS", "u32", threads.length],
    [4, "Nbproc", "CGS", "u32", 1],
    [5, "Process_num", "KGP", "u32", 1],
    [6, "Pid", "SGP", "u32", view.pid],
    [7, "Uptime", "MDP", "str", describeUptime(uptime)],
    [8, "Uptime_sec", "MDP", "u32", uptime],
    [9, "Memmax_MB", "CLP", "u32", 0],
    [10, "PoolAlloc_MB", "MGP", "u32", residentMb],
    [11, "PoolUsed_MB", "MGP", "u32", residentMb],
    [12, "PoolFailed", "MCP", "u32", 0],
    [13, "Ulimit-n", "CLP", "u32", view.descriptorLimit],
    [14, "Maxsock", "CLP", "u32", view.descriptorLimit],
    [15, "Maxconn", "CLP", "u32", limit],
    [16, "Hard_maxconn", "CLP", "u32", view.maxconn],
    [17, "CurrConns", "MGP", "u32", current],
    [18, "CumConns", "MCP", "u32", connections.total],
    [19, "CumReq", "MCP", "u32", requests.total],
    [20, "MaxSslConns", "MMP", "u32", 0],
    [21, "CurrSslConns", "MGP", "u32", 0],
    [22, "CumSslConns", "MCP", "u32", 0],
    [23, "Maxpipes", "CLP", "u32", 0],
    [24, "PipesUsed", "MGP", "u32", sum((thread) => thread.pipesUsed)],
    [25, "PipesFree", "MGP", "u32", sum((thread) => thread.pipesFree)],
    [26, "ConnRate", "MRP", "u32", connections.perSecond],
    [27, "ConnRateLimit", "CLP", "u32", 0],
    [28, "MaxConnRate", "MMP", "u32", connections.max],
    [29, "SessRate", "MRP", "u32", connections.perSecond],
    [30, "SessRateLimit", "CLP", "u32", 0],
    [31, "MaxSessRate", "MRP", "u32", connections.max],
    [32, "SslRate", "MRP", "u32", 0],
    [33, "SslRateLimit", "CLP", "u32", 0],
    [34, "MaxSslRate", "MMP", "u32", 0],
    [35, "SslFrontendKeyRate", "MGP", "u32", 0],
    [36, "SslFrontendMaxKeyRate", "MMP", "u32", 0],
    [37, "SslFrontendSessionReuse_pct", "MGP", "u32", 0],
    [38, "SslBackendKeyRate", "MRP", "u32", 0],
    [39, "SslBackendMaxKeyRate", "MMP", "u32", 0],
    [40, "SslCacheLookups", "MCP", "u32", 0],
    [41, "SslCacheMisses", "MCP", "u32", 0],
    [42, "CompressBpsIn", "MRP", "u32", 0],
    [43, "CompressBpsOut", "MRP", "u32", 0],
    [44, "CompressBpsRateLim", "CLP", "u32", 0],
    [47, "Tasks", "MGP", "u32", threads.length + current + exchanges],
    [48, "Run_queue", "MGP", "u32", 0],
    [49, "Idle_pct", "MaP", "u32", Math.round(idle)],
    [50, "node", "COS", "str", view.node],
    [52, "Stopping", "MGP", "u32", 0],
    [53, "Jobs", "MGP", "u32", current + view.listeners],
    [54, "Unstoppable Jobs", "MGP", "u32", 0],
    [55, "Listeners", "MGP", "u32", view.listeners],
    [56, "ActivePeers", "MGP", "u32", 0],
    [57, "ConnectedPeers", "MGP", "u32", 0],
    [58, "DroppedLogs", "MGP", "u32", 0],
    [59, "BusyPolling", "MGP", "u32", 0],
    [60, "FailedResolutions", "MGP", "u32", 0],
    [61, "TotalBytesOut", "MGP", "u64", bytesOut.total],
    [62, "TotalSplicdedBytesOut", "MGP", "u64", 0],
    [63, "BytesOutRate", "MRP", "u64", bytesOut.perSecond],
    [64, "DebugCommandsIssued", "MGP", "u32", 0],
    [65, "CumRecvLogs", "MCP", "u32", 0],
    [66, "Build info", "POS", "str", view.version],
    [67, "Memmax_bytes", "CLP", "u32", 0],
    [68, "PoolAlloc_bytes", "MGP", "u64", resident],
    [69, "PoolUsed_bytes", "MGP", "u64", resident],
    [70, "Start_time_sec", "MDP", "u32", Math.floor(view.startedEpochMs / 1000)],
    [71, "Tainted", "SGP", "str", 0],
  ];

  let position = 72;
  fields.push([position++, "Engine", "COS", "str", view.engine]);
  const held = view.snapshot.proxies.reduce((n, { frontend }) => n + frontend.limitReached, 0);
  fields.push([position++, "MaxconnReached", "MCP", "u32", held]);
  fields.push([position++, "ReqRate", "MRP", "u32", requests.perSecond]);
  fields.push([position++, "MaxReqRate", "MMP", "u32", requests.max]);
  const ofBackends = (cell: "pipelined" | "leftBehind") =>
    view.snapshot.proxies.reduce((n, { backend }) => n + backend[cell], 0);
  fields.push([position++, "PipelinedReq", "MCP", "u32", ofBackends("pipelined")]);
  fields.push([position++, "PipelinedLeftBehind", "MCP", "u32", ofBackends("leftBehind")]);
  threads.forEach((thread, i) => {
    fields.push([position++, `Thread_${i + 1}_heartbeat`, "MCP", "u64", thread.heartbeat]);
    fields.push([position++, `Thread_${i + 1}_idle_pct`, "MaP", "u32", Math.round(thread.idlePercent)]);
  });
  for (const instance of view.vrrp) {
    fields.push([position++, `Vrrp_${instance.name}`, "SGP", "str", instance.state]);
  }
  const floats = asFloat ? floatFields(view) : noFloats;
  return fields.map(([position, name, tags, type, value]) => ({
    position,
    name,
    ...(floats.has(position)
      ? { tags: tags === "MGP" ? "MRP" : tags, type: "flt", value: floats.get(position) ?? value }
      : { tags, type, value }),
  }));
}

const noFloats: ReadonlyMap<number, number | null> = new Map();
/** ConnRate, SessRate, SslRate, SslFrontendKeyRate, SslFrontendSessionReuse_pct, SslBackendKeyRate, CompressBpsIn, CompressBpsOut. */
const floatRates = [26, 29, 32, 35, 37, 38, 42, 43];

/** What HAProxy gives as a float, by position; null: the same number. */
function floatFields({ startedEpochMs, nowEpochMs }: NodeView): ReadonlyMap<number, number | null> {
  const secondsOf = (ms: number) => Number((Math.max(0, ms) / 1000).toFixed(6));
  return new Map([
    [8, secondsOf(nowEpochMs - startedEpochMs)],
    ...floatRates.map((position) => [position, null] as const),
    [70, secondsOf(startedEpochMs)],
  ]);
}

/** `Name: value`, a line a field; `described`: with what it means, in quotes. */
export function formatInfo(fields: readonly TypedField[], described = false): string {
  const meaning = (name: string) => (described ? `:"${describeInfo(name)}"` : "");
  return fields.map(({ name, value }) => `${name}: ${value}${meaning(name)}\n`).join("");
}

export function formatInfoTyped(fields: readonly TypedField[], described = false): string {
  const meaning = (name: string) => (described ? describeInfo(name) : undefined);
  return fields.map((field) => `${typedLine(field, meaning(field.name))}\n`).join("");
}

export function formatInfoJson(fields: readonly TypedField[]): string {
  return `${JSON.stringify(fields.map(typedObject))}\n`;
}

/** HAProxy's `0d 0h00m03s`. */
export function describeUptime(seconds: number): string {
  const two = (n: number) => String(Math.floor(n)).padStart(2, "0");
  const days = Math.floor(seconds / 86400);
  const hours = Math.floor((seconds % 86400) / 3600);
  return `${days}d ${hours}h${two((seconds % 3600) / 60)}m${two(seconds % 60)}s`;
}
