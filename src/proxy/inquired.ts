import type { Inquiry, InquiryPart } from "../process/inquiry.js";
import type { Client } from "./client.js";
import type { InvalidMessages } from "./invalid-messages.js";
import { Cause } from "./log/termination.js";
import { formatSession, formatSessionAtLength } from "./session-report.js";

/** What a thread's clients come from. */
export interface ClientSource {
  readonly clients: { list(): Client[] };
}

export interface InquiredOptions {
  readonly proxies: readonly ClientSource[];
  readonly invalid: InvalidMessages;
  /** Of the process, and no other living thread's. */
  readonly threadId: number;
  /** The engine's clock. */
  readonly now: () => number;
  /** A time on that clock as HAProxy writes dates. */
  readonly date: (ms: number) => string;
  readonly tell: (id: number, part: InquiryPart, isLast: boolean) => void;
}

/** So many sessions are told of in one turn of the loop; the traffic goes on between two. */
const sessionsAtOnce = 250;
/** Ids of one thread; the thread's number stands above them. */
const idsPerThread = 2 ** 32;

/**
 * A data thread's answers to the control thread. Sessions are told of in pieces, one each time that the main thread says `goOn`, so
 * that ten thousand of them delay nobody. A session gets its number when it is first asked for: until then it costs nothing.
 */
export class Inquired {
  private readonly left = new Map<number, { readonly clients: Client[]; readonly atLength: boolean }>();
  private lastId = 0;

  constructor(private readonly options: InquiredOptions) {}

  take(id: number, inquiry: Inquiry): void {
    const { invalid, tell } = this.options;
    switch (inquiry.about) {
      case "invalid-messages":
        tell(id, { kind: "invalid-messages", messages: invalid.list() }, true);
        break;
      case "sessions": {
        const { atLength } = inquiry;
        const clients = inquiry.id === null ? this.clients() : this.find(inquiry.id);
        this.left.set(id, { clients, atLength });
        this.goOn(id);
        break;
      }
      case "cut-session":
        tell(id, this.cut(this.find(inquiry.id), Cause.killed), true);
        break;
      case "cut-sessions-at": {
        const { backend, server, because } = inquiry;
        const cause =
          because === undefined ? Cause.killed : because === "down" ? Cause.markedDown : Cause.markedUp;
        const isThere = (client: Client): boolean => {
          const { exchange } = client.report(this.options.now());
          return exchange?.backend === backend && exchange.server === server;
        };
        tell(id, this.cut(this.clients().filter(isThere), cause), true);
        break;
      }
    }
  }

  /** The next piece of what was asked for as `id`. */
  goOn(id: number): void {
    const left = this.left.get(id);
    if (left === undefined) return;
    const nowMs = this.options.now();
    let text = "";
    // Who has left meanwhile is told of no more.
    for (const client of left.clients.splice(0, sessionsAtOnce))
      if (client.rosterPlace >= 0) text += this.describe(client, nowMs, left.atLength);
    const isLast = left.clients.length === 0;
    if (isLast) this.left.delete(id);
    this.options.tell(id, { kind: "lines", text }, isLast);
  }

  private describe(client: Client, nowMs: number, atLength: boolean): string {
    if (client.sessionId === 0) client.sessionId = this.options.threadId * idsPerThread + ++this.lastId;
    const report = client.report(nowMs);
    if (!atLength) return formatSession(client.sessionId, report);
    return formatSessionAtLength(client.sessionId, report, this.options.date(nowMs - report.ageMs));
  }

  private cut(clients: readonly Client[], cause: Cause): InquiryPart {
    for (const client of clients) client.kill(cause);
    return { kind: "cut", sessions: clients.length };
  }

  private find(sessionId: number): Client[] {
    if (Math.floor(sessionId / idsPerThread) !== this.options.threadId) return [];
    return this.clients().filter((client) => client.sessionId === sessionId);
  }

  private clients(): Client[] {
    const all = this.options.proxies.flatMap(({ clients }) => clients.list());
    return all.flatMap((client) => client.streams?.() ?? [client]);
  }
}
