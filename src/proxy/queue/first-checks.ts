import type { Balancer } from "../balance/balancer.js";
import type { Tried } from "../balance/tried.js";
import type { QueuePoll } from "./queue-poll.js";
import type { Waiter } from "./server-queue.js";

/** Who may wait until it is known whether a server is up. */
export interface Patient extends Pick<Waiter, "tried" | "asked" | "queued" | "dequeued"> {
  /** It waits no longer and looks for a server anew. `dequeued` has been called. */
  tryAgain(): void;
}

export interface FirstChecksParts {
  readonly serverCount: number;
  readonly states: {
    /** Changes with everything that a pick depends on. */
    readonly version: number;
    /** Its first check has not ended, and it is not taken for up yet. */
    isAwaited(server: number): boolean;
    /** Whether it would get requests if it were up. */
    wouldServe(server: number): boolean;
    /** Takes the servers whose first check has not ended for up, from now on. */
    presumeUp(): void;
  };
  readonly balancer: Pick<Balancer, "hasMore">;
  readonly poll: QueuePoll;
  /** Nobody waits for longer. */
  readonly longestMs: number;
  /** Any clock, ms. */
  readonly now: () => number;
}

/**
 * Who waits, in one data thread, for the first check of a backend's servers: right after the start, after a reload that adds
 * a server, or when one leaves maintenance. Until that check has ended the server gets nothing as long as another one is
 * known to be good; where none is, requests wait here, and those whose cookie asks for the server do. When no check has
 * anything to say in time, the servers are taken for up, as HAProxy takes them from the start.
 */
export class FirstChecks {
  private readonly waiting: Patient[] = [];
  private sinceMs = 0;
  private seenVersion = 0;

  constructor(private readonly parts: FirstChecksParts) {}

  get length(): number {
    return this.waiting.length;
  }

  isAwaited(server: number): boolean {
    return this.parts.states.isAwaited(server);
  }

  /** False: there is nothing to wait for. True: `waiter` waits now. */
  holds(waiter: Patient): boolean {
    if (!this.hasToWait(waiter)) return false;
    const { states, poll, now } = this.parts;
    if (this.waiting.length === 0) {
      this.sinceMs = now();
      this.seenVersion = states.version;
      poll.join(this);
    }
    this.waiting.push(waiter);
    waiter.queued(-1);
    return true;
  }

  /** Somebody gives up. */
  leave(waiter: Patient): void {
    const at = this.waiting.indexOf(waiter);
    if (at >= 0) this.remove(at);
  }

  /** Looks for checks that have ended meanwhile, and at the clock. */
  look(): void {
    const { states, longestMs, now } = this.parts;
    if (now() - this.sinceMs >= longestMs) states.presumeUp();
    const { version } = states;
    if (version === this.seenVersion) return;
    this.seenVersion = version;
    const ready = this.waiting.filter((waiter) => !this.hasToWait(waiter));
    for (const waiter of ready) {
      const at = this.waiting.indexOf(waiter);
      // The end of another one's request may have been the end of this one's, too.
      if (at < 0) continue;
      this.remove(at);
      waiter.tryAgain();
    }
  }

  private hasToWait({ asked, tried }: Patient): boolean {
    const { states, balancer } = this.parts;
    if (asked >= 0 && !tried.has(asked) && states.isAwaited(asked)) return true;
    return !balancer.hasMore(tried) && this.isSomeAwaited(tried);
  }

  private isSomeAwaited(tried: Tried): boolean {
    const { states, serverCount } = this.parts;
    for (let server = 0; server < serverCount; server++) {
      if (states.isAwaited(server) && states.wouldServe(server) && !tried.has(server)) return true;
    }
    return false;
  }

  private remove(at: number): void {
    const [waiter] = this.waiting.splice(at, 1);
    waiter.dequeued(-1);
    if (this.waiting.length === 0) this.parts.poll.leave(this);
  }
}
