import type { ProxyConfig } from "../config/config.js";
import type { Backend } from "./backend.js";
import type { Balancer } from "./balance/balancer.js";
import type { RequestKey } from "./balance/request-key.js";
import type { Engine } from "./engine/engine.js";
import { ErrorPages } from "./error-pages.js";
import { defaultMaxFields, type HeadLimits } from "./http1/head.js";
import type { ResponseHeads } from "./http1/known-heads.js";
import type { InvalidMessages } from "./invalid-messages.js";
import type { ExchangeLog } from "./log/exchange-log.js";
import type { ProxyCounters } from "./proxy-counters.js";
import type { ServerQueue } from "./queue/server-queue.js";
import { ResponseEdits } from "./response-edits.js";
import type { RetryPolicy } from "./retry-policy.js";
import type { Stickiness } from "./stickiness.js";
import type { UpstreamConnection } from "./upstream-connection.js";
import type { UpstreamPool } from "./upstream-pool.js";

/** Something that an operator should read in the log. */
export type ProxyEvent = (fields: Record<string, string | number>, message: string) => void;

/** What a way from a frontend to servers is made of. */
export interface RouteParts {
  /** Both sides' words (`joinSides`). */
  readonly config: ProxyConfig;
  readonly engine: Engine;
  readonly counters: ProxyCounters;
  readonly backend: Backend;
  readonly event: ProxyEvent;
  /** Process-wide monotonic time minus `engine.now()`. */
  readonly monotonicOffsetMs: number;
  /** Where exchanges are told of when they are over. */
  readonly exchangeLog: ExchangeLog;
  /** The last messages that broke a rule, of all proxies of the thread. */
  readonly invalid: InvalidMessages;
}

/**
 * A frontend's way to the servers of one backend, inside one data thread: its own, or one that its rules choose by
 * use_backend. Nothing in here is shared with another thread but the cells behind `counters`.
 */
export class Route {
  readonly config: ProxyConfig;
  readonly engine: Engine;
  readonly counters: ProxyCounters;
  readonly backend: Backend;
  readonly event: ProxyEvent;
  readonly exchangeLog: ExchangeLog;
  readonly invalid: InvalidMessages;
  readonly balancer: Balancer;
  /** What requests are hashed by; null: by nothing. */
  readonly requestKey: RequestKey | null;
  readonly pool: UpstreamPool;
  readonly retryPolicy: RetryPolicy;
  readonly limits: HeadLimits;
  /** Parsed into and read within one call of a handler. */
  readonly responseHeads: ResponseHeads;
  /** For errors that happen once a backend is there: its own error files, and then the frontend's. */
  readonly errorPages: ErrorPages;
  /** Keeps clients at their servers; null: nothing does. */
  readonly stickiness: Stickiness | null;
  /** What is changed of responses; null: nothing. */
  readonly responseEdits: ResponseEdits | null;
  /** Nothing new comes any more: connections to servers are not kept. */
  draining = false;
  private readonly monotonicOffsetMs: number;

  constructor(parts: RouteParts) {
    const { config, backend } = parts;
    this.config = config;
    this.engine = parts.engine;
    this.counters = parts.counters;
    this.backend = backend;
    this.event = parts.event;
    this.exchangeLog = parts.exchangeLog;
    this.invalid = parts.invalid;
    this.monotonicOffsetMs = parts.monotonicOffsetMs;
    this.balancer = backend.balancer;
    this.requestKey = backend.requestKey;
    this.pool = backend.pool;
    this.retryPolicy = backend.retryPolicy;
    this.limits = { maxHeadBytes: config.maxHeadBytes, maxFields: defaultMaxFields };
    this.responseHeads = backend.responseHeads;
    this.stickiness = backend.stickiness;
    const { responseRules = null } = config;
    this.responseEdits =
      backend.stickiness === null && responseRules === null
        ? null
        : new ResponseEdits(backend.stickiness, responseRules, this.limits);
    this.errorPages = new ErrorPages([...backend.errorFiles, ...(config.errorFiles ?? [])]);
  }

  /** Where requests wait for a server that has room; null: nowhere. */
  get queue(): ServerQueue | null {
    return this.backend.queue;
  }

  monotonicMs(): number {
    return this.engine.now() + this.monotonicOffsetMs;
  }

  /** Tells who reads the log when a server stops or starts to be reachable, not for each request. */
  serverFailed(server: number, reason: string): void {
    this.counters.serverFailed(server, this.monotonicMs());
    const first = this.balancer.failed(server, this.engine.now());
    if (!first) return;
    const { name, host, port } = this.backend.targets.of(server);
    this.event(
      { event: "server", proxy: this.backend.name, server: name, address: `${host}:${port}`, reason },
      "server cannot be reached, its requests go to the others",
    );
  }

  serverReached(server: number): void {
    this.counters.serverReached(server, this.monotonicMs());
    if (!this.balancer.reached(server)) return;
    const { name, host, port } = this.backend.targets.of(server);
    this.event(
      { event: "server", proxy: this.backend.name, server: name, address: `${host}:${port}` },
      "server can be reached again",
    );
  }

  /** An exchange, or a session, is at `server` no longer: its place is another's. */
  leave(server: number): void {
    this.counters.serverLeft(server);
    this.queue?.release(server);
  }

  /**
   * A connection to `server` that has rested in `pool`, for the next exchange; null: there is none that could be used.
   * `youngerThanMs`: see `UpstreamPool.take`.
   */
  takeIdle(
    pool: UpstreamPool,
    server: number,
    nowMs: number,
    youngerThanMs: number,
  ): UpstreamConnection | null {
    const { counters, backend } = this;
    let idle = pool.take(server, nowMs, youngerThanMs);
    // The server has moved to another address since.
    while (idle !== null && idle.target !== backend.targets.of(server)) {
      idle.closeIdle();
      idle = pool.take(server, nowMs, youngerThanMs);
    }
    if (idle === null) return null;
    counters.reused(server);
    counters.idleConnections(server, -1);
    counters.usedConnections(server, 1);
    return idle;
  }

  /** An upstream connection whose exchange is over: kept for the next request, or closed. */
  release(upstream: UpstreamConnection, reusable: boolean): void {
    this.counters.usedConnections(upstream.server, -1);
    const isThere = upstream.target === this.backend.targets.of(upstream.server);
    if (reusable && isThere && !this.draining && upstream.pool.put(upstream.server, upstream)) {
      this.counters.idleConnections(upstream.server, 1);
      upstream.rest(this.engine.now());
      return;
    }
    upstream.connection.close(false);
  }
}
