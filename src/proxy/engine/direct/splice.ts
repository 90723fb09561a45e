import type { DirectConnection } from "./direct-connection.js";
import type { Kernel } from "./kernel.js";
import { Errno } from "./kernel.js";
import { type Pipe, type Pipes, pipeBytes } from "./pipes.js";

/** Rounds through the pipe before others get their turn. */
const roundsPerTurn = 8;

/**
 * Bytes on their way from one socket to another through a pipe, without being copied. The pipe is lent only while
 * bytes are in it, so that thousands of idle transfers hold none.
 */
export class Splice {
  private pipe: Pipe | null = null;
  private inPipe = 0;
  /** `to` did not take everything, and its owner knows. */
  private blocked = false;

  constructor(
    readonly from: DirectConnection,
    readonly to: DirectConnection,
    /** Bytes still to be taken from `from`. */
    private left: number,
    private readonly kernel: Kernel,
    private readonly pipes: Pipes,
  ) {}

  /** Moves what can be moved. True: more can be moved on another turn. */
  pump(): boolean {
    for (let round = 0; round < roundsPerTurn; round++) {
      if (this.inPipe === 0 && !this.fill()) return false;
      if (!this.empty()) return false;
    }
    return true;
  }

  /** `to` takes on. True: its owner was told that it did not. */
  unblock(): boolean {
    const { blocked } = this;
    this.blocked = false;
    return blocked;
  }

  /** Ends it, wherever it is. What is in the pipe is lost. */
  end(): void {
    this.releasePipe();
    // Nobody is left who could find out that `to` takes on.
    if (this.unblock()) this.to.owesDrained();
    if (this.from.splice === this) this.from.splice = null;
    if (this.to.fedBy === this) this.to.fedBy = null;
  }

  /** False: nothing to be had. */
  private fill(): boolean {
    const { from } = this;
    if (this.to.isBackedUp || from.isPaused) return false;
    this.pipe ??= this.pipes.take();
    if (this.pipe === null) {
      // No pipe to be had: the rest is received and sent like anything else.
      this.end();
      from.readOn();
      return false;
    }
    const n = this.kernel.splice(from.fd, this.pipe.writeEnd, Math.min(this.left, pipeBytes), false);
    if (n > 0) {
      this.inPipe = n;
      this.left -= n;
      return true;
    }
    this.releasePipe();
    if (n === -Errno.again) {
      from.nothingMore();
      if (this.left === Infinity) this.end();
      return false;
    }
    this.end();
    from.receivedEnd(n);
    return false;
  }

  /** False: `to` does not take more now, or is gone. */
  private empty(): boolean {
    const { from, to, pipe } = this;
    if (pipe === null) return false;
    const n = this.kernel.splice(pipe.readEnd, to.fd, this.inPipe, this.left > 0 && this.left < Infinity);
    if (n > 0) {
      this.inPipe -= n;
      if (this.inPipe === 0) this.releasePipe();
      if (this.unblock()) {
        // Found out by trying, before the kernel's event: that one may come when this splice is over, and tell nobody.
        to.handler.drained(to);
        if (from.splice !== this) return false;
      }
      // The owner may begin something new with either side, or close it.
      if (this.left === 0 && this.inPipe === 0) this.end();
      from.handler.spliced(from, n, true);
      return from.splice === this;
    }
    if (n === -Errno.again) {
      if (!this.blocked) {
        this.blocked = true;
        from.handler.spliced(from, 0, false);
      }
      return false;
    }
    this.lose(n);
    return false;
  }

  /** `to` is gone, with minus this errno, and what is in the pipe with it. */
  private lose(n: number): void {
    const { from, to, inPipe } = this;
    this.end();
    to.writeFails(n);
    if (!to.isOutgoing) {
      // Its owner hears of it on a later turn. What `from` still has to say has a gap now, and must not be read as if it had none.
      from.pause();
      return;
    }
    // A server that goes away may have answered already: what the client says is read on, to where its request ends.
    from.handler.spliced(from, inPipe, true);
    from.readOn();
  }

  private releasePipe(): void {
    if (this.pipe === null) return;
    this.pipes.giveBack(this.pipe, this.inPipe === 0);
    this.pipe = null;
    this.inPipe = 0;
  }
}
