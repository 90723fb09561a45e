import { errnoName } from "../../../netlink/errno.js";
import type { Endpoint, Endpoints } from "../../proxy-protocol/endpoints.js";
import { type Connection, type ConnectionHandler, type DeadlineKind, nobody, type Room } from "../engine.js";
import type { Timed } from "../timer-wheel.js";
import { Epoll, Errno, type Kernel, type SocketAddress } from "./kernel.js";
import { receiveAt, receiveBytes, stagingAt, stagingBytes } from "./layout.js";
import type { Splice } from "./splice.js";

/** Receptions of one connection before others get their turn. */
const receptionsPerTurn = 8;

const resetErrno = 104;

/** What a connection needs of its engine. */
export interface DirectOwner {
  readonly kernel: Kernel;
  arm(connection: DirectConnection, ms: number): void;
  disarm(connection: DirectConnection): void;
  /** Calls `proceed` at the end of this turn, or on the next one. */
  later(connection: DirectConnection): void;
  /** Closes its descriptor. */
  drop(connection: DirectConnection, reset: boolean): void;
  /** It is gone: its descriptor is closed, and nothing refers to it any more. */
  forget(connection: DirectConnection, reset: boolean): void;
  keep(size: number): Room;
  giveBack(room: Room): void;
  /** Opens a socket on the way to `address` and watches it; minus the errno when that cannot be. */
  open(connection: DirectConnection, address: SocketAddress): number;
}

/** What the kernel did not take. */
interface Piece {
  readonly room: Room;
  start: number;
  readonly end: number;
}

/**
 * One TCP connection on an edge-triggered epoll. The kernel tells once that there is something to read or room to write;
 * `readable` remembers it until the kernel says "nothing more".
 */
export class DirectConnection implements Connection, Timed {
  dueMs = Infinity;
  wheelTick = -1;
  wheelPrevious: Timed | null = null;
  wheelNext: Timed | null = null;
  rosterPlace = -1;

  fd = -1;
  /** Where the engine finds this connection; -1: nowhere. */
  slot = -1;
  /** Lies in the engine's list of those that `proceed` is owed to. */
  isListed = false;
  /** `received` or `spliced` is being called: what they begin is gone on with when they return. */
  isReading = false;
  /** What this side receives goes straight to another. */
  splice: Splice | null = null;
  /** The splice that ends here. */
  fedBy: Splice | null = null;
  handler: ConnectionHandler;
  remoteAddress = "";
  remotePort = 0;
  /** What a PROXY header said of this side. */
  private claimedLocal: Endpoint | null = null;

  private kind: DeadlineKind = "client";
  private connecting = false;
  /** Addresses that are left to try while connecting. */
  private addresses: readonly SocketAddress[] = [];
  private nextAddress = 0;
  private readable = false;
  /** FIN or RST is here, behind what can still be read: a short reception is no sign that there is nothing more. */
  private endSeen = false;
  private paused = false;
  private finReceived = false;
  private finWanted = false;
  private finSent = false;
  private backedUp = false;
  private over = false;
  private closingWhenSent = false;
  /** `drained` is owed for a splice that ended while it was blocked. */
  private drainOwed = false;
  private queue: Piece[] | null = null;
  /** Errno of a failed write; what the other side sent before it went is still read. */
  private writeError = 0;
  /** `closed` is owed, with this errno name or null. */
  private failure: string | null | undefined = undefined;

  constructor(
    private readonly owner: DirectOwner,
    /** To a server. */
    readonly isOutgoing: boolean,
    handler: ConnectionHandler,
  ) {
    this.handler = handler;
  }

  // —— for the engine ——

  /** Tries one address after the other; the last one's refusal is told. */
  connectTo(addresses: readonly SocketAddress[], errorCode: string): void {
    if (this.over) return;
    this.connecting = true;
    this.addresses = addresses;
    this.nextAddress = 0;
    this.tryNextAddress(errorCode);
  }

  /** Events of the descriptor, as epoll tells them. */
  onEvents(flags: number): void {
    if (this.over) return;
    if (this.connecting) {
      if ((flags & (Epoll.error | Epoll.hangUp)) !== 0) {
        const errno = this.owner.kernel.takeError(this.fd);
        this.owner.drop(this, false);
        this.tryNextAddress(errno === 0 ? "ECONNRESET" : errnoName(errno));
        return;
      }
      if ((flags & Epoll.out) === 0) return;
      this.connecting = false;
      this.addresses = [];
      this.handler.connected(this);
      if (this.over) return;
    }
    if (this.finReceived) {
      // Behind a FIN the kernel tells a reset to nobody who reads.
      if ((flags & Epoll.error) !== 0)
        this.fail(errnoName(this.owner.kernel.takeError(this.fd) || resetErrno));
      else if ((flags & Epoll.out) !== 0) this.onWritable();
      return;
    }
    if ((flags & (Epoll.readHangUp | Epoll.hangUp | Epoll.error)) !== 0) this.endSeen = true;
    if ((flags & Epoll.out) !== 0) {
      this.onWritable();
      if (this.over) return;
    }
    if ((flags & ~Epoll.out) === 0) return;
    this.readable = true;
    if (!this.paused) this.read();
    else if ((flags & (Epoll.error | Epoll.hangUp)) !== 0) this.lookForReset();
  }

  /** What had to wait for a later turn. */
  proceed(): void {
    if (this.over) return;
    if (this.drainOwed) this.payDrained();
    if (this.over) return;
    if (this.failure !== undefined) this.tellClosed(this.failure);
    else if (this.finReceived && this.finSent && this.queue === null) this.tellClosed(null);
    else if (this.splice !== null || (this.readable && !this.paused)) this.read();
  }

  deadlinePassed(): void {
    if (!this.over) this.handler.expired(this, this.kind);
  }

  // —— for a splice ——

  get isPaused(): boolean {
    return this.paused;
  }

  get isBackedUp(): boolean {
    return this.queue !== null;
  }

  /** Its owner knows that it is slow, and hears on a later turn that it is not: what made it slow is gone. */
  owesDrained(): void {
    if (this.over) return;
    this.drainOwed = true;
    this.owner.later(this);
  }

  /** The kernel has nothing more to read for the moment. */
  nothingMore(): void {
    this.readable = false;
    if (this.writeError !== 0) this.fail(errnoName(this.writeError));
  }

  /** Goes on reading on a later turn. */
  readOn(): void {
    this.readable = true;
    this.owner.later(this);
  }

  /** A reception returned `n`, 0 or minus an errno, and there is no more after it. */
  receivedEnd(n: number): void {
    this.readable = false;
    if (n < 0) {
      this.tellClosed(errnoName(this.writeError !== 0 ? this.writeError : -n));
    } else if (this.writeError !== 0) {
      this.tellClosed(errnoName(this.writeError));
    } else if (!this.finReceived) {
      this.finReceived = true;
      this.handler.ended(this);
      if (!this.over && this.finSent) this.owner.later(this);
    }
  }

  /**
   * A write failed with minus this errno. A server that answers an upload early (413, 401) and closes resets the connection
   * under our writes, and its answer lies in the kernel by then: it is read up to the end or an error. What a client sent that
   * does not take its answers is of no use to anybody.
   */
  writeFails(n: number): void {
    if (this.writeError !== 0 || this.over) return;
    this.writeError = -n;
    this.dropQueue();
    if (!this.isOutgoing) {
      this.fail(errnoName(-n));
      return;
    }
    this.readable = true;
    this.endSeen = true;
    this.owner.later(this);
  }

  // —— Connection ——

  local(): Endpoint {
    return this.claimedLocal ?? this.owner.kernel.localEnd(this.fd) ?? { address: "", port: 0 };
  }

  claim({ source, destination }: Endpoints): void {
    this.remoteAddress = source.address;
    this.remotePort = source.port;
    this.claimedLocal = destination;
  }

  secure(): void {
    throw new Error("the direct engine speaks no TLS");
  }

  get protocol(): null {
    return null;
  }

  get isResumed(): boolean {
    return false;
  }

  get clientCertificate(): null {
    return null;
  }

  get agreedTls(): null {
    return null;
  }

  multiplex(): never {
    throw new Error("the direct engine speaks no HTTP/2");
  }

  handledBy(handler: ConnectionHandler): void {
    this.handler = handler;
  }

  send(bytes: Uint8Array, start: number, end: number, more: boolean): boolean {
    if (this.over || this.writeError !== 0 || end <= start) return true;
    let from = start;
    if (this.queue === null) {
      const n = this.transmit(bytes, start, end, more);
      if (n === end - start) return true;
      if (n < 0 && n !== -Errno.again) {
        this.writeFails(n);
        return true;
      }
      if (n > 0) from += n;
      this.queue = [];
    }
    const room = this.owner.keep(end - from);
    room.bytes.set(bytes.subarray(from, end), room.start);
    this.queue.push({ room, start: room.start, end: room.start + end - from });
    this.backedUp = true;
    return false;
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    if (!this.paused) return;
    this.paused = false;
    if (this.readable) this.owner.later(this);
  }

  deadline(kind: DeadlineKind, ms: number): void {
    if (this.over) return;
    this.kind = kind;
    this.owner.arm(this, ms);
  }

  clearDeadline(): void {
    this.owner.disarm(this);
  }

  shutdown(): void {
    if (this.over || this.finWanted) return;
    this.finWanted = true;
    if (this.queue === null) this.sendFin();
  }

  closeWhenSent(): void {
    if (this.over) return;
    if (this.queue === null) {
      this.release(false);
      return;
    }
    this.handler = nobody;
    this.closingWhenSent = true;
  }

  close(reset: boolean): void {
    if (this.over) return;
    this.release(reset && !this.connecting);
  }

  // —— inside ——

  private tryNextAddress(errorCode: string): void {
    let code = errorCode;
    while (this.nextAddress < this.addresses.length) {
      const n = this.owner.open(this, this.addresses[this.nextAddress++]);
      if (n >= 0) return;
      code = errnoName(-n);
    }
    this.fail(code);
  }

  /** Reads until the kernel has nothing more, the owner has enough, or its share of this turn is used up. */
  private read(): void {
    this.isReading = true;
    this.readSome();
    this.isReading = false;
  }

  private readSome(): void {
    const { kernel } = this.owner;
    const { memory } = kernel;
    for (let i = 0; i < receptionsPerTurn; i++) {
      if (this.splice !== null) {
        const isMore = this.splice.pump();
        if (this.over) return;
        if (this.splice !== null) {
          if (isMore) this.owner.later(this);
          return;
        }
      }
      if (!this.readable || this.paused) return;
      const n = kernel.receive(this.fd, receiveAt, receiveBytes);
      if (n > 0) {
        if (n < receiveBytes && !this.endSeen) this.readable = false;
        this.handler.received(this, memory, receiveAt, receiveAt + n);
        if (this.over) return;
      } else if (n === -Errno.again) {
        this.nothingMore();
        return;
      } else {
        this.receivedEnd(n);
        return;
      }
    }
    this.owner.later(this);
  }

  /** Paused, and the other side reset or both sides ended: told now unless bytes wait in front of it. */
  private lookForReset(): void {
    const n = this.owner.kernel.peek(this.fd);
    if (n < 0 && n !== -Errno.again) this.fail(errnoName(-n));
  }

  private transmit(bytes: Uint8Array, start: number, end: number, more: boolean): number {
    const { kernel } = this.owner;
    if (bytes === kernel.memory) return kernel.send(this.fd, start, end - start, more);
    // From the heap: through the staging area, as much at a time as fits.
    let sent = 0;
    for (let at = start; at < end; ) {
      const count = Math.min(end - at, stagingBytes);
      kernel.memory.set(bytes.subarray(at, at + count), stagingAt);
      const n = kernel.send(this.fd, stagingAt, count, more || at + count < end);
      if (n < 0) return sent > 0 && n === -Errno.again ? sent : n;
      sent += n;
      if (n < count) return sent;
      at += n;
    }
    return sent;
  }

  private flush(): void {
    const { queue } = this;
    if (queue === null) return;
    while (queue.length > 0) {
      const piece = queue[0];
      const n = this.transmit(piece.room.bytes, piece.start, piece.end, queue.length > 1);
      if (n < 0) {
        if (n !== -Errno.again) this.writeFails(n);
        return;
      }
      piece.start += n;
      if (piece.start < piece.end) return;
      this.owner.giveBack(piece.room);
      queue.shift();
    }
    this.queue = null;
    if (this.closingWhenSent) {
      this.release(false);
      return;
    }
    if (this.finWanted) this.sendFin();
    if (!this.backedUp) return;
    this.backedUp = false;
    this.handler.drained(this);
  }

  /** The kernel takes more again. */
  private onWritable(): void {
    if (this.queue !== null) this.flush();
    const { fedBy } = this;
    if (this.over || this.queue !== null || fedBy === null) return;
    if (fedBy.unblock()) this.handler.drained(this);
    if (this.fedBy === fedBy) this.owner.later(fedBy.from);
  }

  private payDrained(): void {
    this.drainOwed = false;
    if (this.failure !== undefined) return;
    // Behind what has been queued in the meantime, if anything has.
    if (this.queue === null) this.handler.drained(this);
  }

  private sendFin(): void {
    if (this.finSent || this.writeError !== 0) return;
    this.finSent = true;
    this.owner.kernel.shutdown(this.fd);
    if (this.finReceived) this.owner.later(this);
  }

  /** `closed` comes on a later turn. */
  private fail(errorCode: string): void {
    if (this.failure !== undefined || this.over) return;
    this.failure = errorCode;
    this.owner.later(this);
  }

  private tellClosed(errorCode: string | null): void {
    this.release(false);
    this.handler.closed(this, errorCode);
  }

  private release(reset: boolean): void {
    this.over = true;
    this.dropQueue();
    this.splice?.end();
    this.fedBy?.end();
    this.owner.forget(this, reset);
  }

  private dropQueue(): void {
    if (this.queue === null) return;
    for (const { room } of this.queue) this.owner.giveBack(room);
    this.queue = null;
  }
}
