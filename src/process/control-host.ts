import { networkInterfaces } from "node:os";
import type { AdminConfig, Config } from "../config/config.js";
import { describeAdminListen } from "../config/serialize.js";
import { LbError } from "../errors.js";
import { closeDescriptor, duplicateDescriptor, openListeningSocket } from "../netlink/listening-socket.js";
import type { ServerTable } from "../proxy/health/server-table.js";
import type { OperatorLimits } from "../proxy/operator-limits.js";
import type { StatsTable } from "../proxy/stats/table.js";
import type { Certificates } from "../proxy/tls/certificate.js";
import type { InheritedSocket } from "../upgrade/message.js";
import type { VrrpStatus } from "../vrrp/status.js";
import { adminAddress, assertNoProxyThere } from "./admin-address.js";
import { effectiveMaxconn } from "./data-threads.js";
import type { ThreadHealth } from "./fitness.js";
import type { InquiryListener } from "./inquiries.js";
import type { Inquiry } from "./inquiry.js";
import type { Log } from "./log.js";
import type {
  ControlRequest,
  ControlThreadData,
  FromControlThread,
  ToControlThread,
  TrackedFact,
} from "./messages.js";
import type { NumberedJob, Outbox } from "./notices.js";
import type { Question } from "./reload-answer.js";
import { defaultRestartPolicy } from "./restart-policy.js";
import { StatsListener, sameStatsSocket } from "./stats-listener.js";
import { SupervisedThread, type ThreadEvent } from "./supervised-thread.js";
import { startThread, type ThreadEvents, type ThreadHost } from "./thread-host.js";

const entry = new URL("../control/control-thread.js", import.meta.url);

/** How often an admin socket that could not be opened is tried again. */
const adminRetryMs = 1000;

export interface ControlHostOptions {
  readonly config: Config;
  readonly certificates: Certificates;
  /** Read at each start of the thread. */
  readonly plane: {
    readonly table: StatsTable;
    readonly servers: ServerTable;
    readonly limits: OperatorLimits;
    readonly engine: "direct" | "portable";
  };
  readonly log: Log;
  readonly startedEpochMs: number;
  onReady(): void;
  /** What the threads before this one have found; read at each start. */
  known(): readonly TrackedFact[];
  onTracked(fact: TrackedFact): void;
  readonly outbox: Outbox;
  onServerReached(proxy: string, server: string): void;
  /** For the partners' dashboards, or about this node's. */
  onServerReport(message: Extract<FromControlThread, { readonly kind: "watching" | "servers" }>): void;
  /** What was asked for by name cannot be opened. */
  onFatal(error: LbError): void;
  /** An operator asks for something. */
  onRequest(request: ControlRequest): void;
  /** `answer` is called once; before this host is stopped, if the question is what stops it. */
  onAsk(question: Question, answer: (text: string) => void): void;
  /** Of the data threads. */
  onInquire(inquiry: Inquiry, listener: InquiryListener): void;
  onStopped(): void;
}

interface AdminSocket {
  readonly descriptor: number;
  readonly address: string;
  readonly config: AdminConfig;
}

/** The control thread and its listening sockets, the admin server's and the stats socket's, which outlive it. */
export class ControlHost {
  private readonly options: ControlHostOptions;
  private readonly thread: SupervisedThread<ToControlThread, FromControlThread>;
  private adminSocket: AdminSocket | null = null;
  private statsListener: StatsListener | null = null;
  private adminComplaint = "";
  private nextAdminTryMs = 0;
  private statuses: readonly VrrpStatus[] = [];
  private accepts = true;
  private isStopping = false;

  constructor(options: ControlHostOptions) {
    this.options = options;
    this.thread = new SupervisedThread<ToControlThread, FromControlThread>({
      name: "control",
      policy: defaultRestartPolicy,
      start: (events) => this.startThread(events),
      isReady: (message) => message.kind === "ready",
      heartbeat: () => null,
      now: () => performance.now(),
      onMessage: (message) => this.onMessage(message),
      onEvent: (event) => this.onEvent(event),
    });
  }

  /**
   * At the start: opens the admin socket. One that was asked for and cannot be opened is fatal: LbError
   * LB_LISTEN_IN_USE, LB_PERMISSION, LB_LISTEN. One that was not, or whose interface has no address yet, is retried.
   */
  openAdmin(): void {
    const { admin } = this.options.config;
    if (admin !== null) this.tryAdmin(admin, !admin.isDefault);
  }

  private tryAdmin(admin: AdminConfig, isFatal: boolean): void {
    this.nextAdminTryMs = performance.now() + adminRetryMs;
    const { log } = this.options;
    const place = describeAdminListen(admin.listen);
    const address = adminAddress(this.options.config, admin, networkInterfaces());
    if (address === null) {
      this.complain(
        `the admin server waits: ${place.split(":")[0]} is not up or has no IPv4 address of its own`,
      );
      return;
    }
    const { port } = admin.listen;
    try {
      assertNoProxyThere(this.options.config, address, port);
      this.adminSocket = { descriptor: openListeningSocket({ address, port }), address, config: admin };
    } catch (error) {
      if (!(error instanceof LbError)) throw error;
      if (isFatal) throw error;
      this.complain(`no admin server yet: ${error.message}`, error.advice);
      return;
    }
    if (this.adminComplaint !== "") log.info({ address, port }, "the admin server's address is there");
    this.adminComplaint = "";
  }

  /**
   * Opens the stats socket; `before` is the host that this one replaces, whose socket stays if it is the same. One that was
   * asked for and cannot be opened is LbError LB_STATS_SOCKET, LB_STATS_SOCKET_IN_USE; without the default one it goes on.
   */
  openStatsSocket(before: ControlHost | null = null): void {
    const { config, log } = this.options;
    const there = before?.statsListener ?? null;
    const wanted = config.statsSocket;
    if (before !== null && there !== null && wanted !== null && sameStatsSocket(there.config, wanted)) {
      this.statsListener = there;
      before.statsListener = null;
      return;
    }
    if (wanted === null) return;
    try {
      this.statsListener = StatsListener.open(wanted, there);
    } catch (error) {
      if (!(error instanceof LbError) || !wanted.isDefault) throw error;
      log.warn({ code: error.code, advice: error.advice }, error.message);
    }
  }

  /** Instead of `openAdmin`: takes the socket over from the host that this one replaces, so that it stays open. */
  takeAdminFrom(other: ControlHost): void {
    this.adminSocket = other.adminSocket;
    this.adminComplaint = other.adminComplaint;
    this.statuses = other.statuses;
    other.adminSocket = null;
    const { admin } = this.options.config;
    if (this.adminSocket !== null && admin !== null)
      this.adminSocket = { ...this.adminSocket, config: admin };
  }

  /**
   * Instead of opening them: takes what the process before has left, as far as this configuration still wants it there.
   * Whoever comes is its, until `accept`.
   */
  inherit(sockets: readonly InheritedSocket[]): void {
    this.accepts = false;
    const { admin, statsSocket } = this.options.config;
    const address = admin === null ? null : adminAddress(this.options.config, admin, networkInterfaces());
    for (const { kind, address: on, port, descriptor } of sockets) {
      if (kind === "admin" && admin !== null && on === address && port === admin.listen.port) {
        this.adminSocket = { descriptor, address, config: admin };
      } else if (kind === "stats" && statsSocket !== null && on === statsSocket.path) {
        this.statsListener = StatsListener.adopt(statsSocket, descriptor);
      } else if (kind !== "proxy") {
        closeDescriptor(descriptor);
      }
    }
    if (this.adminSocket === null) this.openAdmin();
    if (this.statsListener === null) this.openStatsSocket();
  }

  /** After `inherit`: whoever comes is this process's. */
  accept(): void {
    this.accepts = true;
    this.thread.post({ kind: "accept" });
  }

  /**
   * Before somebody is told that another thread or process follows: whoever asks on the stats socket from now on is that
   * one's, and never hears this one, which is on its way out.
   */
  withdraw(): void {
    this.thread.post({ kind: "withdraw" });
  }

  /** For the process that follows. */
  sockets(): InheritedSocket[] {
    const { adminSocket, statsListener } = this;
    const sockets: InheritedSocket[] = [];
    if (adminSocket !== null) {
      const { address, config, descriptor } = adminSocket;
      sockets.push({ kind: "admin", address, port: config.listen.port, descriptor });
    }
    if (statsListener !== null) {
      const { config, descriptor } = statsListener;
      sockets.push({ kind: "stats", address: config.path, port: 0, descriptor });
    }
    return sockets;
  }

  /** Another process serves on the sockets now: this one's end does not remove the file. */
  leaveSockets(): void {
    this.statsListener?.leave();
    this.statsListener = null;
  }

  /** Gives the sockets back. */
  abandon(): void {
    if (this.adminSocket !== null) closeDescriptor(this.adminSocket.descriptor);
    this.adminSocket = null;
    this.statsListener?.close();
    this.statsListener = null;
  }

  start(): void {
    this.thread.start();
  }

  get isReady(): boolean {
    return this.thread.isReady;
  }

  health(): ThreadHealth {
    return this.thread.health();
  }

  /** Called some times a second. */
  look(): void {
    this.thread.look();
    const { admin } = this.options.config;
    if (admin === null || this.adminSocket !== null || this.isStopping) return;
    if (performance.now() < this.nextAdminTryMs) return;
    this.tryAdmin(admin, false);
    this.sendAdmin();
  }

  /** A thread that is not ready gets the socket at its start. */
  private sendAdmin(): void {
    if (this.adminSocket === null || !this.thread.isReady) return;
    const { descriptor, config } = this.adminSocket;
    this.thread.post({ kind: "admin", descriptor: duplicateDescriptor(descriptor), config });
  }

  show(statuses: readonly VrrpStatus[]): void {
    this.statuses = statuses;
    this.thread.post({ kind: "vrrp", instances: statuses });
  }

  post(message: ToControlThread): void {
    this.thread.post(message);
  }

  /** Whoever is to be told of a transition, in order; jobs are told again when the thread that had them has died. */
  notify(jobs: readonly NumberedJob[]): void {
    if (jobs.length > 0) this.thread.post({ kind: "notify", jobs });
  }

  /** `last`: the process ends too. */
  stop(last: boolean): void {
    this.isStopping = true;
    this.abandon();
    this.thread.letGo();
    if (this.thread.hasEnded) this.options.onStopped();
    else this.thread.post({ kind: "stop", last });
  }

  /** Ends the thread at once, whatever it is doing; nothing happens when it is gone already. */
  end(): void {
    this.thread.end();
  }

  private startThread(events: ThreadEvents<FromControlThread>): ThreadHost<ToControlThread> {
    const { config, certificates, plane, startedEpochMs } = this.options;
    const socket = this.adminSocket;
    const stats = this.statsListener;
    const data: ControlThreadData = {
      node: config.node,
      proxies: config.proxies,
      certificates,
      vrrpConfigured: config.vrrp.length > 0,
      admin: socket && { descriptor: duplicateDescriptor(socket.descriptor), config: socket.config },
      statsSocket:
        stats === null || config.statsSocket === null
          ? null
          : { descriptor: duplicateDescriptor(stats.descriptor), config: config.statsSocket },
      accepts: this.accepts,
      threads: plane.table.blocks.length,
      engine: plane.engine,
      maxconn: effectiveMaxconn(config),
      statsBuffer: plane.table.buffer,
      serversBuffer: plane.servers.buffer,
      limitsBuffer: plane.limits.buffer,
      startedEpochMs,
      tracking: config.vrrp.length > 0 ? config.tracking : { scripts: [], files: [], processes: [] },
      known: this.options.known(),
      alerts: config.alerts,
    };
    return startThread("control", entry, data, events);
  }

  private onMessage(message: FromControlThread): void {
    if (message.kind === "ready") {
      this.thread.post({ kind: "vrrp", instances: this.statuses });
      this.notify(this.options.outbox.pending());
      this.options.onReady();
    } else if (message.kind === "tracked") {
      this.options.onTracked(message.fact);
    } else if (message.kind === "notified") {
      this.options.outbox.acknowledge(message.id);
    } else if (message.kind === "server-reached") {
      this.options.onServerReached(message.proxy, message.server);
    } else if (message.kind === "watching" || message.kind === "servers") {
      this.options.onServerReport(message);
    } else if (message.kind === "request") {
      this.options.onRequest(message.request);
    } else if (message.kind === "ask") {
      const { id, question } = message;
      this.options.onAsk(question, (text) => this.thread.post({ kind: "answered", id, text }));
    } else if (message.kind === "inquire") {
      const { id, inquiry } = message;
      this.options.onInquire(inquiry, {
        onPart: (part) => this.thread.post({ kind: "told", id, part, silent: 0 }),
        onEnd: (silent) => this.thread.post({ kind: "told", id, part: null, silent }),
      });
    } else if (message.kind === "stopped") {
      this.options.onStopped();
    } else if (message.fatal) {
      this.options.onFatal(new LbError(message.code, message.message, message.advice));
    } else {
      const { code, advice } = message;
      this.options.log.warn({ code, advice }, message.message);
    }
  }

  private onEvent(event: ThreadEvent): void {
    const { log } = this.options;
    if (event.kind === "ready") {
      if (event.restarts > 0)
        log.warn({ event: "thread", restarts: event.restarts }, "control thread works again");
    } else if (event.kind === "stuck") {
      log.error({ event: "thread" }, "control thread is stuck and is ended");
    } else if (event.restartInMs === null) {
      this.options.onStopped();
    } else {
      const { reason, restartInMs, error } = event;
      log.error(
        { event: "thread", reason, restartInMs, ...(error && { err: error }) },
        "control thread died",
      );
    }
  }

  /** Once, until it changes. */
  private complain(message: string, advice?: string): void {
    if (message === this.adminComplaint) return;
    this.adminComplaint = message;
    this.options.log.warn(advice === undefined ? {} : { advice }, message);
  }
}
