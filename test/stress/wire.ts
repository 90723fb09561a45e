import type { Socket } from "node:net";
import type { Cut } from "./plan.js";
import type { Random } from "./random.js";

/** Above this, what is not yet consumed waits in the kernel. */
const mostQueued = 256 * 1024;

/** The other side is gone; `code` is the errno's name. */
export class Broken extends Error {
  constructor(readonly code: string) {
    super(code);
  }
}

/** A TCP connection that is read piece by piece and written as slowly as a plan wants. */
export class Wire {
  /** The other side has sent FIN or reset, and nothing is left to read. */
  errorCode: string | null = null;
  receivedBytes = 0;
  sentBytes = 0;
  #sentAtMs = 0;
  readonly #socket: Socket;
  readonly #slowReadMs: number;
  #queue: Buffer[] = [];
  #queuedBytes = 0;
  #ended = false;
  #closed = false;
  #wakeReader: (() => void) | null = null;
  #wakeWriter: (() => void) | null = null;
  readonly #closing: (() => void)[] = [];

  constructor(socket: Socket, slowReadMs: number) {
    this.#socket = socket;
    this.#slowReadMs = slowReadMs;
    socket.setNoDelay(true);
    socket.on("data", (chunk: Buffer) => {
      this.receivedBytes += chunk.length;
      this.#queue.push(chunk);
      this.#queuedBytes += chunk.length;
      if (this.#queuedBytes > mostQueued || slowReadMs > 0) socket.pause();
      if (slowReadMs > 0) setTimeout(() => this.#readOn(), slowReadMs);
      this.#wake();
    });
    socket.on("end", () => {
      this.#ended = true;
      this.#wake();
    });
    socket.on("drain", () => this.#wake());
    socket.on("error", (error: NodeJS.ErrnoException) => {
      this.errorCode = error.code ?? "EIO";
    });
    socket.on("close", () => {
      this.#ended = true;
      this.#closed = true;
      this.#wake();
      for (const closing of this.#closing) closing();
    });
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** The other side has sent FIN, or the connection is gone. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Until what was sent has had its time to arrive: a reset takes what has not. */
  async settled(): Promise<void> {
    const restMs = this.#sentAtMs + 200 - performance.now();
    if (restMs > 0) await sleep(restMs);
  }

  /** Everything up to and including `mark`, or null when the other side ended before it. */
  async readPast(mark: string): Promise<Buffer | null> {
    let searched = 0;
    for (;;) {
      if (this.#queue.length > 1) this.#queue = [Buffer.concat(this.#queue)];
      const all = this.#queue[0];
      const at = all === undefined ? -1 : all.indexOf(mark, Math.max(0, searched - mark.length));
      if (all !== undefined && at >= 0) return this.#take(at + mark.length);
      searched = all?.length ?? 0;
      if (!(await this.#more())) return null;
    }
  }

  /** Between one byte and `most`, or null when the other side has ended. */
  async readSome(most: number): Promise<Buffer | null> {
    while (this.#queuedBytes === 0) {
      if (!(await this.#more())) return null;
    }
    return this.#take(Math.min(most, this.#queue[0].length));
  }

  /** Whether there is anything left that nobody asked for, once the other side has ended. */
  async rest(): Promise<number> {
    while (await this.#more()) {
      // Counted below.
    }
    return this.#queuedBytes;
  }

  /** @throws Broken */
  async write(bytes: Buffer): Promise<void> {
    if (this.#closed || !this.#socket.writable) throw new Broken(this.errorCode ?? "EPIPE");
    this.sentBytes += bytes.length;
    this.#sentAtMs = performance.now();
    if (bytes.length === 0 || this.#socket.write(bytes)) return;
    while (this.#socket.writableNeedDrain && !this.#closed) {
      await new Promise<void>((resolve) => {
        this.#wakeWriter = resolve;
      });
    }
    if (this.#closed) throw new Broken(this.errorCode ?? "EPIPE");
  }

  /** Sends FIN. */
  end(): void {
    if (!this.#closed) this.#socket.end();
  }

  abort(reset: boolean): void {
    if (this.#closed) return;
    if (reset) this.#socket.resetAndDestroy();
    else this.#socket.destroy();
  }

  /** Resolves when the connection is gone; false: not within that time. */
  whenClosed(ms: number): Promise<boolean> {
    if (this.#closed) return Promise.resolve(true);
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(false), ms);
      this.#closing.push(() => {
        clearTimeout(timer);
        resolve(true);
      });
    });
  }

  #take(count: number): Buffer {
    const first = this.#queue[0];
    if (count === first.length) this.#queue.shift();
    else this.#queue[0] = first.subarray(count);
    this.#queuedBytes -= count;
    if (this.#queuedBytes < mostQueued && this.#slowReadMs === 0) this.#readOn();
    return first.subarray(0, count);
  }

  #readOn(): void {
    if (this.#queuedBytes < mostQueued && !this.#closed && this.#socket.isPaused()) this.#socket.resume();
  }

  async #more(): Promise<boolean> {
    if (this.#ended) return false;
    const before = this.receivedBytes;
    this.#readOn();
    while (this.receivedBytes === before && !this.#ended) {
      await new Promise<void>((resolve) => {
        this.#wakeReader = resolve;
      });
    }
    return this.receivedBytes > before;
  }

  #wake(): void {
    const reader = this.#wakeReader;
    const writer = this.#wakeWriter;
    this.#wakeReader = null;
    this.#wakeWriter = null;
    reader?.();
    writer?.();
  }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** So many bytes of a message leave one by one, the rest in one piece: enough for every state of a parser. */
const singleBytes = 400;

/**
 * Writes a message in the way that a plan wants it cut. `limit` bytes at most; gives how many were written.
 *
 * @throws Broken
 */
export async function writeCut(
  wire: Wire,
  message: Iterable<Buffer>,
  cut: Cut,
  random: Random,
  limit = Number.POSITIVE_INFINITY,
): Promise<number> {
  let written = 0;
  const put = async (bytes: Buffer): Promise<void> => {
    const allowed = bytes.subarray(0, Math.max(0, limit - written));
    written += allowed.length;
    await wire.write(allowed);
  };
  let gathered: Buffer[] = [];
  let gatheredBytes = 0;
  for (const part of message) {
    if (written >= limit) break;
    if (cut === "whole") {
      // Head and body in one write where they are small, as a client would do it.
      gathered.push(part);
      gatheredBytes += part.length;
      if (gatheredBytes < 65_536) continue;
      await put(gathered.length === 1 ? gathered[0] : Buffer.concat(gathered));
      gathered = [];
      gatheredBytes = 0;
      continue;
    }
    let at = 0;
    while (at < part.length && written < limit) {
      if (cut === "bytes" && written < singleBytes) {
        await put(part.subarray(at, at + 1));
        at += 1;
        await turn();
        continue;
      }
      const left = part.length - at;
      const length = cut === "bytes" ? left : random.whole(1, Math.max(1, Math.min(left, 20_000)));
      await put(part.subarray(at, at + length));
      at += length;
      if (random.chance(0.03)) await sleep(random.whole(1, 3));
      else await turn();
    }
  }
  if (gatheredBytes > 0 && written < limit) await put(Buffer.concat(gathered));
  return written;
}
