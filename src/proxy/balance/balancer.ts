import type { Algorithm } from "./algorithm.js";
import type { Tried } from "./tried.js";

/** Shortest and longest time that a server which could not be reached is tried last. */
const shortestHoldMs = 1_000;
const longestHoldMs = 30_000;

/** What the health side says of the servers, as values that may change between any two requests. */
export interface ServerWeights {
  /** Changes whenever one of the others does. */
  readonly version: number;
  /** Whole, 0: gets no request. */
  weight(server: number): number;
  /** Changes whenever a check has found the server up again. */
  recoveries(server: number): number;
}

/**
 * Yields one candidate after the other for the same request, so retry and redispatch are the same call with one more
 * server in `tried`. Pure: time comes in, and so does what health checks and operators say (`ServerWeights`).
 *
 * Whatever the algorithm, candidates come in this order:
 *
 * 1. servers, by the algorithm;
 * 2. backup servers: the first one of them, or all by the algorithm with `allBackups` (HAProxy's `option allbackups`);
 * 3. servers, then backup servers, that could not be reached a moment ago, the longest ago first.
 *
 * The third are held back for 1 s, doubled for each further failure up to 30 s, so that a halted machine does not cost
 * every other request a connect time-out before its checks find it down. They are never left out: when the others fail
 * too, they get the request. A server of weight 0 (down, drained, in maintenance) is no candidate at all.
 */
export class Balancer {
  private readonly heldUntilMs: Float64Array;
  private readonly failures: Uint8Array;
  private readonly seenRecoveries: Float64Array;
  /** The servers with failures, so that a request need not look at each. */
  private failing = 0;
  private seenVersion = Number.NaN;
  /** The weights of the first choice while none is failing. */
  private readonly usual: Int32Array;
  /** The same for one request that is not usual. */
  private readonly scratch: Int32Array;

  constructor(
    private readonly isBackup: readonly boolean[],
    private readonly weights: ServerWeights,
    private readonly algorithm: Algorithm,
    private readonly allBackups: boolean,
    /** Called when something of `weights` has changed, before the next candidate. */
    private readonly hasNews: () => void = () => {},
  ) {
    const servers = isBackup.length;
    this.heldUntilMs = new Float64Array(servers);
    this.failures = new Uint8Array(servers);
    this.seenRecoveries = Float64Array.from(isBackup, (_, server) => weights.recoveries(server));
    this.usual = new Int32Array(servers);
    this.scratch = new Int32Array(servers);
  }

  /** Index of the next candidate, or -1 when none is left. `key`: what the request is hashed by, or `noKey`. */
  pick(tried: Tried, nowMs: number, key: number): number {
    if (this.weights.version !== this.seenVersion) this.lookAgain();
    if (this.failing === 0 && tried.size === 0) return this.algorithm.choose(this.usual, key);
    if (this.collect(this.scratch, tried, nowMs)) return this.algorithm.choose(this.scratch, key);
    return this.longestHeld(tried, nowMs);
  }

  /** Like `pick`, but for servers that could not be reached a moment ago. */
  pickReady(tried: Tried, nowMs: number, key: number): number {
    if (this.weights.version !== this.seenVersion) this.lookAgain();
    return this.collect(this.scratch, tried, nowMs) ? this.algorithm.choose(this.scratch, key) : -1;
  }

  /** Whether `pick` would find one more. */
  hasMore(tried: Tried): boolean {
    for (let server = 0; server < this.isBackup.length; server++) {
      if (this.weights.weight(server) > 0 && !tried.has(server)) return true;
    }
    return false;
  }

  /** The server could not be reached. True: that is news, it could be until now. */
  failed(server: number, nowMs: number): boolean {
    const failures = Math.min(this.failures[server] + 1, 16);
    if (failures === 1) this.failing++;
    this.failures[server] = failures;
    this.heldUntilMs[server] = nowMs + Math.min(shortestHoldMs * 2 ** (failures - 1), longestHoldMs);
    return failures === 1;
  }

  /** The server took a connection. True: that is news, it could not be reached before. */
  reached(server: number): boolean {
    if (this.failures[server] === 0) return false;
    this.failures[server] = 0;
    this.heldUntilMs[server] = 0;
    this.failing--;
    return true;
  }

  /** Health or an operator has changed something. */
  private lookAgain(): void {
    this.seenVersion = this.weights.version;
    this.hasNews();
    for (let server = 0; server < this.isBackup.length; server++) {
      const recoveries = this.weights.recoveries(server);
      if (recoveries !== this.seenRecoveries[server]) this.reached(server);
      this.seenRecoveries[server] = recoveries;
    }
    this.collect(this.usual, null, 0);
  }

  /** The weights of those among whom the algorithm chooses; false: there is none. */
  private collect(into: Int32Array, tried: Tried | null, nowMs: number): boolean {
    return this.collectSide(into, false, tried, nowMs) || this.collectSide(into, true, tried, nowMs);
  }

  private collectSide(into: Int32Array, backups: boolean, tried: Tried | null, nowMs: number): boolean {
    let found = false;
    for (let server = 0; server < into.length; server++) {
      const isCandidate =
        this.isBackup[server] === backups &&
        (tried === null || (this.heldUntilMs[server] <= nowMs && !tried.has(server))) &&
        !(found && backups && !this.allBackups);
      into[server] = isCandidate ? this.weights.weight(server) : 0;
      if (into[server] > 0) found = true;
    }
    return found;
  }

  private longestHeld(tried: Tried, nowMs: number): number {
    let best = -1;
    for (let server = 0; server < this.isBackup.length; server++) {
      if (this.heldUntilMs[server] <= nowMs || tried.has(server) || this.weights.weight(server) === 0)
        continue;
      const isBetter =
        best < 0 ||
        (this.isBackup[server] === this.isBackup[best]
          ? this.heldUntilMs[server] < this.heldUntilMs[best]
          : this.isBackup[best]);
      if (isBetter) best = server;
    }
    return best;
  }
}
