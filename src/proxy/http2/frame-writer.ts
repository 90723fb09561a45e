/**
 * Writes frames one behind the other into blocks, so that all of one turn leave in one write. Pure: where blocks come from and go to
 * is the outlet's.
 */
import { copyBytes } from "../http1/copy.js";
import {
  type ErrorCode,
  Flag,
  FrameType,
  frameHeaderBytes,
  mostPayloadBytes,
  writeFrameHeader,
  writeUint32,
} from "./frame.js";

export interface Outlet {
  /** An empty block of `blockBytes`. */
  block(): Uint8Array;
  /** `block[0, length)` is to be sent; the block is given back. */
  put(block: Uint8Array, length: number): void;
  /** Something is written: `FrameWriter.flush` is to be called at the end of this turn. */
  wake(): void;
}

/** What a server sends in one piece goes into one, with its frames' headers. */
export const blockBytes = 72 * 1024;

export class FrameWriter {
  /** Where the next frame is written. */
  block: Uint8Array | null = null;
  used = 0;

  constructor(private readonly outlet: Outlet) {}

  /** The block, with room for `size` bytes at `used`. */
  room(size: number): Uint8Array {
    if (this.block !== null && this.used + size > this.block.length) this.flush();
    if (this.block === null) {
      this.block = this.outlet.block();
      this.outlet.wake();
    }
    return this.block;
  }

  flush(): void {
    const { block, used } = this;
    if (block === null) return;
    this.block = null;
    this.used = 0;
    this.outlet.put(block, used);
  }

  settings(payload: Uint8Array): void {
    this.frame(FrameType.settings, 0, 0, payload, 0, payload.length);
  }

  settingsAck(): void {
    this.frame(FrameType.settings, Flag.ack, 0, nothing, 0, 0);
  }

  pingAck(bytes: Uint8Array, start: number, end: number): void {
    this.frame(FrameType.ping, Flag.ack, 0, bytes, start, end);
  }

  goaway(lastStream: number, code: ErrorCode): void {
    const out = this.begin(8, FrameType.goaway, 0, 0);
    this.used = writeUint32(out, writeUint32(out, this.used, lastStream), code);
  }

  rstStream(stream: number, code: ErrorCode): void {
    const out = this.begin(4, FrameType.rstStream, 0, stream);
    this.used = writeUint32(out, this.used, code);
  }

  windowUpdate(stream: number, bytes: number): void {
    const out = this.begin(4, FrameType.windowUpdate, 0, stream);
    this.used = writeUint32(out, this.used, bytes);
  }

  /** One frame of DATA, `end − start` at most `mostPayloadBytes`. */
  data(stream: number, bytes: Uint8Array, start: number, end: number, isLast: boolean): void {
    this.frame(FrameType.data, isLast ? Flag.endStream : 0, stream, bytes, start, end);
  }

  /** A header block, in as many frames as it needs (RFC 9113 §6.10). */
  headers(stream: number, block: Uint8Array, length: number, isLast: boolean): void {
    let type: number = FrameType.headers;
    let flags = isLast ? Flag.endStream : 0;
    let at = 0;
    do {
      const after = Math.min(length, at + mostPayloadBytes);
      if (after === length) flags |= Flag.endHeaders;
      this.frame(type, flags, stream, block, at, after);
      type = FrameType.continuation;
      flags = 0;
      at = after;
    } while (at < length);
  }

  private frame(
    type: number,
    flags: number,
    stream: number,
    bytes: Uint8Array,
    start: number,
    end: number,
  ): void {
    const out = this.begin(end - start, type, flags, stream);
    copyBytes(bytes, start, end, out, this.used);
    this.used += end - start;
  }

  private begin(length: number, type: number, flags: number, stream: number): Uint8Array {
    const out = this.room(frameHeaderBytes + length);
    this.used = writeFrameHeader(out, this.used, length, type, flags, stream);
    return out;
  }
}

const nothing = new Uint8Array(0);
