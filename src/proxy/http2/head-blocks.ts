/** Puts header blocks together out of HEADERS and CONTINUATION (RFC 9113 §4.3, §6.2, §6.10). Pure. */
import { HeldBytes } from "../held-bytes.js";
import { ConnectionFault, frameSizeError, protocolError } from "./fault.js";
import { ErrorCode, Flag } from "./frame.js";

/** What a block may be in all, and how many frames may carry it (CVE-2024-27316). */
const mostBlockBytes = 65_536;
const mostContinuations = 32;

/** Gets `bytes[start, end)`, a whole block, during the call. */
export type TakeBlock = (
  stream: number,
  endsStream: boolean,
  bytes: Uint8Array,
  start: number,
  end: number,
) => void;

/** A block that is not whole. */
interface OpenBlock {
  readonly stream: number;
  readonly endsStream: boolean;
  readonly bytes: HeldBytes;
  continuations: number;
}

export class HeadBlocks {
  private open: OpenBlock | null = null;

  constructor(private readonly take: TakeBlock) {}

  /** The stream whose block is not whole: nothing but its rest may come; 0: there is none. */
  get awaits(): number {
    return this.open?.stream ?? 0;
  }

  headers(flags: number, stream: number, bytes: Uint8Array, start: number, end: number): void {
    if (stream % 2 === 0) throw protocolError("HEADERS of no client's stream");
    let from = start;
    let to = end;
    if ((flags & Flag.padded) !== 0) {
      if (from === to) throw frameSizeError("HEADERS");
      to -= bytes[from++];
    }
    if ((flags & Flag.priority) !== 0) {
      if (end - from < 5) throw frameSizeError("HEADERS");
      from += 5;
    }
    if (to < from) throw protocolError("more padding than HEADERS");
    const endsStream = (flags & Flag.endStream) !== 0;
    if ((flags & Flag.endHeaders) !== 0) {
      this.take(stream, endsStream, bytes, from, to);
      return;
    }
    this.open = { stream, endsStream, bytes: new HeldBytes(), continuations: 0 };
    this.open.bytes.append(bytes, from, to);
  }

  continuation(flags: number, bytes: Uint8Array, start: number, end: number): void {
    const { open } = this;
    if (open === null) throw protocolError("CONTINUATION of no head");
    if (++open.continuations > mostContinuations || open.bytes.length + end - start > mostBlockBytes)
      throw new ConnectionFault(ErrorCode.enhanceYourCalm, "a head without an end");
    open.bytes.append(bytes, start, end);
    if ((flags & Flag.endHeaders) === 0) return;
    this.open = null;
    const whole = open.bytes.take();
    this.take(open.stream, open.endsStream, whole, 0, whole.length);
  }
}
