/** Int32 cells of a cache line: two threads' cells never share one. */
const lineCells = 16;

/** A backend's place among the servers that have `maxconn`: its servers, and one for those who wait for any of them. */
export interface SlotProxy {
  readonly servers: readonly { readonly maxconn?: number }[];
}

/** Cells of one thread: in use, and since when somebody waits, for every server and backend. */
function cellsOf(proxies: readonly SlotProxy[]): number {
  const count = proxies.reduce((sum, { servers }) => sum + servers.length + 1, 0);
  return Math.ceil((2 * count) / lineCells) * lineCells;
}

/** The shared memory of all data threads' `ServerSlots`; zeros at first. Without any maxconn it is never touched. */
export function createServerSlots(proxies: readonly SlotProxy[], threads: number): SharedArrayBuffer {
  return new SharedArrayBuffer(cellsOf(proxies) * threads * 4);
}

/** Forgets what a dead thread had in use, and who waited in it. */
export function clearServerSlots(
  buffer: SharedArrayBuffer,
  proxies: readonly SlotProxy[],
  thread: number,
): void {
  const cells = cellsOf(proxies);
  const own = new Int32Array(buffer, thread * cells * 4, cells);
  for (let i = 0; i < own.length; i++) Atomics.store(own, i, 0);
}

/** Somebody who has waited longer than others by so much goes first, in whatever thread. */
const patienceMs = 10;
/** Times are kept as int32 and compared by difference; 0 stands for nobody. */
const stamp = (nowMs: number): number => Math.floor(nowMs) | 1 | 0;

/**
 * The places at a backend's servers that have `maxconn`, shared by all data threads: each writes cells of its own, and a
 * place is taken by counting it first and looking at the sum then, so never more than `maxconn` are in use.
 *
 * Pure but for the buffer: time comes in, on a clock that all threads share.
 */
export class ServerSlots {
  private readonly cells: Int32Array;
  private readonly threads: number;
  private readonly stride: number;
  private readonly first: number;
  private readonly own: number;

  constructor(
    buffer: SharedArrayBuffer,
    proxies: readonly SlotProxy[],
    proxyIndex: number,
    private readonly threadIndex: number,
  ) {
    this.cells = new Int32Array(buffer);
    this.stride = cellsOf(proxies);
    this.threads = this.cells.length / this.stride;
    this.first = proxies.slice(0, proxyIndex).reduce((sum, { servers }) => sum + servers.length + 1, 0) * 2;
    this.own = threadIndex * this.stride + this.first;
  }

  inUse(server: number): number {
    let sum = 0;
    for (let thread = 0; thread < this.threads; thread++)
      sum += Atomics.load(this.cells, thread * this.stride + this.first + 2 * server);
    return sum;
  }

  /** False: `most` are in use. */
  take(server: number, most: number): boolean {
    Atomics.add(this.cells, this.own + 2 * server, 1);
    if (this.inUse(server) <= most) return true;
    this.release(server);
    return false;
  }

  /** So many are in use in this thread: they have not been counted until now. */
  begin(server: number, inUse: number): void {
    Atomics.store(this.cells, this.own + 2 * server, inUse);
  }

  release(server: number): void {
    Atomics.sub(this.cells, this.own + 2 * server, 1);
  }

  /** The one who has waited longest in this thread, for `server` or (the servers' number) any of them; null: nobody. */
  noteWaiting(server: number, sinceMs: number | null): void {
    Atomics.store(this.cells, this.own + 2 * server + 1, sinceMs === null ? 0 : stamp(sinceMs));
  }

  /** Whether in another thread somebody has waited for `place` much longer than since `sinceMs`. */
  othersFirst(place: number, sinceMs: number): boolean {
    const mine = stamp(sinceMs);
    for (let thread = 0; thread < this.threads; thread++) {
      if (thread === this.threadIndex) continue;
      const since = Atomics.load(this.cells, thread * this.stride + this.first + 2 * place + 1);
      if (since !== 0 && ((mine - since) | 0) > patienceMs) return true;
    }
    return false;
  }
}
