import type { ClientConnection } from "./client-connection.js";
import type { ExchangeTimes } from "./exchange-times.js";
import type { ExchangeTrace } from "./log/exchange-trace.js";
import type { Route } from "./route.js";

/** Writes the line of an exchange that is about to end. `holdsServer`: a server still counts it as a session. */
export function logExchange(
  { exchangeLog, engine, config, backend }: Route,
  client: ClientConnection,
  trace: ExchangeTrace,
  { startedMs, queueMs, connectMs, answerMs }: ExchangeTimes,
  request: string | null,
  answerBytes: number,
  holdsServer: boolean,
): void {
  const { counts } = exchangeLog;
  const beganMs = client.requestBeganMs < 0 ? startedMs : client.requestBeganMs;
  exchangeLog.write({
    clientAddress: client.connection.remoteAddress,
    clientPort: client.connection.remotePort,
    frontend: config.name,
    overTls: client.overTls,
    backend: backend.name,
    server: trace.server < 0 ? null : config.servers[trace.server].name,
    beganEpochMs: exchangeLog.epochMs(beganMs),
    requestMs: Math.round(startedMs - beganMs),
    queueMs: Math.round(queueMs),
    connectMs: Math.round(connectMs),
    responseMs: Math.round(answerMs),
    totalMs: Math.round(engine.now() - beganMs),
    status: trace.status,
    bytes: client.sentBytes + answerBytes,
    cause: trace.cause,
    stage: trace.stage,
    cookies: trace.cookies,
    processConnections: counts.process(),
    frontendConnections: counts.frontend(),
    // Of the others: HAProxy has taken this one away by then.
    backendSessions: counts.backend() - 1,
    serverSessions: trace.server < 0 ? 0 : counts.server(trace.server) - (holdsServer ? 1 : 0),
    retries: trace.retries,
    isRedispatched: trace.isRedispatched,
    serverQueue: trace.serverQueue,
    backendQueue: trace.backendQueue,
    request,
    ...(client.requestId !== null && { requestId: client.requestId }),
  });
}
