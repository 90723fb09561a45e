import type { RetryConfig } from "../config/retry-section.js";

/** Replays that a proxy that has just begun, or had little to do, can afford at once. */
const burst = 10;

/**
 * Whether a request that failed at one server may go to another. Pure; one for each proxy in each data thread.
 *
 * Without configuration a request goes from servers that cannot be reached to all others, and one whose connection ended
 * before a byte of the response to one other. The budget keeps a backend that is going down from getting every request
 * several times: each request earns a share of a replay, and at most `burst` are saved up.
 */
export class RetryPolicy {
  private tokens = burst;
  private readonly statuses: ReadonlySet<number>;
  private readonly share: number;

  constructor(private readonly config: RetryConfig | null) {
    this.statuses = new Set(config?.onStatuses);
    this.share = (config?.budgetPercent ?? 0) / 100;
  }

  /** Some answers are not passed on. */
  get looksAtStatus(): boolean {
    return this.statuses.size > 0;
  }

  /** A request came. */
  earn(): void {
    if (this.share > 0) this.tokens = Math.min(burst, this.tokens + this.share);
  }

  /** `moves`: how often the request has moved already. */
  afterRefusal(moves: number): boolean {
    const { config } = this;
    return config === null || (config.onConnectFailure && moves < config.retries);
  }

  /** `replays`: how often it has been sent a second time. */
  afterEmptyResponse(moves: number, replays: number): boolean {
    const { config } = this;
    if (config === null) return replays === 0;
    return config.onEmptyResponse && moves < config.retries && this.spend();
  }

  afterTimeout(moves: number): boolean {
    const { config } = this;
    return config?.onResponseTimeout === true && moves < config.retries && this.spend();
  }

  afterStatus(status: number, moves: number): boolean {
    const { config } = this;
    return config !== null && this.statuses.has(status) && moves < config.retries && this.spend();
  }

  private spend(): boolean {
    if (this.share === 0) return true;
    if (this.tokens < 1) return false;
    this.tokens--;
    return true;
  }
}
