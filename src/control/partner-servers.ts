import {
  encodeServerReport,
  parseServerReport,
  type ReportedServer,
  type ServerReport,
} from "../peer-link/server-report.js";
import type { FromControlThread } from "../process/messages.js";
import { describeCheck } from "./dashboard/server-words.js";
import { describeEndpoint } from "./format.js";
import type { NodeView } from "./node-view.js";

/** What a partner has said of its servers. */
export interface PartnerReport {
  readonly report: ServerReport;
  readonly receivedEpochMs: number;
}

/** How long somebody who has asked once counts as looking. */
const lookMs = 5000;
/** As many as there are links. */
const mostPartners = 16;

/**
 * The servers of the partners, by their addresses, and this node's for them. Partners tell only while somebody looks, once
 * a second, and so does this node. Time comes in.
 */
export class PartnerServers {
  private readonly reports = new Map<string, PartnerReport>();
  private lookUntilMs = Number.NEGATIVE_INFINITY;
  private isWatching = false;
  private isWatched = false;
  private hasComplained = false;

  constructor(
    private readonly post: (message: FromControlThread) => void,
    private readonly complain: (fields: object, message: string) => void,
  ) {}

  /** The last word of each, also of one that is not reached any more. */
  get all(): ReadonlyMap<string, PartnerReport> {
    return this.reports;
  }

  /** Somebody looks at both nodes. */
  look(nowMs: number): void {
    this.lookUntilMs = nowMs + lookMs;
    this.settle(nowMs);
  }

  /** Somebody looks at a partner's servers, or nobody any more. The first word comes at once: `lb status` waits for it. */
  setWatched(isWatched: boolean, view: () => NodeView): void {
    const wasWatched = this.isWatched;
    this.isWatched = isWatched;
    if (isWatched && !wasWatched) this.tell(view);
  }

  /** Once a second. */
  sample(nowMs: number, view: () => NodeView): void {
    const was = this.isWatching;
    this.settle(nowMs);
    // Said again: what was said before this thread was ready counts for the one before it.
    if (was && this.isWatching) this.post({ kind: "watching", isWatching: true });
    if (this.isWatched) this.tell(view);
  }

  /** What is no report changes nothing. */
  take(address: string, text: string, nowEpochMs: number): void {
    const report = parseServerReport(text);
    if (report === null) {
      if (!this.hasComplained)
        this.complain(
          { event: "peer-link", peer: address },
          `what ${address} says of its servers is not understood`,
        );
      this.hasComplained = true;
      return;
    }
    this.reports.delete(address);
    this.reports.set(address, { report, receivedEpochMs: nowEpochMs });
    const [oldest] = this.reports.keys();
    if (this.reports.size > mostPartners) this.reports.delete(oldest);
  }

  private tell(view: () => NodeView): void {
    this.post({ kind: "servers", report: encodeServerReport(reportServers(view())) });
  }

  private settle(nowMs: number): void {
    const isWatching = nowMs < this.lookUntilMs;
    if (isWatching === this.isWatching) return;
    this.isWatching = isWatching;
    this.post({ kind: "watching", isWatching });
  }
}

/** This node's servers, for a partner. */
export function reportServers(view: NodeView): { name: string; servers: ReportedServer[] }[] {
  return view.proxies.map(({ name: proxy, servers }, i) => ({
    name: proxy,
    servers: servers.map(({ name }, j): ReportedServer => {
      const state = view.backends[i].servers[j];
      const counters = view.snapshot.proxies[i].servers[j];
      return {
        name,
        address: describeEndpoint(state.host, state.port),
        status: state.status,
        admin: state.admin,
        isDown: state.isStopped && state.admin !== "maint",
        sinceMs: Math.max(0, Math.round(state.lastChangeMs)),
        check: describeCheck(state),
        weight: state.userWeight,
        sessions: counters.sessionsCurrent,
        requestsPerSecond: Math.round(view.rates.proxies[i].servers[j].sessions.perSecond),
        errors: counters.connectErrors + counters.responseErrors,
      };
    }),
  }));
}
