import { noKey } from "../balance/algorithm.js";
import type { Balancer } from "../balance/balancer.js";
import { Tried } from "../balance/tried.js";
import type { QueuePoll } from "./queue-poll.js";
import type { ServerSlots } from "./server-slots.js";

/** Somebody who wants a server. */
export interface Waiter {
  readonly tried: Tried;
  readonly key: number;
  /** The server that its cookie asks for; −1: none. */
  readonly asked: number;
  /** It waits now, for `server`, or for any (−1). */
  queued(server: number): void;
  /** It waits no longer. Called before `granted` and `waitedTooLong`, and by `leave`. */
  dequeued(server: number): void;
  /** Its turn has come: a place at `server` is taken for it. */
  granted(server: number): void;
  waitedTooLong(): void;
}

/** What `seek` says where it gives no server. */
export const Sought = { none: -1, waits: -2 } as const;

export interface QueuedServer {
  readonly maxconn?: number;
  readonly maxqueue?: number;
  /** Somebody may limit it, or change its limit, at any time. */
  readonly agent?: unknown;
}

export interface ServerQueueParts {
  readonly servers: readonly QueuedServer[];
  /** A request belongs to the server that its key leads to, and waits for that one. */
  readonly isHashed: boolean;
  readonly queueMs: number;
  readonly slots: ServerSlots;
  readonly states: {
    weight(server: number): number;
    isStopped(server: number): boolean;
    /** What an agent or an operator says of it, 0: no limit; −1: nothing. */
    maxconn(server: number): number;
    /** Waiting over all threads. */
    queued(server: number): number;
  };
  readonly balancer: Balancer;
  readonly poll: QueuePoll;
  /** On a clock that all threads share. */
  readonly now: () => number;
  /** The balancer's clock. */
  readonly engineNow: () => number;
}

interface Entry {
  readonly waiter: Waiter;
  /** −1: any. */
  server: number;
  readonly sinceMs: number;
}

/**
 * Who waits, in one data thread, for a place at a backend's servers that have `maxconn`; oldest first, as in HAProxy: those
 * whom a cookie or a hash leads to a server wait for that one, the others for the first that has room.
 */
export class ServerQueue {
  private readonly entries: Entry[] = [];
  private readonly excluded = new Tried();
  private readonly any: number;
  /** Whose places are counted: a limit may stand there at any time. */
  private readonly counted: boolean[];

  constructor(private readonly parts: ServerQueueParts) {
    this.any = parts.servers.length;
    this.counted = parts.servers.map(({ maxconn, agent }) => maxconn !== undefined || agent !== undefined);
  }

  /**
   * Counts the places at `server` from now on, of which `inUse` are in use in this thread: an operator limits it. Not between a
   * `seek` and what becomes of it.
   */
  count(server: number, inUse: number): void {
    if (this.counted[server]) return;
    this.counted[server] = true;
    this.parts.slots.begin(server, inUse);
  }

  get length(): number {
    return this.entries.length;
  }

  /** A server with a place that is taken for `waiter`, to be given back by `release`; or one of `Sought`. */
  seek(waiter: Waiter): number {
    const { balancer, states, servers, isHashed, engineNow } = this.parts;
    const { tried, key, asked } = waiter;
    const wanted =
      asked >= 0 && !tried.has(asked)
        ? asked
        : isHashed && key !== noKey
          ? balancer.pick(tried, engineNow(), key)
          : -1;
    if (wanted >= 0) {
      if (this.enter(wanted)) return wanted;
      const { maxqueue } = servers[wanted];
      if (maxqueue === undefined || states.queued(wanted) < maxqueue) return this.wait(waiter, wanted);
    }
    const { excluded } = this;
    excluded.copy(tried);
    let isSomeFull = false;
    for (;;) {
      const server = balancer.pickReady(excluded, engineNow(), key);
      if (server < 0) break;
      if (this.enter(server)) return server;
      isSomeFull = true;
      excluded.add(server);
    }
    if (isSomeFull) return this.wait(waiter, -1);
    const held = balancer.pick(tried, engineNow(), key);
    if (held < 0) return Sought.none;
    return this.enter(held) ? held : this.wait(waiter, -1);
  }

  /** The place at `server` is free again. */
  release(server: number): void {
    if (this.counted[server]) this.parts.slots.release(server);
    if (this.entries.length > 0) this.serve(server);
  }

  /** Somebody gives up. */
  leave(waiter: Waiter): void {
    const at = this.entries.findIndex((entry) => entry.waiter === waiter);
    if (at >= 0) this.remove(at);
  }

  /** Looks for places that others gave back, and for who has waited too long. */
  look(): void {
    const { servers, states, queueMs, now } = this.parts;
    const nowMs = now();
    for (let first = this.entries[0]; first !== undefined; first = this.entries[0]) {
      if (nowMs - first.sinceMs < queueMs) break;
      this.remove(0);
      first.waiter.waitedTooLong();
    }
    for (const entry of this.entries) {
      // Its server is gone: any other one will do.
      if (entry.server >= 0 && states.isStopped(entry.server)) this.moveToAny(entry);
    }
    for (let server = 0; server < servers.length && this.entries.length > 0; server++) this.serve(server);
  }

  /** A newcomer takes a place at `server`, unless somebody waits for it. */
  private enter(server: number): boolean {
    if (this.limitOf(server) !== undefined && this.firstFor(server) >= 0) return false;
    return this.take(server, this.parts.now());
  }

  /** undefined: none. */
  private limitOf(server: number): number | undefined {
    if (!this.counted[server]) return undefined;
    const { servers, states } = this.parts;
    const { maxconn } = servers[server];
    const said = states.maxconn(server);
    return said < 0 ? maxconn : said === 0 ? undefined : said;
  }

  private take(server: number, sinceMs: number): boolean {
    const { slots, states } = this.parts;
    const maxconn = this.limitOf(server);
    if (maxconn === undefined) return !this.counted[server] || slots.take(server, Infinity);
    if (slots.othersFirst(server, sinceMs)) return false;
    // Who waits for any server gets none that is drained.
    if (states.weight(server) > 0 && slots.othersFirst(this.any, sinceMs)) return false;
    return slots.take(server, maxconn);
  }

  /** Gives places at `server` to those who wait, as long as there are both. */
  private serve(server: number): void {
    for (let at = this.firstFor(server); at >= 0; at = this.firstFor(server)) {
      const { waiter, sinceMs } = this.entries[at];
      if (!this.take(server, sinceMs)) return;
      this.remove(at);
      waiter.granted(server);
    }
  }

  /** The place in line of who may have `server` next; −1: nobody. */
  private firstFor(server: number): number {
    const { states } = this.parts;
    if (states.isStopped(server)) return -1;
    const isOpen = states.weight(server) > 0;
    return this.entries.findIndex(
      (entry) => entry.server === server || (entry.server < 0 && isOpen && !entry.waiter.tried.has(server)),
    );
  }

  private wait(waiter: Waiter, server: number): number {
    if (this.entries.length === 0) this.parts.poll.join(this);
    this.entries.push({ waiter, server, sinceMs: this.parts.now() });
    waiter.queued(server);
    this.tellOthers(server);
    return Sought.waits;
  }

  private remove(at: number): void {
    const [{ waiter, server }] = this.entries.splice(at, 1);
    waiter.dequeued(server);
    this.tellOthers(server);
    if (this.entries.length === 0) this.parts.poll.leave(this);
  }

  private moveToAny(entry: Entry): void {
    const { server, waiter } = entry;
    waiter.dequeued(server);
    entry.server = -1;
    waiter.queued(-1);
    this.tellOthers(server);
    this.tellOthers(-1);
  }

  /** How long the first of a line has waited. Who has been at a server already may not want the place, and is not told of. */
  private tellOthers(server: number): void {
    const first = this.entries.find((entry) => entry.server === server && entry.waiter.tried.size === 0);
    this.parts.slots.noteWaiting(server < 0 ? this.any : server, first?.sinceMs ?? null);
  }
}
