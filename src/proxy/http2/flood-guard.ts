/**
 * What a client may make us do for nothing. Pure: time comes in, in ms.
 *
 * Two stores that fill up by themselves, as nghttp2 has it: one of streams that come to nothing, which costs a request each (rapid
 * reset, CVE-2023-44487, and those that we have to reset, CVE-2025-8671), one of frames that carry nothing (SETTINGS, PING,
 * PRIORITY, DATA and CONTINUATION without a byte).
 */
import { ConnectionFault } from "./fault.js";
import { ErrorCode } from "./frame.js";

/** A thousand at once, and then 33 a second. */
const streams = { most: 1_000, perSecond: 33 };
/** Far above what anybody needs who measures the way or keeps it open. */
const frames = { most: 10_000, perSecond: 1_000 };

class Store {
  private left: number;
  private filledMs = -Infinity;

  constructor(private readonly limits: { readonly most: number; readonly perSecond: number }) {
    this.left = limits.most;
  }

  /** False: nothing is left. */
  spend(nowMs: number): boolean {
    const { most, perSecond } = this.limits;
    this.left = Math.min(most, this.left + ((nowMs - this.filledMs) * perSecond) / 1_000);
    this.filledMs = nowMs;
    if (this.left < 1) return false;
    this.left--;
    return true;
  }
}

export class FloodGuard {
  private readonly streams = new Store(streams);
  private readonly frames = new Store(frames);

  /** A stream has come to nothing, and the client did it. Throws a ConnectionFault: that was one too many. */
  streamWasted(nowMs: number): void {
    if (!this.streams.spend(nowMs)) throw new ConnectionFault(ErrorCode.enhanceYourCalm, "too many resets");
  }

  /** A frame with nothing in it. Throws a ConnectionFault: that was one too many. */
  emptyFrame(nowMs: number): void {
    if (!this.frames.spend(nowMs)) throw new ConnectionFault(ErrorCode.enhanceYourCalm, "a flood of frames");
  }
}
