import type { CheckConfig, ObserveConfig } from "../config/server-config.js";
import { addLatency, Latency } from "./stats/latency.js";
import { Cell, latencyCell } from "./stats/layout.js";
import { addTimings } from "./stats/sliding.js";
import type { StatsTable } from "./stats/table.js";

const classCells = [
  Cell.responsesOther,
  Cell.responses1xx,
  Cell.responses2xx,
  Cell.responses3xx,
  Cell.responses4xx,
  Cell.responses5xx,
];

const classCell = (status: number): number => classCells[Math.floor(status / 100)] ?? Cell.responsesOther;

/** What `errorsInRow` counts of a server; null: nothing. */
type Observed = ObserveConfig["layer"] | null;

/** What the counters need to know of a proxy. */
export interface CountedProxy {
  readonly servers: readonly { readonly check?: CheckConfig }[];
  readonly mode?: "tcp";
}

/** The counters of one proxy in one data thread: what happened, in the rows that HAProxy's users read. */
export class ProxyCounters {
  private readonly cells: Float64Array;
  private readonly frontend: number;
  private readonly backend: number;
  private readonly servers: readonly number[];
  private readonly observed: readonly Observed[];
  /** Requests that a session with a server counts as: none where requests are not seen. */
  private readonly perSession: number;

  constructor(
    table: StatsTable,
    threadIndex: number,
    proxyIndex: number,
    { servers, mode }: CountedProxy,
    /** Whose servers' and backend's rows count. */
    backendIndex = proxyIndex,
  ) {
    this.perSession = mode === "tcp" ? 0 : 1;
    this.cells = table.blocks[threadIndex];
    this.frontend = table.frontendRow(proxyIndex);
    this.backend = table.backendRow(backendIndex);
    this.servers = servers.map((_, server) => table.serverRow(backendIndex, server));
    this.observed = servers.map(({ check }) => check?.observe?.layer ?? null);
  }

  clientConnected(): void {
    this.arrived();
    this.sessionBegan();
  }

  /** A connection that is no session yet: a PROXY header or a handshake comes first. */
  arrived(): void {
    this.cells[this.frontend + Cell.connectionsTotal]++;
    this.raise(this.frontend);
  }

  sessionBegan(): void {
    this.cells[this.frontend + Cell.sessionsTotal]++;
  }

  tlsBegan(isResumed: boolean): void {
    this.cells[this.frontend + Cell.tlsSessions]++;
    if (isResumed) this.cells[this.frontend + Cell.tlsResumed]++;
  }

  tlsFailed(): void {
    this.cells[this.frontend + Cell.tlsFailed]++;
  }

  /** A connection speaks HTTP/2 from now on. */
  http2Began(): void {
    this.cells[this.frontend + Cell.http2ConnectionsCurrent]++;
    this.cells[this.frontend + Cell.http2ConnectionsTotal]++;
  }

  http2Ended(): void {
    this.cells[this.frontend + Cell.http2ConnectionsCurrent]--;
  }

  streamBegan(): void {
    this.cells[this.frontend + Cell.http2StreamsCurrent]++;
    this.cells[this.frontend + Cell.http2StreamsTotal]++;
  }

  streamEnded(): void {
    this.cells[this.frontend + Cell.http2StreamsCurrent]--;
  }

  /**
   * A connection rule cut a client off. HAProxy counts it as a connection, and not as a session. `hasArrived`: it is counted as
   * a connection already.
   */
  connectionDenied(hasArrived: boolean): void {
    if (!hasArrived) this.cells[this.frontend + Cell.connectionsTotal]++;
    this.cells[this.frontend + Cell.connectionsDenied]++;
  }

  limitReached(): void {
    this.cells[this.frontend + Cell.limitReached]++;
  }

  clientGone(): void {
    this.cells[this.frontend + Cell.sessionsCurrent]--;
  }

  /** The server could not be reached, or broke an exchange off before it answered. */
  serverFailed(server: number, nowMs: number): void {
    this.cells[this.servers[server] + Cell.lastFailedMs] = nowMs;
  }

  /** The server took a connection. */
  serverReached(server: number, nowMs: number): void {
    this.cells[this.servers[server] + Cell.lastReachedMs] = nowMs;
  }

  receivedFromClient(bytes: number): void {
    this.cells[this.frontend + Cell.bytesIn] += bytes;
  }

  sentToClient(bytes: number): void {
    this.cells[this.frontend + Cell.bytesOut] += bytes;
  }

  requestReceived(): void {
    this.cells[this.frontend + Cell.requestsTotal]++;
  }

  /** A request's body was malformed or too slow. */
  badRequest(): void {
    this.cells[this.frontend + Cell.requestErrors]++;
  }

  /** A head was refused as malformed or too slow, or cut by the client before it was whole: HAProxy counts a request too. */
  badHead(): void {
    this.requestReceived();
    this.badRequest();
  }

  /** An error of the proxy's own. `reachedBackend`: the balancer had been asked, so the backend counts it too. */
  failed(status: number, reachedBackend: boolean): void {
    this.cells[this.frontend + classCell(status)]++;
    if (reachedBackend) this.cells[this.backend + classCell(status)]++;
  }

  /** A rule answered the request and did not refuse it. */
  intercepted(status: number): void {
    this.cells[this.frontend + classCell(status)]++;
    this.cells[this.frontend + Cell.intercepted]++;
  }

  /** A rule refused the request with this status. */
  requestDenied(status: number): void {
    this.cells[this.frontend + classCell(status)]++;
    this.cells[this.frontend + Cell.requestsDenied]++;
  }

  /** The balancer was asked for a server for this request. */
  exchangeBegan(): void {
    this.cells[this.backend + Cell.requestsTotal] += this.perSession;
    this.cells[this.backend + Cell.sessionsTotal]++;
    this.raise(this.backend);
  }

  exchangeEnded(): void {
    this.cells[this.backend + Cell.sessionsCurrent]--;
  }

  /**
   * `monotonicMs`: on the process-wide clock (see `stats/monotonic.ts`). `isBalanced`: the balancer chose it, and not the
   * client's cookie.
   */
  serverChosen(server: number, monotonicMs: number, isBalanced = true): void {
    const row = this.servers[server];
    const balanced = isBalanced ? 1 : 0;
    this.cells[row + Cell.selections] += balanced;
    this.cells[row + Cell.sessionsTotal]++;
    this.cells[row + Cell.requestsTotal] += this.perSession;
    this.cells[row + Cell.lastSessionMs] = monotonicMs;
    this.cells[this.backend + Cell.selections] += balanced;
    this.cells[this.backend + Cell.lastSessionMs] = monotonicMs;
    this.raise(row);
  }

  serverLeft(server: number): void {
    this.cells[this.servers[server] + Cell.sessionsCurrent]--;
  }

  connecting(server: number): void {
    this.both(server, Cell.connectsTotal);
  }

  reused(server: number): void {
    this.both(server, Cell.reuses);
  }

  /** `requests` have left for `server` in one packet. */
  pipelined(server: number, requests: number): void {
    this.cells[this.servers[server] + Cell.pipelined] += requests;
    this.cells[this.backend + Cell.pipelined] += requests;
  }

  /** One of them is asked for again, for it would have had to wait. */
  leftBehind(server: number): void {
    this.both(server, Cell.leftBehind);
    this.retried(server);
  }

  /** It took a connection. */
  connected(server: number): void {
    if (this.observed[server] === "layer4") this.cells[this.servers[server] + Cell.errorsInRow] = 0;
  }

  connectFailed(server: number): void {
    this.both(server, Cell.connectErrors);
    if (this.observed[server] !== null) this.cells[this.servers[server] + Cell.errorsInRow]++;
  }

  retried(server: number): void {
    this.both(server, Cell.retries);
  }

  /** The request was moved away from `server`. */
  redispatched(server: number): void {
    this.both(server, Cell.redispatches);
  }

  idleConnections(server: number, change: number): void {
    this.both(server, Cell.idleConnections, change);
  }

  usedConnections(server: number, change: number): void {
    this.both(server, Cell.usedConnections, change);
  }

  sentToServer(server: number, bytes: number): void {
    this.both(server, Cell.bytesIn, bytes);
  }

  receivedFromServer(server: number, bytes: number): void {
    this.both(server, Cell.bytesOut, bytes);
  }

  /** A server's own answer begins: interim ones (1xx) count like the others. */
  responded(server: number, status: number): void {
    const cell = classCell(status);
    this.cells[this.frontend + cell]++;
    this.both(server, cell);
    if (this.observed[server] === "layer7") {
      // HAProxy's rule: 501 and 505 are the request's fault.
      if (status >= 500 && status !== 501 && status !== 505)
        this.cells[this.servers[server] + Cell.errorsInRow]++;
      else this.cells[this.servers[server] + Cell.errorsInRow] = 0;
    }
  }

  /** Broken, cut or timed-out response. `aborted`: the server ended it in its body, as HAProxy's srv_abrt has it. */
  responseFailed(server: number, aborted: boolean): void {
    this.both(server, Cell.responseErrors);
    if (aborted) this.both(server, Cell.serverAborts);
    if (this.observed[server] === "layer7") this.cells[this.servers[server] + Cell.errorsInRow]++;
  }

  /** The client went away in the middle of an exchange. */
  clientAborted(server: number): void {
    this.cells[this.frontend + Cell.clientAborts]++;
    this.cells[this.backend + Cell.clientAborts]++;
    if (server >= 0) this.cells[this.servers[server] + Cell.clientAborts]++;
  }

  /**
   * A client of mode tcp went away before its backend was chosen, having said so many bytes. A listen, which is its own backend
   * until another one is chosen, counts it on both sides, as HAProxy does; the bytes only here, because no server has them.
   */
  inspectionAborted(bytes: number, isListen: boolean): void {
    this.badRequest();
    this.receivedFromClient(bytes);
    this.cells[this.frontend + Cell.clientAborts]++;
    if (!isListen) return;
    this.exchangeBegan();
    this.exchangeEnded();
    this.cells[this.backend + Cell.clientAborts]++;
  }

  /** Times of a finished exchange: connect (0 when reused), to the response's head, whole; ms. */
  timed(server: number, connectMs: number, responseMs: number, totalMs: number, queueMs = 0): void {
    addTimings(this.cells, this.servers[server], connectMs, responseMs, totalMs, queueMs);
    addTimings(this.cells, this.backend, connectMs, responseMs, totalMs, queueMs);
    const own = this.servers[server] + latencyCell;
    addLatency(this.cells, own, Latency.queue, queueMs);
    addLatency(this.cells, own, Latency.connect, connectMs);
    addLatency(this.cells, own, Latency.response, responseMs);
    addLatency(this.cells, own, Latency.total, totalMs);
    addLatency(this.cells, this.frontend + latencyCell, Latency.total, totalMs);
  }

  /** Somebody waits for `server`, or for any server (−1). */
  queued(server: number): void {
    const row = server < 0 ? this.backend : this.servers[server];
    const current = ++this.cells[row + Cell.queueCurrent];
    if (current > this.cells[row + Cell.queueMax]) this.cells[row + Cell.queueMax] = current;
  }

  dequeued(server: number): void {
    this.cells[(server < 0 ? this.backend : this.servers[server]) + Cell.queueCurrent]--;
  }

  private both(server: number, cell: number, change = 1): void {
    this.cells[this.servers[server] + cell] += change;
    this.cells[this.backend + cell] += change;
  }

  private raise(row: number): void {
    const current = ++this.cells[row + Cell.sessionsCurrent];
    if (current > this.cells[row + Cell.sessionsMax]) this.cells[row + Cell.sessionsMax] = current;
  }
}
