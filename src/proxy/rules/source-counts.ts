import { seededHash } from "./seeded-hash.js";

/** Int32 cells in front of the slots: the secret. */
const seedCells = 4;
/** A source may be in any of so many slots. */
const waysPerSet = 8;

const slotCells = (threads: number): number => 1 + threads;
const setsFor = (keys: number): number => Math.ceil(keys / waysPerSet);

/** The memory of counters for at least `keys` sources; `random`: any int32, secret. */
export function createSourceCounts(keys: number, threads: number, random: () => number): SharedArrayBuffer {
  const cells = seedCells + setsFor(keys) * waysPerSet * slotCells(threads);
  const buffer = new SharedArrayBuffer(cells * 4);
  const seeds = new Int32Array(buffer, 0, seedCells);
  for (let i = 0; i < seedCells; i++) seeds[i] = random();
  return buffer;
}

/** A dead thread's connections are gone. */
export function clearSourceCounts(buffer: SharedArrayBuffer, thread: number, threads: number): void {
  const cells = new Int32Array(buffer);
  for (let slot = seedCells; slot < cells.length; slot += slotCells(threads))
    Atomics.store(cells, slot + 1 + thread, 0);
}

/**
 * Connections by source over all data threads, in memory that never grows: a slot has the source's hash and a count for each
 * thread, and is anybody's when all of them are 0. Where more sources are there at once than slots, the ones that found none
 * are not counted.
 */
export class SourceCounts {
  private readonly cells: Int32Array;
  private readonly stride: number;
  private readonly sets: number;

  constructor(
    buffer: SharedArrayBuffer,
    private readonly threads: number,
    private readonly thread: number,
    private readonly most: number,
  ) {
    this.cells = new Int32Array(buffer);
    this.stride = slotCells(threads);
    this.sets = (this.cells.length - seedCells) / (waysPerSet * this.stride);
  }

  /**
   * Counts one more connection of `source`. Returns its slot, for `leave`; 0: it is not counted; −1: it would be one too many,
   * and is not counted.
   */
  enter(source: string): number {
    const { cells } = this;
    const key = seededHash(source, cells[0], cells[1]) | 1;
    const set = (seededHash(source, cells[2], cells[3]) >>> 0) % this.sets;
    const first = seedCells + set * waysPerSet * this.stride;
    // A slot may change hands between two looks at it; that happens to a connection once in a long while.
    for (let attempt = 0; attempt < 3; attempt++) {
      const slot = this.find(first, key);
      if (slot === 0) return 0;
      Atomics.add(cells, slot + 1 + this.thread, 1);
      if (Atomics.load(cells, slot) !== key) {
        this.leave(slot);
        continue;
      }
      if (this.total(slot) <= this.most) return slot;
      this.leave(slot);
      return -1;
    }
    return 0;
  }

  leave(slot: number): void {
    if (slot > 0) Atomics.sub(this.cells, slot + 1 + this.thread, 1);
  }

  /** The key's slot, or a free one that is made its own; 0: there is none. */
  private find(first: number, key: number): number {
    const { cells, stride } = this;
    const end = first + waysPerSet * stride;
    for (let slot = first; slot < end; slot += stride) if (Atomics.load(cells, slot) === key) return slot;
    for (let slot = first; slot < end; slot += stride) {
      const before = Atomics.load(cells, slot);
      if (this.total(slot) === 0 && Atomics.compareExchange(cells, slot, before, key) === before) return slot;
    }
    return 0;
  }

  private total(slot: number): number {
    let sum = 0;
    for (let thread = 0; thread < this.threads; thread++) sum += Atomics.load(this.cells, slot + 1 + thread);
    return sum;
  }
}
