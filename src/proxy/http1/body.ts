/**
 * Where a body ends. A framer is told how, is shown the bytes as they come, and says which of them belong to the
 * body; it keeps none of them.
 */
import { byteClass, CR, HEX, hexValue, LF, SEMICOLON, VALUE } from "./byte-class.js";
import { Framing } from "./head-record.js";
import { TrailerSection } from "./trailer-section.js";

/**
 * Chunk extensions of one whole body. They are allowed but nobody needs them, and without a bound a sender could
 * feed a server bytes for ever that are no payload (CVE-2024-22019).
 */
export const maxChunkExtensionBytes = 4096;

/** Digits of a chunk size, leading zeros included. */
const maxSizeDigits = 16;

const State = {
  /** Counting down `#left` bytes of a body whose length is known. */
  length: 0,
  untilClose: 1,
  sizeStart: 2,
  size: 3,
  extension: 4,
  sizeLineFeed: 5,
  data: 6,
  dataReturn: 7,
  dataLineFeed: 8,
  trailer: 9,
  done: 10,
} as const;

/** One per direction, reused for every message. */
export class BodyFramer {
  /** The body is whole. Never true for one that lasts until the connection closes. */
  done = true;
  /** Stable reason once the body is broken: `bad-chunk-size`, `bad-chunk-end`, … The rest of it means nothing. */
  error: string | null = null;
  /** Range of payload that the last `nextData` found; empty if there was none. */
  dataStart = 0;
  dataEnd = 0;
  /** Range of the trailer section, its empty line included, that the last `nextData` consumed, if it came to one. */
  trailerStart = 0;
  trailerEnd = 0;

  #state: number = State.done;
  /** Bytes left of the body, or of the chunk. */
  #left = 0;
  #sizeDigits = 0;
  #extensionBytes = 0;
  /** Made with the first chunked body: most connections never see one. */
  #trailer: TrailerSection | null = null;

  /** Begins a body. `framing` is a `Framing`, `contentLength` counts with `Framing.length` alone. */
  reset(framing: number, contentLength: number): void {
    this.error = null;
    this.dataStart = 0;
    this.dataEnd = 0;
    this.#left = 0;
    if (framing === Framing.length && contentLength > 0) {
      this.#state = State.length;
      this.#left = contentLength;
    } else if (framing === Framing.chunked) {
      this.#state = State.sizeStart;
      this.#extensionBytes = 0;
      this.#trailer ??= new TrailerSection();
      this.#trailer.reset();
    } else {
      this.#state = framing === Framing.untilClose ? State.untilClose : State.done;
    }
    this.done = this.#state === State.done;
  }

  /**
   * Consumes from `bytes[start, end)` what belongs to this body and returns the offset after it, framing included.
   * Less than `end` only when the body is `done` or broken (`error`), and then the offset is where it broke.
   */
  advance(bytes: Uint8Array, start: number, end: number): number {
    let p = start;
    while (p < end && !this.done && this.error === null) p = this.nextData(bytes, p, end);
    return p;
  }

  /** Payload that comes next without any framing in between: the rest of a length or of a chunk, or Infinity. */
  get dataLeft(): number {
    if (this.#state === State.length || this.#state === State.data) return this.#left;
    return this.#state === State.untilClose ? Infinity : 0;
  }

  /** `count` bytes of payload, at most `dataLeft`, have passed without being shown. */
  skipData(count: number): void {
    if (this.#state !== State.untilClose) this.#takeData(0, count);
  }

  /**
   * Consumes up to one range of payload and the framing before it; the payload is `bytes[dataStart, dataEnd)`.
   * Call again from the returned offset until it is `end`, or `done` or `error` is set.
   */
  nextData(bytes: Uint8Array, start: number, end: number): number {
    let p = start;
    this.dataStart = start;
    this.dataEnd = start;
    while (p < end) {
      const state = this.#state;
      if (state === State.length || state === State.data) return this.#takeData(p, end);
      if (state === State.untilClose) {
        this.dataStart = p;
        this.dataEnd = end;
        return end;
      }
      if (state === State.done || this.error !== null) return p;
      const trailer = this.#trailer;
      if (state === State.trailer && trailer !== null) {
        this.trailerStart = p;
        p = trailer.advance(bytes, p, end);
        this.trailerEnd = p;
        this.error = trailer.error;
        if (trailer.done) this.#finish();
        return p;
      }
      this.error = this.#step(bytes[p]!);
      if (this.error !== null) return p;
      p++;
    }
    return p;
  }

  #takeData(start: number, end: number): number {
    const available = end - start;
    const taken = Math.min(available, this.#left);
    this.dataStart = start;
    this.dataEnd = start + taken;
    this.#left -= taken;
    if (this.#left === 0) {
      if (this.#state === State.length) this.#finish();
      else this.#state = State.dataReturn;
    }
    return start + taken;
  }

  #finish(): void {
    this.#state = State.done;
    this.done = true;
  }

  /** One byte of chunked framing (RFC 9112 §7.1): nothing but what the grammar says. Null, or the error. */
  #step(c: number): string | null {
    switch (this.#state) {
      case State.sizeStart:
        if ((byteClass[c]! & HEX) === 0) return "bad-chunk-size";
        this.#left = hexValue(c);
        this.#sizeDigits = 1;
        this.#state = State.size;
        return null;
      case State.size:
        if ((byteClass[c]! & HEX) !== 0) {
          this.#left = this.#left * 16 + hexValue(c);
          if (++this.#sizeDigits > maxSizeDigits || this.#left > Number.MAX_SAFE_INTEGER) {
            return "bad-chunk-size";
          }
          return null;
        }
        if (c === CR) this.#state = State.sizeLineFeed;
        else if (c === SEMICOLON) return this.#beginExtension();
        else return c === LF ? "bare-lf" : "bad-chunk-size";
        return null;
      case State.extension:
        if (c === CR) {
          this.#state = State.sizeLineFeed;
          return null;
        }
        if ((byteClass[c]! & VALUE) === 0) return c === LF ? "bare-lf" : "chunk-extension-invalid";
        return ++this.#extensionBytes > maxChunkExtensionBytes ? "chunk-extension-too-long" : null;
      case State.sizeLineFeed:
        if (c !== LF) return "bare-cr";
        this.#state = this.#left === 0 ? State.trailer : State.data;
        return null;
      case State.dataReturn:
        if (c !== CR) return "bad-chunk-end";
        this.#state = State.dataLineFeed;
        return null;
      default:
        if (c !== LF) return "bad-chunk-end";
        this.#state = State.sizeStart;
        return null;
    }
  }

  #beginExtension(): string | null {
    this.#state = State.extension;
    return ++this.#extensionBytes > maxChunkExtensionBytes ? "chunk-extension-too-long" : null;
  }
}
