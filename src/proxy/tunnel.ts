import type { ClientConnection } from "./client-connection.js";
import type { Route } from "./route.js";
import type { UpstreamConnection } from "./upstream-connection.js";

/** From so many bytes on they pass unseen, where the engine can: below it copying costs less. */
export const splicedBytes = 32_768;

/**
 * What an exchange becomes with 101 Switching Protocols: bytes pass unread both ways until both sides have ended, and a silence of
 * both is bounded by `timeout tunnel`.
 */
export class Tunnel {
  constructor(
    private readonly route: Route,
    private readonly server: number,
    private readonly client: ClientConnection,
    private readonly upstream: UpstreamConnection,
  ) {}

  fromServer(bytes: Uint8Array, start: number, end: number): void {
    const { upstream, client } = this;
    this.touch();
    if (!client.send(bytes, start, end, false)) upstream.connection.pause();
    else if (end - start >= splicedBytes)
      this.route.engine.splice(upstream.connection, client.connection, Infinity);
  }

  splicedFromServer(count: number, taken: boolean): void {
    this.touch();
    this.client.passed(count, taken);
    if (!taken) this.upstream.connection.pause();
  }

  fromClient(bytes: Uint8Array, start: number, end: number): void {
    const { upstream, client } = this;
    this.touch();
    this.route.counters.sentToServer(this.server, end - start);
    if (!upstream.connection.send(bytes, start, end, false)) client.pause();
    else if (end - start >= splicedBytes)
      this.route.engine.splice(client.connection, upstream.connection, Infinity);
  }

  splicedFromClient(count: number, taken: boolean): void {
    this.touch();
    this.route.counters.sentToServer(this.server, count);
    if (!taken) this.client.pause();
  }

  /** FIN from the server: the client gets it too, and may go on sending. */
  serverEnded(): void {
    this.client.connection.shutdown();
  }

  clientEnded(): void {
    this.upstream.connection.shutdown();
  }

  /** Somebody has said or taken something. */
  touch(): void {
    this.upstream.connection.deadline("tunnel", this.route.config.timeouts.tunnelMs);
  }
}
