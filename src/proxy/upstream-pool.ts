import type { UpstreamConnection } from "./upstream-connection.js";

/** Idle connections kept per server and thread; more are closed when they fall idle. */
const mostIdlePerServer = 512;

/**
 * Idle upstream connections of one data thread, by server. The one that fell idle last is used first: it is the least
 * likely to have been closed by the server, and the oldest ones run into their idle time-out.
 */
export class UpstreamPool {
  private readonly idle: UpstreamConnection[][];

  constructor(servers: number) {
    this.idle = Array.from({ length: servers }, () => []);
  }

  /**
   * An idle connection to `server`, or null. `youngerThanMs`: only one that has been idle for less, so that a request
   * which could not be replayed does not meet a connection that the server is just closing.
   */
  take(server: number, nowMs: number, youngerThanMs: number): UpstreamConnection | null {
    const connections = this.idle[server];
    const last = connections.at(-1);
    if (last === undefined || nowMs - last.idleSinceMs >= youngerThanMs) return null;
    connections.pop();
    return last;
  }

  /** False: the pool is full, the caller closes the connection. */
  put(server: number, connection: UpstreamConnection): boolean {
    const connections = this.idle[server];
    if (connections.length >= mostIdlePerServer) return false;
    connections.push(connection);
    return true;
  }

  /** Takes out a connection that the server closed; false when it was not in the pool. */
  remove(server: number, connection: UpstreamConnection): boolean {
    const connections = this.idle[server];
    const at = connections.lastIndexOf(connection);
    if (at < 0) return false;
    connections.splice(at, 1);
    return true;
  }

  /** Empties the pool of one server; the caller closes what it gets. */
  drainServer(server: number): UpstreamConnection[] {
    return this.idle[server].splice(0);
  }

  /** Empties the pool; the caller closes what it gets. */
  drain(): UpstreamConnection[] {
    return this.idle.flatMap((connections) => connections.splice(0));
  }
}
