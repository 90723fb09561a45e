/**
 * Sends responses within the windows that the client gives (RFC 9113 §5.2, §6.9), and in turns: of all streams that have something
 * waiting each sends one frame before any sends a second one. Pure.
 */
import type { Head } from "../http1/head-record.js";
import {
  defaultWindowBytes,
  Flag,
  FrameType,
  frameHeaderBytes,
  mostPayloadBytes,
  writeFrameHeader,
} from "./frame.js";
import type { FrameWriter } from "./frame-writer.js";
import { HpackEncoder } from "./hpack-encoder.js";
import { responseBound, trailersBound, writeResponse, writeTrailers } from "./response-fields.js";
import type { Http2Stream } from "./stream.js";

/** Blocks that need more than one frame are written here first; used within one call. */
let room = new Uint8Array(4 * mostPayloadBytes);

export class ResponseSender {
  readonly encoder = new HpackEncoder();
  /** What the client takes of all streams together. */
  window = defaultWindowBytes;
  /** What was written has not left: nothing is added to it but heads and frames that the connection needs. */
  isBlocked = false;
  /** Streams that have a window and something waiting, by turns. */
  private readonly ready: Http2Stream[] = [];

  /** `ended`: END_STREAM of a response is written. */
  constructor(
    private readonly writer: FrameWriter,
    private readonly ended: (stream: Http2Stream) => void,
  ) {}

  head(stream: Http2Stream, bytes: Uint8Array, head: Head, isWhole: boolean): void {
    const { writer, encoder } = this;
    const bound = responseBound(head);
    if (bound > mostPayloadBytes) {
      if (bound > room.length) room = new Uint8Array(2 * bound);
      writer.headers(stream.id, room, writeResponse(encoder, bytes, head, room, 0), isWhole);
    } else {
      const out = writer.room(frameHeaderBytes + bound);
      const start = writer.used + frameHeaderBytes;
      const end = writeResponse(encoder, bytes, head, out, start);
      const flags = Flag.endHeaders | (isWhole ? Flag.endStream : 0);
      writeFrameHeader(out, writer.used, end - start, FrameType.headers, flags, stream.id);
      writer.used = end;
    }
    if (isWhole) this.ended(stream);
  }

  /** `bytes[start, end)` of a body. False: a part of it waits, until `StreamListener.sent`. */
  data(stream: Http2Stream, bytes: Uint8Array, start: number, end: number, isLast: boolean): boolean {
    let at = start;
    if (!stream.isWaiting) {
      while (at < end) {
        const sent = this.frame(stream, bytes, at, end, isLast);
        if (sent === 0) break;
        at += sent;
      }
      if (at === end) {
        if (isLast) this.ended(stream);
        return true;
      }
    }
    stream.wait(bytes, at, end, isLast);
    this.mayBeReady(stream);
    return false;
  }

  /** The body is whole with what was given of it. */
  end(stream: Http2Stream, trailers: Uint8Array | null): void {
    if (stream.isWaiting) stream.waitWithEnd(trailers);
    else this.finish(stream, trailers);
  }

  /** `stream` has a window, or something waiting, that it had not before. */
  mayBeReady(stream: Http2Stream): void {
    if (stream.isReady || !stream.isWaiting || stream.sendWindow <= 0) return;
    stream.isReady = true;
    this.ready.push(stream);
  }

  /** Sends what can be sent now. */
  pump(): void {
    const { ready } = this;
    while (!this.isBlocked && this.window > 0) {
      const stream = ready.shift();
      if (stream === undefined) return;
      stream.isReady = false;
      if (!stream.isOpen) continue;
      this.nextFrame(stream);
      if (stream.isWaiting) this.mayBeReady(stream);
      else stream.listener?.sent();
    }
  }

  private nextFrame(stream: Http2Stream): void {
    const { first } = stream;
    if (first === null) return;
    const { bytes, start, end } = first;
    const isLast = stream.isLastPart && stream.trailers === null;
    const isEnd = stream.pass(this.frame(stream, bytes, start, end, isLast));
    if (isEnd && isLast) this.ended(stream);
    else if (isEnd) this.finish(stream, stream.trailers);
  }

  /** Writes as much as one frame and the windows take; returns how much. */
  private frame(stream: Http2Stream, bytes: Uint8Array, start: number, end: number, isLast: boolean): number {
    if (this.isBlocked) return 0;
    const count = Math.min(end - start, mostPayloadBytes, stream.sendWindow, this.window);
    if (count <= 0) return 0;
    stream.sendWindow -= count;
    this.window -= count;
    this.writer.data(stream.id, bytes, start, start + count, isLast && start + count === end);
    return count;
  }

  /** The end of a response, which no DATA has said. */
  private finish(stream: Http2Stream, trailers: Uint8Array | null): void {
    const { writer, encoder } = this;
    let length = 0;
    if (trailers !== null) {
      const bound = trailersBound(trailers);
      if (bound > room.length) room = new Uint8Array(2 * bound);
      length = writeTrailers(encoder, trailers, room, 0);
    }
    if (length > 0) writer.headers(stream.id, room, length, true);
    else writer.data(stream.id, room, 0, 0, true);
    this.ended(stream);
  }
}
