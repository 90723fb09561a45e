import { setTimeout as delay } from "node:timers/promises";
import type { AdminConfig } from "../../config/config.js";
import { defaultAdminPassword } from "../../config/defaults.js";
import { changesOf } from "../../flight/changes.js";
import { parseFlight } from "../../flight/recorder.js";
import type { NodeView } from "../node-view.js";
import type { ServerActions } from "../server-commands.js";
import { History } from "./history.js";
import { RecentLatencies } from "./recent-latency.js";
import type { DashboardEvent, DashboardHistory, DashboardState, Sample } from "./shape.js";
import { dashboardState } from "./state.js";

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

/** How long a page waits for the main thread to tell what happened; then it shows what it told last. */
const eventsLimitMs = 500;

/** Behind the dashboard: a quarter of an hour of samples, fed once a second. What happened the flight recorder tells. */
export class Dashboard {
  private readonly history = new History();
  private readonly latencies = new RecentLatencies();
  private readonly said = new Map<string, Said>();
  private partnerRates: ReadonlyMap<string, number> = new Map();
  private last: Sample = { epochS: 0, values: [] };
  private events: readonly DashboardEvent[] = [];
  private isTelling = false;
  private readonly listeners = new Set<(state: DashboardState) => void>();

  /**
   * `changes`: asks the flight recorder for them, as JSON. `look`: called while somebody looks, so that the partners tell of
   * their servers. `readOnly`: why nothing can be changed; null: it can.
   */
  constructor(
    private readonly view: () => NodeView,
    private readonly changes: () => Promise<string>,
    private readonly look: () => void,
    readonly readOnly: string | null,
  ) {}

  /** Called once a second, behind the sample that rates come from. */
  sample(): void {
    const view = this.view();
    this.last = this.history.take(view);
    this.latencies.take(view);
    this.partnerRates = this.ratePartners(view);
    if (this.listeners.size > 0 && !this.isTelling) void this.tellAll();
  }

  async state(): Promise<DashboardState> {
    this.look();
    await this.readEvents();
    return dashboardState(
      this.view(),
      this.last,
      this.events,
      this.partnerRates,
      this.readOnly,
      this.latencies,
    );
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

  private async tellAll(): Promise<void> {
    this.isTelling = true;
    const state = await this.state();
    this.isTelling = false;
    for (const tell of this.listeners) tell(state);
  }

  private async readEvents(): Promise<void> {
    const late = delay(eventsLimitMs, null, { ref: false });
    const text = await Promise.race([this.changes(), late]);
    const flight = text === null ? null : parseFlight(text);
    if (flight !== null) this.events = changesOf(flight);
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
