import type { Engine } from "../engine/engine.js";
import type { Exchange } from "../exchange.js";
import type { UpstreamPool } from "../upstream-pool.js";
import { Fitness } from "./fitness.js";
import { SharedConnection } from "./shared-connection.js";

/**
 * Gathers the safe requests that go to one server within one turn of the loop, so that they leave in one packet and are
 * answered one behind the other (RFC 9112 §9.3.2). Two system calls then serve several clients, at a risk that is bounded:
 * only servers that are known to be fast, at most `depth` requests together, and whoever would have to wait behind a slow or
 * a large answer, or a slow client, is asked for again on a connection of its own (`SharedConnection`).
 *
 * One for each backend in each data thread.
 */
export class Pipelines {
  /** By server: who is being gathered in this turn. */
  private readonly gathering: (SharedConnection | null)[];
  private readonly fitness: readonly Fitness[];
  private isFlushOwed = false;

  constructor(
    servers: number,
    private readonly depth: number,
    private readonly engine: Engine,
    private readonly pool: UpstreamPool,
  ) {
    this.gathering = Array.from({ length: servers }, () => null);
    this.fitness = Array.from({ length: servers }, () => new Fitness());
  }

  /** Lets `exchange` ask `server` together with others; null: it goes alone. Its request leaves at the end of the turn. */
  join(exchange: Exchange, server: number, nowMs: number): SharedConnection | null {
    if (!this.fitness[server].isFit(nowMs)) return null;
    let connection = this.gathering[server];
    if (connection === null) {
      const idle = this.pool.take(server, nowMs, Infinity);
      if (!(idle instanceof SharedConnection)) {
        if (idle !== null) this.pool.put(server, idle);
        return null;
      }
      connection = idle;
      this.gathering[server] = connection;
      if (!this.isFlushOwed) {
        this.isFlushOwed = true;
        this.engine.atTurnEnd(this.flush);
      }
    }
    if (connection.gather(exchange) >= this.depth) this.send(server);
    return connection;
  }

  /** `server` has answered in so many ms. */
  answered(server: number, answerMs: number): void {
    this.fitness[server].answered(answerMs);
  }

  /** Somebody has had to leave a connection to `server`, so as not to wait. */
  suspend(server: number): void {
    this.fitness[server].suspend(this.engine.now());
  }

  /** `connection` is gone while it gathered. */
  lost(connection: SharedConnection): void {
    if (this.gathering[connection.server] === connection) this.gathering[connection.server] = null;
  }

  private readonly flush = (): void => {
    this.isFlushOwed = false;
    for (let server = 0; server < this.gathering.length; server++)
      if (this.gathering[server] !== null) this.send(server);
  };

  private send(server: number): void {
    const connection = this.gathering[server];
    this.gathering[server] = null;
    connection?.sendGathered();
  }
}
