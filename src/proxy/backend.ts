import type { ProxyConfig, ServerConfig } from "../config/config.js";
import type { ErrorFile } from "../config/error-file.js";
import { Balancer } from "./balance/balancer.js";
import { createAlgorithm } from "./balance/create-algorithm.js";
import { type RequestKey, requestKeyOf } from "./balance/request-key.js";
import type { Engine, TlsInitiation } from "./engine/engine.js";
import { defaultMaxFields } from "./http1/head.js";
import { ResponseHeads } from "./http1/known-heads.js";
import { Pipelines } from "./pipelining/pipelines.js";
import { FirstChecks } from "./queue/first-checks.js";
import type { QueuePoll } from "./queue/queue-poll.js";
import { ServerQueue } from "./queue/server-queue.js";
import type { ServerSlots } from "./queue/server-slots.js";
import { RetryPolicy } from "./retry-policy.js";
import { ServerTargets } from "./server-targets.js";
import type { SharedServers } from "./shared-servers.js";
import { Stickiness } from "./stickiness.js";
import type { Certificates } from "./tls/certificate.js";
import { UpstreamPool } from "./upstream-pool.js";

const epochSeconds = (): number => Math.floor(Date.now() / 1000);

/** So much longer than a check may take is its end waited for: at the start the checks begin a little after the clients. */
const checksBeginWithinMs = 1_000;

/**
 * The servers' side of a proxy inside one data thread: who is chosen, and what is connected to them. Several frontends may
 * share it; nothing in here is shared with another thread.
 */
export class Backend {
  readonly name: string;
  readonly serverCount: number;
  readonly balancer: Balancer;
  /** What requests are hashed by; null: by nothing. */
  readonly requestKey: RequestKey | null;
  readonly pool: UpstreamPool;
  readonly retryPolicy: RetryPolicy;
  readonly servers: readonly ServerConfig[];
  readonly targets: ServerTargets;
  /** By server; null: in the clear, or in a thread that takes no client for it. */
  readonly initiations: readonly (TlsInitiation | null)[];
  /** Something goes in front of what is said to some of its servers. */
  readonly greets: boolean;
  /** Some of its servers are told by a PROXY header whose a connection is. */
  readonly sendsProxy: boolean;
  /** Parsed into and read within one call of a handler: a connection of the pool may have been opened for another frontend. */
  readonly responseHeads: ResponseHeads;
  readonly errorFiles: readonly ErrorFile[];
  /** Who waits for a server, or any (−1), in all threads. */
  readonly queuedFor: (server: number) => number;
  /** Lets safe requests share connections; null: each has its own. */
  readonly pipelines: Pipelines | null;
  /** Keeps clients at their servers; null: nothing does. */
  readonly stickiness: Stickiness | null;
  /** Where requests wait for servers that have maxconn; null: none has one. It comes with an operator's, and stays. */
  queue: ServerQueue | null;
  private readonly createQueue: () => ServerQueue;
  private limitsVersion = -1;
  /** Where requests wait until it is known which servers are up; null: none is checked. */
  readonly firstChecks: FirstChecks | null;

  constructor(
    config: ProxyConfig,
    engine: Engine,
    private readonly shared: SharedServers,
    private readonly threadIndex: number,
    queueing: { readonly slots: ServerSlots; readonly poll: QueuePoll; readonly now: () => number },
    certificates: Certificates,
  ) {
    const { servers, balance, timeouts } = config;
    this.name = config.name;
    this.serverCount = servers.length;
    this.queuedFor = (server) => shared.queued(server);
    this.errorFiles = config.errorFiles ?? [];
    const algorithm = createAlgorithm({
      balance,
      hashType: config.hashType ?? "map-based",
      serverNames: servers.map(({ name }) => name),
      loads: shared,
      threadIndex,
    });
    const backups = servers.map(({ backup }) => backup === true);
    this.pool = new UpstreamPool(servers.length);
    this.targets = new ServerTargets(servers.length, shared, this.pool, (server) =>
      this.balancer.reached(server),
    );
    this.balancer = new Balancer(backups, shared, algorithm, config.allBackups === true, () =>
      this.targets.look(),
    );
    this.requestKey = requestKeyOf(balance);
    this.retryPolicy = new RetryPolicy(config.retry ?? null);
    this.servers = servers;
    this.initiations = servers.map(({ host, tls }) =>
      tls === undefined ? null : engine.initiation(tls, host, certificates),
    );
    this.sendsProxy = servers.some(({ sendProxy }) => sendProxy !== undefined);
    this.greets = this.sendsProxy || servers.some(({ tls }) => tls !== undefined);
    // What lies in a chunk of its own is referred to by sockets until it is written: heads cannot be written over it.
    this.pipelines =
      config.pipelining === undefined || engine.memory === null
        ? null
        : new Pipelines(servers.length, config.pipelining, engine, this.pool);
    const limits = { maxHeadBytes: config.maxHeadBytes, maxFields: defaultMaxFields };
    this.responseHeads = new ResponseHeads(engine.memory, limits);
    const queueMs = timeouts.queueMs ?? timeouts.connectMs;
    this.createQueue = () =>
      new ServerQueue({
        servers,
        isHashed: this.requestKey !== null,
        queueMs,
        states: shared,
        balancer: this.balancer,
        engineNow: () => engine.now(),
        ...queueing,
      });
    this.queue = servers.some(({ maxconn, agent }) => maxconn !== undefined || agent !== undefined)
      ? this.createQueue()
      : null;
    const checkMs = Math.max(...servers.map(({ check }) => check?.timeoutMs ?? -Infinity));
    this.firstChecks =
      checkMs < 0
        ? null
        : new FirstChecks({
            serverCount: servers.length,
            states: shared,
            balancer: this.balancer,
            poll: queueing.poll,
            longestMs: Math.min(queueMs, checkMs + checksBeginWithinMs),
            now: queueing.now,
          });
    const { cookie } = config;
    const values = servers.map((server) => server.cookie ?? null);
    this.stickiness =
      cookie === undefined ? null : new Stickiness(cookie, values, shared, limits, epochSeconds);
  }

  /** Now and then, between requests: places at a server that an operator has limited are counted from here on. */
  lookAtLimits(): void {
    const { version } = this.shared;
    if (version === this.limitsVersion) return;
    this.limitsVersion = version;
    for (let server = 0; server < this.serverCount; server++) {
      if (this.shared.maxconn(server) < 0) continue;
      this.queue ??= this.createQueue();
      this.queue.count(server, this.shared.currentIn(this.threadIndex, server));
    }
  }

  /** Connections that are opened from now on use these. */
  renewCertificates(certificates: Certificates): void {
    for (const initiation of this.initiations) initiation?.renew(certificates);
  }
}
