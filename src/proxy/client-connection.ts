import type { Backend } from "./backend.js";
import type { Client } from "./client.js";
import type { Connection, ConnectionHandler, DeadlineKind } from "./engine/engine.js";
import type { ErrorPages } from "./error-pages.js";
import { Exchange } from "./exchange.js";
import { HeldBytes } from "./held-bytes.js";
import { BodyFramer } from "./http1/body.js";
import type { RequestForwarding } from "./http1/forward.js";
import { Framing, findHeadEnd, Method } from "./http1/head.js";
import { keepInvalid } from "./keep-invalid.js";
import { Lingering } from "./lingering.js";
import { RequestTrace } from "./log/request-trace.js";
import { Cause } from "./log/termination.js";
import { logAnswered, logRefused } from "./log-unserved.js";
import type { ProxyInstance } from "./proxy-instance.js";
import type { Route } from "./route.js";
import { writeRuleAnswer } from "./rule-answer.js";
import type { RuledClient } from "./rules/request-facts.js";
import type { RuleAnswer } from "./rules/rule-set.js";
import type { SessionReport, SessionState } from "./session-report.js";
import { UpstreamPool } from "./upstream-pool.js";

/**
 *     head ──request──▶ body ──whole──▶ response ──done──▶ (flush) ──▶ head | linger
 *                        └─ 101 ─────────┴──▶ tunnel
 */
const Phase = { head: 0, body: 1, response: 2, flush: 3, tunnel: 4, linger: 5, over: 6 } as const;
type Phase = (typeof Phase)[keyof typeof Phase];

const forwardedProto = Buffer.from("X-Forwarded-Proto: http\r\n");
const forwardedProtoTls = Buffer.from("X-Forwarded-Proto: https\r\n");

/** Who has a client connection. */
export interface ClientHome {
  /** It is gone. */
  left(client: Client): void;
}

/** A client's connection: finds the requests in what it sends, one exchange at a time, answers in order. */
export class ClientConnection implements ConnectionHandler {
  /** What every request of this connection gets on its way, built once. */
  readonly forwarding: RequestForwarding;

  rosterPlace = -1;
  sessionId = 0;
  readonly trace: RequestTrace;
  /** Sent since the request came. */
  sentBytes = 0;

  private phase: Phase = Phase.head;
  private readonly exchange: Exchange;
  private readonly framer = new BodyFramer();
  private readonly held = new HeldBytes();
  private firstRequest = true;
  private readonly beganMs: number;
  private idleSinceMs: number;
  private headOnly = false;
  /** The client has said that nothing comes after this request. */
  private isLastRequest = false;
  private paused = false;
  /** `send` returned false and `drained` has not come yet. */
  private backedUp = false;
  private keepAliveAfterFlush = false;
  private clientEnded = false;
  /** Made when it is needed: most connections end by the client's FIN. */
  private lingering: Lingering | null = null;
  /** The engine has closed the connection. */
  private gone = false;
  private own: Map<Backend, UpstreamPool> | null = null;

  constructor(
    private readonly proxy: ProxyInstance,
    readonly connection: Connection,
    readonly overTls: boolean,
    private readonly home: ClientHome = proxy,
    /** What the log shows instead of the request line that comes; null: that one. */
    shownLine: string | null = null,
  ) {
    this.trace = new RequestTrace(shownLine);
    this.exchange = new Exchange(proxy, this);
    this.forwarding = {
      forwardedFor: proxy.forwardedForLines.line(connection.remoteAddress),
      forwardedForUnless: proxy.forwardedForLines.unless,
      forwardedProto: overTls ? forwardedProtoTls : forwardedProto,
      fallbackHost: proxy.fallbackHost,
      keepUpgrade: false,
    };
    this.beganMs = proxy.engine.now();
    this.idleSinceMs = this.beganMs;
    connection.deadline("request-head", proxy.config.timeouts.requestHeadMs);
  }

  /** Who sends its requests, as rules see it. */
  get ruled(): RuledClient {
    const { connection, overTls } = this;
    return {
      source: connection.remoteAddress,
      overTls,
      certificate: overTls ? connection.clientCertificate : null,
      agreed: overTls ? connection.agreedTls : null,
    };
  }

  // —— from the engine ——

  connected(): void {}

  received(_connection: Connection, bytes: Uint8Array, start: number, end: number): void {
    this.proxy.counters.receivedFromClient(end - start);
    switch (this.phase) {
      case Phase.head:
        this.receivedHead(bytes, start, end);
        return;
      case Phase.body:
        this.receivedBody(bytes, start, end);
        return;
      case Phase.tunnel:
        this.exchange.tunnel?.fromClient(bytes, start, end);
        return;
      case Phase.response:
      case Phase.flush:
        this.hold(bytes, start, end);
        return;
      case Phase.linger:
        this.lingering?.received(this.proxy.engine.now());
        return;
      default:
        return;
    }
  }

  spliced(_connection: Connection, count: number, taken: boolean): void {
    this.proxy.counters.receivedFromClient(count);
    if (this.phase === Phase.tunnel) {
      this.exchange.tunnel?.splicedFromClient(count, taken);
      return;
    }
    if (this.phase !== Phase.body) return;
    this.awaitBody();
    this.framer.skipData(count);
    this.bodyPassed();
    this.exchange.request.spliced(count, taken, this.framer.done);
    if (this.phase === Phase.body && !this.exchange.request.takesBody) this.pause();
  }

  ended(): void {
    this.clientEnded = true;
    if (this.phase === Phase.head) {
      this.endedInHead();
    } else if (this.phase === Phase.body) {
      this.exchange.clientAborted();
      this.exchange.badRequestBody();
    } else if (this.phase === Phase.tunnel) {
      this.exchange.tunnel?.clientEnded();
    }
  }

  drained(): void {
    this.backedUp = false;
    if (this.phase === Phase.flush) {
      this.exchangeDone(this.keepAliveAfterFlush);
    } else if (this.phase === Phase.tunnel) {
      this.exchange.clientDrained();
    } else if (this.phase === Phase.response || this.phase === Phase.body) {
      if (this.phase === Phase.body && !this.paused) this.awaitBody();
      else this.connection.clearDeadline();
      this.exchange.clientDrained();
    }
  }

  expired(_connection: Connection, kind: DeadlineKind): void {
    if (kind === "request-head") {
      this.proxy.counters.badHead();
      this.tellRefused(408, Cause.clientTimeout);
      this.answer(408, false, null);
    } else if (kind === "keep-alive") {
      this.finish();
    } else if (kind === "linger") {
      this.leave(false);
    } else if (kind === "client" && this.phase === Phase.body && !this.backedUp) {
      this.exchange.requestTimedOut();
    } else {
      this.aborted(Cause.clientTimeout);
    }
  }

  closed(_connection: Connection, errorCode: string | null): void {
    this.gone = true;
    // Both directions of a tunnel have ended, but the server may still be reading what went before.
    if (this.phase === Phase.tunnel && errorCode === null) return;
    if (this.phase === Phase.head && this.held.length > 0) this.proxy.counters.badHead();
    if (this.phase === Phase.head && (this.held.length > 0 || this.firstRequest))
      this.tellRefused(400, Cause.client);
    this.aborted();
  }

  // —— from the exchange ——

  /** Connections to servers that were told whose they are: nobody else's requests go over them. */
  ownPool(backend: Backend): UpstreamPool {
    this.own ??= new Map();
    const pool = this.own.get(backend) ?? new UpstreamPool(backend.serverCount);
    this.own.set(backend, pool);
    return pool;
  }

  /** Sends to the client; false: stop until `Exchange.clientDrained`. */
  send(bytes: Uint8Array, start: number, end: number, more: boolean): boolean {
    const taken = this.connection.send(bytes, start, end, more);
    this.passed(end - start, taken);
    return taken;
  }

  /** `count` bytes went to the client; `taken` false: it is slow. */
  passed(count: number, taken: boolean): void {
    this.proxy.counters.sentToClient(count);
    this.sentBytes += count;
    if (taken) return;
    this.backedUp = true;
    if (this.phase !== Phase.tunnel) this.connection.deadline("client", this.proxy.config.timeouts.clientMs);
  }

  /** An answer of the proxy's own. `route`: whose servers had been asked; null: none. */
  answer(status: number, keepAlive: boolean, route: Route | null): void {
    (route ?? this.proxy).counters.failed(status, route !== null);
    const bytes = this.pages(route).answer(status, keepAlive, this.headOnly);
    this.send(bytes, 0, bytes.length, false);
    // Where an error file is empty there is no answer, and no place for another one.
    this.exchangeDone(keepAlive && bytes.length > 0);
  }

  private pages(route: Route | null): ErrorPages {
    return route === null ? this.proxy.ownErrorPages : route.errorPages;
  }

  /** The request of `proxy.requestHeads.head` goes no further; where a body follows it, nothing is kept open for that. */
  private answerByRule(answer: RuleAnswer): void {
    const { requestHeads, counters, closing } = this.proxy;
    const { head } = requestHeads;
    const hasBody = head.framing === Framing.chunked || head.contentLength > 0;
    const keepAlive = head.keepAlive && !hasBody && !closing;
    if (answer.isDenied) counters.requestDenied(answer.status);
    else counters.intercepted(answer.status);
    const bytes = writeRuleAnswer(answer, this.proxy.ownErrorPages, keepAlive, this.headOnly);
    this.connection.clearDeadline();
    this.send(bytes, 0, bytes.length, false);
    logAnswered(this.proxy, this, answer.status, answer.isDenied);
    this.exchangeDone(keepAlive && bytes.length > 0);
  }

  /** How long `answer` will be. */
  answerBytes(status: number, keepAlive: boolean, route: Route): number {
    return this.pages(route).answer(status, keepAlive, this.headOnly).length;
  }

  /** The response is whole (or an answer was given): on to the next request, or to the end. */
  exchangeDone(keepAlive: boolean): void {
    if (this.phase === Phase.over) return;
    if (this.backedUp) {
      // A client that does not read gets no further request served: its answers would pile up here.
      this.flushThen(keepAlive);
      return;
    }
    // What was told to stay open stays so while the address moves: the client may have its next request on the way.
    if (!keepAlive || this.proxy.draining) {
      // RFC 9112 §9.6: who said `close` sends nothing more that a reset could answer, so there is nothing to wait for.
      if (this.isLastRequest && this.phase === Phase.response && this.held.length === 0) this.end();
      else this.finish();
      return;
    }
    this.phase = Phase.head;
    this.headOnly = false;
    this.idleSinceMs = this.proxy.engine.now();
    this.connection.deadline("keep-alive", this.proxy.config.timeouts.keepAliveMs);
    if (this.paused) this.resume();
    if (this.held.length > 0) {
      const bytes = this.held.take();
      this.takeRequests(bytes, 0, bytes.length);
    }
    if (this.clientEnded && this.phase === Phase.head) this.endedInHead();
  }

  /** Body bytes wait here for the server. */
  get holdsBody(): boolean {
    return this.phase === Phase.body && this.held.length > 0;
  }

  get tunnelling(): boolean {
    return this.phase === Phase.tunnel;
  }

  /** The server takes body bytes (again). */
  takeHeldBody(): void {
    if (this.phase !== Phase.body) return;
    if (this.held.length > 0) {
      const bytes = this.held.take();
      const rest = this.passBody(bytes, 0, bytes.length);
      if (rest < bytes.length) this.held.append(bytes, rest, bytes.length);
    }
    if (this.paused && (this.phase !== Phase.body || this.exchange.request.takesBody)) this.resume();
  }

  beginTunnel(): void {
    this.phase = Phase.tunnel;
    this.connection.clearDeadline();
    if (this.paused) this.resume();
    if (this.held.length > 0) {
      const bytes = this.held.take();
      this.exchange.tunnel?.fromClient(bytes, 0, bytes.length);
    }
    if (this.clientEnded) this.exchange.tunnel?.clientEnded();
  }

  /** A clean end: FIN behind the last answer, then a while for the client's own. */
  finish(): void {
    if (this.phase === Phase.over || this.phase === Phase.linger) return;
    if (this.gone) {
      this.leave(false);
      return;
    }
    if (this.backedUp) {
      this.flushThen(false);
      return;
    }
    this.phase = Phase.linger;
    this.held.clear();
    this.lingering ??= new Lingering(this.connection);
    this.lingering.begin(this.proxy.engine.now());
    if (this.paused) this.resume();
  }

  /** A hard end: the other side must not take what it has for the whole. */
  cut(): void {
    this.leave(true);
  }

  kill(cause: Cause): void {
    if (!this.exchange.kill(cause)) this.cut();
  }

  report(nowMs: number): SessionReport {
    const exchange = this.exchange.report(nowMs);
    return {
      clientAddress: this.connection.remoteAddress,
      clientPort: this.connection.remotePort,
      frontend: this.proxy.config.name,
      overTls: this.overTls,
      ageMs: nowMs - this.beganMs,
      state: this.sessionState(exchange?.state ?? null),
      exchange,
      sentBytes: this.sentBytes,
      request: exchange === null ? null : (this.trace.line ?? this.exchange.requestLine),
    };
  }

  private sessionState(exchange: SessionState | null): SessionState {
    if (this.phase === Phase.tunnel) return "tunnel";
    if (this.phase === Phase.flush) return "flush";
    if (this.phase === Phase.linger || this.phase === Phase.over) return "closing";
    return exchange ?? (this.trace.hasBegun || this.held.length > 0 ? "request" : "idle");
  }

  /** Ends a connection that has waited for a request since before `sinceMs` on the engine's clock. */
  closeIfIdle(sinceMs: number): void {
    if (this.phase === Phase.head && this.held.length === 0 && this.idleSinceMs <= sinceMs) this.finish();
  }

  /** What the client sends waits in the kernel; if it is a body it is the server's time that runs. */
  pause(): void {
    this.paused = true;
    this.connection.pause();
    if (this.phase === Phase.body && !this.backedUp) this.connection.clearDeadline();
  }

  resume(): void {
    this.paused = false;
    this.connection.resume();
    if (this.phase === Phase.body) this.awaitBody();
  }

  // —— inside ——

  private receivedHead(bytes: Uint8Array, start: number, end: number): void {
    if (this.held.length === 0) {
      this.takeRequests(bytes, start, end);
      return;
    }
    const seen = this.held.length;
    this.held.append(bytes, start, end);
    const all = this.held.peek();
    if (findHeadEnd(all, 0, seen, all.length) === 0 && all.length <= this.proxy.limits.maxHeadBytes) return;
    this.takeRequests(this.held.take(), 0, all.length);
  }

  /** Serves the requests in `bytes[start, end)` until one of them has to wait. */
  private takeRequests(bytes: Uint8Array, start: number, end: number): void {
    const { requestHeads, counters } = this.proxy;
    let at = start;
    while (this.phase === Phase.head) {
      // Some clients send an empty line behind a body; it is no sign that a request begins.
      at = skipEmptyLines(bytes, at, end);
      if (at === end) return;
      const after = requestHeads.parse(bytes, at, end);
      if (after < 0) {
        counters.badHead();
        this.keepInvalid(bytes, at, end, requestHeads.head.error, null);
        this.tellRefused(-after, Cause.proxy);
        this.headOnly = requestHeads.head.method === Method.HEAD;
        this.answer(-after, false, null);
        return;
      }
      if (after === 0) {
        this.headBegins();
        break;
      }
      at = this.takeRequest(bytes, after, end);
    }
    if (at < end) this.hold(bytes, at, end);
  }

  /** A head in pieces has one deadline for the whole: for the first request that of the accept runs on. */
  private headBegins(): void {
    if (this.trace.hasBegun) return;
    if (!this.firstRequest)
      this.connection.deadline("request-head", this.proxy.config.timeouts.requestHeadMs);
    this.trace.begins(this.proxy.engine.now());
  }

  /** `proxy.requestHeads.head` is a request whose body, if any, begins at `start`. Returns where the next one begins. */
  private takeRequest(bytes: Uint8Array, start: number, end: number): number {
    const { requestHeads, rules } = this.proxy;
    let { head } = requestHeads;
    let headBytes = bytes;
    let route: Route = this.proxy;
    this.proxy.counters.requestReceived();
    this.trace.headIsWhole(bytes, head, this.proxy.exchangeLog.isOn);
    this.sentBytes = 0;
    this.firstRequest = false;
    this.headOnly = head.method === Method.HEAD;
    this.isLastRequest = !head.keepAlive;
    if (rules !== null) {
      const ruled = rules.judge(bytes, head, this.ruled, this.proxy.monotonicMs());
      this.trace.id = rules.requestId;
      if (ruled.kind === "answer") {
        this.answerByRule(ruled.answer);
        return start;
      }
      route = this.proxy.routeTo(ruled.backend);
      if (ruled.kind === "edited") {
        head = ruled.head;
        headBytes = ruled.bytes;
        requestHeads.replace(head);
      }
    }
    if (head.framing === Framing.none || (head.framing === Framing.length && head.contentLength === 0)) {
      this.phase = Phase.response;
      this.connection.clearDeadline();
      this.exchange.begin(headBytes, true, false, route);
      return start;
    }
    this.framer.reset(head.framing, head.contentLength);
    this.phase = Phase.body;
    this.awaitBody();
    this.exchange.begin(headBytes, false, start < end, route);
    if (this.phase !== Phase.body || start === end || !this.exchange.request.takesBody) return start;
    return this.passBody(bytes, start, end);
  }

  private receivedBody(bytes: Uint8Array, start: number, end: number): void {
    if (!this.exchange.request.takesBody) {
      this.hold(bytes, start, end);
      return;
    }
    this.awaitBody();
    const rest = this.passBody(bytes, start, end);
    if (rest < end) this.hold(bytes, rest, end);
    else if (this.phase !== Phase.body) return;
    else if (!this.exchange.request.takesBody) this.pause();
    else this.exchange.request.splice(this.framer.dataLeft);
  }

  /** Passes on what belongs to the body; returns where that ends. */
  private passBody(bytes: Uint8Array, start: number, end: number): number {
    const bodyEnd = this.framer.advance(bytes, start, end);
    if (this.framer.error !== null) {
      this.keepInvalid(bytes, start, end, this.framer.error, bodyEnd);
      this.exchange.badRequestBody();
      return end;
    }
    this.bodyPassed();
    this.exchange.request.body(bytes, start, bodyEnd, this.framer.done);
    return bodyEnd;
  }

  private bodyPassed(): void {
    if (!this.framer.done) return;
    this.phase = Phase.response;
    this.connection.clearDeadline();
  }

  private hold(bytes: Uint8Array, start: number, end: number): void {
    if (this.phase === Phase.over || this.phase === Phase.linger) return;
    this.held.append(bytes, start, end);
    // A body waits in the kernel; pipelined requests may wait here, up to the size of one head.
    if (this.phase === Phase.body) this.pause();
    else if (this.phase !== Phase.head && this.held.length > this.proxy.limits.maxHeadBytes) this.pause();
  }

  /** Waits, as long as a client may take, until what was sent has left. */
  private flushThen(keepAlive: boolean): void {
    this.phase = Phase.flush;
    this.keepAliveAfterFlush = keepAlive;
    this.connection.deadline("client", this.proxy.config.timeouts.clientMs);
  }

  private awaitBody(): void {
    this.connection.deadline("client", this.proxy.config.timeouts.clientMs);
  }

  /** FIN instead of a request, or in the middle of its head: who is still there to read it learns what was wrong. */
  private endedInHead(): void {
    if (this.held.length === 0) {
      if (this.firstRequest) this.tellRefused(400, Cause.client);
      this.finish();
      return;
    }
    this.proxy.counters.badHead();
    this.tellRefused(400, Cause.client);
    this.answer(400, false, null);
  }

  /** For `show errors`. `at`: where a body broke; null: a head did. */
  private keepInvalid(
    bytes: Uint8Array,
    start: number,
    end: number,
    reason: string,
    at: number | null,
  ): void {
    const { proxy, exchange } = this;
    const isHead = at === null;
    keepInvalid(proxy, this.connection, {
      kind: "request",
      proxy: proxy.config.name,
      otherSide: isHead ? null : exchange.backendName,
      server: isHead ? null : exchange.serverName,
      reason,
      bytes,
      start,
      end,
      at,
    });
  }

  /** The client left in the middle of something, or does not take what it asked for. */
  private aborted(cause: Cause = Cause.client): void {
    this.exchange.clientAborted(cause);
    this.leave(true);
  }

  /** For the log: no request came of what the client sent, or nothing came. */
  private tellRefused(status: number, cause: Cause): void {
    const isNull = cause !== Cause.proxy && this.held.length === 0;
    const sinceMs = this.firstRequest && isNull ? this.idleSinceMs : this.proxy.engine.now();
    logRefused(this.proxy, this, status, cause, sinceMs, isNull);
  }

  private leave(reset: boolean): void {
    if (this.phase === Phase.over) return;
    if (!this.gone) this.connection.close(reset);
    this.left();
  }

  /** Like `leave`, but what was sent arrives. */
  private end(): void {
    if (!this.gone) this.connection.closeWhenSent();
    this.left();
  }

  private left(): void {
    this.phase = Phase.over;
    this.held.clear();
    // Its log line still counts this connection.
    this.exchange.abandon();
    for (const pool of this.own?.values() ?? []) for (const upstream of pool.drain()) upstream.closeIdle();
    this.home.left(this);
  }
}

function skipEmptyLines(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  while (at + 1 < end && bytes[at] === 0x0d && bytes[at + 1] === 0x0a) at += 2;
  return at;
}
