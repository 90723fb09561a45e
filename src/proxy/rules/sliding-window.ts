import { seededHash } from "./seeded-hash.js";

/** Parts of a period that are counted apart. */
const partsPerPeriod = 8;
/** Those of a whole period, and the one that the window has not quite left. */
const parts = partsPerPeriod + 1;
/** Int32 cells of a slot: two halves of the key, number of the newest part (0: never used), counts of the parts in a ring. */
const SlotCell = { keyA: 0, keyB: 1, part: 2, counts: 3 } as const;
const slotCells = SlotCell.counts + parts;
/** Int32 cells in front of the slots: the secret of the hashes. */
const seedCells = 4;
/** A key may be in any of so many slots. */
const waysPerSet = 8;

/** Bytes that counters for at least `keys` keys take. */
export function slidingWindowBytes(keys: number): number {
  return (seedCells + Math.ceil(keys / waysPerSet) * waysPerSet * slotCells) * 4;
}

/** Counters for at least `keys` keys. `random`: any int32, secret. */
export function createSlidingWindow(keys: number, random: () => number): SharedArrayBuffer {
  const buffer = new SharedArrayBuffer(slidingWindowBytes(keys));
  const seeds = new Int32Array(buffer, 0, seedCells);
  for (let i = 0; i < seedCells; i++) seeds[i] = random();
  return buffer;
}

/**
 * Requests by key in a sliding window, over all data threads, in memory that never grows: one SharedArrayBuffer.
 *
 * In no period do more than `limit` requests of a key pass; who stays below 8/9 of that is never refused. (A part of the
 * period counts until the window has left it as a whole.) What is refused does not count. Where more keys come than there is room for,
 * the counter that was used the longest ago makes room: the limit is then too generous to its key.
 *
 * Pure but for the buffer: time comes in. Threads that count in the very same instant may lose a count when a part begins.
 */
export class SlidingWindow {
  private readonly cells: Int32Array;
  private readonly sets: number;

  /** `buffer`: of `createSlidingWindow`. */
  constructor(
    buffer: SharedArrayBuffer,
    private readonly limit: number,
    private readonly periodMs: number,
  ) {
    this.cells = new Int32Array(buffer);
    this.sets = (this.cells.length - seedCells) / (waysPerSet * slotCells);
  }

  /** Counts a request of this key; false: it is one too many, and was not counted. */
  admits(key: string, nowMs: number): boolean {
    const { cells, limit, periodMs } = this;
    const part = Math.floor((nowMs * partsPerPeriod) / periodMs) + 1;
    const slot = this.slotOf(key, part);
    const counts = slot + SlotCell.counts;
    this.moveOn(slot, part);
    let counted = 0;
    for (let i = 0; i < parts; i++) counted += Atomics.load(cells, counts + i);
    if (counted >= limit) return false;
    Atomics.add(cells, counts + (part % parts), 1);
    return true;
  }

  /** Forgets the parts that the window has left. */
  private moveOn(slot: number, part: number): void {
    const { cells } = this;
    const newest = Atomics.exchange(cells, slot + SlotCell.part, part);
    const passed = Math.min(part - newest, parts);
    for (let i = 0; i < passed; i++) Atomics.store(cells, slot + SlotCell.counts + ((part - i) % parts), 0);
  }

  /** The key's slot, which is made where there is none. */
  private slotOf(key: string, part: number): number {
    const { cells } = this;
    const keyA = seededHash(key, cells[0], cells[1]) | 1;
    const keyB = seededHash(key, cells[2], cells[3]);
    let oldest = seedCells + ((keyB >>> 0) % this.sets) * waysPerSet * slotCells;
    for (let way = 0, slot = oldest; way < waysPerSet; way++, slot += slotCells) {
      if (cells[slot + SlotCell.keyA] === keyA && cells[slot + SlotCell.keyB] === keyB) return slot;
      if (cells[slot + SlotCell.part] < cells[oldest + SlotCell.part]) oldest = slot;
    }
    cells[oldest + SlotCell.keyA] = keyA;
    cells[oldest + SlotCell.keyB] = keyB;
    cells.fill(0, oldest + SlotCell.counts, oldest + slotCells);
    cells[oldest + SlotCell.part] = part;
    return oldest;
  }
}
