/**
 * The server's side of a connection of HTTP/2 (RFC 9113): bytes of a client come in, requests go to the host, and frames to the
 * outlet. Pure: time comes in, and no call throws.
 */
import type { Head } from "../http1/head-record.js";
import { ClosedStreams } from "./closed-streams.js";
import { ConnectionFault, frameSizeError, protocolError } from "./fault.js";
import { FloodGuard } from "./flood-guard.js";
import {
  ErrorCode,
  Flag,
  FrameType,
  lastStreamThereIs,
  mostWindowBytes,
  readUint31,
  Setting,
} from "./frame.js";
import { FrameReader, type FrameSink } from "./frame-reader.js";
import { checkFrame } from "./frame-rules.js";
import { FrameWriter, type Outlet } from "./frame-writer.js";
import { HeadBlocks } from "./head-blocks.js";
import { HpackDecoder } from "./hpack-decoder.js";
import { ReceiveWindow } from "./receive-window.js";
import { ResponseSender } from "./response-sender.js";
import { defaultSettings, readSettings, writeSettings } from "./settings.js";
import { Http2Stream } from "./stream.js";
import { StreamTable } from "./stream-table.js";

export interface SessionHost {
  /**
   * A request, with names and values by turns as they came. The host sets `stream.listener`, or resets the stream. `isWhole`: no
   * body follows.
   */
  opened(stream: Http2Stream, fields: readonly string[], isWhole: boolean): void;
  /** No stream is open any more: `Http2Session.isDone` may have changed. */
  rests(): void;
  /** The client broke a rule (`code`) and was told so: nothing more is read, every stream is lost. */
  failed(code: ErrorCode, reason: string): void;
}

export interface SessionLimits {
  readonly maxStreams: number;
  /** Of heads: names and values, with 32 bytes for each field. */
  readonly maxListBytes: number;
  readonly maxFields: number;
}

/** Answers to PING, SETTINGS and broken streams that may wait for a client that does not read. */
const mostBlockedBytes = 65_536;
export class Http2Session implements FrameSink {
  readonly writer: FrameWriter;
  private readonly reader = new FrameReader(this);
  private readonly blocks = new HeadBlocks((stream, endsStream, bytes, start, end) =>
    this.head(stream, endsStream, bytes, start, end),
  );
  private readonly decoder: HpackDecoder;
  private readonly sender: ResponseSender;
  private readonly streams = new StreamTable();
  private readonly closed = new ClosedStreams();
  private readonly guard = new FloodGuard();
  private readonly settings = defaultSettings();
  private nowMs = 0;
  /** The highest number of a request that was taken, and of one that came. */
  private lastStream = 0;
  private highestStream = 0;
  private readonly window = new ReceiveWindow();
  /** Streams that have ended while nothing leaves: they count as open ones. */
  private endedBlocked = 0;
  private blockedBytes = 0;
  private isAnnounced = false;
  /** The client has said that it is about to go. */
  private isClientLeaving = false;
  /** No further stream is taken. */
  private isEnding = false;
  private isOver = false;

  constructor(
    private readonly host: SessionHost,
    outlet: Outlet,
    private readonly limits: SessionLimits,
  ) {
    this.writer = new FrameWriter(outlet);
    this.decoder = new HpackDecoder(limits);
    this.sender = new ResponseSender(this.writer, (stream) => this.responseEnded(stream));
    this.writer.settings(
      writeSettings([
        [Setting.maxConcurrentStreams, limits.maxStreams],
        [Setting.maxHeaderListSize, limits.maxListBytes],
      ]),
    );
  }

  /** Nothing is open, and nothing will be. */
  get isDone(): boolean {
    return this.streams.size === 0 && (this.isEnding || this.isClientLeaving || this.isOver);
  }

  /** What the client says next. */
  receive(bytes: Uint8Array, start: number, end: number, nowMs: number): void {
    if (this.isOver) return;
    this.nowMs = nowMs;
    try {
      this.reader.read(bytes, start, end);
    } catch (error) {
      if (!(error instanceof ConnectionFault)) throw error;
      this.fail(error);
    }
  }

  // —— from the host ——

  /** The head of a response or, below 200, of an interim one. */
  sendHead(stream: Http2Stream, bytes: Uint8Array, head: Head, isWhole: boolean): void {
    if (stream.isOpen) this.sender.head(stream, bytes, head, isWhole);
  }

  /** `bytes[start, end)` of the response's body, valid during this call. False: it has to wait, until `StreamListener.sent`. */
  sendData(stream: Http2Stream, bytes: Uint8Array, start: number, end: number, isLast: boolean): boolean {
    return !stream.isOpen || this.sender.data(stream, bytes, start, end, isLast);
  }

  /** The response is whole. `trailers`: the lines of their section. */
  sendEnd(stream: Http2Stream, trailers: Uint8Array | null): void {
    if (stream.isOpen) this.sender.end(stream, trailers);
  }

  reset(stream: Http2Stream, code: ErrorCode): void {
    if (!stream.isOpen) return;
    this.writer.rstStream(stream.id, code);
    this.close(stream, true);
  }

  /** To be called from inside of `opened`: the request is malformed (§8.1.1). */
  malformed(stream: Http2Stream): void {
    this.streamFault(stream, ErrorCode.protocolError);
  }

  /** Nobody wants more of the request: when the response has ended, so has the stream (§8.1). */
  dropRequest(stream: Http2Stream): void {
    stream.isRequestUnwanted = true;
    if (stream.responseEnded) this.stopRequest(stream);
  }

  /** `count` bytes of the request's body were taken: the client may send as many more. */
  bodyTaken(stream: Http2Stream, count: number): void {
    if (!stream.isOpen || stream.requestEnded) return;
    const by = stream.window.take(count);
    if (by > 0) this.writer.windowUpdate(stream.id, by);
  }

  /** Asks the client to begin no further stream; those that it has on its way are served (§6.8). */
  announceEnd(): void {
    if (this.isAnnounced || this.isEnding || this.isOver) return;
    this.isAnnounced = true;
    this.writer.goaway(lastStreamThereIs, ErrorCode.noError);
  }

  /** Takes no further stream. */
  end(): void {
    if (this.isEnding || this.isOver) return;
    this.isEnding = true;
    this.writer.goaway(this.lastStream, ErrorCode.noError);
  }

  /** The connection is gone: so are its streams. */
  destroy(): void {
    this.isOver = true;
    for (const stream of this.streams.list()) this.lose(stream);
  }

  /** What was written cannot leave for the moment. */
  pause(): void {
    this.sender.isBlocked = true;
  }

  goOn(): void {
    this.sender.isBlocked = false;
    this.endedBlocked = 0;
    this.blockedBytes = 0;
    this.sender.pump();
  }

  // —— from the reader ——

  frame(type: number, flags: number, id: number, bytes: Uint8Array, start: number, end: number): void {
    if (this.isOver) return;
    const { awaits } = this.blocks;
    if (awaits !== 0 && (type !== FrameType.continuation || id !== awaits))
      throw protocolError("a head is not whole");
    checkFrame(type, flags, id, end - start);
    switch (type) {
      case FrameType.data:
        this.data(flags, id, bytes, start, end);
        return;
      case FrameType.headers:
        this.blocks.headers(flags, id, bytes, start, end);
        return;
      case FrameType.priority:
        this.priority(id, end - start);
        return;
      case FrameType.rstStream:
        this.rstStream(id);
        return;
      case FrameType.settings:
        this.settingsFrame(flags, bytes, start, end);
        return;
      case FrameType.ping:
        this.ping(flags, bytes, start, end);
        return;
      case FrameType.goaway:
        this.isClientLeaving = true;
        if (this.streams.size === 0) this.host.rests();
        return;
      case FrameType.windowUpdate:
        this.windowUpdate(id, bytes, start);
        return;
      case FrameType.continuation:
        this.blocks.continuation(flags, bytes, start, end);
        return;
      default:
        this.guard.emptyFrame(this.nowMs);
    }
  }

  /** §6.1. */
  private data(flags: number, id: number, bytes: Uint8Array, start: number, end: number): void {
    if (id === 0 || this.isIdle(id)) throw protocolError("DATA of no stream");
    const size = end - start;
    if (!this.window.receive(size))
      throw new ConnectionFault(ErrorCode.flowControlError, "the window is shut");
    const by = this.window.take(size);
    if (by > 0) {
      // One for its stream will follow.
      this.control(26);
      this.writer.windowUpdate(0, by);
    }
    let from = start;
    let to = end;
    if ((flags & Flag.padded) !== 0) {
      if (size === 0) throw frameSizeError("DATA");
      to -= bytes[from++];
      if (to < from) throw protocolError("more padding than DATA");
    }
    const isLast = (flags & Flag.endStream) !== 0;
    if (from === to && !isLast) this.guard.emptyFrame(this.nowMs);
    const stream = this.streams.get(id);
    if (stream === null) {
      this.afterEnd(id);
      return;
    }
    if (stream.requestEnded) {
      this.streamFault(stream, ErrorCode.streamClosed);
      return;
    }
    if (!stream.window.receive(size)) {
      this.streamFault(stream, ErrorCode.flowControlError);
      return;
    }
    if (stream.bodyLeft >= 0) {
      stream.bodyLeft -= to - from;
      if (stream.bodyLeft < 0) {
        this.streamFault(stream, ErrorCode.protocolError);
        return;
      }
    }
    if (size > to - from) this.bodyTaken(stream, size - (to - from));
    if (to > from) stream.listener?.data(bytes, from, to);
    if (isLast && stream.isOpen) this.endRequest(stream, []);
  }

  /** A whole head: of a request, or its trailers. */
  private head(id: number, endsStream: boolean, bytes: Uint8Array, start: number, end: number): void {
    const fields = this.decoder.decode(bytes, start, end);
    const open = this.streams.get(id);
    if (open !== null) {
      this.trailers(open, endsStream, fields);
      return;
    }
    if (id <= this.highestStream) {
      this.headAfterEnd(id);
      return;
    }
    this.highestStream = id;
    if (this.isEnding) {
      // §6.8: whoever has sent it knows by GOAWAY that nobody looks at it.
      this.closed.add(id, true);
      return;
    }
    this.lastStream = id;
    if (this.streams.size + this.endedBlocked >= this.limits.maxStreams) {
      this.refuse(id, ErrorCode.refusedStream);
    } else if (fields === null) {
      this.refuse(id, ErrorCode.enhanceYourCalm);
    } else {
      const stream = new Http2Stream(id, this.settings.initialWindowBytes);
      stream.requestEnded = endsStream;
      this.streams.add(stream);
      this.host.opened(stream, fields, endsStream);
    }
  }

  /** §8.1. */
  private trailers(stream: Http2Stream, endsStream: boolean, fields: readonly string[] | null): void {
    if (stream.requestEnded) this.streamFault(stream, ErrorCode.streamClosed);
    else if (fields === null) this.streamFault(stream, ErrorCode.enhanceYourCalm);
    else if (!endsStream || hasPseudoField(fields)) this.streamFault(stream, ErrorCode.protocolError);
    else this.endRequest(stream, fields);
  }

  private endRequest(stream: Http2Stream, trailers: readonly string[]): void {
    if (stream.bodyLeft > 0) {
      this.streamFault(stream, ErrorCode.protocolError);
      return;
    }
    stream.requestEnded = true;
    stream.listener?.requestEnded(trailers);
    if (stream.responseEnded) this.close(stream, false);
  }

  private headAfterEnd(id: number): void {
    const end = this.closed.endOf(id);
    if (end === "ours") return;
    if (end === "whole")
      throw new ConnectionFault(ErrorCode.streamClosed, "a head behind the end of its stream");
    throw protocolError("a stream's number is lower than one before");
  }

  private afterEnd(id: number): void {
    if (this.closed.endOf(id) !== "ours") this.refuse(id, ErrorCode.streamClosed);
  }

  /** §6.3; what it asks for is not looked at. */
  private priority(id: number, size: number): void {
    if (id === 0) throw protocolError("PRIORITY of no stream");
    this.guard.emptyFrame(this.nowMs);
    if (size === 5) return;
    const stream = this.streams.get(id);
    if (stream !== null) this.streamFault(stream, ErrorCode.frameSizeError);
    else throw frameSizeError("PRIORITY");
  }

  /** §6.4. */
  private rstStream(id: number): void {
    if (id === 0 || this.isIdle(id)) throw protocolError("RST_STREAM of no stream");
    const stream = this.streams.get(id);
    if (stream === null) {
      this.guard.emptyFrame(this.nowMs);
      return;
    }
    this.guard.streamWasted(this.nowMs);
    this.lose(stream);
  }

  /** §6.5. */
  private settingsFrame(flags: number, bytes: Uint8Array, start: number, end: number): void {
    this.guard.emptyFrame(this.nowMs);
    if ((flags & Flag.ack) !== 0) return;
    const { settings, sender } = this;
    const before = settings.initialWindowBytes;
    readSettings(bytes, start, end, settings);
    sender.encoder.resize(settings.lowestTableBytes);
    sender.encoder.resize(settings.headerTableBytes);
    if (settings.initialWindowBytes !== before) this.moveWindows(settings.initialWindowBytes - before);
    this.control(9);
    this.writer.settingsAck();
  }

  /** §6.9.2. */
  private moveWindows(by: number): void {
    for (const stream of this.streams.list()) {
      stream.sendWindow += by;
      if (stream.sendWindow > mostWindowBytes)
        throw new ConnectionFault(ErrorCode.flowControlError, "a window is too large");
      this.sender.mayBeReady(stream);
    }
    this.sender.pump();
  }

  /** §6.7. */
  private ping(flags: number, bytes: Uint8Array, start: number, end: number): void {
    this.guard.emptyFrame(this.nowMs);
    if ((flags & Flag.ack) !== 0) return;
    this.control(17);
    this.writer.pingAck(bytes, start, end);
  }

  /** §6.9. */
  private windowUpdate(id: number, bytes: Uint8Array, start: number): void {
    const by = readUint31(bytes, start);
    const { sender } = this;
    if (id === 0) {
      if (by === 0) throw protocolError("a window grows by nothing");
      sender.window += by;
      if (sender.window > mostWindowBytes)
        throw new ConnectionFault(ErrorCode.flowControlError, "the window is too large");
      sender.pump();
      return;
    }
    if (this.isIdle(id)) throw protocolError("WINDOW_UPDATE of no stream");
    const stream = this.streams.get(id);
    if (stream === null) return;
    if (by === 0) this.streamFault(stream, ErrorCode.protocolError);
    else if (stream.sendWindow + by > mostWindowBytes) this.streamFault(stream, ErrorCode.flowControlError);
    else {
      stream.sendWindow += by;
      sender.mayBeReady(stream);
      sender.pump();
    }
  }

  // —— inside ——

  private isIdle(id: number): boolean {
    return id % 2 === 0 || id > this.highestStream;
  }

  /** The client broke a rule of one stream (§5.4.2). */
  private streamFault(stream: Http2Stream, code: ErrorCode): void {
    this.guard.streamWasted(this.nowMs);
    this.reset(stream, code);
    stream.listener?.lost();
  }

  /** A stream that there is not. */
  private refuse(id: number, code: ErrorCode): void {
    this.guard.streamWasted(this.nowMs);
    this.control(13);
    this.writer.rstStream(id, code);
    this.closed.add(id, true);
  }

  private responseEnded(stream: Http2Stream): void {
    stream.responseEnded = true;
    if (stream.requestEnded) this.close(stream, false);
    else if (stream.isRequestUnwanted) this.stopRequest(stream);
  }

  /** Where the body is there by its length, its END_STREAM is on the way: there is nothing to stop. */
  private stopRequest(stream: Http2Stream): void {
    if (stream.bodyLeft !== 0) this.reset(stream, ErrorCode.noError);
  }

  private lose(stream: Http2Stream): void {
    this.close(stream, false);
    stream.listener?.lost();
  }

  private close(stream: Http2Stream, isOurs: boolean): void {
    if (!stream.isOpen) return;
    stream.isOpen = false;
    stream.forget();
    this.streams.delete(stream);
    this.closed.add(stream.id, isOurs);
    if (this.sender.isBlocked) this.endedBlocked++;
    if (this.streams.size === 0) this.host.rests();
  }

  /** `bytes` are about to be written that answer the client's own frames. */
  private control(bytes: number): void {
    if (!this.sender.isBlocked) return;
    this.blockedBytes += bytes;
    if (this.blockedBytes > mostBlockedBytes)
      throw new ConnectionFault(ErrorCode.enhanceYourCalm, "it asks and does not read");
  }

  private fail({ code, message }: ConnectionFault): void {
    this.writer.goaway(this.lastStream, code);
    this.destroy();
    this.host.failed(code, message);
  }
}

function hasPseudoField(fields: readonly string[]): boolean {
  for (let i = 0; i < fields.length; i += 2) if (fields[i].startsWith(":")) return true;
  return false;
}
