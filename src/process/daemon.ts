import type { Config } from "../config/config.js";
import { defaultAdminPassword } from "../config/defaults.js";
import { defaultPasswordMessage } from "../config/lint.js";
import { describeProblem, type Problem } from "../config/problem.js";
import { exitCodeOf, LbError } from "../errors.js";
import { FlightRecorder, parseFlight } from "../flight/recorder.js";
import { type Certificates, sameCertificates } from "../proxy/tls/certificate.js";
import type { Predecessor } from "../upgrade/predecessor.js";
import type { Successor } from "../upgrade/successor.js";
import type { VrrpStatus } from "../vrrp/status.js";
import { ControlHost } from "./control-host.js";
import { DataPlane } from "./data-plane.js";
import { describeServing } from "./describe-serving.js";
import { handToSuccessor } from "./hand-to-successor.js";
import { closeLimitMs } from "./life-cycle.js";
import { LifeCycleHost } from "./life-cycle-host.js";
import { type Log, listenToLog } from "./log.js";
import type { ControlRequest } from "./messages.js";
import { NodeWatch } from "./node-watch.js";
import { Outbox, planNotices } from "./notices.js";
import type { Question } from "./reload-answer.js";
import { type ReloadPlan, sameAdminListen } from "./reload-plan.js";
import { type ReadAgain, Reloads } from "./reloads.js";
import { ServerReportCarrier } from "./server-reports.js";
import { StartUp } from "./start-up.js";
import { summarizeCounters } from "./state-dump.js";
import { Upgrades } from "./upgrades.js";
import { VrrpHost } from "./vrrp-host.js";

/**
 * How often the main thread looks at the others' health and at the life cycle's deadline: VRRP shall know of what is
 * wrong within 100 ms. A look takes some 20 µs.
 */
const lookEveryMs = 50;
/** What is left of a move is cut before the address goes, so that the clients hear of it. */
const cutAheadMs = 300;

export interface DaemonOptions {
  readonly config: Config;
  readonly certificates: Certificates;
  /** Where the configuration came from, for the log. */
  readonly configFrom: string;
  readonly warnings: readonly Problem[];
  readonly log: Log;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** SIGHUP: reads the configuration again, with the same flags. */
  reload(): Promise<ReadAgain>;
  /** The process whose place this one takes. */
  readonly predecessor: Predecessor | null;
}

/**
 * The main thread: owns the listening sockets, the other threads, VRRP and the signals, and does nothing heavy.
 *
 * This file puts the parts together and takes what comes from outside: signals, the control thread's questions, a reload's new
 * configuration. How they start is in `start-up`, how they serve and end in `life-cycle-host`.
 */
export class Daemon {
  private readonly options: DaemonOptions;
  private config: Config;
  private certificates: Certificates;
  private readonly log: Log;
  private readonly plane: DataPlane;
  private control: ControlHost;
  private readonly startedEpochMs = Date.now();
  /** A reload is under way; the next one waits for it. */
  private reloading: Promise<void> = Promise.resolve();
  private readonly vrrp: VrrpHost;
  private readonly reloads: Reloads;
  private readonly upgrades: Upgrades<Successor>;
  private readonly lifeCycle: LifeCycleHost;
  private readonly startUp: StartUp;
  private readonly watch: NodeWatch;
  private readonly outbox = new Outbox();
  private readonly recorder = new FlightRecorder();
  private readonly reports = new ServerReportCarrier({ vrrp: () => this.vrrp, control: () => this.control });
  /** Called when a control thread that a reload replaces has ended. */
  private controlGone: (() => void) | null = null;
  /** Why the daemon ended by itself. */
  failure: LbError | null = null;

  /** Opens what can fail first, the listening sockets: LbError LB_LISTEN_IN_USE, LB_PERMISSION, LB_LISTEN. */
  constructor(options: DaemonOptions) {
    const { config, log } = options;
    this.options = options;
    this.config = config;
    this.log = log;
    this.certificates = options.certificates;
    const inherit = options.predecessor?.inherit ?? null;
    this.plane = new DataPlane(
      config,
      options.certificates,
      {
        log,
        onChange: () => this.onThreadChange(),
        onDrained: () => this.lifeCycle.input({ kind: "drained" }),
      },
      inherit,
    );
    this.watch = new NodeWatch({
      log,
      config: () => this.config,
      threads: () => this.plane.health(),
      control: () => this.control.health(),
      deafListeners: () => this.plane.deafListeners(),
      table: () => this.plane.table,
      servers: () => this.plane.servers,
      onChange: () => this.vrrp.setFacts(this.watch.facts()),
    });
    this.control = this.controlHost(config, options.certificates);
    this.vrrp = this.vrrpHost();
    this.lifeCycle = new LifeCycleHost({
      log,
      environment: options.environment,
      plane: this.plane,
      vrrp: this.vrrp,
      outbox: this.outbox,
      control: () => this.control,
      drainTimeoutMs: () => this.config.drainTimeoutMs,
      onServing: () => this.announceServing(),
      onStarted: () => this.startUp.wake(),
    });
    this.startUp = new StartUp({
      log,
      plane: this.plane,
      vrrp: this.vrrp,
      watch: this.watch,
      control: () => this.control,
      isStarting: () => this.lifeCycle.isStarting,
    });
    this.reloads = new Reloads({
      log,
      read: () => this.options.reload(),
      present: () => ({ config: this.config, certificates: this.certificates }),
      hasNewSecret: (read) => this.vrrp.hasNewSecret(read),
      obstacle: () => (this.lifeCycle.isServing ? null : `this node is ${this.lifeCycle.name}`),
      apply: (read, certificates, plan, onApplied) => this.apply(read, certificates, plan, onApplied),
    });
    this.upgrades = this.upgradesOf();
    for (const fact of inherit?.facts ?? []) this.watch.take(fact);
    const flight = inherit === null ? null : parseFlight(inherit.flight);
    if (flight !== null) this.recorder.restore(flight);
  }

  private vrrpHost(): VrrpHost {
    return new VrrpHost(this.config, {
      log: this.log,
      moves: {
        load: () => this.plane.load(),
        onMovedAway: (untilMs) => this.plane.moveAway(Math.max(0, untilMs - performance.now() - cutAheadMs)),
        onMoveEnded: () => this.plane.stay(),
      },
      reports: this.reports,
      facts: () => this.watch.facts(),
      onStatus: (statuses) => this.showStatus(statuses),
      onDatagram: (direction, on, datagram) => this.recorder.advert(direction, on, datagram, Date.now()),
      onEvent: (event, config) => {
        const notices = planNotices(event, config, Date.now());
        this.control.notify(this.outbox.add(notices));
      },
    });
  }

  private controlHost(config: Config, certificates: Certificates): ControlHost {
    const host: ControlHost = new ControlHost({
      config,
      certificates,
      plane: this.plane,
      log: this.log,
      startedEpochMs: this.startedEpochMs,
      onReady: () => {
        this.startUp.wake();
        this.reports.onControlReady();
      },
      known: () => this.watch.known(),
      onTracked: (fact) => {
        this.watch.take(fact);
        this.startUp.wake();
      },
      outbox: this.outbox,
      onServerReached: (proxy, server) => this.watch.takeReached(proxy, server),
      onServerReport: (message) => {
        if (host === this.control) this.reports.onControl(message);
      },
      onFatal: (error) => this.onControlFailure(error),
      onRequest: (request) => this.onRequest(request),
      onAsk: (question, answer) => this.onAsk(question, answer),
      onInquire: (inquiry, listener) => this.plane.inquire(inquiry, listener),
      onStopped: () => {
        if (host === this.control) this.lifeCycle.input({ kind: "closed" });
        else this.controlGone?.();
      },
    });
    return host;
  }

  /** Starts everything. Throws LbError when that cannot be; then `ended` never resolves, and the process should exit. */
  async start(): Promise<void> {
    listenToLog((line) => this.recorder.line(line, Date.now()));
    this.listenToSignals();
    this.warn();
    const { predecessor } = this.options;
    if (predecessor === null) {
      this.control.openAdmin();
      this.control.openStatsSocket();
      this.plane.accept();
      this.plane.start();
    } else this.control.inherit(predecessor.inherit?.sockets ?? []);
    setInterval(() => this.look(), lookEveryMs);
    const isToServe = await (predecessor === null ? this.startUp.begin() : this.startUp.follow(predecessor));
    if (isToServe) this.lifeCycle.started();
  }

  /** Resolves with the exit code when everything is over. */
  get ended(): Promise<number> {
    return this.lifeCycle.ended;
  }

  /** What nobody foresaw: gives the addresses away and ends. */
  crash(error: unknown): void {
    this.lifeCycle.crash(error);
  }

  private listenToSignals(): void {
    process.on("SIGTERM", () => this.onStopSignal("SIGTERM"));
    process.on("SIGINT", () => this.onStopSignal("SIGINT"));
    process.on("SIGHUP", () => {
      this.reloading = this.reloading.then(() => this.reloads.reload(() => {}));
    });
    process.on("SIGUSR2", () => {
      this.reloading = this.reloading
        .then(() => this.reloads.reload(() => {}))
        .then(() => this.upgrades.upgrade(() => {}));
    });
    process.on("SIGUSR1", () => this.dumpState());
  }

  private onStopSignal(signal: string): void {
    this.lifeCycle.input({ kind: "stop" });
    this.log.info({ event: "process", signal, next: this.lifeCycle.name }, "stopping");
  }

  private warn(): void {
    for (const warning of this.options.warnings) this.log.warn(describeProblem(warning));
    const isKnown = this.options.warnings.some(({ message }) => message === defaultPasswordMessage);
    if (this.config.admin?.password === defaultAdminPassword && !isKnown) {
      this.log.warn(
        { advice: "set admin: stats: password: in the configuration file" },
        defaultPasswordMessage,
      );
    }
  }

  private announceServing(): void {
    const { configFrom } = this.options;
    const { threadCount, engine } = this.plane;
    const served = describeServing(this.config);
    this.log.info(
      { event: "process", ...served, config: configFrom, threads: threadCount, engine },
      "serving",
    );
  }

  private onThreadChange(): void {
    this.judge();
    this.startUp.wake();
  }

  private look(): void {
    this.plane.look();
    this.control.look();
    this.judge();
    this.lifeCycle.input({ kind: "timer" });
    this.startUp.wake();
  }

  /** Before the start and on the way out nobody asks how fit this node is. */
  private judge(): void {
    if (this.lifeCycle.isServing) this.watch.look();
  }

  private showStatus(statuses: readonly VrrpStatus[]): void {
    this.control.show(statuses);
    this.lifeCycle.showStatus(statuses.map(({ name, state }) => `${name} ${state}`).join(", "));
  }

  private upgradesOf(): Upgrades<Successor> {
    return new Upgrades({
      log: this.log,
      plan: () => this.reloads.plan(),
      hand: () =>
        handToSuccessor({
          log: this.log,
          node: this.config.node,
          plane: this.plane,
          control: this.control,
          watch: this.watch,
          recorder: this.recorder,
          vrrp: this.vrrp,
          environment: this.options.environment,
          obstacle: () => this.cannotBeFollowed(),
        }).catch((error: unknown) => {
          // It may have opened what operators have closed.
          this.plane.settleEntrances();
          throw error;
        }),
      withdraw: () => this.control.withdraw(),
      onSucceeded: (successor) => this.lifeCycle.succeeded(successor),
    });
  }

  private cannotBeFollowed(): string | null {
    if (!this.lifeCycle.isServing) return `this node is ${this.lifeCycle.name}`;
    return process.pid === 1
      ? "this is process 1, with which its container ends: replace the container"
      : null;
  }

  private onAsk(question: Question, answer: (text: string) => void): void {
    switch (question) {
      case "entrances":
        this.plane.settleEntrances();
        answer("");
        break;
      case "flight":
        answer(this.recorder.toJson(this.config.node, Date.now()));
        break;
      case "changes":
        answer(this.recorder.changesToJson(this.config.node, Date.now()));
        break;
      case "plan":
        this.reloads
          .plan()
          .then((plan) => answer(JSON.stringify(plan)))
          .catch((error: unknown) => this.crash(error));
        break;
      case "reload":
        this.reloading = this.reloading.then(() =>
          this.reloads.reload((result) => answer(JSON.stringify(result))),
        );
        break;
      case "upgrade":
        this.reloading = this.reloading.then(() =>
          this.upgrades.upgrade((result) => answer(JSON.stringify(result))),
        );
        break;
    }
  }

  /** What can fail comes first. */
  private async apply(
    config: Config,
    certificates: Certificates,
    { proxies, control, peerLink }: ReloadPlan,
    onApplied: () => void,
  ): Promise<void> {
    const isRenewed = !sameCertificates(this.certificates, certificates);
    const host = this.controlHost(config, certificates);
    const before = this.control;
    const keepsAdmin = sameAdminListen(this.config, config);
    if (control && !keepsAdmin) host.openAdmin();
    const opened = await this.vrrp.prepare(config, peerLink).catch((error: unknown) => {
      host.abandon();
      throw error;
    });
    try {
      if (proxies) await this.plane.replace(config, certificates, config.drainTimeoutMs);
    } catch (error) {
      await opened.speaker?.stop();
      host.abandon();
      throw error;
    }
    this.config = config;
    this.watch.forgetUntracked();
    await this.vrrp.reload(config, opened);
    if (control) before.withdraw();
    onApplied();
    if (isRenewed && !proxies) this.plane.renewCertificates(certificates);
    this.certificates = certificates;
    if (!control) return;
    if (keepsAdmin) host.takeAdminFrom(before);
    this.control = host;
    try {
      host.openStatsSocket(before);
    } catch (error) {
      if (!(error instanceof LbError)) throw error;
      this.log.error({ code: error.code, advice: error.advice }, error.message);
    }
    // What it knows of the servers counts until it has ended; the sockets stay open meanwhile.
    await new Promise<void>((resolve) => {
      this.controlGone = resolve;
      before.stop(false);
      setTimeout(() => before.end(), closeLimitMs);
    });
    if (proxies) this.plane.takeOverStates();
    if (this.lifeCycle.isServing) host.start();
  }

  private dumpState(): void {
    this.log.info(
      {
        lifeCycle: this.lifeCycle.name,
        fitness: this.watch.reason ?? "well",
        threads: [...this.plane.health(), this.control.health()],
        vrrp: this.vrrp.status(),
        proxies: summarizeCounters(this.plane.table, this.config.proxies),
        memory: process.memoryUsage(),
        uptimeSeconds: Math.round(process.uptime()),
      },
      "state",
    );
  }

  private onRequest(request: ControlRequest): void {
    // Nobody can do it while a successor takes over; then one of the two can.
    if (this.vrrp.standsStill) {
      this.reloading = this.reloading.then(() => this.onRequest(request));
      return;
    }
    if (!this.lifeCycle.isServing || !this.vrrp.isThere) {
      if (this.config.vrrp.length > 0)
        this.log.warn({ event: "vrrp", request }, `this node is ${this.lifeCycle.name}: not done, ask again`);
      return;
    }
    this.log.info({ event: "vrrp", request }, request === "drain" ? "drained by the operator" : "undrained");
    if (request === "undrain") this.vrrp.undrain();
    else this.vrrp.drain().catch((error: unknown) => this.crash(error));
  }

  /** The control thread cannot open what was asked for: fatal at the start, where somebody sees it. */
  private onControlFailure(error: LbError): void {
    const { code, advice, message } = error;
    if (!this.lifeCycle.isStarting) {
      this.log.error({ code, advice }, message);
      return;
    }
    this.failure = error;
    this.log.fatal({ code, advice }, message);
    this.lifeCycle.input({ kind: "failed", exitCode: exitCodeOf(error) });
  }
}
