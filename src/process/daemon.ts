import { setTimeout as delay } from "node:timers/promises";
import type { Config } from "../config/config.js";
import { defaultAdminPassword } from "../config/defaults.js";
import { defaultPasswordMessage } from "../config/lint.js";
import { describeProblem, type Problem } from "../config/problem.js";
import { ExitCode, exitCodeOf, LbError } from "../errors.js";
import { FlightRecorder, parseFlight } from "../flight/recorder.js";
import { type Certificates, sameCertificates } from "../proxy/tls/certificate.js";
import type { Predecessor } from "../upgrade/predecessor.js";
import type { Successor } from "../upgrade/successor.js";
import type { VrrpStatus } from "../vrrp/status.js";
import { ControlHost } from "./control-host.js";
import { DataPlane } from "./data-plane.js";
import { describeServing } from "./describe-serving.js";
import { handToSuccessor } from "./hand-to-successor.js";
import {
  beforeStart,
  closeLimitMs,
  handleLifeCycle,
  type LifeCycleEffect,
  type LifeCycleInput,
  type LifeCycleState,
  releaseLimitMs,
} from "./life-cycle.js";
import { type Log, listenToLog } from "./log.js";
import type { ControlRequest } from "./messages.js";
import { NodeWatch } from "./node-watch.js";
import { Outbox, planNotices } from "./notices.js";
import type { Question } from "./reload-answer.js";
import { type ReloadPlan, sameAdminListen } from "./reload-plan.js";
import { type ReadAgain, Reloads } from "./reloads.js";
import { SdNotify } from "./sd-notify.js";
import { summarizeCounters } from "./state-dump.js";
import { Upgrades } from "./upgrades.js";
import { VrrpHost } from "./vrrp-host.js";
import { startWatchdog } from "./watchdog.js";

/**
 * How often the main thread looks at the others' health and at the life cycle's deadline: VRRP shall know of what is
 * wrong within 100 ms. A look takes some 20 µs.
 */
const lookEveryMs = 50;
/** How long the start waits for the first answers of what is tracked; then the instances wait, in FAULT. */
const firstFactsLimitMs = 1000;
const lastWordsMs = 500;
/** In which all threads are ready, or the start has failed. */
const startLimitMs = 15_000;
/** Clients that have not heard of a move yet come here for a moment. */
const acceptAfterMoveMs = 1000;
/** What is left of a move is cut before the address goes, so that the clients hear of it. */
const cutAheadMs = 300;
/** How often the successor hears what this process still counts. */
const countEveryMs = 1000;

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
 * The decisions are in the pure `life-cycle`, `fitness` and `restart-policy`; this file carries them out.
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
  /** null also when another process is the main one. */
  private notify: SdNotify | null;
  private readonly vrrp: VrrpHost;
  private readonly reloads: Reloads;
  private readonly upgrades: Upgrades<Successor>;
  private successor: Successor | null = null;
  private lifeCycle: LifeCycleState = beforeStart;
  private readonly watch: NodeWatch;
  private readonly outbox = new Outbox();
  private readonly recorder = new FlightRecorder();
  private wakeStart: (() => void) | null = null;
  private endWatchdog: () => void = () => {};
  /** Called when a control thread that a reload replaces has ended. */
  private controlGone: (() => void) | null = null;
  /** Why the daemon ended by itself. */
  failure: LbError | null = null;
  private exit: (code: number) => void = () => {};
  /** Resolves with the exit code when everything is over. */
  readonly ended = new Promise<number>((resolve) => {
    this.exit = resolve;
  });

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
        onDrained: () => this.input({ kind: "drained" }),
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
    this.reloads = new Reloads({
      log,
      read: () => this.options.reload(),
      present: () => ({ config: this.config, certificates: this.certificates }),
      hasNewSecret: (read) => this.vrrp.hasNewSecret(read),
      obstacle: () => (this.lifeCycle.name === "serving" ? null : `this node is ${this.lifeCycle.name}`),
      apply: (read, certificates, plan, onApplied) => this.apply(read, certificates, plan, onApplied),
    });
    this.upgrades = this.upgradesOf();
    this.notify = SdNotify.open(options.environment);
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
      onReady: () => this.wakeStart?.(),
      known: () => this.watch.known(),
      onTracked: (fact) => {
        this.watch.take(fact);
        this.wakeStart?.();
      },
      outbox: this.outbox,
      onServerReached: (proxy, server) => this.watch.takeReached(proxy, server),
      onFatal: (error) => this.onControlFailure(error),
      onRequest: (request) => this.onRequest(request),
      onAsk: (question, answer) => this.onAsk(question, answer),
      onInquire: (inquiry, listener) => this.plane.inquire(inquiry, listener),
      onStopped: () => {
        if (host === this.control) this.input({ kind: "closed" });
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
    if (predecessor !== null) return this.follow(predecessor);
    this.control.openAdmin();
    this.control.openStatsSocket();
    this.plane.accept();
    this.plane.start();
    setInterval(() => this.look(), lookEveryMs);
    const [opened] = await Promise.all([this.vrrp.open(false), this.threadsReady()]);
    if (opened.speaker !== null) await this.firstFacts();
    if (this.lifeCycle.name !== "starting") return;
    this.vrrp.use(opened);
    this.beginToServe();
  }

  /**
   * The start of a successor: everything that can fail comes first; then VRRP goes on from where the other one stands still.
   * Clients and operators are the other one's until it says `go`: what a successor that fails had accepted would be lost.
   */
  private async follow(predecessor: Predecessor): Promise<void> {
    this.control.inherit(predecessor.inherit?.sockets ?? []);
    setInterval(() => this.look(), lookEveryMs);
    const opened = await this.vrrp.open(true);
    await this.controlReady();
    if (opened.speaker !== null) await this.firstFacts();
    this.plane.start();
    await this.planeReady();
    if (this.lifeCycle.name !== "starting") return;
    const { counts, states, vrrp } = await predecessor.ready();
    predecessor.onCounts = (counted, connections) => this.plane.takeCounts(counted, connections);
    predecessor.onGone = () => this.plane.predecessorEnded();
    this.plane.takeCounts(counts, 0);
    this.plane.takeStates(states);
    this.vrrp.use(opened, vrrp);
    await predecessor.taken();
    this.plane.accept();
    this.control.accept();
    if (vrrp !== null) {
      await this.vrrp
        .link(vrrp)
        .catch((error: unknown) => this.log.error({ err: error }, "the peer link did not open"));
    }
    this.beginToServe();
  }

  private beginToServe(): void {
    const isServing = (): boolean => this.lifeCycle.name === "serving";
    this.endWatchdog = startWatchdog(this.notify, isServing, () => this.plane.health());
    this.input({ kind: "started" });
  }

  /** What nobody foresaw: gives the addresses away and ends. */
  crash(error: unknown): void {
    this.log.fatal({ err: error }, "internal error in the main thread");
    // Should the error strike the life cycle itself, the process still ends.
    setTimeout(() => this.exit(ExitCode.software), releaseLimitMs * 2);
    this.input({ kind: "failed", exitCode: ExitCode.software });
  }

  /** The data threads first: the control thread is told which engine they chose. */
  private async threadsReady(): Promise<void> {
    await this.planeReady();
    await this.controlReady();
  }

  private async planeReady(): Promise<void> {
    await this.until(
      () => this.plane.areReady,
      () => this.plane.health(),
    );
  }

  private async controlReady(): Promise<void> {
    if (this.lifeCycle.name !== "starting") return;
    this.control.start();
    await this.until(
      () => this.control.isReady,
      () => [this.control.health()],
    );
  }

  /** So that an instance does not begin with a fault only because its scripts have not run yet. */
  private async firstFacts(): Promise<void> {
    const deadlineMs = performance.now() + firstFactsLimitMs;
    while (!this.watch.isComplete && this.lifeCycle.name === "starting" && performance.now() < deadlineMs) {
      await new Promise<void>((resolve) => {
        this.wakeStart = resolve;
      });
    }
  }

  /** Waits for `condition`, which is looked at after each event of a thread and each look. */
  private async until(
    condition: () => boolean,
    health: () => readonly { readonly name: string; readonly state: string; readonly keepsDying: boolean }[],
  ): Promise<void> {
    const deadlineMs = performance.now() + startLimitMs;
    while (!condition() && this.lifeCycle.name === "starting") {
      const failed = health().find(({ state, keepsDying }) => state !== "serving" && keepsDying);
      if (failed !== undefined || performance.now() >= deadlineMs) {
        throw new LbError(
          "LB_THREAD_START",
          `the thread ${failed?.name ?? "that is awaited"} does not start`,
          "see the log lines above for its reason, and report them",
        );
      }
      await new Promise<void>((resolve) => {
        this.wakeStart = resolve;
      });
    }
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
    this.input({ kind: "stop" });
    this.log.info({ signal, next: this.lifeCycle.name }, "stopping");
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

  private input(input: LifeCycleInput): void {
    const before = this.lifeCycle;
    const { state, effects } = handleLifeCycle(before, input, performance.now(), this.config.drainTimeoutMs);
    this.lifeCycle = state;
    for (const effect of effects) this.run(effect);
    if (before.name === "starting" && state.name !== "starting") this.wakeStart?.();
  }

  private run(effect: LifeCycleEffect): void {
    switch (effect.kind) {
      case "announce-serving":
        this.announceServing();
        break;
      case "announce-stopping":
        this.notify?.send("STOPPING=1", `STATUS=${this.lifeCycle.name}`);
        break;
      case "hand-over":
        this.release(this.vrrp.handOver(() => this.plane.handOver()));
        break;
      case "retire":
        this.retire();
        break;
      case "drain":
        // A partner sends on what is open here: VRRP stays until that has ended, to tell it.
        if (this.vrrp.lingers) {
          this.plane.drain(effect.timeoutMs, acceptAfterMoveMs);
        } else {
          this.plane.drain(effect.timeoutMs);
          void this.closeVrrp();
        }
        break;
      case "close":
        this.successor?.count(this.plane.counts(), 0);
        void this.closeVrrp().finally(() => this.control.stop(true));
        break;
      case "release":
        this.release(this.vrrp.stop());
        break;
      case "gave-up-waiting":
        this.log.warn({ state: effect.state }, "a part did not answer in time, going on without it");
        break;
      case "exit":
        void this.tellOfTheEnd().then(() => {
          this.log.info({ exitCode: effect.exitCode }, "stopped");
          this.successor?.leave();
          this.exit(effect.exitCode);
        });
    }
  }

  /** Who leaves in a hurry has not waited for the control thread: its scripts must at least have begun. */
  private async tellOfTheEnd(): Promise<void> {
    const deadlineMs = performance.now() + lastWordsMs;
    await this.plane.flushLogs(lastWordsMs);
    while (!this.outbox.isEmpty && this.control.isReady && performance.now() < deadlineMs) await delay(10);
  }

  /** Released or given up on: either way nothing of VRRP shall stay open. */
  private async closeVrrp(): Promise<void> {
    try {
      await this.vrrp.stop();
    } catch (error) {
      this.log.error({ err: error }, "VRRP did not close");
    }
  }

  /** Answers `released` when the way out is over, on a later turn. */
  private release(way: Promise<void>): void {
    way
      .catch((error: unknown) => this.log.error({ err: error }, "an address could not be released"))
      .finally(() => this.input({ kind: "released" }));
  }

  private announceServing(): void {
    const { configFrom } = this.options;
    const { threadCount, engine } = this.plane;
    const served = describeServing(this.config);
    this.log.info({ ...served, config: configFrom, threads: threadCount, engine }, "serving");
    this.notify?.send("READY=1", "STATUS=serving");
  }

  private onThreadChange(): void {
    this.judge();
    this.wakeStart?.();
  }

  private look(): void {
    this.plane.look();
    this.control.look();
    this.judge();
    this.input({ kind: "timer" });
    this.wakeStart?.();
  }

  /** Before the start and on the way out nobody asks how fit this node is. */
  private judge(): void {
    if (this.lifeCycle.name === "serving") this.watch.look();
  }

  private showStatus(statuses: readonly VrrpStatus[]): void {
    this.control.show(statuses);
    if (this.lifeCycle.name === "serving") {
      this.notify?.send(`STATUS=${statuses.map(({ name, state }) => `${name} ${state}`).join(", ")}`);
    }
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
        }),
      onSucceeded: (successor) => {
        this.successor = successor;
        if (this.lifeCycle.name === "serving") {
          this.input({ kind: "superseded" });
        } else {
          // Told to stop in the very moment: that is the other one's business now.
          this.retire();
          if (successor.pid !== null) process.kill(successor.pid, "SIGTERM");
        }
      },
    });
  }

  private cannotBeFollowed(): string | null {
    if (this.lifeCycle.name !== "serving") return `this node is ${this.lifeCycle.name}`;
    return process.pid === 1
      ? "this is process 1, with which its container ends: replace the container"
      : null;
  }

  /** The successor is the main process from now on; this one only finishes what it has begun. */
  private retire(): void {
    const { successor, notify } = this;
    if (successor === null) return;
    this.endWatchdog();
    notify?.send(`MAINPID=${successor.pid}`);
    this.notify = null;
    successor.go();
    successor.onGone(() => {
      this.log.warn({ successor: successor.pid }, "the process that took over is gone");
      // It may have died before the manager took it for the main process: that one waits for this one's end then.
      if (notify !== null) this.input({ kind: "failed", exitCode: ExitCode.software });
    });
    const count = (): void => successor.count(this.plane.counts(), this.plane.connections());
    count();
    setInterval(count, countEveryMs).unref();
    void this.vrrp.leaveBehind();
    this.control.leaveSockets();
    this.control.stop(true);
    this.log.info(
      { successor: successor.pid, version: successor.version },
      "upgraded: another process serves",
    );
  }

  private onAsk(question: Question, answer: (text: string) => void): void {
    switch (question) {
      case "flight":
        answer(this.recorder.toJson(this.config.node, Date.now()));
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
    if (this.lifeCycle.name === "serving") host.start();
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
    if (this.lifeCycle.name !== "serving" || !this.vrrp.isThere) return;
    this.log.info({ event: "vrrp", request }, request === "drain" ? "drained by the operator" : "undrained");
    if (request === "undrain") this.vrrp.undrain();
    else this.vrrp.drain().catch((error: unknown) => this.crash(error));
  }

  /** The control thread cannot open what was asked for: fatal at the start, where somebody sees it. */
  private onControlFailure(error: LbError): void {
    const { code, advice, message } = error;
    if (this.lifeCycle.name !== "starting") {
      this.log.error({ code, advice }, message);
      return;
    }
    this.failure = error;
    this.log.fatal({ code, advice }, message);
    this.input({ kind: "failed", exitCode: exitCodeOf(error) });
  }
}
