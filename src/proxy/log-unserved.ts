import type { ClientConnection } from "./client-connection.js";
import { Cause, Stage } from "./log/termination.js";
import type { ProxyInstance } from "./proxy-instance.js";

type Client = Pick<ClientConnection, "connection" | "overTls" | "trace" | "sentBytes">;

/** A request, or the lack of one, that no server has heard of. Times on the engine's clock. */
interface Unserved {
  /** What the client got; −1: nothing. */
  readonly status: number;
  readonly bytes: number;
  readonly cause: Cause;
  readonly beganMs: number;
  /** From there to the end of its head; −1: it never was whole. */
  readonly requestMs: number;
  /** The request line; null: it never was whole. */
  readonly request: string | null;
  readonly requestId: string | null;
  /** The client has said nothing at all: dontlognull leaves it out. */
  readonly isNull: boolean;
  /** A rule has answered it. */
  readonly isByRule?: boolean;
}

/**
 * Writes the line of a client of whom no request came. `sinceMs`: from when that counts if no part of a head came. HAProxy counts no bytes of an
 * answer here.
 */
export function logRefused(
  proxy: ProxyInstance,
  client: Client,
  status: number,
  cause: Cause,
  sinceMs: number,
  isNull: boolean,
): void {
  const beganMs = client.trace.refused(sinceMs);
  write(proxy, client, {
    status,
    bytes: 0,
    cause,
    beganMs,
    requestMs: -1,
    request: null,
    requestId: null,
    isNull,
  });
}

/** Writes the line of a request that a rule has answered; all of the answer has been sent. */
export function logAnswered(proxy: ProxyInstance, client: Client, status: number, isDenied: boolean): void {
  if (!proxy.exchangeLog.isOn) return;
  const { trace, sentBytes } = client;
  const nowMs = proxy.engine.now();
  const beganMs = trace.beganMs < 0 ? nowMs : trace.beganMs;
  write(proxy, client, {
    status,
    bytes: sentBytes,
    cause: isDenied ? Cause.proxy : Cause.local,
    beganMs,
    requestMs: nowMs - beganMs,
    request: trace.line,
    requestId: trace.id,
    isNull: false,
    isByRule: true,
  });
}

function write(
  { exchangeLog, config, engine }: ProxyInstance,
  { connection, overTls }: Client,
  { status, bytes, cause, beganMs, requestMs, request, requestId, isNull, isByRule }: Unserved,
): void {
  exchangeLog.write(
    {
      clientAddress: connection.remoteAddress,
      clientPort: connection.remotePort,
      frontend: config.name,
      overTls,
      backend: config.name,
      server: null,
      beganEpochMs: exchangeLog.epochMs(beganMs),
      requestMs: Math.round(requestMs),
      queueMs: -1,
      connectMs: -1,
      responseMs: -1,
      totalMs: Math.round(engine.now() - beganMs),
      status,
      bytes,
      cause,
      stage: Stage.request,
      cookies: "--",
      processConnections: exchangeLog.counts.process(),
      frontendConnections: exchangeLog.counts.frontend(),
      backendSessions: 0,
      serverSessions: 0,
      retries: 0,
      isRedispatched: false,
      serverQueue: 0,
      backendQueue: 0,
      request,
      ...(request !== null && requestId !== null && { requestId }),
    },
    isNull,
    isByRule,
  );
}
