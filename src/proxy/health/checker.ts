import { describeEndpoint } from "../../config/address.js";
import type { ProxyConfig } from "../../config/config.js";
import type { HttpCheckConfig, ServerConfig } from "../../config/server-config.js";
import type { CheckResult } from "./check-status.js";
import { warmth, warmUpStepMs } from "./effective-weight.js";
import { nothingObserved, type ObservedErrors, observeErrors } from "./observed-errors.js";
import type { Probe } from "./probe.js";
import {
  describeErrors,
  handleServer,
  nextIntervalMs,
  type ServerInput,
  type Transition,
} from "./server-state.js";
import type { ServerTable } from "./server-table.js";
import type { ServerTarget } from "./server-target.js";
import { statusWord } from "./status-word.js";

export interface CheckerLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export interface CheckerOptions {
  readonly proxies: readonly ProxyConfig[];
  readonly table: ServerTable;
  readonly log: CheckerLog;
  /** Process-wide monotonic clock, ms. */
  readonly now: () => number;
  /** Calls once, later; returns what calls it off. */
  readonly schedule: (delayMs: number, run: () => void) => () => void;
  readonly probe: (server: ServerConfig, http: HttpCheckConfig | null) => Probe;
  /** Errors of requests in a row, by what the data threads have counted. */
  readonly errorsInRow: (proxy: number, server: number) => number;
  /** Cuts what is open at a server, because it, or one that it stands in for, was marked so. */
  readonly cutSessions: (proxy: number, server: number, because: "down" | "up") => void;
}

/** How often the data threads' counters are looked at. */
const observeEveryMs = 100;

/** One server under watch. */
interface Watched {
  readonly proxy: number;
  readonly server: number;
  readonly config: ServerConfig;
  readonly http: HttpCheckConfig | null;
  /** What the last check, or the requests, had to say. */
  lastCheck: string;
  observed: ObservedErrors;
  probe: Probe | null;
  cancelNext: (() => void) | null;
  nextMs: number;
  cancelWarmUp: (() => void) | null;
}

/**
 * Runs the checks of all servers, hears what requests say of them, takes an operator's word, and keeps the table: the one
 * that writes it. Every transition is one line of the log with its reason.
 */
export class Checker {
  private readonly watched: readonly (readonly Watched[])[];
  private cancelObserving: (() => void) | null = null;
  private isStopped = false;

  constructor(private readonly options: CheckerOptions) {
    this.watched = options.proxies.map((proxy, proxyIndex) =>
      proxy.servers.map((config, serverIndex) => ({
        proxy: proxyIndex,
        server: serverIndex,
        config,
        http: proxy.httpCheck ?? null,
        lastCheck: "",
        observed: nothingObserved,
        probe: null,
        cancelNext: null,
        nextMs: Number.POSITIVE_INFINITY,
        cancelWarmUp: null,
      })),
    );
  }

  /** The first check of each server comes at once; the second ones are spread over the interval, and stay so. */
  start(): void {
    for (const watched of this.all()) {
      this.options.table.noteChecking(watched.proxy, watched.server, false);
      if (watched.config.check !== undefined && !this.isInMaintenance(watched)) this.check(watched, true);
      this.warmUp(watched);
    }
    if (this.all().some(({ config }) => config.check?.observe !== undefined)) this.observe();
  }

  stop(): void {
    this.isStopped = true;
    this.cancelObserving?.();
    for (const watched of this.all()) {
      watched.probe?.cancel();
      watched.cancelNext?.();
      watched.cancelWarmUp?.();
    }
  }

  /** The column `last_chk`. */
  lastCheck(proxy: number, server: number): string {
    return this.watched[proxy][server].lastCheck;
  }

  /** Something else than checks has to say something of a server. */
  take(proxy: number, server: number, input: ServerInput): void {
    this.input(this.watched[proxy][server], input);
  }

  /** `reason`: who asked for it, where that is no operator. */
  setState(proxy: number, server: number, state: "ready" | "drain" | "maint", reason?: string): void {
    const watched = this.watched[proxy][server];
    const wasInMaintenance = this.isInMaintenance(watched);
    this.input(watched, { kind: "admin", state, ...(reason !== undefined && { reason }) });
    if (watched.config.check === undefined) return;
    if (state === "maint") {
      watched.probe?.cancel();
      watched.probe = null;
      watched.cancelNext?.();
      watched.cancelNext = null;
      watched.lastCheck = "";
      this.options.table.noteChecking(proxy, server, false);
    } else if (wasInMaintenance) {
      this.check(watched, false);
    }
  }

  /** 0–256, as an operator asked. An agent's word of the weight comes by `take`, and is no line of the log: it may come every second. */
  setWeight(proxy: number, server: number, weight: number): void {
    const { table, proxies, log } = this.options;
    const from = table.read(proxy, server).weight;
    if (weight === from) return;
    const { name, servers } = proxies[proxy];
    log.info(
      { event: "server", proxy: name, server: servers[server].name, from, to: weight },
      `server has weight ${weight} instead of ${from}, as an operator asked`,
    );
    this.input(this.watched[proxy][server], { kind: "weight", weight });
  }

  /** HAProxy's `set server … addr`: connections and checks go there from now on. */
  setTarget(proxy: number, server: number, target: ServerTarget): void {
    const { table, proxies, log } = this.options;
    const place = (): string => {
      const { host, port } = table.effectiveServer(proxy, server);
      return describeEndpoint(host, port);
    };
    const from = place();
    table.setTarget(proxy, server, target);
    const address = place();
    const { name, servers } = proxies[proxy];
    log.info(
      { event: "server", proxy: name, server: servers[server].name, address },
      address === from
        ? "server has another port for its checks, as an operator asked"
        : `server has address ${address} instead of ${from}, as an operator asked`,
    );
  }

  /** HAProxy's `set server … health`, of a server that has checks: as if they had found it so. */
  setHealth(proxy: number, server: number, health: "up" | "down"): void {
    this.input(this.watched[proxy][server], { kind: "health", health });
  }

  /** Counts of failed checks and of times down begin anew; states stay. */
  clearCounters(): void {
    const { table, now } = this.options;
    for (const { proxy, server } of this.all()) {
      const cleared = { failedChecks: 0, downs: 0, errorLimits: 0 };
      table.write(proxy, server, { ...table.read(proxy, server), ...cleared }, now());
    }
  }

  private all(): Watched[] {
    return this.watched.flat();
  }

  private isInMaintenance({ proxy, server }: Watched): boolean {
    return this.options.table.read(proxy, server).admin === "maint";
  }

  private check(watched: Watched, isFirst: boolean): void {
    const { table, now, probe } = this.options;
    const startedMs = now();
    const running = probe(table.effectiveServer(watched.proxy, watched.server), watched.http);
    watched.probe = running;
    watched.cancelNext = null;
    table.noteChecking(watched.proxy, watched.server, true);
    void running.result.then((result) => {
      if (this.isStopped || watched.probe !== running) return;
      watched.probe = null;
      table.noteChecking(watched.proxy, watched.server, false);
      this.takeResult(watched, result);
      const intervalMs = nextIntervalMs(table.read(watched.proxy, watched.server), watched.config);
      this.checkAt(watched, startedMs + (isFirst ? intervalMs * this.place(watched) : intervalMs));
    });
  }

  /** Where in the interval this server's checks are, of all that are checked: above 0, at most 1. */
  private place(watched: Watched): number {
    const checked = this.all().filter(({ config }) => config.check !== undefined);
    return (checked.indexOf(watched) + 1) / checked.length;
  }

  private checkAt(watched: Watched, atMs: number): void {
    watched.cancelNext?.();
    watched.nextMs = atMs;
    watched.cancelNext = this.options.schedule(Math.max(0, atMs - this.options.now()), () =>
      this.check(watched, false),
    );
  }

  private takeResult(watched: Watched, result: CheckResult): void {
    watched.lastCheck = result.detail;
    this.input(watched, { kind: "checked", result });
  }

  private observe(): void {
    this.cancelObserving = this.options.schedule(observeEveryMs, () => {
      for (const watched of this.all()) this.observeServer(watched);
      this.observe();
    });
  }

  private observeServer(watched: Watched): void {
    const { check } = watched.config;
    if (check?.observe === undefined) return;
    const { errorLimit, onError } = check.observe;
    const inRow = this.options.errorsInRow(watched.proxy, watched.server);
    const { next, reached } = observeErrors(watched.observed, inRow, errorLimit);
    watched.observed = next;
    if (!reached || this.options.table.isStopped(watched.proxy, watched.server)) return;
    if (onError !== "fastinter") watched.lastCheck = describeErrors(inRow);
    this.input(watched, { kind: "errors", count: inRow, onError });
    // Whatever it counts as, the next check is to come sooner.
    const soonMs = this.options.now() + check.fastIntervalMs;
    if (watched.probe === null && soonMs < watched.nextMs) this.checkAt(watched, soonMs);
  }

  private input(watched: Watched, input: ServerInput): void {
    const { table, now } = this.options;
    const { proxy, server, config } = watched;
    const before = table.read(proxy, server);
    const was = { isStopped: table.isStopped(proxy, server), weight: table.effectiveWeight(proxy, server) };
    const { state, transition } = handleServer(before, input, config, now());
    table.write(proxy, server, state, now());
    const hasServer = table.settleBackend(proxy, now());
    if (transition !== null) this.tell(watched, transition);
    if (hasServer !== null) this.tellBackend(proxy, hasServer);
    this.cutSessions(watched, was);
    this.warmUp(watched);
  }

  /** HAProxy's on-marked-down and on-marked-up. `was`: before something was said of the server. */
  private cutSessions(
    { proxy, server, config }: Watched,
    was: { readonly isStopped: boolean; readonly weight: number },
  ): void {
    const { table, cutSessions } = this.options;
    const { onMarkedDown, onMarkedUp, backup } = config;
    if (onMarkedDown !== undefined && !was.isStopped && table.isStopped(proxy, server))
      cutSessions(proxy, server, "down");
    if (onMarkedUp === undefined || backup === true || was.weight > 0) return;
    if (table.effectiveWeight(proxy, server) === 0) return;
    for (const other of this.watched[proxy])
      if (other.config.backup === true) cutSessions(proxy, other.server, "up");
  }

  /** Slow start: the weight is written anew in steps until it is whole. */
  private warmUp(watched: Watched): void {
    const { table, now, schedule } = this.options;
    const { proxy, server, config } = watched;
    const { slowStartMs } = config;
    watched.cancelWarmUp?.();
    watched.cancelWarmUp = null;
    if (slowStartMs === undefined || table.isStopped(proxy, server)) return;
    if (warmth(table.read(proxy, server), config, now()) >= 1) return;
    watched.cancelWarmUp = schedule(warmUpStepMs(slowStartMs), () => {
      table.write(proxy, server, table.read(proxy, server), now());
      this.warmUp(watched);
    });
  }

  private tell(watched: Watched, { to, reason }: Transition): void {
    const { proxies, table, log } = this.options;
    const { proxy, server, config } = watched;
    const state = table.read(proxy, server);
    const left = this.watched[proxy].filter((other) => table.effectiveWeight(proxy, other.server) > 0);
    const fields = {
      event: "server",
      proxy: proxies[proxy].name,
      server: config.name,
      status: statusWord(state, config),
      reason,
      ...(state.checkDurationMs !== null && { checkDurationMs: state.checkDurationMs }),
      activeLeft: left.filter((other) => other.config.backup !== true).length,
      backupLeft: left.filter((other) => other.config.backup === true).length,
    };
    if (to === "DOWN") log.warn(fields, "server is DOWN");
    else if (to === "UP") log.info(fields, "server is UP");
    else if (to === "MAINT") log.warn(fields, "server is in maintenance");
    else if (to === "DRAIN") log.warn(fields, "server drains");
    else log.info(fields, "server is ready");
  }

  private tellBackend(proxy: number, hasServer: boolean): void {
    const { proxies, log } = this.options;
    const fields = { event: "backend", proxy: proxies[proxy].name };
    if (hasServer) log.info(fields, "proxy has a server again");
    else log.error(fields, "proxy has no server available");
  }
}
