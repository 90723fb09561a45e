/** Shortest and longest time that a server which could not be reached is tried last. */
const shortestHoldMs = 1_000;
const longestHoldMs = 30_000;

/**
 * Round-robin per request over servers that are known by index.
 *
 * `pick` yields one candidate after the other for the same request, so retry and redispatch are the same call with
 * one more index in `tried`. A server that could not be reached is held back: it comes after the others for 1 s,
 * doubled for each further failure up to 30 s, so that a halted machine does not cost every other request a connect
 * time-out. It is never left out: when the others fail too, it gets the request. Pure: time comes in.
 */
export class RoundRobin {
  private readonly heldUntilMs: Float64Array;
  private readonly failures: Uint8Array;
  private cursor = 0;

  /** `offset`: where this thread begins, so that the threads' first requests do not all meet the same server. */
  constructor(
    private readonly servers: number,
    offset = 0,
  ) {
    this.heldUntilMs = new Float64Array(servers);
    this.failures = new Uint8Array(servers);
    this.cursor = servers > 0 ? offset % servers : 0;
  }

  /** Index of the next candidate, or -1 when every server is in `tried`. */
  pick(tried: readonly number[], nowMs: number): number {
    let heldBack = -1;
    for (let step = 0; step < this.servers; step++) {
      const index = (this.cursor + step) % this.servers;
      if (tried.includes(index)) continue;
      if (this.heldUntilMs[index] > nowMs) {
        if (heldBack < 0 || this.heldUntilMs[index] < this.heldUntilMs[heldBack]) heldBack = index;
        continue;
      }
      this.cursor = (index + 1) % this.servers;
      return index;
    }
    return heldBack;
  }

  /** The server could not be reached. True: that is news, it could be until now. */
  failed(index: number, nowMs: number): boolean {
    const failures = Math.min(this.failures[index] + 1, 16);
    this.failures[index] = failures;
    this.heldUntilMs[index] = nowMs + Math.min(shortestHoldMs * 2 ** (failures - 1), longestHoldMs);
    return failures === 1;
  }

  /** The server took a connection. True: that is news, it could not be reached before. */
  reached(index: number): boolean {
    if (this.failures[index] === 0) return false;
    this.failures[index] = 0;
    this.heldUntilMs[index] = 0;
    return true;
  }
}
