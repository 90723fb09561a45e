import type { ServerConfig } from "../config/config.js";
import type { Connection, ConnectionHandler, DeadlineKind } from "./engine/engine.js";
import type { Exchange } from "./exchange.js";
import { greet } from "./greeting.js";
import { HeldBytes } from "./held-bytes.js";
import { BodyFramer } from "./http1/body.js";
import { Framing, findHeadEnd } from "./http1/head.js";
import type { Route } from "./route.js";
import type { UpstreamPool } from "./upstream-pool.js";

const Phase = { connecting: 0, idle: 1, head: 2, body: 3, untilClose: 4, tunnel: 5 } as const;
type Phase = (typeof Phase)[keyof typeof Phase];

const nothing = new Uint8Array(0);

/** A connection to a server: takes one exchange at a time and turns what the server sends into that exchange's calls. */
export class UpstreamConnection implements ConnectionHandler {
  readonly connection: Connection;
  /** Where it was opened to. */
  readonly target: ServerConfig;
  /** It served an exchange before: the server may close it at any moment, through no fault of a request. */
  reused = false;
  idleSinceMs = 0;

  private phase: Phase = Phase.connecting;
  protected exchange: Exchange | null;
  protected readonly framer = new BodyFramer();
  private readonly held = new HeldBytes();
  /** Any byte of the response has come: the request must not be replayed. */
  private responseBegan = false;
  private isGreeted = false;

  constructor(
    protected readonly route: Route,
    readonly server: number,
    exchange: Exchange,
    /** Where it rests between two exchanges. */
    readonly pool: UpstreamPool,
  ) {
    this.exchange = exchange;
    this.target = route.backend.targets.of(server);
    this.connection = route.engine.connect(this.target, this);
    this.connection.deadline("connect", route.config.timeouts.connectMs);
  }

  /** Takes a pooled connection for `exchange`. */
  reuse(exchange: Exchange): void {
    this.reused = true;
    this.expectResponse(exchange);
  }

  /** Puts the connection to rest in the pool. */
  rest(nowMs: number): void {
    this.phase = Phase.idle;
    this.exchange = null;
    this.idleSinceMs = nowMs;
    // A slow client may have held it back to the last byte.
    this.connection.resume();
    this.connection.deadline("keep-alive", this.route.config.timeouts.keepAliveMs);
  }

  /** Closes a connection that was just taken out of the pool. */
  closeIdle(): void {
    this.route.counters.idleConnections(this.server, -1);
    this.connection.close(false);
  }

  /** `exchange` gives this connection up in mid-air. */
  abandon(_exchange: Exchange): void {
    this.exchange = null;
    if (this.phase !== Phase.connecting) this.route.counters.usedConnections(this.server, -1);
    this.connection.close(this.phase !== Phase.connecting);
  }

  /** The client takes no more of the response for the moment: its time-out runs and not the server's. */
  awaitClient(): void {
    this.connection.pause();
    this.connection.clearDeadline();
  }

  /** The server agreed to switch protocols: bytes pass unread from now on. */
  beginTunnel(): void {
    this.phase = Phase.tunnel;
  }

  connected(): void {
    const exchange = this.exchange;
    if (exchange === null) return;
    const { backend } = this.route;
    if (backend.greets && !this.isGreeted) {
      this.isGreeted = true;
      if (!greet(this.connection, backend, this.server, exchange.client.connection, true)) return;
    }
    this.connection.clearDeadline();
    this.route.counters.usedConnections(this.server, 1);
    this.expectResponse(exchange);
    exchange.upstreamReady(this);
  }

  received(_connection: Connection, bytes: Uint8Array, start: number, end: number): void {
    const exchange = this.exchange;
    if (exchange === null || this.phase === Phase.idle) {
      // A server that speaks unasked: a farewell (408) or a desynchronised stream. Never an answer to the next request.
      this.dropFromPool();
      this.connection.close(false);
      return;
    }
    this.route.counters.receivedFromServer(this.server, end - start);
    if (this.phase === Phase.head) this.receivedHead(exchange, bytes, start, end);
    else if (this.phase === Phase.tunnel) exchange.tunnel?.fromServer(bytes, start, end);
    else this.receivedBody(exchange, bytes, start, end);
  }

  spliced(_connection: Connection, count: number, taken: boolean): void {
    const exchange = this.exchange;
    if (exchange === null) return;
    this.route.counters.receivedFromServer(this.server, count);
    if (this.phase === Phase.tunnel) {
      exchange.tunnel?.splicedFromServer(count, taken);
      return;
    }
    this.framer.skipData(count);
    exchange.response.spliced(this, count, taken, this.framer.done);
    if (this.framer.done && this.exchange === exchange)
      this.finish(exchange, exchange.response.serverKeepsAlive, nothing, 0, 0);
  }

  ended(): void {
    const exchange = this.exchange;
    if (exchange === null || this.phase === Phase.idle) {
      this.dropFromPool();
      this.connection.close(false);
    } else if (this.phase === Phase.untilClose) {
      this.finish(exchange, false, nothing, 0, 0);
    } else if (this.phase === Phase.tunnel) {
      exchange.tunnel?.serverEnded();
    } else {
      exchange.upstreamClosed(this, "closed", this.responseBegan);
    }
  }

  drained(): void {
    this.exchange?.upstreamDrained();
  }

  expired(_connection: Connection, kind: DeadlineKind): void {
    const exchange = this.exchange;
    if (exchange === null || this.phase === Phase.idle) {
      this.dropFromPool();
      this.connection.close(false);
    } else if (kind === "connect") {
      exchange.connectFailed(this, "time-out");
    } else {
      exchange.upstreamExpired(this);
    }
  }

  closed(_connection: Connection, errorCode: string | null): void {
    const exchange = this.exchange;
    if (exchange === null || this.phase === Phase.idle) this.dropFromPool();
    else if (this.phase === Phase.connecting) exchange.connectFailed(this, errorCode ?? "closed");
    else if (this.phase === Phase.tunnel) exchange.tunnelClosed(this, errorCode);
    else if (this.phase === Phase.untilClose && errorCode === null)
      this.finish(exchange, false, nothing, 0, 0);
    else exchange.upstreamClosed(this, errorCode ?? "closed", this.responseBegan);
  }

  protected get awaitsHead(): boolean {
    return this.phase === Phase.head && this.exchange !== null;
  }

  protected expectResponse(exchange: Exchange): void {
    this.exchange = exchange;
    this.phase = Phase.head;
    this.responseBegan = false;
  }

  protected receivedHead(exchange: Exchange, bytes: Uint8Array, start: number, end: number): void {
    this.responseBegan = true;
    const { responseHeads, limits } = this.route;
    const seen = this.held.length;
    if (seen > 0) {
      this.held.append(bytes, start, end);
      const { length } = this.held;
      if (findHeadEnd(this.held.peek(), 0, seen, length) === 0 && length <= limits.maxHeadBytes) return;
      this.receivedHead(exchange, this.held.take(), 0, length);
      return;
    }
    let at = start;
    while (at < end) {
      const after = responseHeads.parse(bytes, at, end, exchange.request.method);
      if (after < 0) {
        exchange.brokenResponse(this, responseHeads.head.error, bytes, at, end, null);
        return;
      }
      if (after === 0) {
        this.held.append(bytes, at, end);
        return;
      }
      at = after;
      const { status } = responseHeads.head;
      if (status === 101) {
        exchange.switchingProtocols(this, bytes, at, end);
        return;
      }
      if (status < 200) {
        exchange.response.interim(this, bytes);
        continue;
      }
      this.beginBody(exchange, bytes, at, end);
      return;
    }
  }

  /** `this.route.responseHeads.head` is the final head of `bytes`; its body begins at `start`. */
  private beginBody(exchange: Exchange, bytes: Uint8Array, start: number, end: number): void {
    const { framing, contentLength, keepAlive } = this.route.responseHeads.head;
    this.framer.reset(framing, contentLength);
    this.phase = framing === Framing.untilClose ? Phase.untilClose : Phase.body;
    const bodyEnd = this.framer.advance(bytes, start, end);
    if (this.framer.error !== null) {
      const { start: headStart } = this.route.responseHeads.head;
      exchange.brokenResponse(this, this.framer.error, bytes, headStart, end, bodyEnd);
      return;
    }
    exchange.responseBegins(this, bytes, start, bodyEnd, this.framer.done);
    if (this.exchange !== exchange) return;
    if (this.framer.done) this.finish(exchange, keepAlive, bytes, bodyEnd, end);
    else this.goOn(exchange);
  }

  private receivedBody(exchange: Exchange, bytes: Uint8Array, start: number, end: number): void {
    const bodyEnd = this.framer.advance(bytes, start, end);
    if (this.framer.error !== null) {
      exchange.brokenResponse(this, this.framer.error, bytes, start, end, bodyEnd);
      return;
    }
    exchange.response.body(this, bytes, start, bodyEnd, this.framer.done);
    if (this.exchange !== exchange) return;
    if (this.framer.done) this.finish(exchange, exchange.response.serverKeepsAlive, bytes, bodyEnd, end);
    else this.goOn(exchange);
  }

  /** More of the response's body is to come. */
  protected goOn(exchange: Exchange): void {
    exchange.response.splice(this, this.framer.dataLeft);
  }

  /** The response is whole; `bytes[at, end)` came behind it. */
  protected finish(
    exchange: Exchange,
    keepAlive: boolean,
    _bytes: Uint8Array,
    at: number,
    end: number,
  ): void {
    // Bytes behind it belong to nothing that was asked for: the connection is not used again.
    exchange.responseDone(this, keepAlive && at === end);
  }

  /** It is gone while no exchange had it. */
  protected dropFromPool(): void {
    if (this.pool.remove(this.server, this)) this.route.counters.idleConnections(this.server, -1);
  }
}
