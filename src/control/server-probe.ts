import { connect } from "node:net";
import type { ProxyConfig } from "../config/config.js";
import type { ServerTable } from "../proxy/health/server-table.js";
import { takesRequests } from "../proxy/stats/reachability.js";
import type { StatsTable } from "../proxy/stats/table.js";

const probeMs = 500;
const timeoutMs = 2000;

/**
 * Tries the servers of proxies that reach none of theirs, by opening a connection; the ones without checks of their own. Without it a node that no client
 * comes to would never learn that they are back, and would stay the lesser one of the pair.
 */
export class ServerProbe {
  private readonly timer: NodeJS.Timeout;
  private readonly underWay = new Set<string>();

  constructor(
    private readonly proxies: readonly ProxyConfig[],
    private readonly table: StatsTable,
    private readonly states: ServerTable,
    /** By names: the main thread may have another configuration by now. */
    private readonly reached: (proxy: string, server: string) => void,
  ) {
    this.timer = setInterval(() => this.probe(), probeMs);
  }

  stop(): void {
    clearInterval(this.timer);
  }

  private probe(): void {
    for (const [proxyIndex, proxy] of this.proxies.entries()) {
      const isServed = proxy.servers.some((_, server) =>
        takesRequests(this.table, this.states, proxyIndex, server),
      );
      if (isServed) continue;
      for (const [server, { name, check }] of proxy.servers.entries()) {
        const { host, port } = this.states.effectiveServer(proxyIndex, server);
        if (check === undefined) this.tryServer(proxy.name, name, host, port);
      }
    }
  }

  private tryServer(proxy: string, server: string, host: string, port: number): void {
    const key = `${proxy} ${server}`;
    if (this.underWay.has(key)) return;
    this.underWay.add(key);
    const socket = connect({ host, port });
    socket.setTimeout(timeoutMs, () => socket.destroy());
    socket.once("connect", () => {
      this.reached(proxy, server);
      socket.destroy();
    });
    socket.on("error", () => {});
    socket.once("close", () => this.underWay.delete(key));
  }
}
