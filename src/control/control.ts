import type { FastifyInstance } from "fastify";
import type { AdminConfig } from "../config/config.js";
import { LbError } from "../errors.js";
import { readDescriptorLimit } from "../process/descriptor-limit.js";
import type { ControlThreadData, FromControlThread, ToControlThread } from "../process/messages.js";
import type { Question } from "../process/reload-answer.js";
import { AgentChecker } from "../proxy/health/agent-checker.js";
import { askAgent } from "../proxy/health/agent-probe.js";
import { Checker } from "../proxy/health/checker.js";
import { probeServer } from "../proxy/health/probe.js";
import { ServerTable } from "../proxy/health/server-table.js";
import { type FrontendState, OperatorLimits } from "../proxy/operator-limits.js";
import { clearCounters } from "../proxy/stats/clear.js";
import { Cell } from "../proxy/stats/layout.js";
import { monotonicMs } from "../proxy/stats/monotonic.js";
import { readProxyLatencies } from "../proxy/stats/proxy-latencies.js";
import { clearMaxima, type Rates, sampleRates, startRates } from "../proxy/stats/rates.js";
import { readSnapshot } from "../proxy/stats/snapshot.js";
import { StatsTable } from "../proxy/stats/table.js";
import type { VrrpStatus } from "../vrrp/status.js";
import { createAdmin, listenAdmin } from "./admin.js";
import type { AgentActions } from "./agent-commands.js";
import { Dashboard, readOnlyBecause } from "./dashboard/dashboard.js";
import type { LimitActions } from "./frontend-commands.js";
import { Inquirer } from "./inquirer.js";
import { type NodeView, viewLimits } from "./node-view.js";
import { Notifier } from "./notify/notifier.js";
import { PartnerServers } from "./partner-servers.js";
import { releaseDate, version } from "./release.js";
import type { ServerActions } from "./server-commands.js";
import { ServerProbe } from "./server-probe.js";
import { viewServers } from "./server-view.js";
import { StatsSocket } from "./stats-socket.js";
import { Trackers } from "./track/trackers.js";

export interface ControlLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

const sampleIntervalMs = 1_000;
/** What scripts and mails of the last transition get when the process ends; main waits a little longer. */
const finishNoticesMs = 4_000;

/**
 * What runs in the control thread: the stats socket and the admin server, the checks of the servers, and the
 * second-by-second sampling that rates come from. It changes nothing but the servers' states, which outlive it: a crash
 * here touches neither traffic nor mastership.
 */
export class Control {
  private readonly table: StatsTable;
  private readonly servers: ServerTable;
  private readonly limits: OperatorLimits;
  private readonly checker: Checker;
  private readonly agents: AgentChecker;
  private readonly descriptorLimit = readDescriptorLimit();
  private rates: Rates;
  private vrrp: readonly VrrpStatus[] = [];
  private sampler: NodeJS.Timeout | null = null;
  private statsSocket: StatsSocket | null = null;
  private admin: FastifyInstance | null = null;
  private dashboard: Dashboard | null = null;
  /** What the stats socket and the dashboard may change of servers. */
  private readonly serverActions: ServerActions & AgentActions = {
    setState: (proxy, server, state) => this.checker.setState(proxy, server, state),
    setWeight: (proxy, server, weight) => this.checker.setWeight(proxy, server, weight),
    setTarget: (proxy, server, target) => this.checker.setTarget(proxy, server, target),
    setHealth: (proxy, server, health) => this.checker.setHealth(proxy, server, health),
    setAgentEnabled: (proxy, server, isEnabled) => this.agents.setEnabled(proxy, server, isEnabled),
    setAgentHealth: (proxy, server, isUp) => this.agents.setHealth(proxy, server, isUp),
    setAgentTarget: (proxy, server, change) => this.agents.setTarget(proxy, server, change),
  };
  private readonly limitActions: LimitActions = {
    setFrontendState: (proxy, state) => this.setFrontendState(proxy, state),
    setFrontendMaxconn: (proxy, maxconn) => this.limits.setFrontendMaxconn(proxy, maxconn),
    setMaxconn: (maxconn) => this.limits.setMaxconn(maxconn),
    setServerMaxconn: (proxy, server, maxconn) =>
      this.checker.take(proxy, server, { kind: "maxconn", maxconn }),
  };
  private readonly trackers: Trackers;
  private readonly notifier: Notifier;
  private readonly partners: PartnerServers;
  private probe: ServerProbe | null = null;
  /** Questions to the main thread that it has not answered yet. */
  private readonly asked = new Map<number, (text: string) => void>();
  private lastQuestion = 0;
  private readonly inquirer = new Inquirer((id, inquiry) => this.post({ kind: "inquire", id, inquiry }));
  private stopping = false;

  constructor(
    private readonly data: ControlThreadData,
    private readonly log: ControlLog,
    private readonly post: (message: FromControlThread) => void,
  ) {
    this.table = new StatsTable(data.proxies, data.threads, data.statsBuffer);
    this.trackers = new Trackers(data.tracking, data.known, log, (fact) => post({ kind: "tracked", fact }));
    this.partners = new PartnerServers(post, (fields, message) => log.warn(fields, message));
    this.notifier = new Notifier(data.alerts, log, (id) => post({ kind: "notified", id }));
    this.servers = new ServerTable(data.proxies, { buffer: data.serversBuffer });
    this.limits = new OperatorLimits(data.proxies, data.limitsBuffer);
    const schedule = (delayMs: number, run: () => void) => {
      const timer = setTimeout(run, delayMs);
      return () => clearTimeout(timer);
    };
    const means = { proxies: data.proxies, table: this.servers, now: monotonicMs, schedule };
    this.checker = new Checker({
      ...means,
      log,
      probe: (server, http) => probeServer(server, http, data.certificates),
      errorsInRow: (proxy, server) => errorsInRow(this.table, proxy, server),
      cutSessions: (proxy, server, because) => void this.cutSessions(proxy, server, because),
    });
    this.agents = new AgentChecker({ ...means, ask: askAgent, checker: this.checker });
    this.rates = startRates(readSnapshot(this.table, data.proxies), monotonicMs());
  }

  /** Opens what is configured, if it may, and posts `ready`; what cannot be opened is posted as `failed` before it. */
  async start(): Promise<void> {
    this.checker.start();
    this.agents.start();
    this.sampler = setInterval(() => this.sample(), sampleIntervalMs);
    this.trackers.start();
    this.notifier.start();
    this.probe = new ServerProbe(this.data.proxies, this.table, this.servers, (proxy, server) =>
      this.post({ kind: "server-reached", proxy, server }),
    );
    if (this.data.accepts) await this.accept();
    this.post({ kind: "ready" });
  }

  private async accept(): Promise<void> {
    await this.openStatsSocket();
    const { admin } = this.data;
    if (admin !== null) await this.openAdmin(admin.descriptor, admin.config);
  }

  async handle(message: ToControlThread): Promise<void> {
    switch (message.kind) {
      case "accept":
        await this.accept();
        break;
      case "withdraw":
        this.statsSocket?.withdraw();
        break;
      case "vrrp":
        this.vrrp = message.instances;
        break;
      case "admin":
        await this.openAdmin(message.descriptor, message.config);
        break;
      case "answered":
        this.asked.get(message.id)?.(message.text);
        this.asked.delete(message.id);
        break;
      case "told":
        this.inquirer.take(message.id, message.part, message.silent);
        break;
      case "watched":
        this.partners.setWatched(message.isWatched, () => this.view());
        break;
      case "partner-servers":
        this.partners.take(message.address, message.report, Date.now());
        break;
      case "notify":
        this.notifier.take(message.jobs);
        break;
      case "stop":
        await this.stop(message.last);
        break;
    }
  }

  /** The node as it is now. */
  view(): NodeView {
    const { data } = this;
    const nowMonotonicMs = monotonicMs();
    const listenSockets = data.proxies.reduce((sum, proxy) => sum + proxy.listen.length, 0);
    return {
      node: data.node,
      version,
      releaseDate,
      pid: process.pid,
      engine: data.engine,
      startedEpochMs: data.startedEpochMs,
      nowEpochMs: Date.now(),
      nowMonotonicMs,
      descriptorLimit: this.descriptorLimit,
      maxconn: data.maxconn,
      limits: viewLimits(this.limits),
      residentBytes: process.memoryUsage.rss(),
      listeners: listenSockets + (this.admin === null ? 0 : 1) + (this.statsSocket === null ? 0 : 1),
      proxies: data.proxies,
      snapshot: readSnapshot(this.table, data.proxies),
      rates: this.rates,
      latencies: () => readProxyLatencies(this.table, data.proxies),
      backends: viewServers(this.servers, data.proxies, nowMonotonicMs, {
        lastCheck: (proxy, server) => this.checker.lastCheck(proxy, server),
        lastAnswer: (proxy, server) => this.agents.lastAnswer(proxy, server),
        agentTarget: (proxy, server) => this.agents.target(proxy, server),
      }),
      vrrpConfigured: data.vrrpConfigured,
      vrrp: this.vrrp,
      partnerServers: this.partners.all,
    };
  }

  private setFrontendState(proxy: number, state: FrontendState): void {
    this.limits.setFrontendState(proxy, state);
    const fields = { event: "frontend", proxy: this.data.proxies[proxy].name };
    if (state === "open") this.log.info(fields, "frontend takes clients again");
    else this.log.warn(fields, `frontend is ${state}, as an operator asked: nobody can connect`);
  }

  private async killSessions(backend: string, server: string): Promise<void> {
    for await (const _part of this.inquirer.ask({ about: "cut-sessions-at", backend, server }));
  }

  private async cutSessions(proxy: number, server: number, because: "down" | "up"): Promise<void> {
    const { name, servers } = this.data.proxies[proxy];
    const about = { backend: name, server: servers[server].name, because };
    let sessions = 0;
    for await (const part of this.inquirer.ask({ about: "cut-sessions-at", ...about }))
      if (part.kind === "cut") sessions += part.sessions;
    if (sessions === 0) return;
    const fields = { event: "server", proxy: name, server: about.server, sessions };
    this.log.warn(
      fields,
      because === "down" ? "its sessions are cut" : "sessions at a backup server are cut",
    );
  }

  private ask(question: Question): Promise<string> {
    const id = ++this.lastQuestion;
    return new Promise((resolve) => {
      this.asked.set(id, resolve);
      this.post({ kind: "ask", id, question });
    });
  }

  private sample(): void {
    this.rates = sampleRates(this.rates, readSnapshot(this.table, this.data.proxies), monotonicMs());
    this.dashboard?.sample();
    this.partners.sample(monotonicMs(), () => this.view());
  }

  private clearCounters(all: boolean): void {
    clearCounters(this.table, this.data.proxies, all);
    this.rates = clearMaxima(this.rates);
    if (all) this.checker.clearCounters();
  }

  private async openStatsSocket(): Promise<void> {
    const { statsSocket } = this.data;
    if (statsSocket === null) return;
    const { descriptor, config } = statsSocket;
    this.statsSocket = await StatsSocket.serve(
      descriptor,
      () => this.view(),
      {
        ...this.serverActions,
        ...this.limitActions,
        clearCounters: (all) => this.clearCounters(all),
        look: () => this.partners.look(monotonicMs()),
        sockets: () => `unix@${config.path} ${config.level ?? "admin"} all\n`,
      },
      undefined,
      {
        onRequest: (request) => this.post({ kind: "request", request }),
        onAsk: (question) => this.ask(question),
        onInquire: (inquiry) => this.inquirer.ask(inquiry),
      },
      config.level,
    );
    this.log.info({ path: config.path }, "stats socket is open");
  }

  private async openAdmin(descriptor: number, config: AdminConfig): Promise<void> {
    // A second socket for the same server replaces the first: its address has changed.
    const previous = this.admin;
    this.admin = null;
    await previous?.close();
    this.dashboard ??= new Dashboard(
      () => this.view(),
      () => this.ask("changes"),
      () => this.partners.look(monotonicMs()),
      readOnlyBecause(config),
    );
    const app = await createAdmin(config, () => this.view(), this.dashboard, {
      ...this.serverActions,
      killSessions: (backend, server) => void this.killSessions(backend, server),
      request: (request) => this.post({ kind: "request", request }),
    });
    try {
      const address = await listenAdmin(app, descriptor);
      this.admin = app;
      this.log.info(
        { address: address?.address, port: address?.port, path: config.path },
        "stats page is open",
      );
    } catch (error) {
      this.report(error, !config.isDefault);
    }
  }

  /** Tells main of what a user can act on; anything else is a bug, and ends the thread. */
  private report(error: unknown, fatal: boolean): void {
    if (!(error instanceof LbError)) throw error;
    const { code, message, advice } = error;
    this.post({ kind: "failed", code, message, advice, fatal });
  }

  /** Closes everything and posts `stopped`. Idempotent. */
  private async stop(last: boolean): Promise<void> {
    if (this.stopping) return;
    this.stopping = true;
    this.checker.stop();
    this.agents.stop();
    if (this.sampler !== null) clearInterval(this.sampler);
    this.trackers.stop();
    this.probe?.stop();
    // Whoever comes from now on is for the thread or the process that follows, which has the same sockets.
    await Promise.all([
      this.notifier.finish(last ? finishNoticesMs : 0),
      this.statsSocket?.close(),
      this.admin?.close(),
    ]);
    this.post({ kind: "stopped" });
  }
}

/** Of all threads together. */
function errorsInRow(table: StatsTable, proxy: number, server: number): number {
  const cell = table.serverRow(proxy, server) + Cell.errorsInRow;
  return table.blocks.reduce((sum, block) => sum + block[cell], 0);
}
