import type { ProxyConfig } from "../config/config.js";
import { Balancer } from "./balance/balancer.js";
import { createAlgorithm } from "./balance/create-algorithm.js";
import { type RequestKey, requestKeyOf } from "./balance/request-key.js";
import type { Engine } from "./engine/engine.js";
import { defaultMaxFields } from "./http1/head.js";
import { ResponseHeads } from "./http1/known-heads.js";
import { RetryPolicy } from "./retry-policy.js";
import type { SharedServers } from "./shared-servers.js";
import { UpstreamPool } from "./upstream-pool.js";

/**
 * The servers' side of a proxy inside one data thread: who is chosen, and what is connected to them. Several frontends may
 * share it; nothing in here is shared with another thread.
 */
export class Backend {
  readonly name: string;
  readonly balancer: Balancer;
  /** What requests are hashed by; null: by nothing. */
  readonly requestKey: RequestKey | null;
  readonly pool: UpstreamPool;
  readonly retryPolicy: RetryPolicy;
  /** Some of its servers are told by a PROXY header whose a connection is. */
  readonly sendsProxy: boolean;
  /** Parsed into and read within one call of a handler: a connection of the pool may have been opened for another frontend. */
  readonly responseHeads: ResponseHeads;

  constructor(config: ProxyConfig, engine: Engine, shared: SharedServers, threadIndex: number) {
    const { servers, balance } = config;
    this.name = config.name;
    const algorithm = createAlgorithm({
      balance,
      hashType: config.hashType ?? "map-based",
      serverNames: servers.map(({ name }) => name),
      loads: shared,
      threadIndex,
    });
    const backups = servers.map(({ backup }) => backup === true);
    this.balancer = new Balancer(backups, shared, algorithm, config.allBackups === true);
    this.requestKey = requestKeyOf(balance);
    this.retryPolicy = new RetryPolicy(config.retry ?? null);
    this.sendsProxy = servers.some(({ sendProxy }) => sendProxy !== undefined);
    this.pool = new UpstreamPool(servers.length);
    const limits = { maxHeadBytes: config.maxHeadBytes, maxFields: defaultMaxFields };
    this.responseHeads = new ResponseHeads(engine.memory, limits);
  }
}
