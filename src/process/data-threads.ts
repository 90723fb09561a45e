import { randomInt } from "node:crypto";
import type { MessagePort } from "node:worker_threads";
import type { Config } from "../config/config.js";
import { closeDescriptor, duplicateDescriptor } from "../netlink/listening-socket.js";
import { connectionsFor } from "../proxy/connection-limits.js";
import type { ServerTable } from "../proxy/health/server-table.js";
import type { OperatorLimits } from "../proxy/operator-limits.js";
import { clearServerSlots, createServerSlots } from "../proxy/queue/server-slots.js";
import { clearGateMemory, createGateMemory, createRuleCounters } from "../proxy/rules/rule-counters.js";
import { Cell, rowCells, ThreadCell, threadHeaderCells } from "../proxy/stats/layout.js";
import type { StatsTable } from "../proxy/stats/table.js";
import type { Certificates, ThreadTls } from "../proxy/tls/certificate.js";
import { startDataThread } from "./data-thread-host.js";
import { readDescriptorLimit } from "./descriptor-limit.js";
import type { ThreadHealth } from "./fitness.js";
import type { Inquired, Inquiries } from "./inquiries.js";
import type { ListeningSocket } from "./listening-sockets.js";
import type { Log } from "./log.js";
import type { FromDataThread, ThreadListener, ToDataThread } from "./messages.js";
import { defaultRestartPolicy } from "./restart-policy.js";
import { SupervisedThread, type ThreadEvent } from "./supervised-thread.js";
import { describeDescriptor, type ThreadEvents, type ThreadHost } from "./thread-host.js";
import { planThreads, type ThreadPlan } from "./thread-plan.js";

const random = (): number => randomInt(-0x8000_0000, 0x8000_0000);

export interface DataThreadsOptions {
  readonly config: Config;
  readonly sockets: readonly ListeningSocket[];
  readonly table: StatsTable;
  readonly servers: ServerTable;
  readonly limits: OperatorLimits;
  readonly tls: ThreadTls;
  readonly log: Log;
  /** Hears what the threads tell. */
  readonly inquiries: Inquiries;
  /** A port to the log thread; null: there is none at the moment. */
  connectToLogThread(): MessagePort | null;
  /** A thread got ready, stuck or lost: look at the health again. */
  onChange(): void;
  /** Each thread has drained or is gone. */
  onDrained(): void;
}

/** The data threads of this process: each gets a duplicate of every listening socket, and another one when it is replaced. */
export class DataThreads {
  private readonly options: DataThreadsOptions;
  private readonly threads: readonly SupervisedThread<ToDataThread, FromDataThread>[];
  /** Descriptors that were given to each thread. */
  private readonly given: number[][];
  private readonly drained: boolean[];
  /** Of the rate limits of each proxy: they begin anew with a configuration, and outlive a thread. */
  private readonly ruleCounters: readonly (readonly SharedArrayBuffer[])[];
  private readonly plans: readonly ThreadPlan[];
  private tls: ThreadTls;
  private readonly gateMemory: readonly (readonly (SharedArrayBuffer | null)[])[];
  /** Places at servers that have maxconn: they are this generation's own. */
  private readonly serverSlots: SharedArrayBuffer;
  private accepts = false;
  private isDraining = false;
  private isHandingOver = false;
  /** What the threads' last `ready` said. */
  engine: "direct" | "portable" = "portable";

  constructor(options: DataThreadsOptions) {
    this.options = options;
    this.plans = planThreads(options.config);
    this.tls = options.tls;
    const count = Math.max(1, this.plans.length);
    this.ruleCounters = options.config.proxies.map(({ rules = [] }) => createRuleCounters(rules, random));
    this.gateMemory = options.config.proxies.map(({ connectionRules = [] }) =>
      createGateMemory(connectionRules, count, random),
    );
    this.serverSlots = createServerSlots(options.config.proxies, count);
    this.given = this.plans.map(() => []);
    this.drained = this.given.map(() => false);
    this.threads = this.given.map((_, index) => this.supervise(index));
  }

  get count(): number {
    return this.threads.length;
  }

  get areReady(): boolean {
    return this.threads.every((thread) => thread.isReady);
  }

  start(): void {
    this.warnOfLimit();
    for (const thread of this.threads) thread.start();
  }

  /** Clients are taken from now on, also by a thread that is started again. Before it they wait, or are taken by others. */
  accept(): void {
    this.accepts = true;
    for (const thread of this.threads) thread.post({ kind: "accept" });
  }

  /** A limit that was asked for and cannot be kept is no limit that anybody sees. */
  private warnOfLimit(): void {
    const { config, log } = this.options;
    const limit = effectiveMaxconn(config);
    if (config.maxconn === null || config.maxconn <= limit) return;
    log.warn(
      {
        maxconn: config.maxconn,
        limit,
        advice: "raise the limit of open files (LimitNOFILE), two for each client",
      },
      `maxconn ${config.maxconn} is more than the open files allow: ${limit} it is`,
    );
  }

  look(): void {
    for (const thread of this.threads) thread.look();
  }

  health(): ThreadHealth[] {
    return this.threads.map((thread) => thread.health());
  }

  /** Clients that come from now on are shown these; nobody who is here notices. */
  renewCertificates(certificates: Certificates): void {
    this.tls = { ...this.tls, certificates };
    for (const thread of this.threads) thread.post({ kind: "certificates", certificates });
  }

  /** Another log thread is there now. */
  logThreadStarted(): void {
    for (const thread of this.threads) {
      const port = thread.hasEnded ? null : this.options.connectToLogThread();
      if (port !== null) thread.post({ kind: "log-thread", port }, [port]);
    }
  }

  /** Some frontend takes nobody any more. */
  lookAtEntrances(): void {
    for (const thread of this.threads) thread.post({ kind: "entrances" });
  }

  handOver(): void {
    this.isHandingOver = true;
    for (const thread of this.threads) thread.post({ kind: "hand-over" });
  }

  /** Their clients have another address's node now; what is open may go on for `deadlineMs`. */
  moveAway(deadlineMs: number): void {
    for (const thread of this.threads) thread.post({ kind: "move-away", deadlineMs });
  }

  stay(): void {
    for (const thread of this.threads) thread.post({ kind: "stay" });
  }

  /** Those that are there, or should be: who is stuck or dead does not answer, and is counted for that. */
  inquired(): Inquired[] {
    return this.threads
      .filter((thread) => !thread.hasEnded)
      .map((thread) => ({ inquire: (id, inquiry) => thread.post({ kind: "inquire", id, inquiry }) }));
  }

  drain(deadlineMs: number, acceptMs: number): void {
    this.isDraining = true;
    for (const [index, thread] of this.threads.entries()) {
      thread.letGo();
      if (thread.hasEnded) this.drained[index] = true;
      else thread.post({ kind: "drain", deadlineMs, acceptMs });
    }
    this.reportDrained();
  }

  /** Ends every thread at once, whatever it is doing. */
  end(): void {
    this.isDraining = true;
    for (const thread of this.threads) thread.end();
  }

  private supervise(index: number): SupervisedThread<ToDataThread, FromDataThread> {
    const name = `data-${index}`;
    return new SupervisedThread({
      name,
      policy: defaultRestartPolicy,
      start: (events) => this.startThread(index, name, events),
      isReady: (message) => message.kind === "ready",
      heartbeat: () => this.options.table.blocks[index][ThreadCell.heartbeat],
      now: () => performance.now(),
      onMessage: (message) => this.onMessage(index, name, message),
      onEvent: (event) => this.onEvent(index, name, event),
    });
  }

  private startThread(
    index: number,
    name: string,
    events: ThreadEvents<FromDataThread>,
  ): ThreadHost<ToDataThread> {
    const { config, sockets, table, servers, limits } = this.options;
    const listeners: ThreadListener[] = [];
    const given = this.given[index];
    const plan = this.plans[index];
    for (const { proxyIndex, place, descriptor } of sockets) {
      if (!plan.takes(proxyIndex, config.proxies[proxyIndex].listen[place])) continue;
      const copy = duplicateDescriptor(descriptor);
      given.push(copy);
      listeners.push({ proxyIndex, place, descriptor: copy });
    }
    const { proxies } = config;
    const { engine } = plan;
    const maxconn = effectiveMaxconn(config);
    const buffers = {
      statsBuffer: table.buffer,
      serversBuffer: servers.buffer,
      limitsBuffer: limits.buffer,
      ruleCounters: this.ruleCounters,
      gateMemory: this.gateMemory,
      slotsBuffer: this.serverSlots,
    };
    const shared = {
      proxies,
      accepts: this.accepts,
      engine,
      maxconn,
      threads: this.count,
      tls: this.tls,
      logPort: this.options.connectToLogThread(),
      ...buffers,
    };
    return startDataThread(name, { threadIndex: index, listeners, ...shared }, events);
  }

  private onMessage(index: number, name: string, message: FromDataThread): void {
    if (message.kind === "ready") {
      if (index === 0) this.engine = message.engine;
      const { engine, reason } = message;
      if (reason !== null)
        this.options.log.warn({ dataThread: name, engine, reason }, "no direct engine here");
      if (this.isHandingOver) this.threads[index].post({ kind: "hand-over" });
      return;
    }
    if (message.kind === "told") {
      const { id, part, isLast } = message;
      this.options.inquiries.told(id, part, isLast);
      if (!isLast) this.threads[index].post({ kind: "go-on", id });
      return;
    }
    if (message.kind !== "drained") return;
    this.drained[index] = true;
    const { cutConnections } = message;
    const fields = { dataThread: name, cutConnections };
    if (cutConnections > 0) this.options.log.warn(fields, "drained: connections were cut at the deadline");
    else this.options.log.info(fields, "drained");
    this.reportDrained();
  }

  private onEvent(index: number, name: string, event: ThreadEvent): void {
    const { log } = this.options;
    const fields = { event: "thread", dataThread: name };
    if (event.kind === "ready") {
      if (event.restarts > 0) log.warn({ ...fields, restarts: event.restarts }, "data thread serves again");
    } else if (event.kind === "stuck") {
      log.error(fields, "data thread is stuck and is ended");
    } else {
      if (!this.isDraining) this.cleanUpAfter(index);
      if (event.restartInMs !== null) {
        const { reason, restartInMs, error } = event;
        log.error({ ...fields, reason, restartInMs, ...(error && { err: error }) }, "data thread died");
      }
      if (this.isDraining) {
        this.drained[index] = true;
        this.reportDrained();
      }
    }
    this.options.onChange();
  }

  private reportDrained(): void {
    if (this.isDraining && this.drained.every((done) => done)) this.options.onDrained();
  }

  /** What a dead thread cannot do any more: give back descriptors that it had not adopted yet, and zero its gauges. */
  private cleanUpAfter(index: number): void {
    const sockets = this.options.sockets.map(({ descriptor }) => describeDescriptor(descriptor));
    const others = this.given.filter((_, other) => other !== index).flat();
    for (const descriptor of this.given[index].splice(0)) {
      const open = describeDescriptor(descriptor);
      if (open !== null && sockets.includes(open) && !others.includes(descriptor))
        closeDescriptor(descriptor);
    }
    clearGauges(this.options.table.blocks[index]);
    for (const [proxy, { connectionRules = [] }] of this.options.config.proxies.entries())
      clearGateMemory(connectionRules, this.gateMemory[proxy], index, Math.max(1, this.count));
    clearServerSlots(this.serverSlots, this.options.config.proxies, index);
  }
}

/** What was asked for, as far as the descriptors go. */
export function effectiveMaxconn({ maxconn }: Config): number {
  const allowed = connectionsFor(readDescriptorLimit());
  return maxconn === null ? allowed : Math.min(maxconn, allowed);
}

const gauges = [
  Cell.sessionsCurrent,
  Cell.queueCurrent,
  Cell.idleConnections,
  Cell.usedConnections,
  Cell.http2ConnectionsCurrent,
  Cell.http2StreamsCurrent,
];

/** Zeroes what counts things that are there now; the sums stay. */
export function clearGauges(block: Float64Array): void {
  block[ThreadCell.connectionsCurrent] = 0;
  block[ThreadCell.idlePercent] = 0;
  block[ThreadCell.pipesUsed] = 0;
  block[ThreadCell.pipesFree] = 0;
  for (let row = threadHeaderCells; row < block.length; row += rowCells) {
    for (const cell of gauges) block[row + cell] = 0;
  }
}
