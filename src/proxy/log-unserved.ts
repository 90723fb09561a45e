import type { Connection } from "./engine/engine.js";
import { type Cause, Stage } from "./log/termination.js";
import type { ProxyInstance } from "./proxy-instance.js";

/** A request, or the lack of one, that no server has heard of. Times on the engine's clock. */
export interface Unserved {
  readonly overTls: boolean;
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
}

/** Writes the line of what was answered here, or was no request. */
export function logUnserved(
  { exchangeLog, config, engine }: ProxyInstance,
  { remoteAddress, remotePort }: Connection,
  { overTls, status, bytes, cause, beganMs, requestMs, request, requestId, isNull }: Unserved,
): void {
  exchangeLog.write(
    {
      clientAddress: remoteAddress,
      clientPort: remotePort,
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
  );
}
