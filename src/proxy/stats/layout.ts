/**
 * Where each counter stands in the shared table.
 *
 * The table is one SharedArrayBuffer of float64 cells: one block per data thread (its only writer), in it one
 * row per proxy side and server, and one block for what was counted before a reload. Readers sum over the blocks. A float64 counts bytes exactly up to 2^53, and an
 * aligned 8-byte store does not tear on the processors that Node runs on.
 */

import { latencyCells } from "./latency.js";

/** Cells of one row. The same set for FRONTEND, servers and BACKEND: a row leaves what does not apply at 0. */
export const Cell = {
  /** Sessions now (connections for a frontend, exchanges for servers and backend). */
  sessionsCurrent: 0,
  /** Highest `sessionsCurrent` that this thread has seen. */
  sessionsMax: 1,
  sessionsTotal: 2,
  /** Request bytes, heads included, as received from the client / as sent to the server. */
  bytesIn: 3,
  /** Response bytes, heads included. */
  bytesOut: 4,
  requestsDenied: 5,
  responsesDenied: 6,
  /** Requests that were refused as malformed, too slow, or cut by the client before the head was whole. */
  requestErrors: 7,
  /** Failed attempts to connect to a server (refused, reset, time-out). */
  connectErrors: 8,
  /** Broken, cut or timed-out responses; includes `serverAborts`. */
  responseErrors: 9,
  /** Attempts repeated on the same server. */
  retries: 10,
  /** Requests moved to another server. */
  redispatches: 11,
  responses1xx: 12,
  responses2xx: 13,
  responses3xx: 14,
  responses4xx: 15,
  responses5xx: 16,
  responsesOther: 17,
  requestsTotal: 18,
  clientAborts: 19,
  serverAborts: 20,
  /** Times that the balancer chose this server (or, for a backend, any). */
  selections: 21,
  /** Connections opened to a server. */
  connectsTotal: 22,
  /** Requests that went over a pooled connection. */
  reuses: 23,
  /** Pooled idle connections now. */
  idleConnections: 24,
  /** Connections to the server in use now. */
  usedConnections: 25,
  connectionsTotal: 26,
  /** Monotonic ms (process-wide clock) of the last selection; 0: never. */
  lastSessionMs: 27,
  /** Answers that rules gave without refusing the request, HAProxy's `intercepted`. */
  intercepted: 28,
  /** Internal errors. */
  internalErrors: 29,
  /** Sliding sums over the last 1024 requests, and their greatest value, in ms. */
  connectTimeSum: 30,
  responseTimeSum: 31,
  totalTimeSum: 32,
  timedRequests: 33,
  connectTimeMax: 34,
  responseTimeMax: 35,
  totalTimeMax: 36,
  /** Monotonic ms of the last time that a server could not be reached, and could; 0: never. */
  lastFailedMs: 37,
  lastReachedMs: 38,
  /** Errors of this thread's requests in a row, of a server that is observed (HAProxy's error-limit). */
  errorsInRow: 39,
  /** Times that a limit of connections was reached, and clients began to wait in the backlog. */
  limitReached: 40,
  /** Who waits now: for this server, or for any server of this backend. */
  queueCurrent: 41,
  queueMax: 42,
  /** Sliding sum and maximum of the time in queues, ms. */
  queueTimeSum: 43,
  queueTimeMax: 44,
  /** Clients that a connection rule cut off. */
  connectionsDenied: 45,
  /** Requests that left in one packet with others (`pipelining`), and those of them that had to be asked again elsewhere. */
  pipelined: 46,
  leftBehind: 47,
  /** Handshakes of TLS with clients that were done, those of them that resumed a session, and those that failed. */
  tlsSessions: 48,
  tlsResumed: 49,
  tlsFailed: 50,
  /** Connections and streams of HTTP/2: now, and in all. */
  http2ConnectionsCurrent: 51,
  http2ConnectionsTotal: 52,
  http2StreamsCurrent: 53,
  http2StreamsTotal: 54,
} as const;

export type Cell = (typeof Cell)[keyof typeof Cell];

/** Where a row's histograms begin, behind its other cells (`latency.ts`). */
export const latencyCell = Object.keys(Cell).length;

/** Cells per row, padded so that two rows never share a cache line. */
export const rowCells = 8 * Math.ceil((latencyCell + latencyCells) / 8);

/** Leading cells of a thread's block, before its rows. */
export const ThreadCell = {
  /** Grows while the thread's loop turns: the main thread sees a stuck loop by it. */
  heartbeat: 0,
  connectionsCurrent: 1,
  /** Share of the last second that the loop was idle, 0–100. */
  idlePercent: 2,
  /** Pipes of the engine: with bytes in them, and waiting for the next transfer. */
  pipesUsed: 3,
  pipesFree: 4,
  /** Invalid requests and responses since the thread's configuration began. */
  invalidMessages: 5,
} as const;
export const threadHeaderCells = 8;
