import type { ProxyConfig } from "../config/config.js";
import { arrivalsOf } from "./arrival.js";
import type { Backend } from "./backend.js";
import type { Balancer } from "./balance/balancer.js";
import type { RequestKey } from "./balance/request-key.js";
import type { Client } from "./client.js";
import { ClientConnection } from "./client-connection.js";
import type {
  Acceptor,
  Connection,
  ConnectionHandler,
  Engine,
  Listener,
  TlsTermination,
} from "./engine/engine.js";
import { Roster } from "./engine/roster.js";
import { ForwardedForLines } from "./forwarded-for-lines.js";
import { defaultMaxFields, type HeadLimits } from "./http1/head.js";
import { RequestHeads, type ResponseHeads } from "./http1/known-heads.js";
import type { ExchangeLog } from "./log/exchange-log.js";
import type { ProxyCounters } from "./proxy-counters.js";
import { RequestRules } from "./request-rules.js";
import type { RetryPolicy } from "./retry-policy.js";
import { TcpSession } from "./tcp-session.js";
import { type Certificates, noTls, type ThreadTls } from "./tls/certificate.js";
import type { UpstreamConnection } from "./upstream-connection.js";
import type { UpstreamPool } from "./upstream-pool.js";

/** A connection that has waited this long for a request hardly has one on its way just now. */
const restingMs = 1_000;

/** Something that an operator should read in the log. */
export type ProxyEvent = (fields: Record<string, string | number>, message: string) => void;

/** The first address that the proxy listens on, or that of its first server when it listens on all. */
function authorityOf({ listen, servers }: ProxyConfig): string {
  const [first] = listen;
  const isWildcard = first === undefined || first.address === "0.0.0.0" || first.address === "::";
  const host = isWildcard ? (servers[0]?.host ?? "localhost") : first.address;
  const port = isWildcard ? (servers[0]?.port ?? 80) : first.port;
  const literal = host.includes(":") ? `[${host}]` : host;
  return port === 80 ? literal : `${literal}:${port}`;
}

/**
 * One proxy that clients come to, inside one data thread: what its connections share, and whose servers serve them. Nothing in here is shared with another thread but the
 * cells behind `counters`.
 */
export class ProxyInstance implements Acceptor {
  readonly balancer: Balancer;
  /** What requests are hashed by; null: by nothing. */
  readonly requestKey: RequestKey | null;
  readonly pool: UpstreamPool;
  readonly retryPolicy: RetryPolicy;
  readonly limits: HeadLimits;
  /** null: requests go on as they come. */
  readonly rules: RequestRules | null;
  /** Parsed into and read within one call of a handler, so these serve every connection of the thread. */
  readonly requestHeads: RequestHeads;
  readonly responseHeads: ResponseHeads;
  /** What an HTTP/1.0 request that names no host has meant: the address that it came to. */
  readonly fallbackHost: Uint8Array;
  readonly forwardedForLines = new ForwardedForLines();
  readonly clients = new Roster<Client>();
  /** Called when `closing` and the last client has left. */
  emptied: (() => void) | null = null;
  /** The address is about to move or the process to end: answers say `Connection: close`. */
  closing = false;
  /** Nothing new comes any more. */
  draining = false;
  /** Clients wait in the backlog until others have gone. */
  private isFull = false;
  private readonly listeners: Listener[] = [];
  private readonly terminations: TlsTermination[] = [];

  constructor(
    readonly config: ProxyConfig,
    readonly engine: Engine,
    readonly counters: ProxyCounters,
    readonly backend: Backend,
    readonly event: ProxyEvent,
    /** Process-wide monotonic time minus `engine.now()`. */
    private readonly monotonicOffsetMs: number,
    /** Which limit stands against one more client, as a few words for the log; null: none. */
    private readonly limitReached: () => string | null,
    /** Where exchanges are told of when they are over. */
    readonly exchangeLog: ExchangeLog,
    /** The memory of its rate limits, shared by all data threads. */
    ruleCounters: readonly SharedArrayBuffer[] = [],
  ) {
    this.balancer = backend.balancer;
    this.requestKey = backend.requestKey;
    this.pool = backend.pool;
    this.retryPolicy = backend.retryPolicy;
    this.fallbackHost = Buffer.from(`Host: ${authorityOf(config)}\r\n`);
    this.limits = { maxHeadBytes: config.maxHeadBytes, maxFields: defaultMaxFields };
    this.requestHeads = new RequestHeads(engine.memory, this.limits);
    this.responseHeads = backend.responseHeads;
    this.rules =
      config.rules === undefined ? null : new RequestRules(config.rules, ruleCounters, this.limits);
  }

  /** Takes clients from a listening socket, that of `config.listen[place]`; the engine owns the descriptor from now on. */
  listen(descriptor: number, place: number, tls: ThreadTls = noTls): Listener {
    const { tls: config } = this.config.listen[place];
    let termination: TlsTermination | null = null;
    if (config !== undefined) {
      termination = this.engine.termination(config, tls.certificates, tls.ticketKeys);
      if (termination === null)
        throw new Error(`${this.config.name}: the ${this.engine.name} engine speaks no TLS`);
      this.terminations.push(termination);
    }
    const listener = this.engine.listen(descriptor, arrivalsOf(this, place, termination));
    this.listeners.push(listener);
    return listener;
  }

  /** Clients that come from now on are shown these. */
  renewCertificates(certificates: Certificates): void {
    for (const termination of this.terminations) termination.renew(certificates);
  }

  admits(): boolean {
    const reason = this.limitReached();
    if (reason !== null && !this.isFull) {
      this.counters.limitReached();
      this.event({ event: "accept", proxy: this.config.name, reason }, "clients wait for others to leave");
    }
    this.isFull = reason !== null;
    return !this.isFull;
  }

  failed(errorCode: string): void {
    this.event({ event: "accept", proxy: this.config.name, reason: errorCode }, "no client can be accepted");
  }

  accept(connection: Connection): ConnectionHandler {
    this.counters.clientConnected();
    return this.serve(connection, false);
  }

  /** The client of `connection` may speak its protocol now; returns who hears it. */
  serve(connection: Connection, overTls: boolean): ConnectionHandler {
    if (this.config.mode === "tcp") {
      const session = new TcpSession(this, connection);
      this.clients.add(session);
      session.begin();
      return session;
    }
    const client = new ClientConnection(this, connection, overTls);
    this.clients.add(client);
    return client;
  }

  /** A client's connection is gone. */
  left(client: Client): void {
    this.clients.delete(client);
    if (this.isFull) for (const listener of this.listeners) listener.admitAgain();
    if (this.closing && this.clients.size === 0) this.emptied?.();
  }

  monotonicMs(): number {
    return this.engine.now() + this.monotonicOffsetMs;
  }

  /** Tells who reads the log when a server stops or starts to be reachable, not for each request. */
  serverFailed(server: number, reason: string): void {
    this.counters.serverFailed(server, this.monotonicMs());
    const first = this.balancer.failed(server, this.engine.now());
    if (!first) return;
    const { name, host, port } = this.config.servers[server];
    this.event(
      { event: "server", proxy: this.backend.name, server: name, address: `${host}:${port}`, reason },
      "server cannot be reached, its requests go to the others",
    );
  }

  serverReached(server: number): void {
    this.counters.serverReached(server, this.monotonicMs());
    if (!this.balancer.reached(server)) return;
    const { name, host, port } = this.config.servers[server];
    this.event(
      { event: "server", proxy: this.backend.name, server: name, address: `${host}:${port}` },
      "server can be reached again",
    );
  }

  /**
   * The address is about to move: every answer closes its connection from now on. A connection that rests is closed at
   * once, so that its client does not send its next request to a machine that never heard of it.
   */
  handOver(): void {
    this.closing = true;
    this.closeIdle(restingMs);
  }

  /** The address is back: connections are kept open again. */
  stay(): void {
    this.closing = false;
  }

  /** Closes the connections that have waited for a request for so long: FIN, so that the client sees a clean end. */
  closeIdle(idleForMs: number): void {
    const now = this.engine.now();
    for (const client of this.clients.list()) client.closeIfIdle(now - idleForMs);
  }

  /** Nothing new comes: connections end with their exchange, client connections and pools alike. */
  drain(): void {
    this.closing = true;
    this.draining = true;
    this.closeIdle(0);
    for (const upstream of this.pool.drain()) upstream.closeIdle();
  }

  /** Cuts what is left. Returns how many client connections that were. */
  cut(): number {
    const left = this.clients.list();
    for (const client of left) client.cut();
    return left.length;
  }

  /** An upstream connection whose exchange is over: kept for the next request, or closed. */
  release(upstream: UpstreamConnection, reusable: boolean): void {
    this.counters.usedConnections(upstream.server, -1);
    if (reusable && !this.draining && upstream.pool.put(upstream.server, upstream)) {
      this.counters.idleConnections(upstream.server, 1);
      upstream.rest(this.engine.now());
      return;
    }
    upstream.connection.close(false);
  }
}
