import { write } from "node:fs";

/** What fs.write does, for tests. */
export type WriteFunction = (
  descriptor: number,
  bytes: Uint8Array,
  offset: number,
  length: number,
  position: null,
  done: (error: NodeJS.ErrnoException | null, written: number) => void,
) => void;

/** EAGAIN: somebody made the terminal or pipe non-blocking, and it is full. */
const againMs = 50;
const newline = 0x0a;

/**
 * Writes lines to a descriptor in their order, behind the loop's back: one write at a time, so that a reader that does
 * not read holds up one thread of libuv's pool and nobody else. What waits is bounded; lines beyond it are dropped and
 * counted.
 */
export class LineWriter {
  private queue: string[] = [];
  private queuedBytes = 0;
  private isWriting = false;
  private dropped = 0;
  /** The last line that was written is not whole. */
  private isTorn = false;
  private isClosed = false;
  private waiting: (() => void)[] = [];

  constructor(
    private readonly descriptor: number,
    private readonly longestQueueBytes: number,
    /** The line that tells of dropped ones, once there is room again. */
    private readonly describeDropped: (count: number) => string,
    private readonly writeBytes: WriteFunction = write,
    /** Hears of each write: null, or why the lines of it are lost. */
    private readonly onWritten: (error: NodeJS.ErrnoException | null) => void = () => {},
  ) {}

  /** `line` ends with a newline. */
  write(line: string): void {
    if (this.isClosed) return;
    if (this.queuedBytes + line.length > this.longestQueueBytes) {
      this.dropped++;
      return;
    }
    this.queue.push(line);
    this.queuedBytes += line.length;
    if (!this.isWriting) this.writeNext();
  }

  /** Resolves when everything is written, or nobody will ever read it. */
  idle(): Promise<void> {
    if (!this.isWriting) return Promise.resolve();
    return new Promise((resolve) => this.waiting.push(resolve));
  }

  /** `hasFailed`: only the next line shows whether there is room again. */
  private writeNext(hasFailed = false): void {
    if (this.queue.length === 0 && this.dropped > 0 && !hasFailed) {
      this.queue.push(this.describeDropped(this.dropped));
      this.dropped = 0;
    }
    if (this.queue.length === 0) {
      this.isWriting = false;
      for (const resolve of this.waiting.splice(0)) resolve();
      return;
    }
    this.isWriting = true;
    const bytes = Buffer.from(`${this.isTorn ? "\n" : ""}${this.queue.join("")}`);
    this.queue = [];
    this.queuedBytes = 0;
    this.writeRest(bytes, 0);
  }

  private writeRest(bytes: Uint8Array, offset: number): void {
    this.writeBytes(this.descriptor, bytes, offset, bytes.length - offset, null, (error, written) => {
      if (error?.code === "EAGAIN") {
        setTimeout(() => this.writeRest(bytes, offset), againMs);
      } else if (error !== null) {
        // A closed pipe or a full disk must not end the daemon.
        if (error.code === "EPIPE" || error.code === "EBADF") this.isClosed = true;
        // The one that ends the torn line is not the end of a lost one.
        const lost = bytes.subarray(offset === 0 && this.isTorn ? 1 : offset);
        this.dropped += lost.filter((byte) => byte === newline).length;
        if (offset > 0) this.isTorn = bytes[offset - 1] !== newline;
        this.onWritten(error);
        this.writeNext(true);
      } else if (offset + written < bytes.length) {
        this.writeRest(bytes, offset + written);
      } else {
        this.isTorn = false;
        this.onWritten(null);
        this.writeNext();
      }
    });
  }
}
