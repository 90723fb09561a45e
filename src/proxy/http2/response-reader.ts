/**
 * Reads a response of HTTP/1.1, as an exchange writes it for a client, for a stream of HTTP/2. Pure: it keeps nothing but
 * trailers that come in pieces.
 */
import { HeldBytes } from "../held-bytes.js";
import { BodyFramer } from "../http1/body.js";
import { Head, Method, parseResponseHead } from "../http1/head.js";

/** What is found, in the order in which it came. */
export interface ResponseSink {
  /** A 1xx that `head` describes in `bytes`, during this call. */
  interim(bytes: Uint8Array, head: Head): void;
  /** The final head, likewise. `isWhole`: no body follows. */
  final(bytes: Uint8Array, head: Head, isWhole: boolean): void;
  /** A part of the body: `bytes[start, end)`, valid during this call. `isLast`: the body is whole with it. */
  body(bytes: Uint8Array, start: number, end: number, isLast: boolean): void;
  /** The body is whole, which no part of it has said. `trailers`: the lines of their section; null: there are none. */
  whole(trailers: Uint8Array | null): void;
}

/** Heads were within their limits when they came, and have gained a few lines since. */
const limits = { maxHeadBytes: Number.MAX_SAFE_INTEGER, maxFields: 256 };

/** Parsed into and read within one call. */
const parsed = new Head(limits.maxFields);

export class ResponseReader {
  /** The final head has been read. */
  hasBegun = false;
  /** Everything has been read. */
  isWhole = false;
  private readonly framer = new BodyFramer();
  private trailers: HeldBytes | null = null;

  constructor(
    private readonly sink: ResponseSink,
    private readonly isHead: boolean,
  ) {}

  /** The next bytes; a head comes in one piece. Throws an Error where they are no response: only a fault of ours writes one. */
  read(bytes: Uint8Array, start: number, end: number): void {
    let at = start;
    while (!this.hasBegun && at < end) at = this.readHead(bytes, at, end);
    while (at < end && !this.isWhole) at = this.readBody(bytes, at, end);
  }

  /** The response ends here: so does a body whose length nobody has said. */
  ended(): void {
    if (!this.hasBegun || this.isWhole) return;
    this.isWhole = true;
    this.sink.whole(null);
  }

  private readHead(bytes: Uint8Array, start: number, end: number): number {
    const method = this.isHead ? Method.HEAD : Method.GET;
    const after = parseResponseHead(bytes, start, end, parsed, limits, method);
    if (after <= 0)
      throw new Error(`a response of our own is no HTTP/1.1: ${parsed.error || "a part of a head"}`);
    if (parsed.status < 200) {
      this.sink.interim(bytes, parsed);
      return after;
    }
    this.hasBegun = true;
    this.framer.reset(parsed.framing, parsed.contentLength);
    this.isWhole = this.framer.done;
    this.sink.final(bytes, parsed, this.isWhole);
    return after;
  }

  private readBody(bytes: Uint8Array, start: number, end: number): number {
    const { framer } = this;
    framer.trailerStart = 0;
    framer.trailerEnd = 0;
    const at = framer.nextData(bytes, start, end);
    if (framer.error !== null) throw new Error(`a response of our own has a broken body: ${framer.error}`);
    const hasData = framer.dataEnd > framer.dataStart;
    this.isWhole = framer.done;
    if (hasData) this.sink.body(bytes, framer.dataStart, framer.dataEnd, this.isWhole);
    if (framer.trailerEnd > framer.trailerStart) {
      this.trailers ??= new HeldBytes();
      this.trailers.append(bytes, framer.trailerStart, framer.trailerEnd);
    }
    if (this.isWhole && !hasData) {
      const { trailers } = this;
      // An empty line is all that stands there as a rule.
      this.sink.whole(trailers === null || trailers.length <= 2 ? null : trailers.take());
    }
    return at;
  }
}
