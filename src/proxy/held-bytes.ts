/**
 * Bytes that came before they could be used: a head in pieces, a pipelined request, a body that waits for its
 * server. Grows by doubling, so that a sender who dribbles bytes costs linear work, and is dropped when it is empty,
 * so that an idle connection holds no buffer.
 */
export class HeldBytes {
  private buffer: Uint8Array = empty;
  private from = 0;
  private to = 0;

  get length(): number {
    return this.to - this.from;
  }

  /** Copies `bytes[start, end)` behind what is held. */
  append(bytes: Uint8Array, start: number, end: number): void {
    const count = end - start;
    if (count <= 0) return;
    if (this.to + count > this.buffer.length) this.makeRoom(count);
    this.buffer.set(start === 0 && end === bytes.length ? bytes : bytes.subarray(start, end), this.to);
    this.to += count;
  }

  /** Hands everything over; the caller may read it, and gives back the rest by `append`. */
  take(): Uint8Array {
    const taken = this.buffer.subarray(this.from, this.to);
    this.clear();
    return taken;
  }

  /** What is held, for a look: valid until the next `append`. */
  peek(): Uint8Array {
    return this.buffer.subarray(this.from, this.to);
  }

  clear(): void {
    this.buffer = empty;
    this.from = 0;
    this.to = 0;
  }

  private makeRoom(count: number): void {
    const length = this.length;
    const larger = new Uint8Array(Math.max(512, 2 * length, length + count));
    larger.set(this.buffer.subarray(this.from, this.to));
    this.buffer = larger;
    this.from = 0;
    this.to = length;
  }
}

const empty = new Uint8Array(0);
