import { noKey } from "./balance/algorithm.js";
import { Tried } from "./balance/tried.js";
import type { ClientConnection } from "./client-connection.js";
import { ClientForm } from "./client-form.js";
import type { Room } from "./engine/engine.js";
import { ExchangeTimes } from "./exchange-times.js";
import { copyBytes } from "./http1/copy.js";
import { forwardedRequestBound } from "./http1/forward.js";
import { Framing, type Head, Method } from "./http1/head.js";
import { KeptRequest } from "./kept-request.js";
import { ExchangeTrace } from "./log/exchange-trace.js";
import { Cause, Stage, stageOf } from "./log/termination.js";
import { logExchange } from "./log-exchange.js";
import { connectTo } from "./pipelining/connect-to.js";
import type { ProxyInstance } from "./proxy-instance.js";
import type { Patient } from "./queue/first-checks.js";
import { Sought, type Waiter } from "./queue/server-queue.js";
import type { ResponseEdits } from "./response-edits.js";
import type { Route } from "./route.js";
import { RequestFacts } from "./rules/request-facts.js";
import type { ExchangeReport, SessionState } from "./session-report.js";
import type { Stickiness } from "./stickiness.js";
import { splicedBytes, Tunnel } from "./tunnel.js";
import type { UpstreamConnection } from "./upstream-connection.js";
import type { UpstreamPool } from "./upstream-pool.js";

/** A request that must not be replayed takes no pooled connection that has been idle for longer. */
const unreplayableIdleMs = 1_000;

const sessionStates: Readonly<Partial<Record<Stage, SessionState>>> = {
  [Stage.queue]: "queue",
  [Stage.connect]: "connect",
  [Stage.headers]: "wait",
};

/** RFC 9110 §9.2.1; the two that ask for nothing but an answer. */
const isSafe = (method: number): boolean => method === Method.GET || method === Method.HEAD;

/**
 * One request on its way from a client to a server, and the response on its way back. A client connection has one
 * exchange at a time and uses the object again for the next.
 *
 *     begin → [pick a server → pooled or new connection → send] → response head → body → done
 *                   ↑______ refused, dead, time-out ______|         |
 *                                                                  101 → tunnel
 */
export class Exchange implements Waiter, Patient {
  /** Method of the request, which decides whether its response has a body. */
  method: number = Method.other;
  /** The server's wish in the response's head. */
  serverKeepsAlive = false;

  /** Whose servers are asked. */
  private route: Route;
  /** Between `begin` and `over`. */
  private active = false;
  private upstream: UpstreamConnection | null = null;
  private server = -1;
  readonly tried = new Tried();
  /** The server that the client's cookie asks for; −1: none. */
  asked = -1;
  /** What the request is hashed by. */
  key: number = noKey;
  /** It waits for a server to have room. */
  private isQueued = false;
  private readonly request: KeptRequest;
  /** What was asked, where the response's rules may want to know. */
  private facts: RequestFacts | null = null;
  private replays = 0;
  /** Times that it has left a server for another. */
  private moves = 0;
  private requestComplete = false;
  /** The request's head is sent, and the server takes more. */
  private serverTakesBody = false;
  private responseSent = false;
  private keepAlive = false;
  private upgradeAsked = false;
  /** It shares no connection with others: it must not, or has tried to. */
  private isAlone = true;
  private readonly form = new ClientForm();

  /** For the log line. */
  private readonly trace = new ExchangeTrace();
  /** How the last server could not be reached. */
  private lastFailure: Cause = Cause.server;

  private readonly times = new ExchangeTimes();
  /** What it has become with a 101. */
  tunnel: Tunnel | null = null;

  constructor(
    private readonly front: ProxyInstance,
    readonly client: ClientConnection,
  ) {
    this.route = front;
    this.request = new KeptRequest(front.engine);
  }

  /**
   * Takes the request whose head `proxy.requestHeads.head` describes in `bytes`, to the servers of `route`. `complete`: it has
   * no body, or an empty one. `bodyFollows`: the caller passes the body's first bytes in this very turn.
   */
  begin(bytes: Uint8Array, complete: boolean, bodyFollows: boolean, route: Route): void {
    const { head } = this.front.requestHeads;
    this.route = route;
    this.active = true;
    this.method = head.method;
    this.form.begin(head.versionMinor);
    this.keepAlive = head.keepAlive;
    this.upgradeAsked = head.upgrade;
    this.isAlone = !complete || head.upgrade || !isSafe(head.method);
    this.requestComplete = complete;
    this.replays = 0;
    this.moves = 0;
    this.asked = -1;
    this.tried.clear();
    this.serverTakesBody = false;
    this.responseSent = false;
    this.trace.begin();
    this.lastFailure = Cause.server;
    this.times.begin(this.route.engine.now());

    const { requestKey, stickiness, responseEdits } = this.route;
    if (responseEdits?.needsRequest === true)
      this.facts = new RequestFacts(bytes, head, {
        source: this.client.connection.remoteAddress,
        overTls: this.client.overTls,
      });
    if (requestKey !== null) this.key = requestKey(bytes, head, this.client.connection.remoteAddress);
    const sent = stickiness === null ? bytes : this.stick(stickiness, bytes, head);
    const forwarding = this.client.forwarding;
    forwarding.keepUpgrade = head.upgrade;
    const room = this.route.engine.keep(forwardedRequestBound(this.front.requestHeads.head, forwarding));
    const headEnd = this.front.requestHeads.write(sent, forwarding, room.bytes, room.start);
    this.request.begin(room, headEnd, head.method);

    this.route.counters.exchangeBegan();
    this.route.retryPolicy.earn();
    this.dispatch(bodyFollows);
  }

  get backendName(): string {
    return this.route.backend.name;
  }

  /** The server that it is at; null: at none. */
  get serverName(): string | null {
    return this.server < 0 ? null : this.route.config.servers[this.server].name;
  }

  /** As far as it is kept, for a look. */
  get requestLine(): string | null {
    return this.request.line(this.form.versionMinor);
  }

  /** null: there is no exchange now. */
  report(nowMs: number): ExchangeReport | null {
    if (!this.active) return null;
    const { trace, serverName } = this;
    const { queueMs, connectMs, answerMs, startedMs } = this.times;
    return {
      state: sessionStates[this.stage] ?? (this.responseSent ? "response" : "body"),
      backend: this.backendName,
      server: serverName,
      ...{ queueMs, connectMs, responseMs: answerMs, elapsedMs: nowMs - startedMs, retries: trace.retries },
    };
  }

  /** The client may pass on body bytes; what it cannot pass it holds. */
  get takesBody(): boolean {
    return this.serverTakesBody;
  }

  /** Body bytes as they came, framing included. */
  requestBody(bytes: Uint8Array, start: number, end: number, done: boolean): void {
    const upstream = this.upstream;
    this.requestComplete = done;
    if (upstream === null) return;
    this.request.keep(bytes, start, end);
    this.route.counters.sentToServer(this.server, end - start);
    const taken = upstream.connection.send(bytes, start, end, false);
    // Before that it is the client's turn. A server that has begun to answer is given its time for both directions.
    if (done || !taken || this.responseSent)
      upstream.connection.deadline("server", this.route.config.timeouts.serverMs);
    if (!taken && !done) this.serverTakesBody = false;
  }

  /** `count` bytes of the body come next: they may pass unseen. */
  spliceRequest(count: number): void {
    const { upstream } = this;
    if (count < splicedBytes || upstream === null || !this.serverTakesBody) return;
    if (this.route.engine.splice(this.client.connection, upstream.connection, count))
      this.request.forgetBody();
  }

  /** What `requestBody` is for bytes that were shown. */
  requestSpliced(count: number, taken: boolean, done: boolean): void {
    this.requestComplete = done;
    this.route.counters.sentToServer(this.server, count);
    if (done || !taken || this.responseSent)
      this.upstream?.connection.deadline("server", this.route.config.timeouts.serverMs);
    if (!taken && !done) this.serverTakesBody = false;
  }

  /** The request's body broke a rule of framing. */
  badRequestBody(): void {
    this.route.counters.badRequest();
    this.fail(400, Cause.proxy, this.responseSent ? Stage.data : Stage.request);
  }

  /** The client did not go on with its body in time. */
  requestTimedOut(): void {
    this.route.counters.badRequest();
    this.fail(408, Cause.clientTimeout);
  }

  /** The exchange, if there is one, is about to be abandoned for a reason that is the client's. */
  clientAborted(cause: Cause = Cause.client): void {
    if (!this.active) return;
    this.route.counters.clientAborted(this.server);
    this.trace.ends(cause, this.stage);
    if (this.isQueued) this.times.attempt(this.route.engine.now());
  }

  /** Somebody else ends it. False: there is none. */
  kill(cause: Cause): boolean {
    if (!this.active) return false;
    if (cause === Cause.markedDown && this.leavesMarked()) return true;
    // As HAProxy counts it.
    if (this.times.isConnected) this.route.counters.responseFailed(this.server, false);
    this.fail(502, cause);
    return true;
  }

  /** What a server that is marked down has not answered yet another one may get, as if it had broken off. */
  private leavesMarked(): boolean {
    const { upstream } = this;
    if (upstream === null || this.responseSent || !this.canReplay) return false;
    if (!this.route.retryPolicy.afterEmptyResponse(this.moves, this.replays)) return false;
    upstream.abandon(this);
    if (this.times.isConnected) this.route.counters.responseFailed(this.server, false);
    this.replays++;
    this.redispatch();
    return true;
  }

  /** There is no client any more. */
  abandon(): void {
    if (!this.active) return;
    this.trace.ends(Cause.killed, this.stage);
    this.upstream?.abandon(this);
    this.over();
  }

  /** What was sent to the client has left: the response goes on. */
  clientDrained(): void {
    this.upstream?.connection.resume();
    if (this.tunnel !== null) this.tunnel.touch();
    else this.upstream?.connection.deadline("server", this.route.config.timeouts.serverMs);
  }

  // —— from the queue ——

  queued(server: number): void {
    const { backend, counters } = this.route;
    this.isQueued = true;
    counters.queued(server);
    // Its place in the line, as HAProxy counts it: the first one is 1.
    if (server < 0) this.trace.backendQueue += backend.queuedFor(-1);
    else {
      this.trace.serverQueue += backend.queuedFor(server);
      this.trace.server = server;
    }
  }

  dequeued(server: number): void {
    this.isQueued = false;
    this.route.counters.dequeued(server);
  }

  granted(server: number): void {
    this.goTo(server, this.client.holdsBody);
    // Over a pooled connection the request has left already.
    if (this.serverTakesBody) this.client.takeHeldBody();
  }

  /** The first checks have said who is up. */
  tryAgain(): void {
    if (this.asked >= 0 && this.route.stickiness?.isGone(this.asked) === true) {
      this.asked = -1;
      this.trace.cookies = `D${this.trace.cookies[1]}`;
    }
    this.dispatch(this.client.holdsBody);
    // Over a pooled connection the request has left already.
    if (this.serverTakesBody) this.client.takeHeldBody();
  }

  waitedTooLong(): void {
    this.times.attempt(this.route.engine.now());
    this.fail(503, Cause.serverTimeout, Stage.queue);
  }

  // —— from the upstream connection ——

  upstreamReady(upstream: UpstreamConnection): void {
    this.times.connected(this.route.engine.now());
    this.route.counters.connected(this.server);
    this.route.serverReached(this.server);
    this.sendRequest(upstream, this.client.holdsBody);
    this.client.takeHeldBody();
  }

  upstreamDrained(): void {
    if (this.client.tunnelling) {
      this.client.resume();
      return;
    }
    if (this.requestComplete) return;
    this.upstream?.connection.clearDeadline();
    this.serverTakesBody = true;
    this.client.takeHeldBody();
  }

  connectFailed(upstream: UpstreamConnection, reason: string): void {
    upstream.abandon(this);
    this.route.counters.connectFailed(this.server);
    this.route.serverFailed(this.server, reason);
    this.lastFailure = reason === "time-out" ? Cause.serverTimeout : Cause.server;
    this.upstream = null;
    if (this.route.retryPolicy.afterRefusal(this.moves)) this.redispatch();
    else this.fail(503, this.lastFailure, Stage.connect);
  }

  /** The server closed or reset the connection before its response was whole. */
  upstreamClosed(upstream: UpstreamConnection, reason: string, responseBegan: boolean): void {
    upstream.abandon(this);
    this.upstream = null;
    this.serverTakesBody = false;
    if (!responseBegan && this.request.replayable && upstream.reused) {
      // It had been idle and the server was closing it just then: no fault of the server's.
      this.route.counters.retried(this.server);
      this.trace.retries++;
      this.attempt(false, false);
      return;
    }
    this.route.counters.responseFailed(this.server, this.responseSent);
    if (
      !responseBegan &&
      this.canReplay &&
      this.route.retryPolicy.afterEmptyResponse(this.moves, this.replays)
    ) {
      this.replays++;
      this.route.serverFailed(this.server, reason);
      this.redispatch();
      return;
    }
    this.fail(502, Cause.server);
  }

  upstreamExpired(upstream: UpstreamConnection): void {
    if (this.client.tunnelling) {
      // Both sides were silent: as in HAProxy and in mode tcp it is the client's time-out.
      this.clientAborted(Cause.clientTimeout);
      this.tunnelClosed(upstream, null);
      return;
    }
    upstream.abandon(this);
    this.upstream = null;
    this.route.counters.responseFailed(this.server, this.responseSent);
    if (this.canReplay && this.route.retryPolicy.afterTimeout(this.moves)) {
      this.redispatch();
      return;
    }
    this.fail(504, Cause.serverTimeout);
  }

  /** `bytes[start, end)` is what came; `at`: where a body broke; null: a head did. */
  brokenResponse(
    upstream: UpstreamConnection,
    reason: string,
    bytes: Uint8Array,
    start: number,
    end: number,
    at: number | null,
  ): void {
    this.keepInvalid(reason, bytes, start, end, at);
    upstream.abandon(this);
    this.upstream = null;
    this.route.counters.responseFailed(this.server, false);
    const server = this.route.config.servers[this.server].name;
    this.route.event({ event: "response", proxy: this.route.config.name, server, reason }, "broken response");
    this.fail(502, Cause.proxy, this.responseSent ? Stage.data : Stage.headers);
  }

  /** For `show errors`. */
  private keepInvalid(
    reason: string,
    bytes: Uint8Array,
    start: number,
    end: number,
    at: number | null,
  ): void {
    const { invalid, exchangeLog, engine, limits } = this.route;
    const { remoteAddress, remotePort } = this.client.connection;
    invalid.keep({
      kind: "response",
      proxy: this.backendName,
      otherSide: this.front.config.name,
      server: this.serverName,
      atEpochMs: exchangeLog.epochMs(engine.now()),
      clientAddress: remoteAddress,
      clientPort: remotePort,
      maxHeadBytes: limits.maxHeadBytes,
      ...{ reason, bytes, start, end, at },
    });
  }

  /** A 1xx: passed on, unless the client speaks HTTP/1.0 and would not understand it. */
  interimResponse(upstream: UpstreamConnection, bytes: Uint8Array): void {
    this.route.counters.responded(this.server, this.route.responseHeads.head.status);
    // Until its request is whole the server need not answer.
    if (this.requestComplete) upstream.connection.deadline("server", this.route.config.timeouts.serverMs);
    if (this.form.versionMinor === 0) return;
    const out = this.roomForHead();
    const end = this.writeHead(bytes, true, false, out);
    if (!this.client.send(out.bytes, out.start, end, false)) upstream.awaitClient();
  }

  /** The final head, described by `proxy.responseHeads.head`, and the part of its body that came with it. */
  responseBegins(
    upstream: UpstreamConnection,
    bytes: Uint8Array,
    start: number,
    end: number,
    done: boolean,
  ): void {
    const { responseEdits } = this.route;
    let { head } = this.route.responseHeads;
    if (this.route.retryPolicy.looksAtStatus && this.goesOnAfter(head.status)) {
      this.route.counters.responseFailed(this.server, false);
      upstream.abandon(this);
      this.redispatch();
      return;
    }
    this.times.answered(this.route.engine.now());
    this.route.counters.responded(this.server, head.status);
    this.trace.status = head.status;
    this.serverKeepsAlive = head.keepAlive;
    const changed = responseEdits === null ? null : this.editResponse(responseEdits, bytes);
    if (changed !== null) head = this.route.responseHeads.head;
    this.form.beginResponse(head);
    const { dechunking } = this.form;
    const endsByClose = head.framing === Framing.untilClose || dechunking;
    // While the request still comes in, where the next one begins is not known yet.
    this.keepAlive = this.keepAlive && !endsByClose && this.requestComplete && !this.front.closing;
    this.responseSent = true;

    const edited = dechunking || changed !== null ? -1 : this.form.editHead(bytes, head, this.keepAlive);
    if (edited >= 0) {
      this.passToClient(upstream, bytes, edited, end, done);
      return;
    }
    const out = this.roomForHead();
    const headEnd = this.writeHead(changed ?? bytes, this.keepAlive, false, out);
    const headBytes = headEnd - out.start;
    if (start === end) {
      this.passToClient(upstream, out.bytes, out.start, headEnd, done);
    } else if (dechunking || start < headBytes) {
      this.client.send(out.bytes, out.start, headEnd, !dechunking);
      this.responseBody(upstream, bytes, start, end, done);
    } else {
      // In front of the body, over the head that came: both leave in one write, and the body is not copied.
      copyBytes(out.bytes, out.start, headEnd, bytes, start - headBytes);
      this.passToClient(upstream, bytes, start - headBytes, end, done);
    }
  }

  responseBody(
    upstream: UpstreamConnection,
    bytes: Uint8Array,
    start: number,
    end: number,
    done: boolean,
  ): void {
    if (this.form.dechunking) {
      this.form.payload(bytes, start, end, (from, to) => this.passToClient(upstream, bytes, from, to, done));
    } else {
      this.passToClient(upstream, bytes, start, end, done);
    }
  }

  /** `count` bytes of the body come next: they may pass unseen. */
  spliceResponse(upstream: UpstreamConnection, count: number): void {
    if (count < splicedBytes || this.form.dechunking) return;
    this.route.engine.splice(upstream.connection, this.client.connection, count);
  }

  /** What `responseBody` is for bytes that were shown. */
  responseSpliced(upstream: UpstreamConnection, count: number, taken: boolean, done: boolean): void {
    this.client.passed(count, taken);
    this.afterPassing(upstream, taken, done);
  }

  /** The response is whole. The connection stays with whoever is answered next on it when it `isShared`. */
  responseDone(upstream: UpstreamConnection, reusable: boolean, isShared = false): void {
    this.takeTimes();
    this.route.backend.pipelines?.answered(this.server, this.times.answerMs);
    const { keepAlive } = this;
    // A server that answers early may not read the rest of the request: nobody else may use the connection.
    if (!isShared) this.route.release(upstream, reusable && this.requestComplete);
    this.over();
    this.client.exchangeDone(keepAlive);
  }

  // —— on a connection with others (pipelining) ——

  get requestBytes(): number {
    return this.request.headBytes;
  }

  /** Writes the request into `bytes` at `at`, to be sent with others; returns the offset after it. */
  writeRequest(bytes: Uint8Array, at: number): number {
    this.route.counters.sentToServer(this.server, this.requestBytes);
    return this.request.copyTo(bytes, at);
  }

  /** It would have been answered behind somebody else, and is not going to be: it asks again, on a connection of its own. */
  leftBehind(): void {
    this.upstream = null;
    this.isAlone = true;
    this.route.counters.leftBehind(this.server);
    this.trace.retries++;
    this.attempt(true, false);
  }

  // —— tunnels (101 Switching Protocols) ——

  /** The server agreed to an upgrade; `bytes[start, end)` already belong to the new protocol. */
  switchingProtocols(upstream: UpstreamConnection, bytes: Uint8Array, start: number, end: number): void {
    if (!this.upgradeAsked || !this.requestComplete) {
      const { start: headStart } = this.route.responseHeads.head;
      this.brokenResponse(upstream, "unasked-upgrade", bytes, headStart, end, headStart);
      return;
    }
    this.route.counters.responded(this.server, 101);
    this.trace.status = 101;
    this.times.answered(this.route.engine.now());
    this.responseSent = true;
    const { responseEdits } = this.route;
    const changed = responseEdits === null ? null : this.editResponse(responseEdits, bytes);
    const out = this.roomForHead();
    const headEnd = this.writeHead(changed ?? bytes, true, true, out);
    this.client.send(out.bytes, out.start, headEnd, end > start);
    upstream.beginTunnel();
    this.tunnel = new Tunnel(this.route, this.server, this.client, upstream);
    if (end > start) this.tunnel.fromServer(bytes, start, end);
    else this.tunnel.touch();
    this.client.beginTunnel();
  }

  /** The server's connection is gone or given up. What is on its way to the client still arrives, unless it was reset. */
  tunnelClosed(upstream: UpstreamConnection, errorCode: string | null): void {
    upstream.abandon(this);
    this.takeTimes();
    if (errorCode !== null) this.trace.ends(Cause.server, Stage.data);
    this.over();
    if (errorCode === null) this.client.finish();
    else this.client.cut();
  }

  // —— inside ——

  /** Finds the server that the client has been at; returns the request as servers shall see it. */
  private stick(stickiness: Stickiness, bytes: Uint8Array, head: Head): Uint8Array {
    const edited = stickiness.lookAt(bytes, head);
    this.asked = stickiness.server;
    this.trace.cookies = `${stickiness.said}N`;
    if (edited === null) return bytes;
    this.front.requestHeads.replace(stickiness.head);
    return edited;
  }

  /** Changes the response's head, described by `route.responseHeads.head`, as the proxy is told to; null: not at all. */
  private editResponse(edits: ResponseEdits, bytes: Uint8Array): Uint8Array | null {
    const { responseHeads, stickiness } = this.route;
    const edited = edits.apply(bytes, responseHeads.head, this.method, this.server, this.asked, this.facts);
    if (stickiness !== null) this.trace.cookies = this.trace.cookies[0] + edits.letter;
    if (edited !== null) responseHeads.replace(edits.head);
    return edited;
  }

  private dispatch(bodyFollows: boolean): void {
    const { queue, backend, balancer, engine } = this.route;
    const isOwn = this.asked >= 0 && !this.tried.has(this.asked);
    if (isOwn && backend.firstChecks?.isAwaited(this.asked) === true && backend.firstChecks.holds(this))
      return;
    let server = this.asked;
    if (queue !== null) server = queue.seek(this);
    else if (!isOwn) server = balancer.pick(this.tried, engine.now(), this.key);
    if (server >= 0) this.goTo(server, bodyFollows);
    else if (server === Sought.none && backend.firstChecks?.holds(this) !== true)
      this.fail(503, this.lastFailure, Stage.connect);
  }

  private goTo(server: number, bodyFollows: boolean): void {
    this.server = server;
    this.tried.add(server);
    this.trace.server = server;
    if (this.asked >= 0 && server !== this.asked) this.leavesAsked();
    this.route.counters.serverChosen(server, this.route.monotonicMs(), server !== this.asked);
    this.attempt(true, bodyFollows);
  }

  /** Another server than the client's own gets the request, as if that one were down. */
  private leavesAsked(): void {
    this.trace.isRedispatched = true;
    this.trace.cookies = `D${this.trace.cookies[1]}`;
  }

  /** It may be sent a second time, the client has got nothing yet, and there is a server that has not had it. */
  private get canReplay(): boolean {
    return this.request.replayable && this.client.sentBytes === 0 && this.route.balancer.hasMore(this.tried);
  }

  /** An answer of that status is not passed on: another server is asked. */
  private goesOnAfter(status: number): boolean {
    return this.requestComplete && this.canReplay && this.route.retryPolicy.afterStatus(status, this.moves);
  }

  /** Leaves the present server for the next one. */
  private redispatch(): void {
    this.upstream = null;
    this.serverTakesBody = false;
    this.moves++;
    const left = this.server;
    this.server = -1;
    this.route.leave(left);
    if (this.route.balancer.hasMore(this.tried)) {
      this.route.counters.redispatched(left);
      this.trace.retries++;
      this.trace.isRedispatched = true;
    }
    this.dispatch(this.client.holdsBody);
    // Over a pooled connection the request has left already.
    if (this.serverTakesBody) this.client.takeHeldBody();
  }

  private attempt(pooled: boolean, bodyFollows: boolean): void {
    const { counters, engine, backend } = this.route;
    const pool = backend.sendsProxy ? this.poolOf(this.server) : backend.pool;
    const now = engine.now();
    this.times.attempt(now);
    if (pooled && !this.isAlone && backend.pipelines !== null) {
      const shared = backend.pipelines.join(this, this.server, now);
      if (shared !== null) {
        counters.reused(this.server);
        this.times.reused();
        this.upstream = shared;
        return;
      }
    }
    let idle = pooled ? this.takeIdle(pool, now) : null;
    // The server has moved to another address since.
    while (idle !== null && idle.target !== backend.targets.of(this.server)) {
      idle.closeIdle();
      idle = this.takeIdle(pool, now);
    }
    if (idle === null) {
      counters.connecting(this.server);
      this.times.connecting(now);
      this.upstream = connectTo(this.route, this.server, this, pool);
      return;
    }
    counters.reused(this.server);
    counters.idleConnections(this.server, -1);
    counters.usedConnections(this.server, 1);
    this.times.reused();
    this.upstream = idle;
    idle.reuse(this);
    this.sendRequest(idle, bodyFollows);
  }

  private takeIdle(pool: UpstreamPool, nowMs: number): UpstreamConnection | null {
    return pool.take(this.server, nowMs, this.request.replayable ? Infinity : unreplayableIdleMs);
  }

  /** A connection that began with a PROXY header is this client's alone. */
  private poolOf(server: number): UpstreamPool {
    const { config, backend } = this.route;
    return config.servers[server].sendProxy === undefined ? backend.pool : this.client.ownPool(backend);
  }

  /** `bodyFollows`: body bytes come in this very turn, they may leave in the same packet. */
  private sendRequest(upstream: UpstreamConnection, bodyFollows: boolean): void {
    const { connection } = upstream;
    this.route.counters.sentToServer(this.server, this.request.sendTo(connection, bodyFollows));
    this.serverTakesBody = !this.requestComplete;
    if (this.requestComplete) connection.deadline("server", this.route.config.timeouts.serverMs);
    else connection.clearDeadline();
  }

  private passToClient(
    upstream: UpstreamConnection,
    bytes: Uint8Array,
    start: number,
    end: number,
    done: boolean,
  ): void {
    this.afterPassing(upstream, this.client.send(bytes, start, end, false), done);
  }

  /** Whose time runs after a part of the response has gone to the client. */
  private afterPassing(upstream: UpstreamConnection, taken: boolean, done: boolean): void {
    if (done) return;
    if (taken) {
      upstream.connection.deadline("server", this.route.config.timeouts.serverMs);
      return;
    }
    upstream.awaitClient();
  }

  private roomForHead(): Room {
    return this.route.engine.scratch(this.form.headBound(this.route.responseHeads.head));
  }

  /** Writes the response's head, described by `proxy.responseHeads.head`, for the client; returns the offset after it. */
  private writeHead(bytes: Uint8Array, keepAlive: boolean, keepUpgrade: boolean, out: Room): number {
    const { head } = this.route.responseHeads;
    return this.form.writeHead(bytes, head, keepAlive, keepUpgrade, out.bytes, out.start);
  }

  /** Ends the exchange without a server's response: an answer of our own, or a cut when one has begun. */
  private fail(status: number, cause: Cause, stage: Stage = this.stage): void {
    this.trace.ends(cause, stage);
    this.upstream?.abandon(this);
    const { responseSent } = this;
    // HTTP/1.0 clients take a connection for closed unless the answer says otherwise, and ours do not.
    const keepAlive =
      this.keepAlive && this.requestComplete && this.form.versionMinor === 1 && !this.front.closing;
    if (!responseSent) this.trace.status = status;
    const { route } = this;
    this.over(responseSent ? 0 : this.client.answerBytes(status, keepAlive, route));
    if (responseSent) this.client.cut();
    else this.client.answer(status, keepAlive, route);
  }

  private takeTimes(): void {
    const { times, route } = this;
    const totalMs = route.engine.now() - times.startedMs;
    route.counters.timed(this.server, times.connectMs, times.answerMs, totalMs, times.queueMs);
  }

  /** While the accounts still stand as they were. `answerBytes`: of an answer that is about to be sent. */
  private tell(answerBytes: number): void {
    const { route, client, trace, times } = this;
    const line = client.requestLine ?? this.request.line(this.form.versionMinor);
    logExchange(route, client, trace, times, line, answerBytes, this.server >= 0);
  }

  /** How far it has come. */
  private get stage(): Stage {
    return stageOf({
      hasRequest: true,
      isQueued: this.isQueued,
      isConnected: this.times.isConnected,
      requestComplete: this.requestComplete,
      responseBegan: this.responseSent,
    });
  }

  /** The accounts are closed and nothing is held any more. */
  private over(answerBytes = 0): void {
    const { counters, exchangeLog } = this.route;
    if (exchangeLog.isOn || this.trace.cause !== Cause.none) this.tell(answerBytes);
    this.active = false;
    const { server, isQueued, route } = this;
    counters.exchangeEnded();
    this.upstream = null;
    this.tunnel = null;
    this.server = -1;
    this.serverTakesBody = false;
    this.request.clear();
    this.facts = null;
    if (isQueued) {
      route.queue?.leave(this);
      route.backend.firstChecks?.leave(this);
    }
    // Last: another exchange may begin at once at the place that this one leaves.
    if (server >= 0) route.leave(server);
  }
}
