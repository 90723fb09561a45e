import type { OnError, ServerConfig } from "../../config/server-config.js";
import { type AgentInput, type AgentState, handleAgent, initialAgent, isAgentDown } from "./agent-state.js";
import { type CheckResult, type CheckStatus, checkStatuses } from "./check-status.js";

/**
 * One server's health and administrative state, as HAProxy counts it. Pure.
 *
 *     health  0 … rise−1   down; each success adds 1, a failure begins anew at 0
 *             rise … rise+fall−1   up; a failure takes 1 away, a success makes it whole again
 *
 * A server starts at `rise`: up, and down at its first failure.
 */
export interface ServerState {
  readonly admin: AdminState;
  readonly health: number;
  /** 0–256; the operator's, before slow start. */
  readonly weight: number;
  /** An agent's or an operator's limit of requests at once, 0: none; null: the configuration's. */
  readonly maxconn: number | null;
  /** null: it has none. */
  readonly agent: AgentState | null;
  /** Monotonic ms of the last change between up, down, drain and maintenance. */
  readonly changedMs: number;
  /** Time down or in maintenance before `changedMs`. */
  readonly downtimeMs: number;
  /** When it last came up, for slow start; null: it was up from the start. */
  readonly cameUpMs: number | null;
  readonly checkStatus: CheckStatus;
  readonly checkCode: number | null;
  /** null: no check has ended yet. */
  readonly checkDurationMs: number | null;
  /** Failed checks while it was up, or on its way there. */
  readonly failedChecks: number;
  /** Times that it went down. */
  readonly downs: number;
  /** Times that errors of requests reached their limit. */
  readonly errorLimits: number;
  /** Times that its checks found it up after they had found it down. */
  readonly recoveries: number;
}

/** HAProxy's ready, drain and maint of `set server … state`. */
export type AdminState = "ready" | "drain" | "maint";

export type ServerInput =
  | { readonly kind: "checked"; readonly result: CheckResult }
  /** So many errors of requests in a row: HAProxy's error-limit is reached. */
  | { readonly kind: "errors"; readonly count: number; readonly onError: OnError }
  /** HAProxy's `set server … health`: holds until the next check says otherwise. */
  | { readonly kind: "health"; readonly health: "up" | "down" }
  /** `reason`: who asked for it, where that is no operator. */
  | { readonly kind: "admin"; readonly state: AdminState; readonly reason?: string }
  | { readonly kind: "weight"; readonly weight: number }
  | { readonly kind: "maxconn"; readonly maxconn: number }
  | AgentInput;

/** What an operator should read in the log. */
export interface Transition {
  readonly to: "UP" | "DOWN" | "DRAIN" | "MAINT" | "READY";
  /** One sentence without a full stop. */
  readonly reason: string;
}

export interface Handled {
  readonly state: ServerState;
  readonly transition: Transition | null;
}

export function initialState(server: ServerConfig, nowMs: number): ServerState {
  return {
    admin: server.disabled === true ? "maint" : "ready",
    health: server.check?.rise ?? 0,
    weight: server.weight ?? 1,
    maxconn: null,
    agent: initialAgent(server),
    changedMs: nowMs,
    downtimeMs: 0,
    cameUpMs: null,
    checkStatus: "INI",
    checkCode: null,
    checkDurationMs: null,
    failedChecks: 0,
    downs: 0,
    errorLimits: 0,
    recoveries: 0,
  };
}

/** Takes no requests by its health: HAProxy's SRV_ST_STOPPED. A server without checks is never down. */
export function isDown(state: ServerState, server: ServerConfig): boolean {
  return server.check !== undefined && state.health < server.check.rise;
}

/** Down by its checks or its agent, or in maintenance. */
export function isStopped(state: ServerState, server: ServerConfig): boolean {
  return state.admin === "maint" || isDown(state, server) || isAgentDown(state.agent);
}

/** Its first check, since the start or since it left maintenance, has not ended: whether it is up is not known. */
export function awaitsCheck(state: ServerState, server: ServerConfig): boolean {
  return server.check !== undefined && state.admin !== "maint" && state.checkStatus === "INI";
}

export function handleServer(
  state: ServerState,
  input: ServerInput,
  server: ServerConfig,
  nowMs: number,
): Handled {
  switch (input.kind) {
    case "checked":
      return handleResult(state, input.result, server, nowMs);
    case "errors":
      return handleErrors(state, input.count, input.onError, server, nowMs);
    case "admin":
      return handleAdmin(state, input.state, input.reason ?? "an operator asked for it", server, nowMs);
    case "health":
      return handleHealth(state, input.health, server, nowMs);
    case "weight":
      return { state: { ...state, weight: input.weight }, transition: null };
    case "maxconn":
      return { state: { ...state, maxconn: input.maxconn }, transition: null };
    default: {
      if (state.agent === null) return { state, transition: null };
      const { agent, reason } = handleAgent(state.agent, input);
      return settle(state, { ...state, agent }, server, reason, nowMs);
    }
  }
}

/** In maintenance nothing is checked; a result that was on its way then says nothing. */
function handleResult(state: ServerState, result: CheckResult, server: ServerConfig, nowMs: number): Handled {
  const { check } = server;
  if (check === undefined || state.admin === "maint") return { state, transition: null };
  const noted: ServerState = {
    ...state,
    checkStatus: result.status,
    checkCode: result.code,
    checkDurationMs: result.durationMs,
  };
  const reason = describeResult(result);
  if (checkStatuses[result.status].passed !== true) return fail(noted, server, reason, nowMs);
  const whole = check.rise + check.fall - 1;
  const health = noted.health + 1 >= check.rise ? whole : noted.health + 1;
  return settle(state, { ...noted, health }, server, reason, nowMs);
}

/** One step down; at `rise` it is the last one. */
function fail(state: ServerState, server: ServerConfig, reason: string, nowMs: number): Handled {
  const { check } = server;
  if (check === undefined || state.health === 0) return { state, transition: null };
  const health = state.health > check.rise ? state.health - 1 : 0;
  const next = { ...state, health, failedChecks: state.failedChecks + 1 };
  return settle(state, next, server, reason, nowMs);
}

/** HAProxy's on-error. All of them have the next check come sooner, which is for the caller to do. */
function handleErrors(
  state: ServerState,
  count: number,
  onError: OnError,
  server: ServerConfig,
  nowMs: number,
): Handled {
  const { check } = server;
  if (check === undefined || isStopped(state, server)) return { state, transition: null };
  const counted = { ...state, errorLimits: state.errorLimits + 1 };
  if (onError === "fastinter") return { state: counted, transition: null };
  const health =
    onError === "mark-down"
      ? check.rise
      : onError === "sudden-death"
        ? Math.min(state.health, check.rise + 1)
        : state.health;
  const noted: ServerState = { ...counted, health, checkStatus: "HANA", checkCode: null };
  return fail(noted, server, `${checkStatuses.HANA.text}, ${describeErrors(count)}`, nowMs);
}

/** What `last_chk` says after it. */
export function describeErrors(count: number): string {
  return `${count} errors of requests in a row`;
}

/** A server that leaves maintenance is taken for up, and goes down at its first failed check. */
function handleAdmin(
  state: ServerState,
  admin: AdminState,
  reason: string,
  server: ServerConfig,
  nowMs: number,
): Handled {
  if (state.admin === admin) return { state, transition: null };
  const leaves = state.admin === "maint";
  const next: ServerState = {
    ...state,
    admin,
    ...(leaves && { health: server.check?.rise ?? 0, checkStatus: "INI" as const, checkCode: null }),
  };
  const word = admin === "maint" ? "MAINT" : admin === "drain" ? "DRAIN" : "READY";
  const { state: settled } = settle(state, next, server, "", nowMs);
  return { state: settled, transition: { to: word, reason } };
}

/** As if its checks had found it so, to the last of them. */
function handleHealth(
  state: ServerState,
  health: "up" | "down",
  server: ServerConfig,
  nowMs: number,
): Handled {
  const { check } = server;
  if (check === undefined || state.admin === "maint") return { state, transition: null };
  const next = { ...state, health: health === "up" ? check.rise + check.fall - 1 : 0 };
  return settle(state, next, server, "an operator said so", nowMs);
}

/** Keeps the books of a step from `before` to `after`. */
function settle(
  before: ServerState,
  after: ServerState,
  server: ServerConfig,
  reason: string,
  nowMs: number,
): Handled {
  const wasStopped = isStopped(before, server);
  const stops = isStopped(after, server);
  const changed = wasStopped !== stops || before.admin !== after.admin;
  if (!changed) return { state: after, transition: null };
  const state: ServerState = {
    ...after,
    changedMs: nowMs,
    downtimeMs: after.downtimeMs + (wasStopped ? nowMs - before.changedMs : 0),
    ...(wasStopped && !stops && { cameUpMs: nowMs, recoveries: after.recoveries + 1 }),
    ...(!wasStopped && stops && { downs: after.downs + 1 }),
  };
  if (wasStopped === stops) return { state, transition: null };
  return { state, transition: { to: stops ? "DOWN" : "UP", reason } };
}

/** `Layer7 wrong status, code 503, Service Unavailable`, in the order of HAProxy's log line. */
function describeResult({ status, code, detail }: CheckResult): string {
  const parts: string[] = [checkStatuses[status].text];
  if (code !== null) parts.push(`code ${code}`);
  if (detail !== "") parts.push(detail);
  return parts.join(", ");
}

/** HAProxy's inter, fastinter, downinter: how long after a check's start the next one begins. */
export function nextIntervalMs(state: ServerState, server: ServerConfig): number {
  const { check } = server;
  if (check === undefined) return Number.POSITIVE_INFINITY;
  if (state.health === check.rise + check.fall - 1) return check.intervalMs;
  return state.health === 0 ? check.downIntervalMs : check.fastIntervalMs;
}

/** The whole time down or in maintenance. */
export function downtimeMs(state: ServerState, server: ServerConfig, nowMs: number): number {
  return state.downtimeMs + (isStopped(state, server) ? nowMs - state.changedMs : 0);
}
