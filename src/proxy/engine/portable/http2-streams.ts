import type { Socket } from "node:net";
import { performance } from "node:perf_hooks";
import { blockBytes, type Outlet } from "../../http2/frame-writer.js";
import { writeRequestHead } from "../../http2/request-head.js";
import { Http2Session, type SessionHost } from "../../http2/session.js";
import type { Http2Stream } from "../../http2/stream.js";
import type { StreamHost, Streams } from "../engine.js";
import { type Carrier, StreamConnection } from "./stream-connection.js";

/** HAProxy's tune.h2.max-concurrent-streams. */
const maxStreams = 100;
/** What the client is told a head may be; how long it really may be its proxy says, and answers 431. */
const maxListBytes = 65_536;
/** A proxy takes 101 fields; with pseudo-header fields and cookies in crumbs a few more may come. */
const maxFields = 256;
/** So many blocks may be on their way to the kernel. */
const mostBlocks = 3;
/** Blocks that nobody needs at the moment, of all connections of this thread. */
const spareBlocks: Block[] = [];
const mostSpareBlocks = 32;

/** Bytes that are written together. */
class Block {
  readonly bytes = Buffer.allocUnsafeSlow(blockBytes);
  owner: Http2Streams | null = null;

  readonly written = (): void => {
    const { owner } = this;
    this.owner = null;
    if (spareBlocks.length < mostSpareBlocks) spareBlocks.push(this);
    owner?.blockWritten();
  };
}

/** HTTP/2 on one connection: a session over a socket, and a connection of HTTP/1.1 for each stream. */
export class Http2Streams implements Streams, SessionHost, Outlet {
  readonly session: Http2Session;
  private filling: Block | null = null;
  /** Blocks that the kernel has not taken yet. */
  private blocksWritten = 0;
  private isAwake = false;
  /** Nothing is read or written any more. */
  private isOver = false;
  private readonly later: StreamConnection[] = [];

  /** `gaveUp`: the client broke a rule, and the connection is to go when it was told. */
  constructor(
    private readonly socket: Socket,
    private readonly carrier: Carrier,
    private readonly host: StreamHost,
    private readonly gaveUp: () => void,
  ) {
    this.session = new Http2Session(this, this, { maxStreams, maxListBytes, maxFields });
  }

  received(chunk: Uint8Array): void {
    if (!this.isOver) this.session.receive(chunk, 0, chunk.length, performance.now());
  }

  // —— from the owner ——

  announceEnd(): void {
    this.session.announceEnd();
  }

  end(): void {
    this.session.end();
    this.wake();
  }

  /** The connection is gone. */
  destroy(): void {
    this.isOver = true;
    this.session.destroy();
  }

  // —— from streams ——

  /** `stream` has something to do when this turn is over. */
  atTurnEnd(stream: StreamConnection): void {
    this.later.push(stream);
    this.wake();
  }

  // —— from the session ——

  opened(stream: Http2Stream, fields: readonly string[], isWhole: boolean): void {
    const head = writeRequestHead(fields, isWhole);
    if (head === null) {
      this.session.malformed(stream);
      return;
    }
    const connection = new StreamConnection(this.carrier, this, stream, head);
    connection.begin(this.host.acceptStream(connection, head.line), head.bytes);
  }

  rests(): void {
    if (this.session.isDone) this.wake();
  }

  failed(): void {
    this.wake();
    this.gaveUp();
  }

  // —— to the socket ——

  block(): Uint8Array {
    this.filling = spareBlocks.pop() ?? new Block();
    return this.filling.bytes;
  }

  put(_bytes: Uint8Array, length: number): void {
    const block = this.filling;
    this.filling = null;
    if (block === null) return;
    const { socket } = this;
    if (!socket.writable) {
      block.written();
      return;
    }
    block.owner = this;
    if (++this.blocksWritten >= mostBlocks) this.session.pause();
    socket.write(block.bytes.subarray(0, length), block.written);
  }

  wake(): void {
    if (this.isAwake) return;
    this.isAwake = true;
    setImmediate(this.turnEnds);
  }

  blockWritten(): void {
    if (--this.blocksWritten !== mostBlocks - 1 || this.isOver) return;
    this.session.goOn();
    this.wake();
  }

  private readonly turnEnds = (): void => {
    this.isAwake = false;
    for (let stream = this.later.shift(); stream !== undefined; stream = this.later.shift())
      stream.turnEnds();
    if (this.isOver) return;
    const { session, socket } = this;
    const { isDone } = session;
    if (isDone) session.end();
    // What cannot leave goes on being filled.
    if (this.blocksWritten < mostBlocks || isDone) session.writer.flush();
    if (isDone) socket.end();
  };
}
