import type { Config } from "../config/config.js";
import type { ServerTable } from "../proxy/health/server-table.js";
import { monotonicMs } from "../proxy/stats/monotonic.js";
import { noteReached, unservedProxies } from "../proxy/stats/reachability.js";
import type { StatsTable } from "../proxy/stats/table.js";
import type { OutsideFacts } from "../vrrp/speaker-tracking.js";
import type { Found } from "../vrrp/tracking.js";
import type { ThreadHealth } from "./fitness.js";
import type { Log } from "./log.js";
import type { TrackedFact } from "./messages.js";
import {
  describeHealth,
  type Finding,
  findings,
  judgeNode,
  type NodeHealth,
  wellAtStart,
} from "./node-health.js";

/** What the watch looks at, as it is at each look. */
export interface NodeWatchOptions {
  readonly log: Log;
  config(): Config;
  threads(): readonly ThreadHealth[];
  control(): ThreadHealth;
  deafListeners(): readonly string[];
  table(): StatsTable;
  servers(): ServerTable;
  /** VRRP must hear of what is new. */
  onChange(): void;
}

/** Everything that decides how fit this node is: its own health, and what the control thread tracks for it. */
export class NodeWatch {
  private readonly options: NodeWatchOptions;
  private health: NodeHealth = wellAtStart;
  private found: readonly Finding[] = [];
  private complaint: string | null = null;
  private readonly scripts = new Map<string, Found>();
  private readonly processes = new Map<string, Found>();
  private readonly files = new Map<string, number>();

  constructor(options: NodeWatchOptions) {
    this.options = options;
  }

  /** Judges the node's own health now. */
  look(): void {
    const { threads, control, deafListeners, table, servers, config } = this.options;
    const facts = {
      threads: threads(),
      control: control(),
      deafListeners: deafListeners(),
      unservedProxies: unservedProxies(table(), servers()),
    };
    this.health = judgeNode(this.health, facts, performance.now());
    const found = findings(this.health, config().fitness);
    const isNew = describe(found) !== describe(this.found);
    this.found = found;
    this.complain();
    if (isNew) this.options.onChange();
  }

  /** From the control thread. */
  take(fact: TrackedFact): void {
    if (fact.of === "file") this.files.set(fact.name, fact.value);
    else (fact.of === "script" ? this.scripts : this.processes).set(fact.name, fact.found);
    this.options.onChange();
  }

  /** From the control thread: a probe has reached a server. */
  takeReached(proxy: string, server: string): void {
    const { proxies } = this.options.config();
    const proxyIndex = proxies.findIndex(({ name }) => name === proxy);
    const serverIndex = proxies[proxyIndex]?.servers.findIndex(({ name }) => name === server) ?? -1;
    if (serverIndex >= 0) noteReached(this.options.table(), proxyIndex, serverIndex, monotonicMs());
  }

  /** A reload: what is tracked no more is not known any more. */
  forgetUntracked(): void {
    const { scripts, processes, files } = this.options.config().tracking;
    for (const [known, tracked] of [
      [this.scripts, scripts],
      [this.processes, processes],
      [this.files, files],
    ] as const) {
      for (const name of [...known.keys()]) {
        if (!tracked.some((one) => one.name === name)) known.delete(name);
      }
    }
  }

  facts(): OutsideFacts {
    const { scripts, processes, files, found } = this;
    return { scripts, processes, files, node: found };
  }

  /** What a control thread that follows another one should know. */
  known(): TrackedFact[] {
    return [
      ...[...this.scripts].map(([name, found]): TrackedFact => ({ of: "script", name, found })),
      ...[...this.processes].map(([name, found]): TrackedFact => ({ of: "process", name, found })),
      ...[...this.files].map(([name, value]): TrackedFact => ({ of: "file", name, value })),
    ];
  }

  /** Whether everything that the control thread tracks has answered once. */
  get isComplete(): boolean {
    const { scripts, processes, files } = this.options.config().tracking;
    return (
      scripts.every(({ name }) => this.scripts.has(name)) &&
      processes.every(({ name }) => this.processes.has(name)) &&
      files.every(({ name }) => this.files.has(name))
    );
  }

  get reason(): string | null {
    return describeHealth(this.health);
  }

  private complain(): void {
    const reason = this.reason;
    if (reason === this.complaint) return;
    this.complaint = reason;
    const { log } = this.options;
    if (reason === null) log.info({ event: "fitness" }, "this node can serve again");
    else if (this.found.some(({ weight }) => weight === "fault"))
      log.error({ event: "fitness", reason }, "this node cannot serve");
    else
      log.warn({ event: "fitness", reason, counts: this.found }, "this node is less fit than it should be");
  }
}

function describe(found: readonly Finding[]): string {
  return found.map(({ weight, reason }) => `${weight} ${reason}`).join("; ");
}
