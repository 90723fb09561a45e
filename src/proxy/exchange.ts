import { noKey } from "./balance/algorithm.js";
import type { ClientConnection } from "./client-connection.js";
import { ExchangeTimes } from "./exchange-times.js";
import { type Head, Method } from "./http1/head.js";
import { keepInvalid } from "./keep-invalid.js";
import { ExchangeTrace } from "./log/exchange-trace.js";
import { Cause, Stage, stageOf } from "./log/termination.js";
import { logExchange } from "./log-exchange.js";
import { connectTo } from "./pipelining/connect-to.js";
import type { ProxyInstance } from "./proxy-instance.js";
import { Sought } from "./queue/server-queue.js";
import { RequestRelay } from "./request-relay.js";
import { ResponseRelay } from "./response-relay.js";
import type { Route } from "./route.js";
import { type Seeker, ServerSearch } from "./server-search.js";
import type { ExchangeReport, SessionState } from "./session-report.js";
import type { Stickiness } from "./stickiness.js";
import { Tunnel } from "./tunnel.js";
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
 * One request on its way from a client to a server, and the response on its way back: what becomes of it when a server refuses,
 * fails or is too slow, and its accounts. A client connection has one exchange at a time and uses the object again for the next.
 *
 *     begin → [search a server → pooled or new connection → request] → response head → body → done
 *                    ↑______ refused, dead, time-out ______|              |
 *                                                                        101 → tunnel
 */
export class Exchange implements Seeker {
  /** Whose servers are asked. */
  route: Route;
  /** The connection to the server that it is at; null: there is none. */
  upstream: UpstreamConnection | null = null;
  readonly search: ServerSearch;
  readonly request: RequestRelay;
  readonly response: ResponseRelay;
  /** For the log line. */
  readonly trace = new ExchangeTrace();
  readonly times = new ExchangeTimes();
  /** What it has become with a 101. */
  tunnel: Tunnel | null = null;

  /** Between `begin` and `over`. */
  private active = false;
  private replays = 0;
  /** Times that it has left a server for another. */
  private moves = 0;
  private upgradeAsked = false;
  /** It shares no connection with others: it must not, or has tried to. */
  private isAlone = true;
  /** How the last server could not be reached. */
  private lastFailure: Cause = Cause.server;

  constructor(
    readonly front: ProxyInstance,
    readonly client: ClientConnection,
  ) {
    this.route = front;
    this.search = new ServerSearch(front, this);
    this.request = new RequestRelay(this);
    this.response = new ResponseRelay(this);
  }

  /**
   * Takes the request whose head `front.requestHeads.head` describes in `bytes`, to the servers of `route`. `complete`: it has
   * no body, or an empty one. `bodyFollows`: the caller passes the body's first bytes in this very turn.
   */
  begin(bytes: Uint8Array, complete: boolean, bodyFollows: boolean, route: Route): void {
    const { head } = this.front.requestHeads;
    this.route = route;
    this.active = true;
    this.upgradeAsked = head.upgrade;
    this.isAlone = !complete || head.upgrade || !isSafe(head.method);
    this.replays = 0;
    this.moves = 0;
    this.trace.begin();
    this.lastFailure = Cause.server;
    this.times.begin(route.engine.now());
    this.response.begin(bytes, head);

    const { requestKey, stickiness } = route;
    const { remoteAddress } = this.client.connection;
    this.search.begin(route, requestKey === null ? noKey : requestKey(bytes, head, remoteAddress));
    const sent = stickiness === null ? bytes : this.stick(stickiness, bytes, head);
    this.request.begin(sent, head, complete);

    route.counters.exchangeBegan();
    route.retryPolicy.earn();
    this.dispatch(bodyFollows);
  }

  get backendName(): string {
    return this.route.backend.name;
  }

  /** The server that it is at; null: at none. */
  get serverName(): string | null {
    const { server } = this.search;
    return server < 0 ? null : this.route.config.servers[server].name;
  }

  /** As far as it is kept, for a look. */
  get requestLine(): string | null {
    return this.request.kept.line(this.response.versionMinor);
  }

  /** null: there is no exchange now. */
  report(nowMs: number): ExchangeReport | null {
    if (!this.active) return null;
    const { trace, serverName } = this;
    const { queueMs, connectMs, answerMs, startedMs } = this.times;
    return {
      state: sessionStates[this.stage] ?? (this.response.isSent ? "response" : "body"),
      backend: this.backendName,
      server: serverName,
      queueMs,
      connectMs,
      responseMs: answerMs,
      elapsedMs: nowMs - startedMs,
      retries: trace.retries,
    };
  }

  // —— from the client connection ——

  /** The request's body broke a rule of framing. */
  badRequestBody(): void {
    this.route.counters.badRequest();
    this.fail(400, Cause.proxy, this.response.isSent ? Stage.data : Stage.request);
  }

  /** The client did not go on with its body in time. */
  requestTimedOut(): void {
    this.route.counters.badRequest();
    this.fail(408, Cause.clientTimeout);
  }

  /** The exchange, if there is one, is about to be abandoned for a reason that is the client's. */
  clientAborted(cause: Cause = Cause.client): void {
    if (!this.active) return;
    this.route.counters.clientAborted(this.search.server);
    this.trace.ends(cause, this.stage);
    if (this.search.isWaiting) this.times.attempt(this.route.engine.now());
  }

  /** Somebody else ends it. False: there is none. */
  kill(cause: Cause): boolean {
    if (!this.active) return false;
    if (cause === Cause.markedDown && this.leavesMarked()) return true;
    // As HAProxy counts it.
    if (this.times.isConnected) this.route.counters.responseFailed(this.search.server, false);
    this.fail(502, cause);
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

  // —— from the search for a server ——

  granted(server: number): void {
    this.goTo(server, this.client.holdsBody);
    this.passHeldBody();
  }

  tryAgain(): void {
    const { search } = this;
    if (search.asked >= 0 && this.route.stickiness?.isGone(search.asked) === true) {
      search.asked = -1;
      this.trace.cookies = `D${this.trace.cookies[1]}`;
    }
    this.dispatch(this.client.holdsBody);
    this.passHeldBody();
  }

  waitedTooLong(): void {
    this.times.attempt(this.route.engine.now());
    this.fail(503, Cause.serverTimeout, Stage.queue);
  }

  // —— from the upstream connection ——

  upstreamReady(upstream: UpstreamConnection): void {
    const { server } = this.search;
    this.times.connected(this.route.engine.now());
    this.route.counters.connected(server);
    this.route.serverReached(server);
    this.request.sendTo(upstream, this.client.holdsBody);
    this.client.takeHeldBody();
  }

  upstreamDrained(): void {
    if (this.client.tunnelling) this.client.resume();
    else this.request.drained();
  }

  connectFailed(upstream: UpstreamConnection, reason: string): void {
    const { server } = this.search;
    upstream.abandon(this);
    this.route.counters.connectFailed(server);
    this.route.serverFailed(server, reason);
    this.lastFailure = reason === "time-out" ? Cause.serverTimeout : Cause.server;
    this.upstream = null;
    if (this.route.retryPolicy.afterRefusal(this.moves)) this.redispatch();
    else this.fail(503, this.lastFailure, Stage.connect);
  }

  /** The server closed or reset the connection before its response was whole. */
  upstreamClosed(upstream: UpstreamConnection, reason: string, responseBegan: boolean): void {
    const { server } = this.search;
    upstream.abandon(this);
    this.upstream = null;
    this.request.takesBody = false;
    if (!responseBegan && this.request.kept.replayable && upstream.reused) {
      // It had been idle and the server was closing it just then: no fault of the server's.
      this.route.counters.retried(server);
      this.trace.retries++;
      this.attempt(false, false);
      return;
    }
    this.route.counters.responseFailed(server, this.response.isSent);
    if (
      !responseBegan &&
      this.canReplay &&
      this.route.retryPolicy.afterEmptyResponse(this.moves, this.replays)
    ) {
      this.replays++;
      this.route.serverFailed(server, reason);
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
    this.route.counters.responseFailed(this.search.server, this.response.isSent);
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
    const { route } = this;
    const server = route.config.servers[this.search.server].name;
    keepInvalid(route, this.client.connection, {
      kind: "response",
      proxy: this.backendName,
      otherSide: this.front.config.name,
      server,
      reason,
      bytes,
      start,
      end,
      at,
    });
    upstream.abandon(this);
    this.upstream = null;
    route.counters.responseFailed(this.search.server, false);
    route.event({ event: "response", proxy: route.config.name, server, reason }, "broken response");
    this.fail(502, Cause.proxy, this.response.isSent ? Stage.data : Stage.headers);
  }

  /** The final head, described by `route.responseHeads.head`, and the part of its body that came with it. */
  responseBegins(
    upstream: UpstreamConnection,
    bytes: Uint8Array,
    start: number,
    end: number,
    done: boolean,
  ): void {
    const { route, search } = this;
    const { status } = route.responseHeads.head;
    if (route.retryPolicy.looksAtStatus && this.goesOnAfter(status)) {
      route.counters.responseFailed(search.server, false);
      upstream.abandon(this);
      this.redispatch();
      return;
    }
    this.answered(status);
    this.response.head(upstream, bytes, start, end, done);
  }

  /** The response is whole. The connection stays with whoever is answered next on it when it `isShared`. */
  responseDone(upstream: UpstreamConnection, reusable: boolean, isShared = false): void {
    this.takeTimes();
    this.route.backend.pipelines?.answered(this.search.server, this.times.answerMs);
    const { keepAlive } = this.response;
    // A server that answers early may not read the rest of the request: nobody else may use the connection.
    if (!isShared) this.route.release(upstream, reusable && this.request.isComplete);
    this.over();
    this.client.exchangeDone(keepAlive);
  }

  // —— on a connection with others (pipelining) ——

  /** It would have been answered behind somebody else, and is not going to be: it asks again, on a connection of its own. */
  leftBehind(): void {
    this.upstream = null;
    this.isAlone = true;
    this.route.counters.leftBehind(this.search.server);
    this.trace.retries++;
    this.attempt(true, false);
  }

  // —— tunnels (101 Switching Protocols) ——

  /** The server agreed to an upgrade; `bytes[start, end)` already belong to the new protocol. */
  switchingProtocols(upstream: UpstreamConnection, bytes: Uint8Array, start: number, end: number): void {
    if (!this.upgradeAsked || !this.request.isComplete) {
      const { start: headStart } = this.route.responseHeads.head;
      this.brokenResponse(upstream, "unasked-upgrade", bytes, headStart, end, headStart);
      return;
    }
    this.answered(101);
    this.response.switchingProtocols(bytes, end > start);
    upstream.beginTunnel();
    this.tunnel = new Tunnel(this.route, this.search.server, this.client, upstream);
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

  // —— the way to a server ——

  /** Finds the server that the client has been at; returns the request as servers shall see it. */
  private stick(stickiness: Stickiness, bytes: Uint8Array, head: Head): Uint8Array {
    const edited = stickiness.lookAt(bytes, head);
    this.search.asked = stickiness.server;
    this.search.dates = stickiness.dates;
    this.trace.cookies = `${stickiness.said}N`;
    if (edited === null) return bytes;
    this.front.requestHeads.replace(stickiness.head);
    return edited;
  }

  private dispatch(bodyFollows: boolean): void {
    const server = this.search.find();
    if (server >= 0) this.goTo(server, bodyFollows);
    else if (server === Sought.none) this.fail(503, this.lastFailure, Stage.connect);
  }

  private goTo(server: number, bodyFollows: boolean): void {
    const { search } = this;
    search.arriveAt(server);
    if (search.asked >= 0 && server !== search.asked) this.leavesAsked();
    this.attempt(true, bodyFollows);
  }

  /** Another server than the client's own gets the request, as if that one were down. */
  private leavesAsked(): void {
    this.trace.isRedispatched = true;
    this.trace.cookies = `D${this.trace.cookies[1]}`;
  }

  /** Over a pooled connection the request has left already, without what the client holds. */
  private passHeldBody(): void {
    if (this.request.takesBody) this.client.takeHeldBody();
  }

  /** Sends the request to the server that was found, over a connection of the pool or a new one. */
  private attempt(pooled: boolean, bodyFollows: boolean): void {
    const { route, request, search } = this;
    const { counters, engine, backend } = route;
    const { server } = search;
    const pool = backend.sendsProxy ? this.poolOf(server) : backend.pool;
    const now = engine.now();
    this.times.attempt(now);
    if (pooled && !this.isAlone && backend.pipelines !== null) {
      const shared = backend.pipelines.join(this, server, now);
      if (shared !== null) {
        counters.reused(server);
        this.times.reused();
        this.upstream = shared;
        return;
      }
    }
    const youngerThanMs = request.kept.replayable ? Infinity : unreplayableIdleMs;
    const idle = pooled ? route.takeIdle(pool, server, now, youngerThanMs) : null;
    if (idle === null) {
      counters.connecting(server);
      this.times.connecting(now);
      this.upstream = connectTo(route, server, this, pool);
      return;
    }
    this.times.reused();
    this.upstream = idle;
    idle.reuse(this);
    request.sendTo(idle, bodyFollows);
  }

  /** A connection that began with a PROXY header is this client's alone. */
  private poolOf(server: number): UpstreamPool {
    const { config, backend } = this.route;
    return config.servers[server].sendProxy === undefined ? backend.pool : this.client.ownPool(backend);
  }

  // —— from one server to another ——

  /** It may be sent a second time, the client has got nothing yet, and there is a server that has not had it. */
  private get canReplay(): boolean {
    return this.request.kept.replayable && this.client.sentBytes === 0 && this.search.hasMore;
  }

  /** An answer of that status is not passed on: another server is asked. */
  private goesOnAfter(status: number): boolean {
    return (
      this.request.isComplete && this.canReplay && this.route.retryPolicy.afterStatus(status, this.moves)
    );
  }

  /** What a server that is marked down has not answered yet another one may get, as if it had broken off. */
  private leavesMarked(): boolean {
    const { upstream } = this;
    if (upstream === null || this.response.isSent || !this.canReplay) return false;
    if (!this.route.retryPolicy.afterEmptyResponse(this.moves, this.replays)) return false;
    upstream.abandon(this);
    if (this.times.isConnected) this.route.counters.responseFailed(this.search.server, false);
    this.replays++;
    this.redispatch();
    return true;
  }

  /** Leaves the present server for the next one. */
  private redispatch(): void {
    this.upstream = null;
    this.request.takesBody = false;
    this.moves++;
    const left = this.search.leave();
    if (this.search.hasMore) {
      this.route.counters.redispatched(left);
      this.trace.retries++;
      this.trace.isRedispatched = true;
    }
    this.dispatch(this.client.holdsBody);
    this.passHeldBody();
  }

  // —— the end, and the accounts ——

  /** Ends the exchange without a server's response: an answer of our own, or a cut when one has begun. */
  private fail(status: number, cause: Cause, stage: Stage = this.stage): void {
    const { route, response } = this;
    this.trace.ends(cause, stage);
    this.upstream?.abandon(this);
    if (response.isSent) {
      this.over();
      this.client.cut();
      return;
    }
    // HTTP/1.0 clients take a connection for closed unless the answer says otherwise, and ours do not.
    const keepAlive =
      response.keepAlive && this.request.isComplete && response.versionMinor === 1 && !this.front.closing;
    this.trace.status = status;
    this.over(this.client.answerBytes(status, keepAlive, route));
    this.client.answer(status, keepAlive, route);
  }

  /** The server's final head is here, or a 101. */
  private answered(status: number): void {
    this.times.answered(this.route.engine.now());
    this.route.counters.responded(this.search.server, status);
    this.trace.status = status;
  }

  private takeTimes(): void {
    const { times, route } = this;
    const totalMs = route.engine.now() - times.startedMs;
    route.counters.timed(this.search.server, times.connectMs, times.answerMs, totalMs, times.queueMs);
  }

  /** How far it has come. */
  private get stage(): Stage {
    return stageOf({
      hasRequest: true,
      isQueued: this.search.isWaiting,
      isConnected: this.times.isConnected,
      requestComplete: this.request.isComplete,
      responseBegan: this.response.isSent,
    });
  }

  /** The accounts are closed and nothing is held any more. `answerBytes`: of an answer that is about to be sent. */
  private over(answerBytes = 0): void {
    const { route, search, request, response } = this;
    // While the accounts still stand as they were.
    if (route.exchangeLog.isOn || this.trace.cause !== Cause.none) logExchange(this, answerBytes);
    this.active = false;
    route.counters.exchangeEnded();
    this.upstream = null;
    this.tunnel = null;
    request.end();
    response.end();
    search.giveUp();
    // Last: another exchange may begin at once at the place that this one leaves.
    search.leave();
  }
}
