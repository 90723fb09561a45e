import type { BindTlsConfig, ServerTlsConfig } from "../../config/tls-config.js";
import type { Endpoint, Endpoints } from "../proxy-protocol/endpoints.js";
import type { Certificates } from "../tls/certificate.js";
import type { AgreedTls, ClientCertificate } from "../tls/client-certificate.js";

/**
 * How bytes move. The HTTP core is written once against this interface; an engine implements it over
 * `node:net` (portable) or over epoll and direct system calls (direct).
 *
 * An engine lives in one data thread and is single-threaded: handlers are called one at a time, never
 * from inside a call that the handler's owner makes (`send` never calls `drained` before it returns).
 */
export interface Engine {
  readonly name: EngineName;

  /** Milliseconds on a monotonic clock, read once per turn of the loop: cheap, and good for deadlines. */
  now(): number;

  /**
   * Accepts connections on a listening socket that the main thread opened. The engine owns `descriptor`
   * (a duplicate made for this thread) and closes it when the listener is closed.
   */
  listen(descriptor: number, acceptor: Acceptor): Listener;

  /**
   * Opens a connection. Always returns one; a refusal comes as `closed` on a later turn. Nothing may be sent
   * before `connected`.
   */
  connect(target: ConnectTarget, handler: ConnectionHandler): Connection;

  /**
   * Lets the next `count` bytes that `from` receives go to `to` without showing them; `from`'s handler hears of them by
   * `spliced`. What `from` receives after them is shown again. `Infinity`: what comes until `from` has nothing for the
   * moment. False: it cannot be done (now, or by this engine), and everything is received as usual.
   */
  splice(from: Connection, to: Connection, count: number): boolean;

  /** The one array in which everything is received and rooms lie, as a rule; null: each reception has its own. */
  readonly memory: Uint8Array | null;

  /** Room for `size` bytes that are written and sent before anything else asks for room here. */
  scratch(size: number): Room;
  /** Room for `size` bytes that stay as they are until `giveBack`, and may be sent from several times. */
  keep(size: number): Room;
  giveBack(room: Room): void;

  /** TLS towards clients; null: this engine cannot speak it. `ticketKeys`: 48 bytes that all threads share. */
  termination(
    config: BindTlsConfig,
    certificates: Certificates,
    ticketKeys: Uint8Array,
  ): TlsTermination | null;

  /** Calls back once, when all that has come by now has been heard. */
  atTurnEnd(callback: () => void): void;

  /** Calls back every few ms, until it is called with null. */
  poll(callback: (() => void) | null): void;
  /** TLS towards a server that is reached as `host`; null: this engine cannot speak it. */
  initiation(config: ServerTlsConfig, host: string, certificates: Certificates): TlsInitiation | null;

  /** Pipes that splices have bytes in, and those that wait for the next one. */
  readonly pipeCounts: PipeCounts;

  /** Closes every listener and connection at once and gives all descriptors back. */
  destroy(): void;
}

/** TLS of one listening address. */
export interface TlsTermination {
  /** The certificate goes by the name that a client asks for, or whether it is served at all. */
  readonly goesByName: boolean;
  /** A client that asks for this name, or for none, is not served. */
  refuses(serverName: string | null): boolean;
  /** Handshakes that begin from now on use these. */
  renew(certificates: Certificates): void;
}

/** TLS towards one server. */
export interface TlsInitiation {
  renew(certificates: Certificates): void;
}

export interface PipeCounts {
  readonly used: number;
  readonly free: number;
}

export type EngineName = "direct" | "portable";

export interface ConnectTarget {
  /** IPv4 or IPv6 literal, or a host name. */
  readonly host: string;
  readonly port: number;
}

/** Memory that an engine sends from at no extra cost: `bytes` from `start` on. */
export interface Room {
  readonly bytes: Uint8Array;
  readonly start: number;
}

export interface Listener {
  /** `admits` may answer otherwise now: asks again at once, and not only after a while. */
  admitAgain(): void;
  /** Waits for no client until `admits` says that one may come. */
  pause(): void;
  /** Stops accepting and closes the descriptor; connections go on. */
  close(): void;
}

/** Who gets the connections of a listener. */
export interface Acceptor {
  /** May one more be accepted? While not, clients wait in the kernel's backlog; asked again within 100 ms. */
  admits(): boolean;
  /** Gets a fresh client connection, returns who handles it from now on. */
  accept(connection: Connection): ConnectionHandler;
  /** The kernel could not give a connection (`EMFILE`, `ENOBUFS`, …). It is asked again after a moment. */
  failed(errorCode: string): void;
}

/** Which time-out a deadline stands for. One is armed per connection at a time; re-arming replaces it. */
export type DeadlineKind =
  | "connect"
  | "retry"
  | "handshake"
  | "inspect"
  | "request-head"
  | "client"
  | "server"
  | "head-of-line"
  | "keep-alive"
  | "tunnel"
  | "linger";

export interface Connection {
  /** Address of the other side, IPv4-mapped IPv6 shown as IPv4; "" while not connected. */
  readonly remoteAddress: string;
  readonly remotePort: number;

  /** This side's own address; its `address` is "" where it cannot be told any more. */
  local(): Endpoint;

  /** A PROXY header has said whose connection this is: it is told as theirs from now on. */
  claim(ends: Endpoints): void;

  /**
   * TLS begins, with `bytes[start, end)`, which were received already; `serverName`: the one that they name. The handler
   * hears `connected` when the handshake is done, and then what is said inside; when it fails `closed`, with Node's code
   * (`ERR_SSL_…`, `CERT_HAS_EXPIRED`, …). On an engine that gave `tls`.
   */
  secure(
    tls: TlsTermination | TlsInitiation,
    serverName: string | null,
    bytes: Uint8Array,
    start: number,
    end: number,
  ): void;

  /** What both sides of TLS have agreed on (ALPN), such as `h2`; null: nothing. */
  readonly protocol: string | null;
  /** TLS goes on with an earlier session. */
  readonly isResumed: boolean;
  /** What the client has shown inside of TLS, and is verified; null: nothing. */
  readonly clientCertificate: ClientCertificate | null;
  /** null: it is in the clear. */
  readonly agreedTls: AgreedTls | null;

  /**
   * The other side speaks HTTP/2, of which nothing has been received yet: each request comes to `host` as a connection of its
   * own. Nothing is sent over this one any more but by those; it is told when its time is up and when it is gone. On an
   * engine that gave `tls`.
   */
  multiplex(host: StreamHost): Streams;

  /** Its events go to another handler from now on. */
  handledBy(handler: ConnectionHandler): void;

  /**
   * Queues `bytes[start, end)`. The caller gives the range away: it must not change it afterwards (an engine
   * copies what the kernel does not take at once, or keeps the reference). Room of the engine is the caller's again.
   * `more`: something follows in this very turn, so that both may leave in one packet.
   * Returns false when the other side is slow: stop producing until `drained`.
   */
  send(bytes: Uint8Array, start: number, end: number, more: boolean): boolean;

  /** Stops `received` and `ended` until `resume`; bytes wait in the kernel. A reset with nothing in front of it is still
   * told. Idempotent. */
  pause(): void;
  resume(): void;

  /** (Re)arms this connection's deadline; fires `expired(kind)` once, never early and at most
   * 100 ms late. */
  deadline(kind: DeadlineKind, ms: number): void;
  clearDeadline(): void;

  /** Sends FIN after everything queued; receiving goes on. */
  shutdown(): void;

  /** Closes when everything queued has left; what the other side still sends is answered with RST. No handler method is
   * called any more after this. */
  closeWhenSent(): void;

  /**
   * Closes at once, what is queued and unsent is lost. No handler method is called any more after this.
   * `reset`: the other side sees RST rather than a clean end (a cut body must not look like a whole one).
   */
  close(reset: boolean): void;
}

/** Whose connection carries streams. */
export interface StreamHost {
  /**
   * A client asks: `stream` brings the one request in the form of HTTP/1.1 and takes its answer in that form, heads in one
   * piece. `line`: the request's first line as a log shows it. Returns who handles it; the request comes when this has returned.
   */
  acceptStream(stream: Connection, line: string): ConnectionHandler;
}

/** The streams of one connection. */
export interface Streams {
  /** Asks the client to begin no further stream here; those that it has on its way are served (RFC 9113 §6.8). */
  announceEnd(): void;
  /** Takes no further stream, and closes the connection when those that are open have ended. */
  end(): void;
}

/** What a connection tells its owner. `connection` is passed so that one object can serve several. */
export interface ConnectionHandler {
  /** An outgoing connection stands. */
  connected(connection: Connection): void;
  /**
   * Bytes came in; `bytes[start, end)` is valid during this call only, unless it is given away by `send`. The owner may
   * write into it, and into the `headroomBytes` in front of it as far as `bytes` reaches.
   */
  received(connection: Connection, bytes: Uint8Array, start: number, end: number): void;
  /**
   * `count` bytes of a splice have left for the other connection. `taken` false: that one is slow now, and its own
   * handler hears `drained` when it takes on.
   */
  spliced(connection: Connection, count: number, taken: boolean): void;
  /** The other side sent FIN: nothing more will be received, sending may go on. */
  ended(connection: Connection): void;
  /** The queue that made `send` return false is empty. */
  drained(connection: Connection): void;
  expired(connection: Connection, kind: DeadlineKind): void;
  /**
   * The connection is gone (both directions ended, reset, refused). Last call, exactly once, unless the owner
   * called `close`. `errorCode` is the errno name (`ECONNREFUSED`, `ECONNRESET`, …), or null for a clean end.
   */
  closed(connection: Connection, errorCode: string | null): void;
}

/** Owner of a connection that has none yet, or none any more. */
export const nobody: ConnectionHandler = {
  connected() {},
  received() {},
  spliced() {},
  ended() {},
  drained() {},
  expired() {},
  closed() {},
};

/** What a rewritten head may be longer than the one that came: it can be put in front of its body where that lies. */
export const headroomBytes = 256;

/** How often `Engine.poll` calls back at least. */
export const pollMs = 5;

/** A timer of the loop that an engine lives in. */
export interface LoopTimer {
  cancel(): void;
}

/**
 * The loop of a data thread: Node's own (portable), or one that blocks in the kernel and never returns to Node's (direct).
 * Whatever runs in a data thread takes its timers and messages from here, so that it is the same code over both.
 */
export interface EngineLoop {
  readonly engine: Engine;
  /** Calls back once, never early and at most 100 ms late. */
  after(ms: number, callback: () => void): LoopTimer;
  every(ms: number, callback: () => void): LoopTimer;
  /** Share of the time since the last call in which the loop had nothing to do, 0–100. */
  idlePercent(): number;
  /** Serves, and gives `receive` what the main thread posts. Returns at once, or when the thread is to end. */
  run(receive: (message: unknown) => void): void;
  /** After `engine.destroy`: nothing is left to do, the thread may end. */
  stop(): void;
}
