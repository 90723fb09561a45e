import type { AdminConfig } from "../../config/config.js";
import { defaultAdminPassword } from "../../config/defaults.js";
import type { NodeView } from "../node-view.js";
import type { ServerActions } from "../server-commands.js";
import { History } from "./history.js";
import type { DashboardHistory, DashboardState, Sample } from "./shape.js";
import { dashboardState } from "./state.js";
import { Timeline } from "./timeline.js";

/** What the dashboard may do. */
export interface DashboardActions extends ServerActions {
  /** Gives mastership to the partner, or ends that. */
  request(what: "drain" | "undrain"): void;
}

/** Everybody knows the default password: with it one may look, and change nothing. */
export function readOnlyBecause({ password }: AdminConfig): string | null {
  return password === defaultAdminPassword
    ? "this node has the default password; set admin: stats: password: to change anything from here"
    : null;
}

interface Said {
  readonly requestsTotal: number;
  readonly atMs: number;
}

/** The memory behind the dashboard: a quarter of an hour of samples, and what happened. Fed once a second. */
export class Dashboard {
  private readonly history = new History();
  private readonly timeline = new Timeline();
  private readonly said = new Map<string, Said>();
  private partnerRates: ReadonlyMap<string, number> = new Map();
  private last: Sample = { epochS: 0, values: [] };
  private readonly listeners = new Set<(state: DashboardState) => void>();

  /** `readOnly`: why nothing can be changed; null: it can. */
  constructor(
    private readonly view: () => NodeView,
    readonly readOnly: string | null,
  ) {}

  /** Called once a second, behind the sample that rates come from. */
  sample(): void {
    const view = this.view();
    this.last = this.history.take(view);
    this.timeline.take(view);
    this.partnerRates = this.ratePartners(view);
    if (this.listeners.size === 0) return;
    const state = this.stateOf(view);
    for (const tell of this.listeners) tell(state);
  }

  state(): DashboardState {
    const view = this.view();
    this.timeline.take(view);
    return this.stateOf(view);
  }

  all(): DashboardHistory {
    return this.history.all(this.view());
  }

  /** Tells each new state until the returned function is called. */
  listen(tell: (state: DashboardState) => void): () => void {
    this.listeners.add(tell);
    return () => this.listeners.delete(tell);
  }

  get listening(): number {
    return this.listeners.size;
  }

  private stateOf(view: NodeView): DashboardState {
    return dashboardState(view, this.last, this.timeline.events, this.partnerRates, this.readOnly);
  }

  /** The partners say totals; a total that shrank belongs to another process. */
  private ratePartners(view: NodeView): ReadonlyMap<string, number> {
    const nowMs = view.nowMonotonicMs;
    const rates = new Map<string, number>();
    const partners = view.vrrp[0]?.peerLink?.partners ?? [];
    for (const { address, phase, load } of partners) {
      if (phase !== "up" || load === null) continue;
      const before = this.said.get(address);
      const elapsedMs = before === undefined ? 0 : nowMs - before.atMs;
      this.said.set(address, { requestsTotal: load.requestsTotal, atMs: nowMs });
      if (before === undefined || elapsedMs <= 0 || load.requestsTotal < before.requestsTotal) continue;
      rates.set(address, Math.round(((load.requestsTotal - before.requestsTotal) * 1000) / elapsedMs));
    }
    return rates;
  }
}
