import type { Socket } from "node:net";

/** How long a step of a scenario may take; far above what it needs, so that only a real fault reaches it. */
const stepMs = 20_000;

type Bytes = string | Uint8Array;

/** A head as it came: the lines without their ends. */
export interface ReceivedHead {
  /** Request or status line. */
  readonly line: string;
  /** Field lines, in order. */
  readonly fields: readonly string[];
  /** Value of the first field of that name, in any case; undefined without one. */
  field(name: string): string | undefined;
}

/**
 * One end of a raw TCP connection, driven by a script: nothing is parsed that the script does not ask for, and nothing
 * is sent that it does not say. Text stands for bytes, one a character.
 */
export class Peer {
  private chunks: Buffer[] = [];
  private length = 0;
  private finReceived = false;
  private errorCode: string | null = null;
  private closed = false;
  private readonly waiting = new Set<() => void>();

  constructor(
    readonly socket: Socket,
    private readonly name: string,
  ) {
    socket.setNoDelay(true);
    socket.on("data", (chunk: Buffer) => {
      this.chunks.push(chunk);
      this.length += chunk.length;
      this.wake();
    });
    socket.on("end", () => {
      // Node takes a reset for a FIN when bytes came with it; writing nothing fails if it was one.
      if (socket.writable) socket.write("");
      if (socket.errored !== null) return;
      this.finReceived = true;
      this.wake();
    });
    socket.on("error", (error: NodeJS.ErrnoException) => {
      this.errorCode = error.code ?? error.message;
      this.wake();
    });
    socket.on("close", () => {
      this.closed = true;
      this.wake();
    });
  }

  /** Neither side has ended this connection. */
  get isOpen(): boolean {
    return !this.finReceived && !this.closed && this.errorCode === null;
  }

  get isClosed(): boolean {
    return this.closed;
  }

  // —— what this side does ——

  /** Each argument leaves in a write of its own, as soon as it can. */
  send(...pieces: Bytes[]): void {
    for (const piece of pieces) this.socket.write(bytesOf(piece));
  }

  /** Sends in pieces that arrive as such: `gapMs` between two of them. */
  async sendSlowly(pieces: Iterable<Bytes>, gapMs: number): Promise<void> {
    for (const piece of pieces) {
      this.socket.write(bytesOf(piece));
      await delay(gapMs);
    }
  }

  /** Sends as much as the other side takes; resolves when it took everything. */
  async sendLarge(bytes: Uint8Array): Promise<void> {
    const sent = new Promise<void>((resolve) => this.socket.write(bytes, () => resolve()));
    await within(sent, 20_000, () => `${this.name}: the other side does not take ${bytes.length} bytes`);
  }

  fin(): void {
    this.socket.end();
  }

  reset(): void {
    this.socket.resetAndDestroy();
  }

  /** Leaves what comes in the kernel, so that the other side finds its way blocked. */
  stopReading(): void {
    this.socket.pause();
  }

  readOn(): void {
    this.socket.resume();
  }

  /** Closes without a word, for the end of a scenario. */
  destroy(): void {
    this.socket.destroy();
  }

  // —— what this side sees ——

  /** Exactly these bytes come next. */
  async expect(expected: Bytes): Promise<void> {
    const wanted = bytesOf(expected);
    const agrees = () => {
      const have = this.peek(wanted.length);
      return have.equals(wanted.subarray(0, have.length));
    };
    await this.until(
      () => this.length >= wanted.length || !agrees(),
      () => `expected ${show(wanted)}`,
    );
    if (!agrees() || this.length < wanted.length) {
      throw new Error(`${this.name}: expected\n  ${show(wanted)}\nbut received\n  ${show(this.peek())}`);
    }
    this.take(wanted.length);
  }

  /**
   * Exactly this message comes next: its head, whose fields may stand in another order, and the bytes behind it. RFC 9110
   * §5.3: the order matters among fields of one name only.
   */
  async expectMessage(expected: string): Promise<void> {
    const bodyStart = expected.indexOf("\r\n\r\n") + 4;
    const received = await this.receiveHead();
    const [line, ...fields] = expected.slice(0, bodyStart - 4).split("\r\n");
    if (received.line !== line || byName(received.fields) !== byName(fields)) {
      const got = [received.line, ...received.fields].join("\n  ");
      throw new Error(`${this.name}: expected\n  ${[line, ...fields].join("\n  ")}\nbut received\n  ${got}`);
    }
    if (bodyStart < expected.length) await this.expect(expected.slice(bodyStart));
  }

  /** The next `count` bytes. */
  async receive(count: number): Promise<Buffer> {
    await this.until(
      () => this.length >= count,
      () => `expected ${count} bytes`,
    );
    if (this.length < count) throw new Error(`${this.name}: ended after ${this.length} of ${count} bytes`);
    return this.take(count);
  }

  /** The next head, whatever it says. */
  async receiveHead(): Promise<ReceivedHead> {
    const end = () => this.peek().indexOf("\r\n\r\n");
    await this.until(
      () => end() >= 0,
      () => "expected a head",
    );
    if (end() < 0) throw new Error(`${this.name}: expected a head but received ${show(this.peek())}`);
    const [line, ...fields] = this.take(end() + 4)
      .toString("latin1")
      .slice(0, -4)
      .split("\r\n");
    const field = (name: string) => {
      const found = fields.find((text) => text.toLowerCase().startsWith(`${name.toLowerCase()}:`));
      return found?.slice(name.length + 1).trim();
    };
    return { line, fields, field };
  }

  /** The next line, without its end. */
  async receiveLine(): Promise<string> {
    const end = () => this.peek().indexOf("\r\n");
    await this.until(
      () => end() >= 0,
      () => "expected a line",
    );
    if (end() < 0) throw new Error(`${this.name}: expected a line but received ${show(this.peek())}`);
    return this.take(end() + 2)
      .toString("latin1")
      .slice(0, -2);
  }

  /** Everything up to the clean end. */
  async receiveAll(ms = stepMs): Promise<Buffer> {
    await this.until(
      () => this.finReceived,
      () => "expected everything up to a FIN",
      ms,
    );
    if (!this.finReceived) throw new Error(`${this.name}: expected FIN, got ${this.errorCode ?? "a close"}`);
    return this.take(this.length);
  }

  /** FIN, and no byte before it. */
  async expectFin(): Promise<void> {
    await this.until(
      () => this.finReceived || this.length > 0,
      () => "expected FIN",
    );
    if (this.length > 0) throw new Error(`${this.name}: expected FIN but received ${show(this.peek())}`);
    if (!this.finReceived) throw new Error(`${this.name}: expected FIN, got ${this.errorCode ?? "a close"}`);
  }

  /** RST; what was received before it is left to look at. */
  async expectReset(): Promise<void> {
    await this.until(
      () => this.finReceived || this.errorCode !== null,
      () => "expected RST",
    );
    if (this.errorCode !== "ECONNRESET")
      throw new Error(`${this.name}: expected RST, got ${this.errorCode ?? "FIN"}`);
  }

  /** The connection ends, cleanly or not, after whatever bytes. */
  async expectEnd(): Promise<void> {
    await this.until(
      () => !this.isOpen,
      () => "expected the connection to end",
    );
  }

  /** Nothing comes, and the connection stays, for this long. */
  async expectSilence(ms: number): Promise<void> {
    await delay(ms);
    if (this.length > 0) throw new Error(`${this.name}: expected silence, received ${show(this.peek())}`);
    if (!this.isOpen) throw new Error(`${this.name}: expected silence, the connection ended`);
  }

  /** Takes everything received so far. */
  takeAll(): Buffer {
    return this.take(this.length);
  }

  private peek(most = this.length): Buffer {
    if (this.chunks.length > 1) this.chunks = [Buffer.concat(this.chunks)];
    return this.chunks.length === 0 ? Buffer.alloc(0) : this.chunks[0].subarray(0, most);
  }

  private take(count: number): Buffer {
    const all = this.peek();
    this.chunks = count < all.length ? [all.subarray(count)] : [];
    this.length -= count;
    return all.subarray(0, count);
  }

  /** Resolves when `condition` holds or nothing more can come. */
  private async until(condition: () => boolean, what: () => string, ms = stepMs): Promise<void> {
    if (condition() || this.over) return;
    const met = new Promise<void>((resolve) => {
      const look = () => {
        if (!condition() && !this.over) return;
        this.waiting.delete(look);
        resolve();
      };
      this.waiting.add(look);
    });
    await within(met, ms, () => `${this.name}: ${what()}, received ${show(this.peek())} in ${ms} ms`);
  }

  private get over(): boolean {
    return this.finReceived || this.closed || this.errorCode !== null;
  }

  private wake(): void {
    for (const look of [...this.waiting]) look();
  }
}

export const delay = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Rejects with `message` when the promise takes longer. */
export async function within<T>(promise: Promise<T>, ms: number, message: () => string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(message())), ms);
  });
  return await Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/** Polls until it holds; rejects with `message` when that takes longer. */
export async function eventually(
  condition: () => boolean,
  message: () => string,
  ms = stepMs,
): Promise<void> {
  const deadline = performance.now() + ms;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(message());
    await delay(5);
  }
}

export const bytesOf = (bytes: Bytes): Buffer =>
  typeof bytes === "string"
    ? Buffer.from(bytes, "latin1")
    : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** Field lines sorted by name; those of one name keep their order. */
function byName(fields: readonly string[]): string {
  const name = (field: string) => field.slice(0, field.indexOf(":")).toLowerCase();
  return [...fields].sort((a, b) => (name(a) < name(b) ? -1 : name(a) > name(b) ? 1 : 0)).join("\n");
}

function show(bytes: Buffer): string {
  const text = JSON.stringify(bytes.subarray(0, 600).toString("latin1"));
  return bytes.length > 600 ? `${text}… (${bytes.length} bytes)` : text;
}
