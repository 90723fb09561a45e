import { constants, type ServerHttp2Stream, type ServerStreamResponseOptions } from "node:http2";
import { chunkOf, lastChunk } from "../../http2/request-body.js";
import type { RequestHead } from "../../http2/request-head.js";
import type { ResponseFields } from "../../http2/response-fields.js";
import { ResponseReader, type ResponseSink } from "../../http2/response-reader.js";
import type { Endpoint } from "../../proxy-protocol/endpoints.js";
import { type Connection, type ConnectionHandler, type DeadlineKind, nobody } from "../engine.js";
import type { Timed } from "../timer-wheel.js";
import type { ConnectionOwner } from "./portable-connection.js";

/** What a stream needs of the connection that carries it. */
export interface Carrier {
  readonly owner: ConnectionOwner;
  readonly remoteAddress: string;
  readonly remotePort: number;
  local(): Endpoint;
}

/**
 * One stream of HTTP/2 in the form of a connection that carries one request of HTTP/1.1: what comes is written so, what is
 * sent is read so. Flow control is HTTP/2's: a stream that is paused gives its client no window.
 */
export class StreamConnection implements Connection, ResponseSink, Timed {
  dueMs = Infinity;
  wheelTick = -1;
  wheelPrevious: Timed | null = null;
  wheelNext: Timed | null = null;
  rosterPlace = -1;

  readonly protocol = null;
  readonly isResumed = false;
  private handler: ConnectionHandler = nobody;
  private readonly reader: ResponseReader;
  private readonly isChunked: boolean;
  /** Nothing of the request comes any more. */
  private requestEnded: boolean;
  private requestTrailers: readonly string[] = [];
  private responseTrailers: ResponseFields | null = null;
  private kind: DeadlineKind = "client";
  /** Gone, or given up by its owner: no event reaches the handler any more. */
  private over = false;
  /** `send` returned false, and `drained` is owed. */
  private backedUp = false;
  /** By this side. */
  private isReset = false;

  constructor(
    private readonly carrier: Carrier,
    private readonly stream: ServerHttp2Stream,
    head: RequestHead,
    private readonly gone: (stream: StreamConnection) => void,
  ) {
    this.reader = new ResponseReader(this, head.isHead);
    this.isChunked = head.isChunked;
    this.requestEnded = stream.endAfterHeaders;
    stream.on("error", () => {});
    stream.on("aborted", () => {
      if (!this.isReset) this.lost("ECONNRESET");
    });
    stream.on("close", () => this.lost(stream.rstCode === constants.NGHTTP2_NO_ERROR ? null : "ECONNRESET"));
    stream.on("drain", this.onDrain);
    stream.on("finish", this.onDrain);
    if (this.requestEnded) return;
    stream.on("data", this.onData);
    stream.on("end", this.onEnd);
    stream.on("trailers", (_headers, _flags, fields?: readonly string[]) => {
      this.requestTrailers = fields ?? [];
    });
  }

  /** The request's head reaches who handles it. */
  begin(handler: ConnectionHandler, head: Uint8Array): void {
    this.handler = handler;
    handler.received(this, head, 0, head.length);
  }

  get remoteAddress(): string {
    return this.carrier.remoteAddress;
  }

  get remotePort(): number {
    return this.carrier.remotePort;
  }

  local(): Endpoint {
    return this.carrier.local();
  }

  claim(): void {
    throw new Error("a stream has no PROXY header of its own");
  }

  secure(): void {
    throw new Error("there is no TLS inside of a stream");
  }

  multiplex(): never {
    throw new Error("a stream carries no streams");
  }

  handledBy(handler: ConnectionHandler): void {
    this.handler = handler;
  }

  send(bytes: Uint8Array, start: number, end: number): boolean {
    const { stream } = this;
    if (this.over || stream.closed || stream.destroyed || end <= start) return true;
    try {
      this.reader.read(bytes, start, end);
    } catch {
      // An error file can say what is no HTTP: over HTTP/1.1 its client judges, here this stream ends and no other one.
      this.reset();
    }
    return !this.backedUp;
  }

  pause(): void {
    if (!this.over) this.stream.pause();
  }

  resume(): void {
    if (!this.over) this.stream.resume();
  }

  deadline(kind: DeadlineKind, ms: number): void {
    if (this.over) return;
    this.kind = kind;
    this.carrier.owner.arm(this, ms);
  }

  clearDeadline(): void {
    this.carrier.owner.disarm(this);
  }

  deadlinePassed(): void {
    if (!this.over) this.handler.expired(this, this.kind);
  }

  shutdown(): void {
    if (!this.over) this.finish();
  }

  closeWhenSent(): void {
    if (this.over) return;
    this.giveUp();
    this.finish();
  }

  close(reset: boolean): void {
    if (this.over) return;
    this.giveUp();
    if (reset || !this.reader.isWhole) this.reset();
    else this.finish();
  }

  /** It is gone, or its connection is. */
  lost(errorCode: string | null): void {
    if (this.over) return;
    this.giveUp();
    this.handler.closed(this, errorCode);
  }

  // —— the response, as it is read ——

  interim(status: number, fields: ResponseFields): void {
    this.stream.additionalHeaders({ ...fields, ":status": status });
  }

  final(status: number, fields: ResponseFields, isWhole: boolean, mayHaveTrailers: boolean): void {
    const { stream } = this;
    fields[":status"] = String(status);
    if (mayHaveTrailers) stream.once("wantTrailers", this.onWantTrailers);
    // Node's types do not know the second one: it is for servers, not for proxies, to say what time it is.
    const options: ServerStreamResponseOptions & { readonly sendDate: boolean } = {
      endStream: isWhole,
      sendDate: false,
      waitForTrailers: mayHaveTrailers,
    };
    stream.respond(fields, options);
  }

  data(bytes: Uint8Array, start: number, end: number): void {
    if (!this.stream.write(bytes.subarray(start, end))) this.backedUp = true;
  }

  whole(trailers: ResponseFields | null): void {
    this.responseTrailers = trailers;
    this.stream.end();
  }

  // —— inside ——

  /** The end of the response; a client that is still sending its request may stop (RFC 9113 §8.1). */
  private finish(): void {
    const { stream, reader } = this;
    if (stream.destroyed) return;
    reader.ended();
    if (!reader.hasBegun) this.reset();
    else if (!this.requestEnded) stream.close(constants.NGHTTP2_NO_ERROR);
  }

  /** RST_STREAM with INTERNAL_ERROR. `stream.close` would end the response first, and a cut one would look whole. */
  private reset(): void {
    this.isReset = true;
    this.stream.destroy(new Error("cut"));
  }

  /** Nobody hears of it any more; what still comes is dropped. */
  private giveUp(): void {
    this.over = true;
    this.carrier.owner.forgetStream(this);
    this.gone(this);
    this.stream.resume();
  }

  private readonly onData = (data: Buffer): void => {
    if (this.over) return;
    const bytes = this.isChunked ? chunkOf(data) : data;
    this.handler.received(this, bytes, 0, bytes.length);
  };

  private readonly onEnd = (): void => {
    this.requestEnded = true;
    if (this.over || !this.isChunked) return;
    const bytes = lastChunk(this.requestTrailers);
    this.handler.received(this, bytes, 0, bytes.length);
  };

  private readonly onWantTrailers = (): void => {
    const { stream } = this;
    if (!stream.closed && !stream.destroyed) stream.sendTrailers(this.responseTrailers ?? {});
  };

  private readonly onDrain = (): void => {
    if (this.over || !this.backedUp) return;
    this.backedUp = false;
    this.handler.drained(this);
  };
}
