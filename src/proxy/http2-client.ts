import type { Client } from "./client.js";
import { ClientConnection } from "./client-connection.js";
import type { Connection, ConnectionHandler, DeadlineKind, StreamHost, Streams } from "./engine/engine.js";
import { Roster } from "./engine/roster.js";
import type { ProxyInstance } from "./proxy-instance.js";
import type { SessionReport } from "./session-report.js";

/** A connection that we end has so long to go away by itself. */
const lingerMs = 2_000;
/** A client that was told of the end and has no request open may have one on its way. */
const lastRequestMs = 500;

/**
 * A client's connection that speaks HTTP/2: each of its streams is served as a connection of HTTP/1.1 with one request, while
 * limits, counters and drain see one client.
 */
export class Http2Client implements ConnectionHandler, Client, StreamHost {
  rosterPlace = -1;
  sessionId = 0;
  private readonly multiplexer: Streams;
  private readonly requests = new Roster<ClientConnection>();
  private readonly beganMs: number;
  private idleSinceMs: number;
  private isOver = false;
  private isEnding = false;

  constructor(
    private readonly proxy: ProxyInstance,
    private readonly connection: Connection,
  ) {
    this.beganMs = proxy.engine.now();
    this.idleSinceMs = this.beganMs;
    this.multiplexer = connection.multiplex(this);
    proxy.counters.http2Began();
    connection.deadline("request-head", proxy.config.timeouts.requestHeadMs);
  }

  // —— from the engine ——

  acceptStream(stream: Connection, line: string): ConnectionHandler {
    if (this.requests.size === 0 && !this.isEnding) this.connection.clearDeadline();
    const request = new ClientConnection(this.proxy, stream, true, this, line);
    this.requests.add(request);
    this.proxy.counters.streamBegan();
    return request;
  }

  connected(): void {}
  received(): void {}
  spliced(): void {}
  ended(): void {}
  drained(): void {}

  /** HAProxy's rule: http-request until the first one begins, http-keep-alive between two. */
  expired(_connection: Connection, kind: DeadlineKind): void {
    if (kind === "linger") this.leave(false);
    else this.end();
  }

  closed(): void {
    this.over();
  }

  // —— from its streams ——

  left(request: ClientConnection): void {
    const { proxy, connection } = this;
    this.requests.delete(request);
    proxy.counters.streamEnded();
    if (this.isOver) return;
    if (proxy.closing) this.multiplexer.announceEnd();
    if (this.requests.size > 0) return;
    this.idleSinceMs = proxy.engine.now();
    if (proxy.draining || this.isEnding) this.end();
    else connection.deadline("keep-alive", proxy.closing ? lastRequestMs : proxy.config.timeouts.keepAliveMs);
  }

  // —— from the proxy ——

  closeIfIdle(sinceMs: number): void {
    if (this.proxy.closing) this.multiplexer.announceEnd();
    // What is open ends by itself; nothing new is taken.
    if (this.proxy.draining || (this.requests.size === 0 && this.idleSinceMs <= sinceMs)) this.end();
  }

  cut(): void {
    this.leave(true);
  }

  kill(): void {
    this.leave(true);
  }

  report(nowMs: number): SessionReport {
    return {
      clientAddress: this.connection.remoteAddress,
      clientPort: this.connection.remotePort,
      frontend: this.proxy.config.name,
      overTls: true,
      ageMs: nowMs - this.beganMs,
      state: this.isEnding ? "closing" : "idle",
      exchange: null,
      sentBytes: 0,
      request: null,
    };
  }

  streams(): Client[] {
    return this.requests.list();
  }

  // —— inside ——

  /** No more streams: the connection ends when those that are open have. */
  private end(): void {
    if (this.isOver) return;
    if (this.requests.size === 0) this.connection.deadline("linger", lingerMs);
    this.isEnding = true;
    this.multiplexer.end();
  }

  private leave(reset: boolean): void {
    if (this.isOver) return;
    for (const request of this.requests.list()) request.cut();
    this.connection.close(reset);
    this.over();
  }

  private over(): void {
    if (this.isOver) return;
    this.isOver = true;
    this.proxy.counters.http2Ended();
    this.proxy.left(this);
  }
}
