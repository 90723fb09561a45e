import type { ServerConfig } from "../config/config.js";
import type { SharedServers } from "./shared-servers.js";
import type { UpstreamPool } from "./upstream-pool.js";

/**
 * Where a backend's servers are, in one data thread: the configuration's addresses until an operator gives others. Nothing is
 * read for a request; the owner calls `look` when something has changed, and now and then.
 */
export class ServerTargets {
  private readonly current: ServerConfig[];
  private seenVersion: number;

  constructor(
    servers: number,
    private readonly shared: Pick<SharedServers, "targetVersion" | "target">,
    private readonly pool: UpstreamPool,
    /** What was known of whether it can be reached holds no more. */
    private readonly moved: (server: number) => void,
  ) {
    this.seenVersion = shared.targetVersion;
    this.current = Array.from({ length: servers }, (_, server) => shared.target(server));
  }

  /** The same object until the address changes: a connection that was opened to another one is not used again. */
  of(server: number): ServerConfig {
    return this.current[server];
  }

  /** Reads what has changed. Idle connections to an address that is no longer the server's are closed, as HAProxy's are. */
  look(): void {
    const version = this.shared.targetVersion;
    if (version === this.seenVersion) return;
    this.seenVersion = version;
    for (const [server, before] of this.current.entries()) {
      const target = this.shared.target(server);
      if (before.host === target.host && before.port === target.port) continue;
      this.current[server] = target;
      this.moved(server);
      for (const upstream of this.pool.drainServer(server)) upstream.closeIdle();
    }
  }
}
