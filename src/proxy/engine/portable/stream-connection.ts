import { HeldBytes } from "../../held-bytes.js";
import type { Head } from "../../http1/head-record.js";
import { ErrorCode } from "../../http2/frame.js";
import { chunkOf, lastChunk } from "../../http2/request-body.js";
import type { RequestHead } from "../../http2/request-head.js";
import { ResponseReader, type ResponseSink } from "../../http2/response-reader.js";
import type { Http2Session } from "../../http2/session.js";
import type { Http2Stream, StreamListener } from "../../http2/stream.js";
import type { Endpoint } from "../../proxy-protocol/endpoints.js";
import type { AgreedTls, ClientCertificate } from "../../tls/client-certificate.js";
import { type Connection, type ConnectionHandler, type DeadlineKind, nobody } from "../engine.js";
import type { Timed } from "../timer-wheel.js";
import type { ConnectionOwner } from "./portable-connection.js";

/** What a stream needs of the connection that carries it. */
export interface Carrier {
  readonly owner: ConnectionOwner;
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly clientCertificate: ClientCertificate | null;
  readonly agreedTls: AgreedTls | null;
  local(): Endpoint;
}

/** What it needs of the other streams' owner. */
export interface StreamHome {
  readonly session: Http2Session;
  /** Calls `turnEnds` when this turn is over. */
  atTurnEnd(stream: StreamConnection): void;
}

/**
 * One stream of HTTP/2 in the form of a connection that carries one request of HTTP/1.1: what comes is written so, what is
 * sent is read so. Flow control is HTTP/2's: a stream that is paused gives its client no window.
 */
export class StreamConnection implements Connection, ResponseSink, StreamListener, Timed {
  dueMs = Infinity;
  wheelTick = -1;
  wheelPrevious: Timed | null = null;
  wheelNext: Timed | null = null;

  readonly protocol = null;
  readonly isResumed = false;
  private handler: ConnectionHandler = nobody;
  private readonly reader: ResponseReader;
  private readonly isChunked: boolean;
  private kind: DeadlineKind = "client";
  /** Gone, or given up by its owner: no event reaches the handler any more. */
  private over = false;
  /** `send` returned false, and `drained` is owed. */
  private backedUp = false;
  private paused = false;
  /** Of the request, while it is paused: no more than the stream's window. */
  private held: HeldBytes | null = null;
  /** The request's end, while it is paused. */
  private heldTrailers: readonly string[] | null = null;
  private awaitsTurnEnd = false;

  constructor(
    private readonly carrier: Carrier,
    private readonly home: StreamHome,
    private readonly stream: Http2Stream,
    head: RequestHead,
  ) {
    this.reader = new ResponseReader(this, head.isHead);
    this.isChunked = head.isChunked;
    stream.bodyLeft = head.contentLength;
    stream.listener = this;
  }

  /** The request's head reaches who handles it. */
  begin(handler: ConnectionHandler, head: Uint8Array): void {
    this.handler = handler;
    handler.received(this, head, 0, head.length);
  }

  get clientCertificate(): ClientCertificate | null {
    return this.carrier.clientCertificate;
  }

  get agreedTls(): AgreedTls | null {
    return this.carrier.agreedTls;
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
    if (this.over || !this.stream.isOpen || end <= start) return true;
    try {
      this.reader.read(bytes, start, end);
    } catch {
      // An error file can say what is no HTTP: over HTTP/1.1 its client judges, here this stream ends and no other one.
      this.home.session.reset(this.stream, ErrorCode.internalError);
    }
    if (!this.stream.isOpen) this.awaitTurnEnd();
    return !this.backedUp;
  }

  pause(): void {
    if (!this.over) this.paused = true;
  }

  resume(): void {
    if (this.over || !this.paused) return;
    this.paused = false;
    if (this.held !== null || this.heldTrailers !== null) this.awaitTurnEnd();
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
    if (this.over) return;
    this.finish();
    if (!this.stream.isOpen) this.awaitTurnEnd();
  }

  closeWhenSent(): void {
    if (this.over) return;
    this.giveUp();
    this.finish();
  }

  close(reset: boolean): void {
    if (this.over) return;
    this.giveUp();
    if (reset || !this.reader.isWhole) this.home.session.reset(this.stream, ErrorCode.internalError);
    else this.finish();
  }

  // —— from the session ——

  data(bytes: Uint8Array, start: number, end: number): void {
    if (this.over) return;
    if (this.paused || this.held !== null) {
      this.held ??= new HeldBytes();
      this.held.append(bytes, start, end);
      return;
    }
    this.pass(bytes.subarray(start, end));
  }

  requestEnded(trailers: readonly string[]): void {
    if (this.over) return;
    if (this.paused || this.held !== null) this.heldTrailers = trailers;
    else this.passEnd(trailers);
  }

  sent(): void {
    if (this.over) return;
    if (this.backedUp) {
      this.backedUp = false;
      this.handler.drained(this);
    }
    if (!this.stream.isOpen) this.awaitTurnEnd();
  }

  lost(): void {
    this.closed("ECONNRESET");
  }

  /** What its owner must not hear from inside of its own calls. */
  turnEnds(): void {
    this.awaitsTurnEnd = false;
    if (this.over) return;
    if (!this.paused && this.held !== null) {
      const bytes = this.held.take();
      this.held = null;
      this.pass(bytes);
    }
    if (!this.over && !this.paused && this.heldTrailers !== null) {
      const trailers = this.heldTrailers;
      this.heldTrailers = null;
      this.passEnd(trailers);
    }
    if (!this.stream.isOpen) this.closed(null);
  }

  // —— the response, as it is read ——

  interim(bytes: Uint8Array, head: Head): void {
    this.home.session.sendHead(this.stream, bytes, head, false);
  }

  final(bytes: Uint8Array, head: Head, isWhole: boolean): void {
    this.home.session.sendHead(this.stream, bytes, head, isWhole);
  }

  body(bytes: Uint8Array, start: number, end: number, isLast: boolean): void {
    if (!this.home.session.sendData(this.stream, bytes, start, end, isLast)) this.backedUp = true;
  }

  whole(trailers: Uint8Array | null): void {
    this.home.session.sendEnd(this.stream, trailers);
  }

  // —— inside ——

  private pass(body: Uint8Array): void {
    const { length } = body;
    const bytes = this.isChunked ? chunkOf(body) : body;
    this.handler.received(this, bytes, 0, bytes.length);
    this.home.session.bodyTaken(this.stream, length);
  }

  private passEnd(trailers: readonly string[]): void {
    if (!this.isChunked) return;
    const bytes = lastChunk(trailers);
    this.handler.received(this, bytes, 0, bytes.length);
  }

  /** The end of the response; a client that is still sending its request may stop (RFC 9113 §8.1). */
  private finish(): void {
    const { reader, stream } = this;
    const { session } = this.home;
    reader.ended();
    if (!reader.hasBegun) session.reset(stream, ErrorCode.internalError);
    else session.dropRequest(stream);
  }

  private awaitTurnEnd(): void {
    if (this.awaitsTurnEnd || this.over) return;
    this.awaitsTurnEnd = true;
    this.home.atTurnEnd(this);
  }

  private closed(errorCode: string | null): void {
    if (this.over) return;
    this.giveUp();
    this.handler.closed(this, errorCode);
  }

  /** Nobody hears of it any more; what still comes is dropped. */
  private giveUp(): void {
    this.over = true;
    this.held = null;
    this.heldTrailers = null;
    this.carrier.owner.forgetStream(this);
  }
}
