import type { Exchange } from "./exchange.js";

/** Writes the line of an exchange that is about to end. `answerBytes`: of an answer that it is about to get. */
export function logExchange(exchange: Exchange, answerBytes: number): void {
  const { client, search, trace } = exchange;
  const { startedMs, queueMs, connectMs, answerMs } = exchange.times;
  const { exchangeLog, engine, config, backend } = exchange.route;
  const { counts } = exchangeLog;
  const beganMs = client.trace.beganMs < 0 ? startedMs : client.trace.beganMs;
  exchangeLog.write({
    clientAddress: client.connection.remoteAddress,
    clientPort: client.connection.remotePort,
    frontend: config.name,
    overTls: client.overTls,
    backend: backend.name,
    server: search.lastServer < 0 ? null : config.servers[search.lastServer].name,
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
    serverSessions:
      search.lastServer < 0 ? 0 : counts.server(search.lastServer) - (search.server < 0 ? 0 : 1),
    retries: trace.retries,
    isRedispatched: trace.isRedispatched,
    serverQueue: search.serverQueue,
    backendQueue: search.backendQueue,
    request: client.trace.line ?? exchange.requestLine,
    ...(client.trace.id !== null && { requestId: client.trace.id }),
  });
}
