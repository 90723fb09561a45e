/** One stream, as both sides of a session see it (RFC 9113 §5.1). */

import { ReceiveWindow } from "./receive-window.js";

/** Who has a stream. None of it is called from inside of what its owner calls. */
export interface StreamListener {
  /** Of the request's body: `bytes[start, end)`, valid during this call. What is taken is told by `Http2Session.bodyTaken`. */
  data(bytes: Uint8Array, start: number, end: number): void;
  /** The request is whole. `trailers`: names and values by turns. */
  requestEnded(trailers: readonly string[]): void;
  /** What had to wait has left. */
  sent(): void;
  /** It is gone: the client gave it up or broke a rule, or its connection did. */
  lost(): void;
}

/** A part of a response that waits for its turn. */
interface Waiting {
  readonly bytes: Uint8Array;
  start: number;
  readonly end: number;
}

export class Http2Stream {
  listener: StreamListener | null = null;
  /** It is in the session's table. */
  isOpen = true;
  /** END_STREAM has come. */
  requestEnded = false;
  /** END_STREAM is written. */
  responseEnded = false;
  /** Nobody wants more of the request: the stream ends with the response. */
  isRequestUnwanted = false;
  /** Of the body that is still to come by Content-Length; −1: that was not said. */
  bodyLeft = -1;
  /** Of the request's body. */
  readonly window = new ReceiveWindow();
  /** Among those that may send. */
  isReady = false;

  /** The response, as far as it could not be sent yet. */
  private readonly waiting: Waiting[] = [];
  /** It ends behind what waits, with these trailers. */
  private endsWaiting = false;
  trailers: Uint8Array | null = null;

  /** For the table. */
  nextInBucket: Http2Stream | null = null;

  constructor(
    readonly id: number,
    /** Of the response's body. */
    public sendWindow: number,
  ) {}

  get isWaiting(): boolean {
    return this.waiting.length > 0;
  }

  get first(): Waiting | null {
    return this.waiting.length > 0 ? this.waiting[0] : null;
  }

  /** The response ends with the part that is next, but for trailers. */
  get isLastPart(): boolean {
    return this.endsWaiting && this.waiting.length === 1;
  }

  /** A copy of `bytes[start, end)` waits. */
  wait(bytes: Uint8Array, start: number, end: number, isLast: boolean): void {
    this.waiting.push({ bytes: new Uint8Array(bytes.subarray(start, end)), start: 0, end: end - start });
    this.endsWaiting = isLast;
  }

  /** The response ends behind what waits. */
  waitWithEnd(trailers: Uint8Array | null): void {
    this.trailers = trailers;
    this.endsWaiting = true;
  }

  /** `count` bytes of the first part are sent; returns whether the response ends behind them. */
  pass(count: number): boolean {
    const [first] = this.waiting;
    first.start += count;
    if (first.start < first.end) return false;
    this.waiting.shift();
    return this.waiting.length === 0 && this.endsWaiting;
  }

  forget(): void {
    this.waiting.length = 0;
  }
}
