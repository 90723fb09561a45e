import type { ProxyConfig } from "../config/config.js";
import { arrivalsOf } from "./arrival.js";
import type { Client } from "./client.js";
import { ClientConnection } from "./client-connection.js";
import type { ConnectionGate } from "./connection-gate.js";
import {
  type Acceptor,
  type Connection,
  type ConnectionHandler,
  type Listener,
  nobody,
  type TlsTermination,
} from "./engine/engine.js";
import { Roster } from "./engine/roster.js";
import { ErrorPages } from "./error-pages.js";
import { ForwardedForLines } from "./forwarded-for-lines.js";
import { RequestHeads } from "./http1/known-heads.js";
import { Http2Client } from "./http2-client.js";
import type { FrontendState } from "./operator-limits.js";
import { RequestIdentity } from "./request-identity.js";
import { RequestRules } from "./request-rules.js";
import { Route, type RouteParts } from "./route.js";
import { SessionRules } from "./rules/session-rules.js";
import { TcpSession } from "./tcp-session.js";
import type { Entrance } from "./thread-listeners.js";
import { type Certificates, noTls, type ThreadTls } from "./tls/certificate.js";

/** A connection that has waited this long for a request hardly has one on its way just now. */
const restingMs = 1_000;

const noPlaces: readonly number[] = [];

/** The first address that the proxy listens on, or that of its first server when it listens on all. */
function authorityOf({ listen, servers }: ProxyConfig): string {
  const [first] = listen;
  const isWildcard = first === undefined || first.address === "0.0.0.0" || first.address === "::";
  const host = isWildcard ? (servers[0]?.host ?? "localhost") : first.address;
  const port = isWildcard ? (servers[0]?.port ?? 80) : first.port;
  const literal = host.includes(":") ? `[${host}]` : host;
  return port === 80 ? literal : `${literal}:${port}`;
}

/** What a proxy is made of beside the way to its own servers. */
export interface ProxyParts extends RouteParts {
  /** Which limit stands against one more client, as a few words for the log; null: none. */
  readonly limitReached: () => string | null;
  /** Whether an operator lets clients come. */
  readonly state: () => FrontendState;
  /** The memory of its rate limits, shared by all data threads. */
  readonly ruleCounters?: readonly SharedArrayBuffer[];
  /** Who may connect; left out: everybody. */
  readonly gate?: ConnectionGate | null;
  /** The ways to other backends, by their names, that its rules may choose. */
  readonly routes?: ReadonlyMap<string, Route>;
}

/**
 * One proxy that clients come to, inside one data thread: what its connections share, and the way to the servers that serve
 * them unless a rule says otherwise.
 */
export class ProxyInstance extends Route implements Acceptor {
  /** null: requests go on as they come. */
  readonly rules: RequestRules | null;
  /** In mode tcp: which backend serves a session; null: always its own. */
  readonly sessionRules: SessionRules | null;
  /** Parsed into and read within one call of a handler, so these serve every connection of the thread. */
  readonly requestHeads: RequestHeads;
  /** What an HTTP/1.0 request that names no host has meant: the address that it came to. */
  readonly fallbackHost: Uint8Array;
  readonly forwardedForLines = new ForwardedForLines(this.config.forwardFor);
  /** For errors that happen before there is a backend. */
  readonly ownErrorPages: ErrorPages;
  readonly clients = new Roster<Client>();
  /** Who may connect; null: everybody. */
  private readonly gate: ConnectionGate | null;
  /** Called when `closing` and the last client has left. */
  emptied: (() => void) | null = null;
  /** The address is about to move or the process to end: answers say `Connection: close`. */
  closing = false;
  /** Clients wait in the backlog until others have gone. */
  private isFull = false;
  private readonly listeners: Listener[] = [];
  private readonly terminations: TlsTermination[] = [];
  private readonly limitReached: () => string | null;
  private readonly state: () => FrontendState;
  private readonly routes: ReadonlyMap<string, Route>;

  constructor(parts: ProxyParts) {
    super(parts);
    const { config, engine } = parts;
    this.limitReached = parts.limitReached;
    this.state = parts.state;
    this.routes = parts.routes ?? new Map();
    this.fallbackHost = Buffer.from(`Host: ${authorityOf(config)}\r\n`);
    this.requestHeads = new RequestHeads(engine.memory, this.limits);
    this.gate = parts.gate ?? null;
    this.ownErrorPages = new ErrorPages(config.errorFiles);
    const identity = RequestIdentity.of(config);
    const isTcp = config.mode === "tcp";
    this.sessionRules = isTcp && config.rules !== undefined ? new SessionRules(config.rules) : null;
    this.rules =
      isTcp || (config.rules === undefined && identity === null)
        ? null
        : new RequestRules(config.rules ?? [], parts.ruleCounters ?? [], this.limits, identity);
  }

  /** The way that a rule has chosen; null: its own. */
  routeTo(backend: string | null): Route {
    return (backend === null ? undefined : this.routes.get(backend)) ?? this;
  }

  /** Takes clients from a listening socket, that of `config.listen[place]`; the engine owns the descriptor from now on. */
  listen(descriptor: number, place: number, tls: ThreadTls = noTls): Listener {
    return this.entrance(descriptor, place, tls).open();
  }

  /** As `listen`, but nobody is taken before it is opened. Throws here what cannot be served. */
  entrance(descriptor: number, place: number, tls: ThreadTls): Entrance {
    const { tls: config } = this.config.listen[place];
    let termination: TlsTermination | null = null;
    if (config !== undefined) {
      termination = this.engine.termination(config, tls.certificates, tls.ticketKeys);
      if (termination === null)
        throw new Error(`${this.config.name}: the ${this.engine.name} engine speaks no TLS`);
      this.terminations.push(termination);
    }
    const open = (): Listener => {
      const listener = this.engine.listen(descriptor, arrivalsOf(this, place, termination));
      this.listeners.push(listener);
      return listener;
    };
    return { descriptor, open };
  }

  /** Clients that come from now on are shown these. */
  renewCertificates(certificates: Certificates): void {
    for (const termination of this.terminations) termination.renew(certificates);
    this.backend.renewCertificates(certificates);
  }

  admits(): boolean {
    if (this.state() !== "open") return false;
    const reason = this.limitReached();
    if (reason !== null && !this.isFull) {
      this.counters.limitReached();
      this.event({ event: "accept", proxy: this.config.name, reason }, "clients wait for others to leave");
    }
    this.isFull = reason !== null;
    return !this.isFull;
  }

  /** An operator has disabled the proxy, or stopped it: then who is here goes with the next answer. */
  lookAtEntrances(): void {
    const state = this.state();
    if (state === "stopped") this.closing = true;
    if (state !== "open") for (const listener of this.listeners) listener.pause();
  }

  failed(errorCode: string): void {
    this.event({ event: "accept", proxy: this.config.name, reason: errorCode }, "no client can be accepted");
  }

  accept(connection: Connection): ConnectionHandler {
    const places = this.placesFor(connection, false);
    if (places === null) return nobody;
    this.counters.clientConnected();
    return this.serve(connection, false, places);
  }

  /**
   * What the connection rules have to say of a client whose address is known now: what it takes of their limits, for `serve`
   * or `giveBack`; null: it was cut off. `hasArrived`: it is counted as a connection already.
   */
  placesFor(connection: Connection, hasArrived: boolean): readonly number[] | null {
    const { gate } = this;
    const places = gate === null ? noPlaces : gate.admits(connection.remoteAddress, this.monotonicMs());
    if (places !== null) return places;
    this.counters.connectionDenied(hasArrived);
    connection.close(true);
    return null;
  }

  /** The client is gone before it was served. */
  giveBack(places: readonly number[]): void {
    this.gate?.giveBack(places);
  }

  /** The client of `connection` may speak its protocol now; returns who hears it. */
  serve(connection: Connection, overTls: boolean, places: readonly number[]): ConnectionHandler {
    if (this.config.mode === "tcp") {
      const session = new TcpSession(this, connection, overTls);
      this.clients.add(session);
      this.gate?.hold(session, places);
      session.begin();
      return session;
    }
    const client =
      overTls && connection.protocol === "h2"
        ? new Http2Client(this, connection)
        : new ClientConnection(this, connection, overTls);
    this.clients.add(client);
    this.gate?.hold(client, places);
    return client;
  }

  /** A client's connection is gone. */
  left(client: Client): void {
    this.counters.clientGone();
    this.gate?.left(client);
    this.clients.delete(client);
    if (this.isFull) for (const listener of this.listeners) listener.admitAgain();
    if (this.closing && this.clients.size === 0) this.emptied?.();
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
    for (const route of this.routes.values()) route.draining = true;
    this.closeIdle(0);
    for (const upstream of this.pool.drain()) upstream.closeIdle();
  }

  /** Cuts what is left. Returns how many client connections that were. */
  cut(): number {
    const left = this.clients.list();
    for (const client of left) client.cut();
    return left.length;
  }
}
