import { randomBytes } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { describeEndpoint } from "../config/address.js";
import type { Config } from "../config/config.js";
import { LbError } from "../errors.js";
import { isListening } from "../netlink/listening-socket.js";
import type { NodeLoad } from "../peer-link/message.js";
import { ServerTable } from "../proxy/health/server-table.js";
import { carryOver } from "../proxy/stats/carry-over.js";
import { Cell, ThreadCell } from "../proxy/stats/layout.js";
import { monotonicMs } from "../proxy/stats/monotonic.js";
import { StatsTable } from "../proxy/stats/table.js";
import type { Certificates } from "../proxy/tls/certificate.js";
import { DataThreads } from "./data-threads.js";
import type { ThreadHealth } from "./fitness.js";
import { Inquiries, type InquiryListener } from "./inquiries.js";
import type { Inquiry } from "./inquiry.js";
import { closeListeningSockets, type ListeningSocket, openListeningSockets } from "./listening-sockets.js";
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

/** What belongs to one configuration of the proxies: its sockets, counters and threads. */
interface Generation {
  readonly config: Config;
  readonly sockets: readonly ListeningSocket[];
  readonly table: StatsTable;
  readonly servers: ServerTable;
  readonly threads: DataThreads;
  /** It has finished what it had begun, and its counters stand still. */
  isDrained: boolean;
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
  private leaving: Generation[] = [];
  /** The states of the generation before, which its control thread keeps to its end. */
  private serversBefore: ServerTable | null = null;
  private isDraining = false;
  private readonly logs: LogHost;
  private readonly inquiries = new Inquiries();
  private readonly ticketKeys = randomBytes(48);

  /** Opens the listening sockets: LbError LB_LISTEN_IN_USE, LB_PERMISSION, LB_LISTEN. */
  constructor(
    config: Config,
    certificates: Certificates,
    private readonly options: DataPlaneOptions,
  ) {
    this.logs = new LogHost(options.log);
    this.current = this.generation(config, certificates, openListeningSockets(config.proxies));
  }

  get table(): StatsTable {
    return this.current.table;
  }

  /** The servers' states. */
  get servers(): ServerTable {
    return this.current.servers;
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
      .filter(({ descriptor }) => !this.isDraining && !isListening(descriptor))
      .map(({ address, port }) => describeEndpoint(address, port));
  }

  start(): void {
    void this.logs.ensure(this.current.config);
    this.current.threads.start();
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
      generations.flatMap(({ threads }) => threads.inquired()),
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
      connections: sum(ThreadCell.connectionsCurrent),
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
    const generation: Generation = {
      config,
      sockets,
      table,
      servers,
      isDrained: false,
      threads: new DataThreads({
        config,
        sockets,
        table,
        servers,
        tls: { certificates, ticketKeys: this.ticketKeys },
        log: this.options.log,
        inquiries: this.inquiries,
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
      // Each carries what the one before it counted: from the middle of the chain none can go.
      while (this.leaving[0]?.isDrained) this.leaving.shift();
    }
    if (this.current.isDrained && this.leaving.length === 0) this.options.onDrained();
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
