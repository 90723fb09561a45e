import { setTimeout as delay } from "node:timers/promises";
import { describeEndpoint } from "../config/address.js";
import { changedValues } from "../config/changes.js";
import type { Config } from "../config/config.js";
import { defaultAdminPassword } from "../config/defaults.js";
import { defaultPasswordMessage } from "../config/lint.js";
import { describeProblem, type Problem, sentences } from "../config/problem.js";
import { describeAdminListen } from "../config/serialize.js";
import { ExitCode, exitCodeOf, LbError } from "../errors.js";
import { FlightRecorder } from "../flight/recorder.js";
import { type Certificates, sameCertificates } from "../proxy/tls/certificate.js";
import type { VrrpEvent } from "../vrrp/event.js";
import type { Speaker } from "../vrrp/speaker.js";
import type { PeerLinkSettings } from "../vrrp/speaker-peers.js";
import type { VrrpStatus } from "../vrrp/status.js";
import { ControlHost } from "./control-host.js";
import { DataPlane } from "./data-plane.js";
import { describeReload } from "./describe-reload.js";
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
import { PeerSecret } from "./peer-key.js";
import type { Question, ReloadAnswer } from "./reload-answer.js";
import { planReload, type ReloadPlan, sameAdminListen } from "./reload-plan.js";
import { SdNotify } from "./sd-notify.js";
import { summarizeCounters } from "./state-dump.js";

/**
 * How often the main thread looks at the others' health and at the life cycle's deadline: VRRP shall know of what is
 * wrong within 100 ms. A look takes some 20 µs.
 */
const lookEveryMs = 50;
/** How long the start waits for the first answers of what is tracked; then the instances wait, in FAULT. */
const firstFactsLimitMs = 1000;
const lastWordsMs = 500;
/** How often the control thread hears of VRRP without a transition. */
const statusEveryMs = 1000;
/** In which all threads are ready, or the start has failed. */
const startLimitMs = 15_000;
/** Clients that have not heard of a move yet come here for a moment. */
const acceptAfterMoveMs = 1000;
/** What is left of a move is cut before the address goes, so that the clients hear of it. */
const cutAheadMs = 300;

export interface ReadAgain {
  readonly config: Config | null;
  readonly certificates: Certificates;
  readonly problems: readonly Problem[];
  readonly warnings?: readonly Problem[];
}

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
  private readonly notify: SdNotify | null;
  private speaker: Speaker | null = null;
  private peerLink: PeerLinkSettings | null = null;
  private peerSecret = PeerSecret.none;
  /** During a reload: who is gone from the present configuration is told of by the one before. */
  private configBefore: Config | null = null;
  private lifeCycle: LifeCycleState = beforeStart;
  private readonly watch: NodeWatch;
  private readonly outbox = new Outbox();
  private readonly recorder = new FlightRecorder();
  /** Advice that the log has given. */
  private readonly advised = new Set<string>();
  private wakeStart: (() => void) | null = null;
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
    this.plane = new DataPlane(config, options.certificates, {
      log,
      onChange: () => this.onThreadChange(),
      onDrained: () => this.input({ kind: "drained" }),
    });
    this.watch = new NodeWatch({
      log,
      config: () => this.config,
      threads: () => this.plane.health(),
      control: () => this.control.health(),
      deafListeners: () => this.plane.deafListeners(),
      table: () => this.plane.table,
      servers: () => this.plane.servers,
      onChange: () => this.speaker?.setFacts(this.watch.facts()),
    });
    this.control = this.controlHost(config, options.certificates);
    this.notify = SdNotify.open(options.environment);
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
    this.control.openAdmin();
    this.plane.start();
    setInterval(() => this.look(), lookEveryMs);
    this.peerSecret = this.peerSecret.readAgain(this.config);
    this.peerLink = this.peerSecret.settings(this.config);
    const [speaker] = await Promise.all([this.openSpeaker(this.config, this.peerLink), this.threadsReady()]);
    if (speaker !== null) await this.firstFacts();
    if (this.lifeCycle.name !== "starting") return;
    if (speaker !== null) this.useSpeaker(speaker);
    this.startWatchdog();
    this.input({ kind: "started" });
  }

  private useSpeaker(speaker: Speaker): void {
    this.speaker = speaker;
    speaker.setFacts(this.watch.facts());
    speaker.start();
    setInterval(() => this.showStatus(speaker.status()), statusEveryMs);
    this.showStatus(speaker.status());
  }

  /** What nobody foresaw: gives the addresses away and ends. */
  crash(error: unknown): void {
    this.log.fatal({ err: error }, "internal error in the main thread");
    // Should the error strike the life cycle itself, the process still ends.
    setTimeout(() => this.exit(ExitCode.software), releaseLimitMs * 2);
    this.input({ kind: "failed", exitCode: ExitCode.software });
  }

  private async openSpeaker(config: Config, peerLink: PeerLinkSettings | null): Promise<Speaker | null> {
    if (config.vrrp.length === 0) return null;
    // Only now: a plain balancer runs without the raw socket's native module.
    const { Speaker } = await import("../vrrp/speaker.js");
    return Speaker.open(config.vrrp, config.syncGroups, {
      log: this.log,
      peerLink,
      moves: {
        load: () => this.plane.load(),
        onMovedAway: (untilMs) => this.plane.moveAway(Math.max(0, untilMs - performance.now() - cutAheadMs)),
        onMoveEnded: () => this.plane.stay(),
      },
      onStatus: (statuses) => this.showStatus(statuses),
      onDatagram: (direction, on, datagram) => this.recorder.advert(direction, on, datagram, Date.now()),
      onEvent: (event) => {
        const notices = planNotices(event, this.configOf(event), Date.now());
        this.control.notify(this.outbox.add(notices));
      },
    });
  }

  private configOf(event: VrrpEvent): Config {
    const { configBefore, config } = this;
    const isThere =
      event.kind === "group"
        ? config.syncGroups.some(({ name }) => name === event.group)
        : config.vrrp.some(({ name }) => name === event.instance);
    return isThere || configBefore === null ? config : configBefore;
  }

  /** The data threads first: the control thread is told which engine they chose. */
  private async threadsReady(): Promise<void> {
    const deadlineMs = performance.now() + startLimitMs;
    await this.until(
      () => this.plane.areReady,
      deadlineMs,
      () => this.plane.health(),
    );
    this.control.start();
    await this.until(
      () => this.control.isReady,
      deadlineMs,
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
    deadlineMs: number,
    health: () => readonly { readonly name: string; readonly state: string; readonly keepsDying: boolean }[],
  ): Promise<void> {
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
      this.reloading = this.reloading.then(() => this.reload(() => {}));
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
        if (this.speaker === null) this.plane.handOver();
        this.release((speaker) => speaker.handOver(() => this.plane.handOver()));
        break;
      case "drain":
        // A partner sends on what is open here: VRRP stays until that has ended, to tell it.
        if (this.speaker?.lingers) {
          this.plane.drain(effect.timeoutMs, acceptAfterMoveMs);
        } else {
          this.plane.drain(effect.timeoutMs);
          void this.closeSpeaker();
        }
        break;
      case "close":
        void this.closeSpeaker().finally(() => this.control.stop(true));
        break;
      case "release":
        this.release((speaker) => speaker.stop());
        break;
      case "gave-up-waiting":
        this.log.warn({ state: effect.state }, "a part did not answer in time, going on without it");
        break;
      case "exit":
        void this.tellOfTheEnd().then(() => {
          this.log.info({ exitCode: effect.exitCode }, "stopped");
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
  private async closeSpeaker(): Promise<void> {
    try {
      await this.speaker?.stop();
    } catch (error) {
      this.log.error({ err: error }, "VRRP did not close");
    }
  }

  /** Runs the speaker's way out and answers `released`, on a later turn. */
  private release(way: (speaker: Speaker) => Promise<void>): void {
    const { speaker } = this;
    const done = speaker === null ? Promise.resolve() : way(speaker);
    done
      .catch((error: unknown) => this.log.error({ err: error }, "an address could not be released"))
      .finally(() => this.input({ kind: "released" }));
  }

  private announceServing(): void {
    const { config } = this;
    this.log.info(
      {
        node: config.node,
        config: this.options.configFrom,
        threads: this.plane.threadCount,
        engine: this.plane.engine,
        vrrp: config.vrrp.map(
          ({ name, interface: on, virtualRouterId, priority, addresses }) =>
            `${name} ${on} vrid ${virtualRouterId} priority ${priority} ${addresses.map(({ address, prefixLength }) => `${address}/${prefixLength}`).join(" ")}`,
        ),
        proxies: config.proxies.map(
          ({ name, listen, servers, defaultBackend }) =>
            `${name} ${listen.map(({ address, port }) => describeEndpoint(address, port)).join(" ")} → ${defaultBackend ?? servers.map(({ host, port }) => describeEndpoint(host, port)).join(" ")}`,
        ),
        admin:
          config.admin === null ? null : `${describeAdminListen(config.admin.listen)}${config.admin.path}`,
        statsSocket: config.statsSocket?.path ?? null,
      },
      "serving",
    );
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
    this.advise(statuses.flatMap(({ advice }) => advice));
    if (this.lifeCycle.name === "serving") {
      this.notify?.send(`STATUS=${statuses.map(({ name, state }) => `${name} ${state}`).join(", ")}`);
    }
  }

  /** Once each: the status shows it for as long as it holds. */
  private advise(advice: readonly string[]): void {
    for (const sentence of advice) {
      if (this.advised.has(sentence) || this.advised.size >= 100) continue;
      this.advised.add(sentence);
      this.log.warn({ event: "advice" }, sentence);
    }
  }

  /** A main thread that stalls, or a data thread that nothing helps, makes the service manager start the service anew. */
  private startWatchdog(): void {
    const watchdogMs = this.notify?.watchdogMs;
    if (watchdogMs === undefined || watchdogMs === null) return;
    const feed = (): void => {
      const isServing = this.lifeCycle.name === "serving";
      const isIll = this.plane.health().some(({ state, keepsDying }) => state === "stuck" || keepsDying);
      if (!isServing || !isIll) this.notify?.send("WATCHDOG=1");
    };
    feed();
    setInterval(feed, watchdogMs / 2);
  }

  /**
   * SIGHUP: applies what can be applied to a running node, or changes nothing at all and says why. `tell` is called once,
   * before a control thread that asked for it goes.
   */
  private async reload(tell: (answer: ReloadAnswer) => void): Promise<void> {
    const { config: read, certificates, problems, warnings: found = [] } = await this.options.reload();
    const warnings = found.map(describeProblem);
    if (read === null) {
      for (const problem of problems) this.log.error(describeProblem(problem));
      this.log.error({ problems: problems.length }, "the configuration is not valid: nothing was changed");
      tell({ outcome: "refused", steps: [], problems: problems.map(describeProblem), warnings });
      return;
    }
    const changed = changedValues(this.config, read);
    let steps: readonly string[] = [];
    try {
      const hasNewKey = this.hasNewKey(read, changed);
      if (hasNewKey) changed.push("peerLink.key");
      const isRenewed = !sameCertificates(this.certificates, certificates);
      if (isRenewed) changed.push(hasTlsServers(read) ? "serverCertificates" : "certificates");
      if (changed.length === 0) {
        this.log.info("the configuration is valid and has not changed");
        tell({ outcome: "unchanged", steps: [], problems: [], warnings });
        return;
      }
      if (this.lifeCycle.name !== "serving") {
        tell({ outcome: "failed", steps: [], problems: [`this node is ${this.lifeCycle.name}`], warnings });
        return;
      }
      steps = describeReload(this.config, read, hasNewKey, isRenewed);
      const plan = planReload(this.config, read, changed);
      await this.apply(read, certificates, plan, () =>
        tell({ outcome: "applied", steps, problems: [], warnings }),
      );
      if (isRenewed && !plan.proxies) this.plane.renewCertificates(certificates);
    } catch (error) {
      if (!(error instanceof LbError)) throw error;
      const { code, advice, message } = error;
      this.log.error({ code, advice }, `${message}: nothing was changed`);
      tell({ outcome: "failed", steps: [], problems: [`${code}: ${sentences(message, advice)}`], warnings });
      return;
    }
    this.certificates = certificates;
    this.log.info({ applied: changed, steps }, "reloaded");
  }

  /** Another secret in the key_file that is the same. Throws LbError LB_PEER_KEY. */
  private hasNewKey(config: Config, changed: readonly string[]): boolean {
    return (
      !changed.some((path) => path.startsWith("peerLink")) &&
      this.peerSecret.readAgain(config) !== this.peerSecret
    );
  }

  private onAsk(question: Question, answer: (text: string) => void): void {
    switch (question) {
      case "flight":
        answer(this.recorder.toJson(this.config.node, Date.now()));
        break;
      case "plan":
        this.plan()
          .then((plan) => answer(JSON.stringify(plan)))
          .catch((error: unknown) => this.crash(error));
        break;
      case "reload":
        this.reloading = this.reloading.then(() => this.reload((result) => answer(JSON.stringify(result))));
        break;
    }
  }

  /** What a reload would do now. */
  private async plan(): Promise<ReloadAnswer> {
    const { config, certificates, problems, warnings: found = [] } = await this.options.reload();
    const warnings = found.map(describeProblem);
    if (config === null)
      return { outcome: "refused", steps: [], problems: problems.map(describeProblem), warnings };
    let steps: readonly string[];
    try {
      const hasNewKey = this.hasNewKey(config, changedValues(this.config, config));
      steps = describeReload(
        this.config,
        config,
        hasNewKey,
        !sameCertificates(this.certificates, certificates),
      );
    } catch (error) {
      if (!(error instanceof LbError)) throw error;
      const problem = `${error.code}: ${sentences(error.message, error.advice)}`;
      return { outcome: "refused", steps: [], problems: [problem], warnings };
    }
    return { outcome: steps.length === 0 ? "unchanged" : "planned", steps, problems: [], warnings };
  }

  /** What can fail comes first. */
  private async apply(
    config: Config,
    certificates: Certificates,
    { proxies, control, peerLink }: ReloadPlan,
    onApplied: () => void,
  ): Promise<void> {
    const secret = peerLink ? this.peerSecret.readAgain(config) : this.peerSecret;
    const link = secret.settings(config);
    const host = this.controlHost(config, certificates);
    const before = this.control;
    const keepsAdmin = sameAdminListen(this.config, config);
    if (control && !keepsAdmin) host.openAdmin();
    let speaker: Speaker | null = null;
    try {
      if (this.speaker === null) speaker = await this.openSpeaker(config, link);
      if (proxies) await this.plane.replace(config, certificates, config.drainTimeoutMs);
    } catch (error) {
      await speaker?.stop();
      host.abandon();
      throw error;
    }
    this.configBefore = this.config;
    this.config = config;
    this.peerSecret = secret;
    await this.reloadVrrp(config, link, speaker);
    this.configBefore = null;
    onApplied();
    if (!control) return;
    if (keepsAdmin) host.takeAdminFrom(before);
    this.control = host;
    // The new one starts when the old one has given the stats socket back.
    await new Promise<void>((resolve) => {
      this.controlGone = resolve;
      before.stop(false);
      setTimeout(() => before.end(), closeLimitMs);
    });
    if (proxies) this.plane.takeOverStates();
    if (this.lifeCycle.name === "serving") host.start();
  }

  /** `opened`: there was no virtual router before. */
  private async reloadVrrp(
    config: Config,
    link: PeerLinkSettings | null,
    opened: Speaker | null,
  ): Promise<void> {
    this.peerLink = link;
    this.watch.forgetUntracked();
    if (opened !== null) {
      this.useSpeaker(opened);
      return;
    }
    this.speaker?.setFacts(this.watch.facts());
    await this.speaker?.reload({ instances: config.vrrp, groups: config.syncGroups }, link);
  }

  private dumpState(): void {
    this.log.info(
      {
        lifeCycle: this.lifeCycle.name,
        fitness: this.watch.reason ?? "well",
        threads: [...this.plane.health(), this.control.health()],
        vrrp: this.speaker?.status() ?? [],
        proxies: summarizeCounters(this.plane.table, this.config.proxies),
        memory: process.memoryUsage(),
        uptimeSeconds: Math.round(process.uptime()),
      },
      "state",
    );
  }

  private onRequest(request: ControlRequest): void {
    if (this.lifeCycle.name !== "serving" || this.speaker === null) return;
    this.log.info({ event: "vrrp", request }, request === "drain" ? "drained by the operator" : "undrained");
    if (request === "undrain") this.speaker.undrain();
    else this.speaker.drain().catch((error: unknown) => this.crash(error));
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

/** Checks, too, trust those who sign servers' certificates. */
function hasTlsServers({ proxies }: Config): boolean {
  return proxies.some(({ servers }) => servers.some(({ tls }) => tls !== undefined));
}
