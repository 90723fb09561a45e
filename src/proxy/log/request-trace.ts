import type { Head } from "../http1/head.js";

/**
 * What a log line tells of a client's present request whatever becomes of it, and since when it comes. Pure: times are handed
 * in. One object serves all requests of a connection.
 */
export class RequestTrace {
  /** When the first byte of its head came, if that came in pieces; −1: all at once. */
  beganMs = -1;
  /** The request line; null while nobody wants it. */
  line: string | null = null;
  /** By which the request is found again; null: it has none. */
  id: string | null = null;
  /** Part of the next head has come, at `headBeganMs`. */
  hasBegun = false;
  private headBeganMs = 0;

  /** `shownLine`: instead of the request line that comes; null: that one. */
  constructor(private readonly shownLine: string | null) {}

  /** Part of a head has come. */
  begins(nowMs: number): void {
    this.hasBegun = true;
    this.headBeganMs = nowMs;
  }

  /** `head` describes it in `bytes`. `wantsLine`: its line will be logged. */
  headIsWhole(bytes: Uint8Array, head: Head, wantsLine: boolean): void {
    this.beganMs = this.hasBegun ? this.headBeganMs : -1;
    this.hasBegun = false;
    if (this.shownLine !== null) this.line = this.shownLine;
    else if (wantsLine) this.line = requestLine(bytes, head);
  }

  /** No request came of it. Returns when its head began; `otherwiseMs`: if nothing of one has come. */
  refused(otherwiseMs: number): number {
    this.line = null;
    return this.hasBegun ? this.headBeganMs : otherwiseMs;
  }
}

/** As it came, one character a byte. */
function requestLine(bytes: Uint8Array, { start, targetEnd }: Head): string {
  const length = targetEnd + " HTTP/1.x".length - start;
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, length).toString("latin1");
}
