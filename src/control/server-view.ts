import type { ProxyConfig } from "../config/config.js";
import { agentFall, agentRise } from "../proxy/health/agent-state.js";
import type { CheckStatus } from "../proxy/health/check-status.js";
import { warmth, weightScale } from "../proxy/health/effective-weight.js";
import { type AdminState, downtimeMs, isStopped, type ServerState } from "../proxy/health/server-state.js";
import type { ServerTable } from "../proxy/health/server-table.js";
import { statusWord } from "../proxy/health/status-word.js";

/** A server's health and state at one instant, in HAProxy's terms. */
export interface ServerView {
  /** `UP 2/3`, `no check`, … */
  readonly status: string;
  /** Where it is: the configuration's word, or an operator's. */
  readonly host: string;
  readonly port: number;
  readonly checkPort: number | null;
  readonly admin: AdminState;
  readonly isStopped: boolean;
  /** Takes requests now. */
  readonly isUsable: boolean;
  /** Of the full weight, 0 to 1; below 1 while it warms up. */
  readonly warmth: number;
  /** What its requests are shared by now, in units of weight, rounded up. */
  readonly weight: number;
  /** The operator's, or the configuration's. */
  readonly userWeight: number;
  readonly lastChangeMs: number;
  readonly downtimeMs: number;
  readonly check: CheckView | null;
  readonly agent: AgentView | null;
  /** Requests at once, 0: no limit; null: as the configuration has it. */
  readonly maxconn: number | null;
}

/** What a server's agent says. */
export interface AgentView {
  readonly isEnabled: boolean;
  readonly status: CheckStatus;
  readonly isRunning: boolean;
  readonly durationMs: number | null;
  /** What there is to say beyond the status. */
  readonly detail: string;
  readonly health: number;
  readonly rise: number;
  readonly fall: number;
  /** Where it is asked now. */
  readonly host: string;
  readonly port: number;
}

/** What is known of servers beside the table: see `Checker` and `AgentChecker`. */
export interface ServerDetails {
  lastCheck(proxy: number, server: number): string;
  lastAnswer(proxy: number, server: number): string;
  /** null: it has no agent. */
  agentTarget(proxy: number, server: number): { readonly host: string; readonly port: number } | null;
}

/** What the checks of a server say; it is there while they run. */
export interface CheckView {
  readonly status: CheckStatus;
  readonly isRunning: boolean;
  readonly code: number | null;
  readonly durationMs: number | null;
  /** What there is to say beyond the status. */
  readonly detail: string;
  readonly health: number;
  readonly rise: number;
  readonly fall: number;
  readonly failed: number;
  readonly downs: number;
  /** null: requests are not observed. */
  readonly errorLimits: number | null;
}

export interface BackendView {
  readonly isUp: boolean;
  readonly downs: number;
  readonly lastChangeMs: number;
  readonly downtimeMs: number;
  /** Servers and backup servers that take requests now. */
  readonly active: number;
  readonly backup: number;
  /** Of those that share the requests now. */
  readonly weight: number;
  /** The same, as operators set it. */
  readonly userWeight: number;
  readonly servers: readonly ServerView[];
}

/** Reads the states of all servers. `nowMs`: process-wide monotonic clock. */
export function viewServers(
  table: ServerTable,
  proxies: readonly ProxyConfig[],
  nowMs: number,
  details: ServerDetails,
): BackendView[] {
  return proxies.map((proxy, proxyIndex) => {
    const servers = proxy.servers.map((_, server) =>
      viewServer(table, proxy, proxyIndex, server, nowMs, details),
    );
    const usable = (backup: boolean) =>
      proxy.servers.flatMap((server, i) =>
        (server.backup === true) === backup && servers[i].isUsable ? [servers[i]] : [],
      );
    const active = usable(false);
    const backup = usable(true);
    const sharing = active.length > 0 ? active : proxy.allBackups === true ? backup : backup.slice(0, 1);
    const state = table.readBackend(proxyIndex);
    return {
      isUp: state.hasServer,
      downs: state.downs,
      lastChangeMs: nowMs - state.changedMs,
      downtimeMs: state.downtimeMs + (state.hasServer ? 0 : nowMs - state.changedMs),
      active: active.length,
      backup: backup.length,
      weight: sharing.reduce((sum, server) => sum + server.weight, 0),
      userWeight: sharing.reduce((sum, server) => sum + server.userWeight, 0),
      servers,
    };
  });
}

function viewServer(
  table: ServerTable,
  proxy: ProxyConfig,
  proxyIndex: number,
  serverIndex: number,
  nowMs: number,
  details: ServerDetails,
): ServerView {
  const config = proxy.servers[serverIndex];
  const state = table.read(proxyIndex, serverIndex);
  const effective = table.effectiveWeight(proxyIndex, serverIndex);
  const { check } = config;
  const target = table.effectiveServer(proxyIndex, serverIndex);
  return {
    host: target.host,
    port: target.port,
    checkPort: target.check?.port ?? null,
    status: statusWord(state, config),
    admin: state.admin,
    isStopped: isStopped(state, config),
    isUsable: effective > 0,
    warmth: effective > 0 ? warmth(state, config, nowMs) : 1,
    // HAProxy shows a drained or down server's weight all the same.
    weight: effective > 0 ? Math.ceil(effective / weightScale) : state.weight,
    userWeight: state.weight,
    lastChangeMs: nowMs - state.changedMs,
    downtimeMs: downtimeMs(state, config, nowMs),
    check:
      check === undefined
        ? null
        : {
            ...viewCheck(state),
            isRunning: table.isChecking(proxyIndex, serverIndex),
            detail: details.lastCheck(proxyIndex, serverIndex),
            rise: check.rise,
            fall: check.fall,
            errorLimits: check.observe === undefined ? null : state.errorLimits,
          },
    agent: viewAgent(state, details, proxyIndex, serverIndex, table),
    maxconn: state.maxconn,
  };
}

function viewAgent(
  { agent }: ServerState,
  details: ServerDetails,
  proxy: number,
  server: number,
  table: ServerTable,
): AgentView | null {
  const target = details.agentTarget(proxy, server);
  if (agent === null || target === null) return null;
  return {
    ...agent,
    isRunning: table.isAsking(proxy, server),
    detail: details.lastAnswer(proxy, server),
    rise: agentRise,
    fall: agentFall,
    host: target.host,
    port: target.port,
  };
}

function viewCheck(state: ServerState) {
  return {
    status: state.checkStatus,
    code: state.checkCode,
    durationMs: state.checkDurationMs,
    health: state.health,
    failed: state.failedChecks,
    downs: state.downs,
  };
}
