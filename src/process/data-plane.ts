import { randomBytes } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { describeEndpoint } from "../config/address.js";
import type { Config } from "../config/config.js";
import { LbError } from "../errors.js";
import { isListening, setListening } from "../netlink/listening-socket.js";
import type { NodeLoad } from "../peer-link/message.js";
import { describeStates, takeStates } from "../proxy/health/described-states.js";
import { ServerTable } from "../proxy/health/server-table.js";
import { OperatorLimits } from "../proxy/operator-limits.js";
import { carryOver } from "../proxy/stats/carry-over.js";
import { carryCounts, describeCounts } from "../proxy/stats/counts.js";
import { Cell, ThreadCell } from "../proxy/stats/layout.js";
import { monotonicMs } from "../proxy/stats/monotonic.js";
import { StatsTable } from "../proxy/stats/table.js";
import type { Certificates } from "../proxy/tls/certificate.js";
import type { Counts, InheritMessage, States } from "../upgrade/message.js";
import { clearGauges, DataThreads } from "./data-threads.js";
import type { ThreadHealth } from "./fitness.js";
import { Inquiries, type InquiryListener } from "./inquiries.js";
import type { Inquiry } from "./inquiry.js";
import {
  closeListeningSockets,
  inheritedSockets,
  type ListeningSocket,
  openListeningSockets,
} from "./listening-sockets.js";
import type { Log } from "./log.js";
import { LogHost } from "./log-host.js";
import { readyWithinMs } from "./supervised-thread.js";
import { planThreads } from "./thread-plan.js";

export interface DataPlaneOptions {
  readonly log: Log;
  /** A thread got ready, stuck or lost: look at the health again. */
  onChange(): void;
  /** After `drain`: every thread has drained or is gone. */
  onDrained(): void;
}

/** What still counts while it finishes what it has begun. */
interface Counting {
  readonly config: Config;
  readonly table: StatsTable;
  /** Client connections that are open there. */
  connections(): number;
  /** Its threads; those of the process before cannot be asked. */
  inquired(): ReturnType<DataThreads["inquired"]>;
  /** Another log thread is there now. */
  logThreadStarted(): void;
  /** It has finished what it had begun, and its counters stand still. */
  isDrained: boolean;
}

/** What belongs to one configuration of the proxies: its sockets, counters and threads. */
interface Generation extends Counting {
  readonly sockets: readonly ListeningSocket[];
  readonly servers: ServerTable;
  readonly limits: OperatorLimits;
  readonly threads: DataThreads;
}

/** How often a generation that starts is looked at. */
const lookEveryMs = 20;

/**
 * The proxies of this process. A reload starts new threads beside the old ones on the same listening sockets, so that
 * none is ever closed under a client; then the old ones drain, and what they counted is carried over.
 */
export class DataPlane {
  private current: Generation;
  /** Oldest first; they only finish what they have begun. A drained one stays until all older ones have. */
  private leaving: Counting[] = [];
  /** What the process before this one counts; it is among those that leave. */
  private readonly predecessor: Counting | null = null;
  private predecessorConnections = 0;
  /** The states of the generation before, which its control thread keeps to its end. */
  private serversBefore: ServerTable | null = null;
  private isDraining = false;
  private readonly logs: LogHost;
  private readonly inquiries = new Inquiries();
  /** Of TLS sessions; its successor goes on with them. */
  readonly ticketKeys: Buffer;

  /**
   * Opens the listening sockets, or takes them from the process before: LbError LB_LISTEN_IN_USE, LB_PERMISSION, LB_LISTEN.
   */
  constructor(
    config: Config,
    certificates: Certificates,
    private readonly options: DataPlaneOptions,
    inherit: InheritMessage | null = null,
  ) {
    this.logs = new LogHost(options.log, () => {
      for (const generation of [...this.leaving, this.current]) generation.logThreadStarted();
    });
    this.ticketKeys = inherit === null ? randomBytes(48) : Buffer.from(inherit.ticketKeys, "base64");
    const open = inheritedSockets(inherit?.sockets ?? []);
    const sockets = openListeningSockets(config.proxies, open);
    closeListeningSockets(open, sockets);
    this.current = this.generation(config, certificates, sockets);
    if (inherit === null) return;
    // What the process before was told of its frontends it alone knew.
    this.settleEntrances();
    this.current.threads.engine = inherit.engine;
    const table = new StatsTable(config.proxies, 0);
    this.predecessor = {
      config,
      table,
      connections: () => this.predecessorConnections,
      inquired: () => [],
      logThreadStarted: () => {},
      isDrained: false,
    };
    this.leaving.push(this.predecessor);
    this.takeCounts(inherit.counts, 0);
    this.takeStates(inherit.states);
  }

  /** The listening sockets, for a successor. */
  get sockets(): readonly ListeningSocket[] {
    return this.current.sockets;
  }

  counts(): Counts {
    return describeCounts(this.table, this.current.config.proxies);
  }

  states(): States {
    return describeStates(this.servers);
  }

  /** What the process before has counted by now, and how many connections are open there. */
  takeCounts(counts: Counts, connections: number): void {
    if (this.predecessor === null) return;
    this.predecessorConnections = connections;
    carryCounts(counts, { table: this.predecessor.table, proxies: this.predecessor.config.proxies });
    this.carryOver();
  }

  /** What the process before knows of the servers. */
  takeStates(states: States): void {
    takeStates(this.servers, states, monotonicMs());
  }

  /** The process before has ended: nothing is there any more of what it counted as being there. */
  predecessorEnded(): void {
    if (this.predecessor === null) return;
    this.predecessorConnections = 0;
    clearGauges(this.predecessor.table.carried);
    this.predecessor.isDrained = true;
    this.carryOver();
    this.forgetDrained();
    this.reportDrained();
  }

  /** Client connections of all generations, and of the process before. */
  connections(): number {
    return [...this.leaving, this.current].reduce((sum, one) => sum + one.connections(), 0);
  }

  get table(): StatsTable {
    return this.current.table;
  }

  /** The servers' states. */
  get servers(): ServerTable {
    return this.current.servers;
  }

  /** What operators say of its frontends. */
  get limits(): OperatorLimits {
    return this.current.limits;
  }

  get engine(): "direct" | "portable" {
    return this.current.threads.engine;
  }

  get threadCount(): number {
    return this.current.threads.count;
  }

  get areReady(): boolean {
    return this.current.threads.areReady;
  }

  health(): ThreadHealth[] {
    return this.current.threads.health();
  }

  /** Addresses whose listening socket no longer listens. */
  deafListeners(): string[] {
    return this.current.sockets
      .filter(
        ({ proxyIndex, descriptor }) =>
          !this.isDraining && this.limits.isOpen(proxyIndex) && !isListening(descriptor),
      )
      .map(({ address, port }) => describeEndpoint(address, port));
  }

  /** Nobody is taken before `accept`, which may come first. */
  start(): void {
    void this.logs.ensure(this.current.config);
    this.current.threads.start();
  }

  accept(): void {
    this.current.threads.accept();
  }

  /** Waits until the access logs are written, at most `limitMs`. */
  flushLogs(limitMs: number): Promise<void> {
    return this.logs.flush(limitMs);
  }

  /** Called some times a second. */
  look(): void {
    this.current.threads.look();
    this.carryOver();
  }

  handOver(): void {
    this.current.threads.handOver();
  }

  /** The address has moved to a partner that sends on what is open here, for `deadlineMs` at most. */
  moveAway(deadlineMs: number): void {
    this.current.threads.moveAway(deadlineMs);
  }

  /** The address is back, or nothing is open any more. */
  stay(): void {
    this.current.threads.stay();
  }

  /** Asks every data thread, those that only finish what they have begun too. */
  inquire(inquiry: Inquiry, listener: InquiryListener): void {
    const generations = [...this.leaving, this.current];
    this.inquiries.ask(
      generations.flatMap((generation) => generation.inquired()),
      inquiry,
      listener,
    );
  }

  /** As of the threads' last heartbeat. */
  load(): NodeLoad {
    const { table, servers } = this;
    const { proxies } = this.current.config;
    const sum = (cell: number): number => table.blocks.reduce((total, block) => total + block[cell], 0);
    const requestsOf = (proxy: number): number => sum(table.frontendRow(proxy) + Cell.requestsTotal);
    const places = proxies.flatMap((proxy, i) => proxy.servers.map((_, j) => [i, j] as const));
    return {
      connections: this.connections(),
      requestsTotal: proxies.reduce((total, _, i) => total + requestsOf(i), 0),
      serversUp: places.filter(([i, j]) => servers.effectiveWeight(i, j) > 0).length,
      serversTotal: places.length,
    };
  }

  /** `acceptMs`: so long do clients that have not heard of a move yet still find somebody here. */
  drain(timeoutMs: number, acceptMs = 0): void {
    this.isDraining = true;
    // The threads hold duplicates of their own and close them; now nobody can queue in the backlog any more.
    closeListeningSockets(this.current.sockets);
    this.current.threads.drain(timeoutMs, acceptMs);
  }

  /**
   * Serves by `config` from now on; what the present threads have begun they finish within `drainTimeoutMs`.
   * Throws LbError when a new address cannot be opened or the new threads do not get ready; then nothing has changed.
   */
  async replace(config: Config, certificates: Certificates, drainTimeoutMs: number): Promise<void> {
    const before = this.current;
    await this.logs.ensure(config);
    const next = this.generation(config, certificates, openListeningSockets(config.proxies, before.sockets));
    next.servers.takeOver(before.servers, monotonicMs());
    next.limits.takeOver(before.limits, config.maxconn === before.config.maxconn);
    next.threads.start();
    if (!(await this.getReady(next)) || this.isDraining) {
      next.threads.end();
      closeListeningSockets(next.sockets, before.sockets);
      throw new LbError(
        "LB_THREAD_START",
        this.isDraining ? "the daemon is stopping" : "the threads of the new configuration do not start",
        "see the log lines above for the reason",
      );
    }
    this.current = next;
    this.leaving.push(before);
    this.serversBefore = before.servers;
    closeListeningSockets(before.sockets, next.sockets);
    this.carryOver();
    this.settleEntrances();
    next.threads.accept();
    before.threads.drain(drainTimeoutMs, 0);
  }

  /**
   * After a `replace`, when the control thread that still kept the states of the generation before has ended: what it has
   * written meanwhile counts.
   */
  takeOverStates(): void {
    if (this.serversBefore !== null) this.current.servers.takeOver(this.serversBefore, monotonicMs());
    this.serversBefore = null;
  }

  /** Each listening socket as operators want it: nobody can connect to one of a frontend that is disabled or stopped. */
  settleEntrances(): void {
    if (this.isDraining) return;
    const { sockets, limits, threads } = this.current;
    for (const { proxyIndex, descriptor } of sockets) {
      const isOpen = limits.isOpen(proxyIndex);
      if (isOpen !== isListening(descriptor)) setListening(descriptor, isOpen);
    }
    threads.lookAtEntrances();
  }

  /** Clients that come from now on are shown these; nothing else changes. */
  renewCertificates(certificates: Certificates): void {
    this.current.threads.renewCertificates(certificates);
  }

  private generation(
    config: Config,
    certificates: Certificates,
    sockets: readonly ListeningSocket[],
  ): Generation {
    // Without proxies there is no data thread; the table still has a block, all zeros.
    const count = Math.max(1, planThreads(config).length);
    const table = new StatsTable(config.proxies, count);
    const servers = new ServerTable(config.proxies, { nowMs: monotonicMs() });
    const limits = new OperatorLimits(config.proxies);
    const generation: Generation = {
      config,
      sockets,
      table,
      servers,
      limits,
      inquired: () => generation.threads.inquired(),
      logThreadStarted: () => generation.threads.logThreadStarted(),
      connections: () => table.blocks.reduce((sum, block) => sum + block[ThreadCell.connectionsCurrent], 0),
      isDrained: false,
      threads: new DataThreads({
        config,
        sockets,
        table,
        servers,
        limits,
        tls: { certificates, ticketKeys: this.ticketKeys },
        log: this.options.log,
        inquiries: this.inquiries,
        connectToLogThread: () => this.logs.connect(),
        onChange: () => this.options.onChange(),
        onDrained: () => this.onDrained(generation),
      }),
    };
    return generation;
  }

  private async getReady({ threads }: Generation): Promise<boolean> {
    const deadlineMs = performance.now() + readyWithinMs;
    while (!threads.areReady) {
      threads.look();
      if (performance.now() >= deadlineMs || threads.health().some(({ keepsDying }) => keepsDying))
        return false;
      await delay(lookEveryMs);
    }
    return true;
  }

  private onDrained(generation: Generation): void {
    generation.isDrained = true;
    if (generation !== this.current) {
      this.carryOver();
      generation.threads.end();
      this.forgetDrained();
    }
    this.reportDrained();
  }

  private reportDrained(): void {
    if (this.current.isDrained && this.leaving.length === 0) this.options.onDrained();
  }

  /** Each carries what the one before it counted: from the middle of the chain none can go. */
  private forgetDrained(): void {
    while (this.leaving[0]?.isDrained) this.leaving.shift();
  }

  /** From the oldest generation to the present one: each has in its carried block what the one before it counted. */
  private carryOver(): void {
    const generations = [...this.leaving, this.current];
    for (let i = 1; i < generations.length; i++) {
      const [from, to] = [generations[i - 1], generations[i]];
      carryOver(
        { table: from.table, proxies: from.config.proxies },
        { table: to.table, proxies: to.config.proxies },
      );
    }
  }
}
