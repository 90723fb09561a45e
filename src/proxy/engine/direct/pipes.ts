import type { Kernel } from "./kernel.js";

/** What one pipe may hold; the kernel gives less to a user who has many. */
export const pipeBytes = 1_048_576;
/** Pipes of one thread. A transfer that finds none copies its bytes. */
const mostPipes = 256;
/** Kept for the next transfer. */
const mostIdlePipes = 32;

export interface Pipe {
  readonly readEnd: number;
  readonly writeEnd: number;
}

/** The pipes of one thread: lent while bytes are in them, given back empty, or closed with what is in them. */
export class Pipes {
  private readonly idle: Pipe[] = [];
  private open = 0;

  constructor(private readonly kernel: Kernel) {}

  take(): Pipe | null {
    const pipe = this.idle.pop();
    if (pipe !== undefined) return pipe;
    if (this.open >= mostPipes) return null;
    const ends = this.kernel.pipe(pipeBytes);
    if (ends === null) return null;
    this.open++;
    return { readEnd: ends[0], writeEnd: ends[1] };
  }

  /** `isEmpty`: nothing of one transfer may reach another. */
  giveBack(pipe: Pipe, isEmpty: boolean): void {
    if (isEmpty && this.idle.length < mostIdlePipes) this.idle.push(pipe);
    else this.close(pipe);
  }

  /** Pipes that are lent. */
  get used(): number {
    return this.open - this.idle.length;
  }

  get free(): number {
    return this.idle.length;
  }

  destroy(): void {
    for (const pipe of this.idle.splice(0)) this.close(pipe);
  }

  private close(pipe: Pipe): void {
    this.open--;
    this.kernel.close(pipe.readEnd);
    this.kernel.close(pipe.writeEnd);
  }
}
