import type { Room } from "../engine.js";
import { headroomBytes } from "../engine.js";
import { blocksAt, receiveBytes } from "./layout.js";

/** A request's head as a rule fits into the small one, and what is left of one reception into the large one. */
const classes: readonly { readonly bytes: number; readonly count: number }[] = [
  { bytes: 2_048, count: 4_096 },
  { bytes: receiveBytes + headroomBytes, count: 256 },
];

/** Bytes of engine memory, blocks included. */
export const memoryBytes = blocksAt + classes.reduce((sum, { bytes, count }) => sum + bytes * count, 0);

/** A piece of the engine's memory. */
export interface Block extends Room {
  /** Index into `classes`; -1: it lies on the heap. */
  readonly kind: number;
}

/**
 * Blocks of the engine's memory in two sizes, for what outlives one turn: requests that may have to be sent again, and
 * what a slow receiver did not take. When all are in use the heap takes over, so that a crowd of slow clients costs time and not
 * service; how many there can be is for maxconn to say.
 */
export class Slabs {
  private readonly free: Block[][] = classes.map(() => []);
  private readonly made: number[] = classes.map(() => 0);
  private readonly offsets: number[] = [];

  constructor(private readonly memory: Uint8Array) {
    let at = blocksAt;
    for (const { bytes, count } of classes) {
      this.offsets.push(at);
      at += bytes * count;
    }
  }

  take(size: number): Block {
    const kind = size <= classes[0].bytes ? 0 : 1;
    const { bytes, count } = classes[kind];
    if (size > bytes) return { bytes: new Uint8Array(size), start: 0, kind: -1 };
    const block = this.free[kind].pop();
    if (block !== undefined) return block;
    const index = this.made[kind];
    if (index === count) return { bytes: new Uint8Array(size), start: 0, kind: -1 };
    this.made[kind] = index + 1;
    return { bytes: this.memory, start: this.offsets[kind] + index * bytes, kind };
  }

  giveBack(block: Block): void {
    if (block.kind >= 0) this.free[block.kind].push(block);
  }

  /** Blocks in use, for tests: all of them must have come back when nothing is connected. */
  get used(): number {
    return this.made.reduce((sum, made, kind) => sum + made - this.free[kind].length, 0);
  }
}
