/**
 * How bytes move. The HTTP core is written once against this interface; an engine implements it over
 * `node:net` (portable) or over epoll and direct system calls (direct).
 *
 * An engine lives in one data thread and is single-threaded: handlers are called one at a time, never
 * from inside a call that the handler's owner makes (`send` never calls `drained` before it returns).
 */
export interface Engine {
  /** Milliseconds on a monotonic clock, read once per turn of the loop: cheap, and good for deadlines. */
  now(): number;

  /**
   * Accepts connections on a listening socket that the main thread opened. The engine owns `descriptor`
   * (a duplicate made for this thread) and closes it when the listener is closed.
   */
  listen(descriptor: number, accept: AcceptHandler): Listener;

  /**
   * Opens a connection. Always returns one; a refusal comes as `closed` on a later turn. Nothing may be sent
   * before `connected`.
   */
  connect(target: ConnectTarget, handler: ConnectionHandler): Connection;

  /** Closes every listener and connection at once and gives all descriptors back. */
  destroy(): void;
}

export interface ConnectTarget {
  /** IPv4 or IPv6 literal, or a host name. */
  readonly host: string;
  readonly port: number;
}

export interface Listener {
  /** Stops accepting and closes the descriptor; connections go on. */
  close(): void;
}

/** Gets a fresh client connection, returns who handles it from now on. */
export type AcceptHandler = (connection: Connection) => ConnectionHandler;

/** Which time-out a deadline stands for. One is armed per connection at a time; re-arming replaces it. */
export type DeadlineKind =
  | "connect"
  | "request-head"
  | "client"
  | "server"
  | "keep-alive"
  | "tunnel"
  | "linger";

export interface Connection {
  /** Address of the other side, IPv4-mapped IPv6 shown as IPv4; "" while not connected. */
  readonly remoteAddress: string;
  readonly remotePort: number;

  /**
   * Queues `bytes[start, end)`. The caller gives the range away: it must not change it afterwards (an engine
   * copies what the kernel does not take at once, or keeps the reference).
   * `more`: something follows in this very turn, so that both may leave in one packet.
   * Returns false when the other side is slow: stop producing until `drained`.
   */
  send(bytes: Uint8Array, start: number, end: number, more: boolean): boolean;

  /** Stops `received` and `ended` until `resume`; bytes wait in the kernel. A reset is still told. Idempotent. */
  pause(): void;
  resume(): void;

  /** (Re)arms this connection's deadline; fires `expired(kind)` once, never early and at most
   * 100 ms late. */
  deadline(kind: DeadlineKind, ms: number): void;
  clearDeadline(): void;

  /** Sends FIN after everything queued; receiving goes on. */
  shutdown(): void;

  /**
   * Closes at once, what is queued and unsent is lost. No handler method is called any more after this.
   * `reset`: the other side sees RST rather than a clean end (a cut body must not look like a whole one).
   */
  close(reset: boolean): void;
}

/** What a connection tells its owner. `connection` is passed so that one object can serve several. */
export interface ConnectionHandler {
  /** An outgoing connection stands. */
  connected(connection: Connection): void;
  /** Bytes came in; `bytes[start, end)` is valid during this call only, unless it is given away by `send`. */
  received(connection: Connection, bytes: Uint8Array, start: number, end: number): void;
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
