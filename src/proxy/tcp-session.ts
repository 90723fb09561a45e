import { defaultInspectMs } from "../config/defaults.js";
import { noKey } from "./balance/algorithm.js";
import { hashText } from "./balance/key-hash.js";
import type { Client } from "./client.js";
import type { Connection, ConnectionHandler, DeadlineKind } from "./engine/engine.js";
import { greet } from "./greeting.js";
import { HeldBytes } from "./held-bytes.js";
import { Cause, Stage } from "./log/termination.js";
import { logSession } from "./log-session.js";
import type { ProxyInstance } from "./proxy-instance.js";
import { Sought } from "./queue/server-queue.js";
import type { Route } from "./route.js";
import { type Seeker, ServerSearch } from "./server-search.js";
import type { SessionReport, SessionState } from "./session-report.js";
import { serverNameOf } from "./tls/client-hello.js";
import { splicedBytes } from "./tunnel.js";

/** HAProxy's retries and the second between two of them: a server that is just being restarted gets its session. */
const mostRetries = 3;
const retryDelayMs = 1_000;

/**
 *     inspecting ──the client has named its server──▶ connecting ──a server took it──▶ open ──both sides have ended──▶ over
 *                                                        ↑___ refused, time-out ___|
 *
 * `inspecting` where rules ask for that name alone.
 */
const Phase = { inspecting: 0, connecting: 1, open: 2, over: 3 } as const;
type Phase = (typeof Phase)[keyof typeof Phase];

/**
 * A session of a `mode: tcp` proxy: a client's connection and one to a server, whose bytes pass unread both ways. Each
 * side's FIN passes too, and the other direction goes on until it ends by itself; a reset of one side resets the other.
 *
 * What the client sends waits in the kernel until a server has taken the connection, so another server can be tried as
 * long as none has. The session lives as long as something passes in either direction (`timeout: tunnel`).
 */
export class TcpSession implements ConnectionHandler, Client, Seeker {
  rosterPlace = -1;
  sessionId = 0;

  private phase: Phase = Phase.inspecting;
  /** The way to its servers; before one is chosen the proxy's own, and `isRouted` is false. */
  private route: Route;
  private isRouted = false;
  private upstream: Connection | null = null;
  private readonly search: ServerSearch;
  private hasWaitedTooLong = false;
  private isKilled = false;
  private retries = 0;
  /** FIN has come from a side. */
  private halfClosed = false;
  /** The engine has closed this side. */
  private clientGone = false;
  private serverGone = false;
  /** What was sent to a side waits for it. */
  private clientIsSlow = false;
  private serverIsSlow = false;
  /** The present connection to a server has had what goes in front of everything else. */
  private isGreeted = false;
  /** What came together with the PROXY header, and what was inspected; null: nothing. */
  private early: HeldBytes | null = null;

  private readonly startedMs: number;
  private connectStartedMs = 0;
  private connectMs = 0;
  /** For the log line: when the first attempt at a server began, what the client got. */
  private firstAttemptMs = -1;
  private sentBytes = 0;
  private redispatches = 0;
  private cause: Cause = Cause.none;

  constructor(
    private readonly proxy: ProxyInstance,
    private readonly client: Connection,
    private readonly overTls: boolean,
  ) {
    this.startedMs = proxy.engine.now();
    this.route = proxy;
    this.search = new ServerSearch(proxy, this);
  }

  /** Looks for a server. Apart from the constructor, so that the proxy knows of the session by then. */
  begin(): void {
    if (this.proxy.sessionRules?.asksName !== true) this.choose(null);
    else this.client.deadline("inspect", this.proxy.config.timeouts.inspectMs ?? defaultInspectMs);
  }

  // —— from the engine ——

  connected(connection: Connection): void {
    const { counters, engine, backend } = this.route;
    if (backend.greets && !this.isGreeted) {
      this.isGreeted = true;
      if (!greet(connection, backend, this.search.server, this.client, this.early !== null)) return;
    }
    this.phase = Phase.open;
    this.cause = Cause.none;
    this.connectMs = engine.now() - this.connectStartedMs;
    counters.connected(this.search.server);
    counters.usedConnections(this.search.server, 1);
    this.route.serverReached(this.search.server);
    connection.clearDeadline();
    this.touch();
    const isTaken = this.early === null || this.passEarly(this.early, connection);
    if (isTaken) this.client.resume();
    // While it was inspected.
    if (this.halfClosed) connection.shutdown();
  }

  received(connection: Connection, bytes: Uint8Array, start: number, end: number): void {
    const { upstream } = this;
    if (this.phase === Phase.inspecting || this.phase === Phase.connecting) {
      this.early ??= new HeldBytes();
      this.early.append(bytes, start, end);
      if (this.phase === Phase.inspecting) this.inspect(this.early.peek());
      return;
    }
    if (upstream === null || this.phase !== Phase.open) return;
    this.touch();
    const to = connection === this.client ? upstream : this.client;
    this.passed(connection, end - start);
    if (!to.send(bytes, start, end, false)) this.holdBack(connection);
    else if (end - start >= splicedBytes) this.route.engine.splice(connection, to, Infinity);
  }

  spliced(connection: Connection, count: number, taken: boolean): void {
    if (this.phase !== Phase.open) return;
    this.touch();
    this.passed(connection, count);
    if (!taken) this.holdBack(connection);
  }

  ended(connection: Connection): void {
    this.halfClosed = true;
    if (this.phase === Phase.inspecting) {
      this.choose(null);
      return;
    }
    this.touch();
    this.otherThan(connection)?.shutdown();
  }

  drained(connection: Connection): void {
    if (connection === this.client) this.clientIsSlow = false;
    else this.serverIsSlow = false;
    this.touch();
    this.otherThan(connection)?.resume();
  }

  expired(connection: Connection, kind: DeadlineKind): void {
    if (kind === "connect") this.connectFailed(connection, "time-out");
    else if (kind === "retry") this.dispatch();
    else if (kind === "inspect") this.choose(null);
    else {
      this.route.counters.clientAborted(this.search.server);
      this.cause = Cause.clientTimeout;
      this.end(this.serverIsSlow, this.clientIsSlow);
    }
  }

  closed(connection: Connection, errorCode: string | null): void {
    const isClient = connection === this.client;
    if (isClient) this.clientGone = true;
    if (this.phase === Phase.inspecting || this.phase === Phase.connecting) {
      if (isClient) this.aborted();
      else this.connectFailed(connection, errorCode ?? "closed");
      return;
    }
    if (!isClient) this.serverGone = true;
    if (errorCode !== null) {
      if (isClient) this.aborted();
      else {
        this.route.counters.responseFailed(this.search.server, true);
        this.cause = Cause.server;
        this.end(true, true);
      }
      return;
    }
    // Both directions of this side have ended; the other may still be reading what went before.
    if (this.clientGone && this.serverGone) this.end(false, false);
    else this.otherThan(connection)?.shutdown();
  }

  // —— from the proxy ——

  /** A session that a proxy knows nothing of may say something at any moment: it is never idle. */
  closeIfIdle(): void {}

  cut(): void {
    this.cause = Cause.killed;
    this.end(true, true);
  }

  kill(cause: Cause): void {
    this.isKilled = true;
    this.cause = cause;
    this.end(true, true);
  }

  report(nowMs: number): SessionReport {
    const { config, backend } = this.route;
    const isOpen = this.phase === Phase.open;
    const elapsedMs = nowMs - this.startedMs;
    const state = this.state;
    return {
      clientAddress: this.client.remoteAddress,
      clientPort: this.client.remotePort,
      frontend: config.name,
      overTls: this.overTls,
      ageMs: elapsedMs,
      state,
      exchange: this.isRouted
        ? {
            state,
            backend: backend.name,
            server: this.search.server < 0 ? null : config.servers[this.search.server].name,
            queueMs: this.firstAttemptMs < 0 ? -1 : this.connectStartedMs - this.startedMs,
            connectMs: isOpen ? this.connectMs : -1,
            responseMs: -1,
            elapsedMs,
            retries: this.retries + this.redispatches,
          }
        : null,
      sentBytes: this.sentBytes,
      request: null,
    };
  }

  // —— from the search for a server ——

  waitedTooLong(): void {
    this.cause = Cause.serverTimeout;
    this.hasWaitedTooLong = true;
    this.firstAttemptMs = this.route.engine.now();
    this.end(true, true);
  }

  tryAgain(): void {
    this.dispatch();
  }

  granted(server: number): void {
    const { engine, counters, config, backend } = this.route;
    this.search.arriveAt(server);
    counters.connecting(server);
    this.isGreeted = false;
    this.connectStartedMs = engine.now();
    if (this.firstAttemptMs < 0) this.firstAttemptMs = this.connectStartedMs;
    this.upstream = engine.connect(backend.targets.of(server), this);
    this.upstream.deadline("connect", config.timeouts.connectMs);
  }

  // —— inside ——

  private get state(): SessionState {
    if (this.phase === Phase.inspecting) return "inspect";
    if (this.phase === Phase.open) return "tunnel";
    return this.search.isWaiting ? "queue" : "connect";
  }

  /** `bytes` is all that the client has said. */
  private inspect(bytes: Uint8Array): void {
    const name = serverNameOf(bytes, 0, bytes.length);
    if (name !== undefined) this.choose(name);
  }

  /** The backend is known, and a server of it is looked for. `serverName` null: none was asked for, or none was said. */
  private choose(serverName: string | null): void {
    const { proxy, client } = this;
    const backend = proxy.sessionRules?.backendFor(client.remoteAddress, serverName) ?? null;
    this.route = proxy.routeTo(backend);
    this.isRouted = true;
    this.phase = Phase.connecting;
    client.clearDeadline();
    client.pause();
    const isHashed = this.route.config.balance === "source";
    this.search.begin(this.route, isHashed ? hashText(client.remoteAddress) : noKey);
    this.route.counters.exchangeBegan();
    this.dispatch();
  }

  private dispatch(): void {
    const server = this.search.find();
    if (server >= 0) this.granted(server);
    else if (server === Sought.none) {
      if (this.cause === Cause.none) this.cause = Cause.server;
      this.end(true, true);
    }
  }

  private connectFailed(connection: Connection, reason: string): void {
    const { counters } = this.route;
    const left = this.search.server;
    connection.close(false);
    this.upstream = null;
    this.cause = reason === "time-out" ? Cause.serverTimeout : Cause.server;
    counters.connectFailed(left);
    this.route.serverFailed(left, reason);
    this.search.leave();
    if (this.search.hasMore) {
      counters.redispatched(left);
      this.redispatches++;
      this.dispatch();
    } else if (this.retries < mostRetries) {
      this.retries++;
      counters.retried(left);
      this.search.tried.clear();
      this.client.deadline("retry", retryDelayMs);
    } else {
      this.dispatch();
    }
  }

  /** False: the server does not take it all at once, and the client waits. */
  private passEarly(early: HeldBytes, server: Connection): boolean {
    this.early = null;
    const bytes = early.take();
    this.passed(this.client, bytes.length);
    const isTaken = server.send(bytes, 0, bytes.length, false);
    if (!isTaken) this.serverIsSlow = true;
    return isTaken;
  }

  /** Bytes that came from `connection` go to the other side. */
  private passed(connection: Connection, count: number): void {
    const { counters } = this.route;
    if (connection === this.client) {
      counters.receivedFromClient(count);
      counters.sentToServer(this.search.server, count);
    } else {
      counters.receivedFromServer(this.search.server, count);
      counters.sentToClient(count);
      this.sentBytes += count;
    }
  }

  /** The other side does not take more for the moment: what comes from this one waits in the kernel. */
  private holdBack(connection: Connection): void {
    if (connection === this.client) this.serverIsSlow = true;
    else this.clientIsSlow = true;
    connection.pause();
  }

  /** Either side, while it is there; the client's connection carries the deadline until it is gone. */
  private touch(): void {
    if (this.phase !== Phase.open) return;
    const { tunnelMs, halfClosedMs } = this.route.config.timeouts;
    const ms = this.halfClosed ? (halfClosedMs ?? tunnelMs) : tunnelMs;
    if (!this.clientGone) this.client.deadline("tunnel", ms);
    else this.upstream?.deadline("tunnel", ms);
  }

  private otherThan(connection: Connection): Connection | null {
    return connection === this.client ? this.upstream : this.client;
  }

  /** The client reset its connection. */
  private aborted(): void {
    const { counters, backend, config } = this.route;
    if (this.isRouted) counters.clientAborted(this.search.server);
    else counters.inspectionAborted(this.early?.length ?? 0, backend.name === config.name);
    this.cause = Cause.client;
    this.end(true, true);
  }

  /** For the log. */
  private tell(wasOpen: boolean): void {
    const { startedMs, firstAttemptMs, connectStartedMs } = this;
    const queuedUntilMs = wasOpen ? connectStartedMs : firstAttemptMs;
    logSession(this.route, this.client, this.search, {
      overTls: this.overTls,
      isRouted: this.isRouted,
      startedMs,
      queueMs: firstAttemptMs < 0 ? -1 : queuedUntilMs - startedMs,
      connectMs: wasOpen ? this.connectMs : -1,
      bytes: this.sentBytes,
      cause: this.cause,
      stage: this.stage(wasOpen),
      retries: this.retries + this.redispatches,
      isRedispatched: this.redispatches > 0,
    });
  }

  /** HAProxy says nothing of how far a session had come that an operator has ended. */
  private stage(wasOpen: boolean): Stage {
    if (!this.isRouted) return Stage.request;
    if (wasOpen) return this.isKilled ? Stage.none : Stage.data;
    return this.search.isWaiting || this.hasWaitedTooLong ? Stage.queue : Stage.connect;
  }

  /** Closes what is left of both sides, and the accounts. */
  private end(resetServer: boolean, resetClient: boolean): void {
    if (this.phase === Phase.over) return;
    const { counters, engine, exchangeLog } = this.route;
    const wasOpen = this.phase === Phase.open;
    if (exchangeLog.isOn || this.cause !== Cause.none) this.tell(wasOpen);
    this.phase = Phase.over;
    // A connection that is still being opened has nobody to reset.
    if (!this.serverGone) this.upstream?.close(resetServer && wasOpen);
    if (!this.clientGone) this.client.close(resetClient);
    if (wasOpen) {
      counters.usedConnections(this.search.server, -1);
      const queueMs = this.connectStartedMs - this.startedMs;
      counters.timed(this.search.server, this.connectMs, 0, engine.now() - this.startedMs, queueMs);
    }
    if (this.isRouted) counters.exchangeEnded();
    this.search.giveUp();
    this.proxy.left(this);
    // Last: another session may begin at once at the place that this one leaves.
    this.search.leave();
  }
}
