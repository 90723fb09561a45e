import type { ServerReports } from "../vrrp/speaker-peers.js";
import type { FromControlThread, ToControlThread } from "./messages.js";

export interface ServerReportsOptions {
  /** To the partners. */
  readonly vrrp: () => { tellWatching(): void; tellServers(report: string): void };
  readonly control: () => { post(message: ToControlThread): void };
}

/**
 * The main thread's part in what the partners' dashboards show of each other's servers: who looks, and the way between the
 * peer link and the control thread. It outlives both, and reads no report.
 */
export class ServerReportCarrier implements ServerReports {
  private isLookedAt = false;
  private isWatched = false;

  constructor(private readonly options: ServerReportsOptions) {}

  isWatching(): boolean {
    return this.isLookedAt;
  }

  onWatched(isWatched: boolean): void {
    this.isWatched = isWatched;
    this.options.control().post({ kind: "watched", isWatched });
  }

  onReport(address: string, report: string): void {
    this.options.control().post({ kind: "partner-servers", address, report });
  }

  /** A control thread begins: nobody looks at it yet, and it does not know who watches. */
  onControlReady(): void {
    this.look(false);
    if (this.isWatched) this.options.control().post({ kind: "watched", isWatched: true });
  }

  onControl(message: Extract<FromControlThread, { readonly kind: "watching" | "servers" }>): void {
    if (message.kind === "servers") this.options.vrrp().tellServers(message.report);
    else this.look(message.isWatching);
  }

  private look(isWatching: boolean): void {
    if (isWatching === this.isLookedAt) return;
    this.isLookedAt = isWatching;
    this.options.vrrp().tellWatching();
  }
}
