import type { Client } from "./client.js";
import {
  type Acceptor,
  type Connection,
  type ConnectionHandler,
  nobody,
  type TlsTermination,
} from "./engine/engine.js";
import { HeldBytes } from "./held-bytes.js";
import type { ProxyInstance } from "./proxy-instance.js";
import { parseProxyHeader } from "./proxy-protocol/parse.js";
import type { SessionReport } from "./session-report.js";
import { certificateRefused } from "./tls/certificate.js";
import { serverNameOf } from "./tls/client-hello.js";

const nothing = new Uint8Array(0);
/** A fatal alert (RFC 8446 §6), in a record of its own: there is no server of the name that was asked for. */
const unrecognizedName = Uint8Array.of(21, 3, 3, 0, 2, 2, 112);

/** Why a connection never came to be served, in HAProxy's words for its log. */
const Failure = {
  headerEmpty: "Connection closed while waiting for PROXY protocol header",
  headerAborted: "Connection error while waiting for PROXY protocol header",
  headerTimeout: "Timeout while waiting for PROXY protocol header",
  headerTruncated: "Truncated PROXY protocol header received",
  headerMissing: "Received something which does not look like a PROXY protocol header",
  headerInvalid: "Received an invalid PROXY protocol header",
  tlsClosed: "Connection closed during SSL handshake",
  tlsAborted: "Connection error during SSL handshake",
  tlsTimeout: "Timeout during SSL handshake",
  tlsFailed: "SSL handshake failure",
  certificateRefused: "SSL client certificate not trusted",
} as const;
type Failure = (typeof Failure)[keyof typeof Failure];

/**
 * A client's connection before its proxy serves it: waits for the PROXY header of an address that expects one, then for the
 * handshake of an address with TLS. The proxy's own handler gets the connection, with what came behind the header.
 *
 * Where nothing of that is expected no such object is made.
 */
export class Arrival implements ConnectionHandler, Client {
  rosterPlace = -1;
  sessionId = 0;
  private readonly held = new HeldBytes();
  private readonly beganMs: number;
  /** As long as the connection can tell. */
  private readonly clientAddress: string;
  private readonly clientPort: number;
  private isOver = false;
  private awaitsHeader: boolean;

  constructor(
    private readonly proxy: ProxyInstance,
    private readonly connection: Connection,
    /** Where in the proxy's `listen` it came in. */
    private readonly place: number,
    private readonly tls: TlsTermination | null,
    /** What it takes of the limits of connection rules; null: whose it is the PROXY header will say. */
    private places: readonly number[] | null,
  ) {
    this.awaitsHeader = proxy.config.listen[place].acceptProxy === true;
    this.beganMs = proxy.engine.now();
    this.clientAddress = connection.remoteAddress;
    this.clientPort = connection.remotePort;
    // Both have to be as quick as a request's head.
    const { clientMs, requestHeadMs } = proxy.config.timeouts;
    connection.deadline("handshake", Math.min(clientMs, requestHeadMs));
  }

  begin(): void {
    if (!this.awaitsHeader && this.tls !== null) this.secure(this.tls, nothing, 0, 0);
  }

  /** The handshake is done. */
  connected(): void {
    this.proxy.counters.tlsBegan(this.connection.isResumed);
    this.serve();
  }

  received(_connection: Connection, bytes: Uint8Array, start: number, end: number): void {
    if (this.held.length === 0) {
      this.receivedMore(bytes, start, end);
      return;
    }
    this.held.append(bytes, start, end);
    const all = this.held.take();
    this.receivedMore(all, 0, all.length);
  }

  spliced(): void {}

  ended(): void {
    this.fail(this.closedEarly);
  }

  drained(): void {}

  expired(): void {
    this.fail(this.awaitsHeader ? Failure.headerTimeout : Failure.tlsTimeout);
  }

  closed(_connection: Connection, errorCode: string | null): void {
    if (errorCode === null) this.fail(this.closedEarly);
    else if (this.awaitsHeader) this.fail(Failure.headerAborted);
    else if (errorCode === certificateRefused) this.fail(Failure.certificateRefused);
    else this.fail(errorCode.startsWith("ERR_") ? Failure.tlsFailed : Failure.tlsAborted);
  }

  /** The proxy drains: nothing has been asked yet. */
  closeIfIdle(sinceMs: number): void {
    if (this.beganMs <= sinceMs) this.leave(false);
  }

  cut(): void {
    this.leave(true);
  }

  kill(): void {
    this.leave(true);
  }

  report(nowMs: number): SessionReport {
    return {
      clientAddress: this.clientAddress,
      clientPort: this.clientPort,
      frontend: this.proxy.config.name,
      overTls: this.tls !== null,
      ageMs: nowMs - this.beganMs,
      state: "arrival",
      exchange: null,
      sentBytes: 0,
      request: null,
    };
  }

  /** `bytes[start, end)` is all that has come of this stage. */
  private receivedMore(bytes: Uint8Array, start: number, end: number): void {
    if (this.awaitsHeader) this.receivedHeader(bytes, start, end);
    else if (this.tls !== null) this.secure(this.tls, bytes, start, end);
  }

  /** Waits for the server's name, where the certificate goes by it. */
  private secure(tls: TlsTermination, bytes: Uint8Array, start: number, end: number): void {
    const name = tls.goesByName ? serverNameOf(bytes, start, end) : null;
    if (name === undefined) this.held.append(bytes, start, end);
    else if (tls.refuses(name)) this.refuseName();
    else this.connection.secure(tls, name, bytes, start, end);
  }

  private refuseName(): void {
    this.connection.send(unrecognizedName, 0, unrecognizedName.length, false);
    this.fail(Failure.tlsFailed);
  }

  private receivedHeader(bytes: Uint8Array, start: number, end: number): void {
    const header = parseProxyHeader(bytes, start, end);
    if (header.kind === "incomplete") {
      this.held.append(bytes, start, end);
      return;
    }
    if (header.kind === "refused") {
      this.fail(header.reason === "no-header" ? Failure.headerMissing : Failure.headerInvalid);
      return;
    }
    if (header.ends !== null) this.connection.claim(header.ends);
    this.awaitsHeader = false;
    this.places = this.proxy.placesFor(this.connection, true);
    if (this.places === null) {
      this.leave(true);
      return;
    }
    if (this.tls !== null) {
      this.secure(this.tls, bytes, header.end, end);
      return;
    }
    const handler = this.serve();
    if (header.end < end) handler.received(this.connection, bytes, header.end, end);
  }

  private serve(): ConnectionHandler {
    this.connection.clearDeadline();
    this.isOver = true;
    this.proxy.clients.delete(this);
    this.proxy.counters.sessionBegan();
    const handler = this.proxy.serve(this.connection, this.tls !== null, this.places ?? []);
    this.connection.handledBy(handler);
    return handler;
  }

  private get closedEarly(): Failure {
    if (!this.awaitsHeader) return Failure.tlsClosed;
    return this.held.length > 0 ? Failure.headerTruncated : Failure.headerEmpty;
  }

  private fail(reason: Failure): void {
    if (this.isOver) return;
    const { exchangeLog, config } = this.proxy;
    if (!this.awaitsHeader) this.proxy.counters.tlsFailed();
    exchangeLog.arrivalFailed(
      {
        clientAddress: this.clientAddress,
        clientPort: this.clientPort,
        frontend: config.name,
        bind: this.place + 1,
        beganEpochMs: exchangeLog.epochMs(this.beganMs),
        reason,
      },
      reason === Failure.headerEmpty || reason === Failure.tlsClosed,
    );
    this.leave(false);
  }

  private leave(reset: boolean): void {
    if (this.isOver) return;
    this.isOver = true;
    this.held.clear();
    this.connection.close(reset);
    this.proxy.giveBack(this.places ?? []);
    this.proxy.left(this);
  }
}

/** Makes arrivals of a listener's connections, for its proxy. */
export function arrivalsOf(proxy: ProxyInstance, place: number, tls: TlsTermination | null): Acceptor {
  const { acceptProxy } = proxy.config.listen[place];
  if (acceptProxy !== true && tls === null) return proxy;
  return {
    admits: () => proxy.admits(),
    failed: (errorCode: string) => proxy.failed(errorCode),
    accept: (connection: Connection): ConnectionHandler => {
      const places = acceptProxy === true ? null : proxy.placesFor(connection, false);
      if (places === null && acceptProxy !== true) return nobody;
      const arrival = new Arrival(proxy, connection, place, tls, places);
      proxy.counters.arrived();
      proxy.clients.add(arrival);
      arrival.begin();
      return arrival;
    },
  };
}
