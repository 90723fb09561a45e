import type { Connection } from "./engine/engine.js";
import type { LogRecord } from "./log/log-record.js";
import type { Route } from "./route.js";
import type { ServerSearch } from "./server-search.js";

/** What a session of mode tcp says of itself. */
interface SessionFacts
  extends Pick<LogRecord, "overTls" | "bytes" | "cause" | "stage" | "retries" | "isRedispatched"> {
  /** It has come to a backend. */
  readonly isRouted: boolean;
  /** On the engine's clock. */
  readonly startedMs: number;
  /** Spans; −1: it has not come to that. */
  readonly queueMs: number;
  readonly connectMs: number;
}

/** Writes the line of a session of mode tcp that is about to end, while the accounts still stand as they were. */
export function logSession(
  { exchangeLog, config, engine, backend }: Route,
  { remoteAddress, remotePort }: Connection,
  { server, lastServer, serverQueue, backendQueue }: ServerSearch,
  facts: SessionFacts,
): void {
  const { counts } = exchangeLog;
  const { isRouted, startedMs, queueMs, connectMs, overTls, bytes, cause, stage } = facts;
  exchangeLog.write({
    clientAddress: remoteAddress,
    clientPort: remotePort,
    frontend: config.name,
    overTls,
    // HAProxy names the frontend where it came to no backend.
    backend: isRouted ? backend.name : config.name,
    server: lastServer < 0 ? null : config.servers[lastServer].name,
    beganEpochMs: exchangeLog.epochMs(startedMs),
    requestMs: -1,
    queueMs: Math.round(queueMs),
    connectMs: Math.round(connectMs),
    responseMs: -1,
    totalMs: Math.round(engine.now() - startedMs),
    status: -1,
    bytes,
    cause,
    stage,
    cookies: "--",
    processConnections: counts.process(),
    frontendConnections: counts.frontend(),
    backendSessions: isRouted ? counts.backend() - 1 : 0,
    serverSessions: server < 0 ? 0 : counts.server(server) - 1,
    retries: facts.retries,
    isRedispatched: facts.isRedispatched,
    serverQueue,
    backendQueue,
    request: null,
  });
}
