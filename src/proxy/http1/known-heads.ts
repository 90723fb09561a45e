/**
 * Heads that are byte for byte those of a moment ago are not parsed again: clients on a kept connection ask with the same
 * fields and monitors with the same request, and servers answer the same file with the same head for a second at a time.
 * What a parse finds is a function of the head's bytes alone, so it is exact: every byte is compared, four at a time.
 *
 * Hot path: parsing both heads of a small exchange took 40 % of this code's own time, comparing them takes a tenth of that
 * (docs/performance.md). It works for heads that lie in one array and begin at the same place each time, which is
 * how the direct engine receives; all others are parsed as they come.
 */
import {
  type RequestForwarding,
  writeForwardedRequest,
  writeRequestEnd,
  writeRequestStart,
} from "./forward.js";
import { parseRequestHead, parseResponseHead } from "./head.js";
import { Head, type HeadLimits, Method } from "./head-record.js";

/** Remembered heads, each in the one place that its length and some of its bytes give it. */
const places = 16;
/** A longer head is parsed each time. */
const mostBytes = 2_048;
/**
 * After so many heads in a row of which none was known, only every sixteenth is remembered until one is: where no head comes
 * twice, remembering each would cost more than it can save.
 */
const patience = 64;

/** Bytes that lie on a word's boundary, so that they are compared and copied by words; no host that Node runs on is big-endian. */
class Words {
  length = 0;
  private readonly own = new Int32Array(mostBytes / 4);

  /** Whether `words` hold the same bytes from word `first` on. */
  equal(words: Int32Array, first: number): boolean {
    const { own } = this;
    const whole = this.length >> 2;
    for (let i = 0; i < whole; i++) if (own[i] !== words[first + i]) return false;
    const rest = this.length & 3;
    return rest === 0 || ((own[whole]! ^ words[first + whole]!) & ((1 << (8 * rest)) - 1)) === 0;
  }

  keep(words: Int32Array, first: number, length: number): void {
    const { own } = this;
    this.length = length;
    for (let i = 0; i << 2 < length; i++) own[i] = words[first + i]!;
  }

  /** Up to three bytes behind them are written too. */
  copyTo(words: Int32Array, first: number): void {
    const { own, length } = this;
    for (let i = 0; i << 2 < length; i++) words[first + i] = own[i]!;
  }
}

class KnownHead {
  /** What was found in `bytes` when they began at `start`. */
  readonly head = new Head();
  readonly bytes = new Words();
  start = 0;
  /** It answered HEAD, and so has no body whatever it says. */
  toHead = false;
  /** A request's head for the server, up to the client's address, as it was for these lines. */
  readonly forwarded = new Words();
  forwardedProto: Uint8Array | null = null;
  fallbackHost: Uint8Array | null = null;
  keepUpgrade = false;
}

abstract class KnownHeads {
  /** What the last parse has found: valid until the next one. */
  head = new Head();
  /** Its place, if it has one. */
  protected known: KnownHead | null = null;
  protected readonly words: Int32Array;
  /** Of a head that is not remembered. */
  private readonly passing = this.head;
  /** Heads in a row that were not known. */
  private strangers = 0;
  private readonly places: (KnownHead | null)[] = new Array<KnownHead | null>(places).fill(null);

  /** `memory`: where bytes are received and heads are written; null: in a new array each time. */
  constructor(
    protected readonly memory: Uint8Array | null,
    protected readonly limits: HeadLimits,
  ) {
    this.words = memory === null ? new Int32Array(0) : new Int32Array(memory.buffer, memory.byteOffset);
  }

  /**
   * Chooses the record for the head at `start`. True: `head` describes it already, up to `head.end`. False: it is to be
   * parsed into `head`, and `remember` to be called then.
   */
  protected recall(bytes: Uint8Array, start: number, end: number, toHead: boolean): boolean {
    if (bytes !== this.memory || (start & 3) !== 0) return this.passOver();
    const { words } = this;
    const first = start >> 2;
    const mixed = Math.imul((end - start) ^ words[first + 2]! ^ words[first + 4]!, 0x9e3779b1);
    const known = this.at((mixed >>> 16) % places);
    this.known = known;
    this.head = known.head;
    const { length } = known.bytes;
    const fits = length > 0 && length <= end - start && known.start === start && known.toHead === toHead;
    if (fits && known.bytes.equal(words, first)) {
      this.strangers = 0;
      return true;
    }
    this.strangers = (this.strangers + 1) & 0xffff;
    if (this.strangers > patience && (this.strangers & 15) !== 0) return this.passOver();
    known.bytes.length = 0;
    return false;
  }

  /** The head between the two was parsed into `head`. */
  protected remember(start: number, end: number, toHead: boolean): void {
    const { known } = this;
    if (known === null || end - start > mostBytes) return;
    known.bytes.keep(this.words, start >> 2, end - start);
    known.start = start;
    known.toHead = toHead;
    known.forwarded.length = 0;
  }

  /** Takes another head in the place of the one that was parsed last: it has been changed. */
  replace(head: Head): void {
    this.known = null;
    this.head = head;
  }

  private passOver(): false {
    this.known = null;
    this.head = this.passing;
    return false;
  }

  private at(place: number): KnownHead {
    const known = this.places[place] ?? new KnownHead();
    this.places[place] = known;
    return known;
  }
}

/** The requests of one proxy and thread. */
export class RequestHeads extends KnownHeads {
  /** `parseRequestHead` into `head`. */
  parse(bytes: Uint8Array, start: number, end: number): number {
    if (this.recall(bytes, start, end, false)) return this.head.end;
    const after = parseRequestHead(bytes, start, end, this.head, this.limits);
    if (after > 0) this.remember(start, after, false);
    return after;
  }

  /** `writeForwardedRequest` of the head that was parsed last, which lies in `bytes`. */
  write(bytes: Uint8Array, f: RequestForwarding, out: Uint8Array, at: number): number {
    const { known, head, words } = this;
    if (known === null || known.bytes.length === 0 || out !== this.memory || (at & 3) !== 0)
      return writeForwardedRequest(bytes, head, f, out, at);
    const { forwarded } = known;
    const isWritten =
      forwarded.length > 0 &&
      known.forwardedProto === f.forwardedProto &&
      known.fallbackHost === f.fallbackHost &&
      known.keepUpgrade === f.keepUpgrade;
    if (isWritten) {
      forwarded.copyTo(words, at >> 2);
      return writeRequestEnd(bytes, head, f, out, at + forwarded.length);
    }
    const end = writeRequestStart(bytes, head, f, out, at);
    if (end - at <= mostBytes) {
      forwarded.keep(words, at >> 2, end - at);
      known.forwardedProto = f.forwardedProto;
      known.fallbackHost = f.fallbackHost;
      known.keepUpgrade = f.keepUpgrade;
    }
    return writeRequestEnd(bytes, head, f, out, end);
  }
}

/** The responses of one proxy and thread. */
export class ResponseHeads extends KnownHeads {
  /** `parseResponseHead` into `head`. */
  parse(bytes: Uint8Array, start: number, end: number, requestMethod: number): number {
    const toHead = requestMethod === Method.HEAD;
    if (this.recall(bytes, start, end, toHead)) return this.head.end;
    const after = parseResponseHead(bytes, start, end, this.head, this.limits, requestMethod);
    if (after > 0) this.remember(start, after, toHead);
    return after;
  }
}
