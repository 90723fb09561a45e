/**
 * Which descriptors a thread has opened past Node's back, in shared memory: when the thread dies, wherever it was, the
 * main thread closes them in its place. One bit per descriptor, one writer.
 */
export class DescriptorLedger {
  private readonly bits: Int32Array;

  constructor(readonly buffer: SharedArrayBuffer = new SharedArrayBuffer(ledgerBytes)) {
    this.bits = new Int32Array(buffer);
  }

  /** After it was opened. */
  add(descriptor: number): void {
    const word = descriptor >> 5;
    if (word < this.bits.length) this.bits[word] |= 1 << (descriptor & 31);
  }

  /** Before it is closed: from then on its number may be somebody else's. */
  remove(descriptor: number): void {
    const word = descriptor >> 5;
    if (word < this.bits.length) this.bits[word] &= ~(1 << (descriptor & 31));
  }

  /** Everything that is open. */
  list(): number[] {
    const open: number[] = [];
    for (const [word, bits] of this.bits.entries()) {
      if (bits === 0) continue;
      for (let bit = 0; bit < 32; bit++) if ((bits & (1 << bit)) !== 0) open.push(word * 32 + bit);
    }
    return open;
  }

  clear(): void {
    this.bits.fill(0);
  }
}

/** For a million descriptors, more than a process is allowed as a rule; those beyond are not kept. */
const ledgerBytes = 131_072;
