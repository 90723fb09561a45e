/**
 * Finds frames in what a client sends, however it is cut (RFC 9113 §3.4, §4.1). Pure: it keeps nothing but a frame that is
 * not whole, at most its 16 KiB.
 */
import { HeldBytes } from "../held-bytes.js";
import { ConnectionFault } from "./fault.js";
import {
  clientPreface,
  ErrorCode,
  FrameType,
  frameHeaderBytes,
  mostPayloadBytes,
  readUint31,
} from "./frame.js";

export interface FrameSink {
  /** A frame whose payload is `bytes[start, end)`, valid during this call. */
  frame(type: number, flags: number, stream: number, bytes: Uint8Array, start: number, end: number): void;
}

const preface = Buffer.from(clientPreface, "latin1");

export class FrameReader {
  private readonly held = new HeldBytes();
  /** Bytes of the preface that have come. */
  private seen = 0;
  /** The first frame has come, and it was SETTINGS. */
  private hasBegun = false;

  constructor(private readonly sink: FrameSink) {}

  /** The next bytes. Throws a ConnectionFault where they are no frames, and whatever the sink throws. */
  read(bytes: Uint8Array, start: number, end: number): void {
    let at = start;
    if (this.seen < preface.length) {
      at = this.readPreface(bytes, start, end);
      if (this.seen < preface.length) return;
    }
    if (this.held.length > 0) at = this.readHeld(bytes, at, end);
    for (;;) {
      const after = this.readFrame(bytes, at, end);
      if (after === 0) break;
      at = after;
    }
    this.held.append(bytes, at, end);
  }

  private readPreface(bytes: Uint8Array, start: number, end: number): number {
    let at = start;
    while (at < end && this.seen < preface.length)
      if (bytes[at++] !== preface[this.seen++])
        throw new ConnectionFault(ErrorCode.protocolError, "the preface is not HTTP/2's");
    return at;
  }

  /** Completes the frame that is held, with what it lacks and no byte more; returns where the next one begins. */
  private readHeld(bytes: Uint8Array, start: number, end: number): number {
    const { held } = this;
    let at = start;
    while (at < end || held.length >= frameHeaderBytes) {
      const size = held.length < frameHeaderBytes ? frameHeaderBytes : this.frameBytes(held.peek(), 0);
      const taken = Math.min(end - at, size - held.length);
      held.append(bytes, at, at + taken);
      at += taken;
      if (held.length < size) return at;
      if (size === frameHeaderBytes && this.frameBytes(held.peek(), 0) > size) continue;
      const frame = held.take();
      this.readFrame(frame, 0, frame.length);
      return at;
    }
    return at;
  }

  /** Returns the offset after the frame at `start`; 0: it is not whole. */
  private readFrame(bytes: Uint8Array, start: number, end: number): number {
    if (end - start < frameHeaderBytes) return 0;
    const after = start + this.frameBytes(bytes, start);
    const type = bytes[start + 3];
    const flags = bytes[start + 4];
    if (!this.hasBegun) {
      if (type !== FrameType.settings || (flags & 1) !== 0)
        throw new ConnectionFault(ErrorCode.protocolError, "SETTINGS must come first");
      this.hasBegun = true;
    }
    if (after > end) return 0;
    this.sink.frame(type, flags, readUint31(bytes, start + 5), bytes, start + frameHeaderBytes, after);
    return after;
  }

  private frameBytes(bytes: Uint8Array, at: number): number {
    const length = (bytes[at] << 16) | (bytes[at + 1] << 8) | bytes[at + 2];
    if (length > mostPayloadBytes)
      throw new ConnectionFault(ErrorCode.frameSizeError, `a frame of ${length} bytes`);
    return frameHeaderBytes + length;
  }
}
