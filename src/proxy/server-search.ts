import { noKey } from "./balance/algorithm.js";
import { Tried } from "./balance/tried.js";
import { type CookieDates, noDates } from "./cookie-dates.js";
import type { Patient } from "./queue/first-checks.js";
import { Sought, type Waiter } from "./queue/server-queue.js";
import type { Route } from "./route.js";

/** Who looks for a server: hears what comes of waiting for one. */
export interface Seeker {
  /** Its turn has come: a place at `server` is taken for it. */
  granted(server: number): void;
  /** The first checks have said who is up: it may look anew. */
  tryAgain(): void;
  waitedTooLong(): void;
}

/**
 * The search for a server, of a request or of a session of mode tcp: where it is, which ones it has been at, and where it waits.
 * One object serves all exchanges of a connection.
 *
 *     find ─┬─▶ a server ──arriveAt──▶ there ──leave──▶ find
 *           └─▶ waits in the backend's queue, or for its first checks ──▶ Seeker
 */
export class ServerSearch implements Waiter, Patient {
  /** Where it is; −1: at none. */
  server = -1;
  readonly tried = new Tried();
  /** What the request is hashed by. */
  key: number = noKey;
  /** The server that the client's cookie asks for; −1: none. */
  asked = -1;
  /** Of that cookie. */
  dates: CookieDates = noDates;
  isWaiting = false;

  /** For the log line: the last server that was chosen, or waited for; −1: none. */
  lastServer = -1;
  /** Its places in the lines it has waited in, as HAProxy counts them: the first one is 1. */
  serverQueue = 0;
  backendQueue = 0;

  constructor(
    private route: Route,
    private readonly seeker: Seeker,
  ) {}

  /** Among the servers of `route`. */
  begin(route: Route, key: number): void {
    this.route = route;
    this.key = key;
    this.asked = -1;
    this.dates = noDates;
    this.tried.clear();
    this.lastServer = -1;
    this.serverQueue = 0;
    this.backendQueue = 0;
  }

  /** A server that has not been tried, with a place there where they are counted; or one of `Sought`. */
  find(): number {
    const { queue, backend, balancer, engine } = this.route;
    const { firstChecks } = backend;
    const isOwn = this.asked >= 0 && !this.tried.has(this.asked);
    if (isOwn && firstChecks?.isAwaited(this.asked) === true && firstChecks.holds(this)) return Sought.waits;
    let server = this.asked;
    if (queue !== null) server = queue.seek(this);
    else if (!isOwn) server = balancer.pick(this.tried, engine.now(), this.key);
    return server === Sought.none && firstChecks?.holds(this) === true ? Sought.waits : server;
  }

  arriveAt(server: number): void {
    this.server = server;
    this.lastServer = server;
    this.tried.add(server);
    this.route.counters.serverChosen(server, this.route.monotonicMs(), server !== this.asked);
  }

  /** Gives the place at the present server to somebody else, who may begin there at once. Returns which one that was. */
  leave(): number {
    const { server } = this;
    if (server < 0) return server;
    this.server = -1;
    this.route.leave(server);
    return server;
  }

  /** There is a server that has not been tried. */
  get hasMore(): boolean {
    return this.route.balancer.hasMore(this.tried);
  }

  /** Wherever it waits, it waits no longer. */
  giveUp(): void {
    if (!this.isWaiting) return;
    this.route.queue?.leave(this);
    this.route.backend.firstChecks?.leave(this);
  }

  // —— from the queue, and from the first checks ——

  queued(server: number): void {
    const { backend, counters } = this.route;
    this.isWaiting = true;
    counters.queued(server);
    if (server < 0) this.backendQueue += backend.queuedFor(-1);
    else {
      this.serverQueue += backend.queuedFor(server);
      this.lastServer = server;
    }
  }

  dequeued(server: number): void {
    this.isWaiting = false;
    this.route.counters.dequeued(server);
  }

  granted(server: number): void {
    this.seeker.granted(server);
  }

  tryAgain(): void {
    this.seeker.tryAgain();
  }

  waitedTooLong(): void {
    this.seeker.waitedTooLong();
  }
}
