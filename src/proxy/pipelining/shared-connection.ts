import type { Connection, DeadlineKind } from "../engine/engine.js";
import type { Exchange } from "../exchange.js";
import type { Route } from "../route.js";
import { UpstreamConnection } from "../upstream-connection.js";
import type { UpstreamPool } from "../upstream-pool.js";
import type { Pipelines } from "./pipelines.js";

/** Nobody waits for longer behind another's answer (and what deadlines may be late by, see `Connection.deadline`). */
const headOfLineMs = 20;
/** What may be left of an answer when others wait behind it. */
const mostLeftBytes = 65_536;

/**
 * A connection to a server that several exchanges can use at once: `Pipelines` gathers their requests, they leave together,
 * and the answers come in their order. The front one is served as on any other connection. Those behind it have sent what
 * may be sent twice: when the front one is slow, large, cut, or given up, they leave and ask again elsewhere.
 */
export class SharedConnection extends UpstreamConnection {
  /** While gathering: all of them. Then those behind the front one; null: it wants no answer any more. */
  private behind: (Exchange | null)[] = [];
  private isGathering = false;
  /** Answers will come that nobody waits for: it ends with the present one. */
  private isSpoilt = false;
  private frontSinceMs = 0;

  constructor(
    route: Route,
    server: number,
    exchange: Exchange,
    pool: UpstreamPool,
    private readonly pipelines: Pipelines,
  ) {
    super(route, server, exchange, pool);
  }

  /** One more request for the end of the turn; returns how many there are. */
  gather(exchange: Exchange): number {
    this.isGathering = true;
    this.behind.push(exchange);
    return this.behind.length;
  }

  /** The turn is over: sends what has been gathered. */
  sendGathered(): void {
    const { counters, engine, config } = this.route;
    this.isGathering = false;
    const first = this.behind.shift();
    if (first === undefined || first === null) {
      // All of them have gone again.
      if (!this.pool.put(this.server, this)) this.closeIdle();
      return;
    }
    counters.idleConnections(this.server, -1);
    counters.usedConnections(this.server, 1);
    let bytes = first.request.headBytes;
    for (const exchange of this.behind) bytes += exchange?.request.headBytes ?? 0;
    const room = engine.scratch(bytes);
    let end = first.request.writeHead(room.bytes, room.start);
    for (const exchange of this.behind) end = exchange?.request.writeHead(room.bytes, end) ?? end;
    this.reuse(first);
    this.connection.send(room.bytes, room.start, end, false);
    if (this.behind.length > 0) {
      counters.pipelined(this.server, 1 + this.behind.length);
      this.comesToFront();
    } else this.connection.deadline("server", config.timeouts.serverMs);
  }

  override abandon(exchange: Exchange): void {
    const place = this.behind.indexOf(exchange);
    if (place < 0) {
      const others = this.takeBehind();
      super.abandon(exchange);
      this.sendAway(others);
    } else if (this.isGathering) this.behind.splice(place, 1);
    else this.behind[place] = null;
  }

  override awaitClient(): void {
    super.awaitClient();
    this.sendAway(this.takeBehind());
  }

  override ended(): void {
    const others = this.takeBehind();
    super.ended();
    this.sendAway(others);
  }

  override closed(connection: Connection, errorCode: string | null): void {
    const others = this.takeBehind();
    super.closed(connection, errorCode);
    this.sendAway(others);
  }

  override expired(connection: Connection, kind: DeadlineKind): void {
    const others = this.takeBehind();
    if (kind === "head-of-line") connection.deadline("server", this.route.config.timeouts.serverMs);
    else super.expired(connection, kind);
    this.sendAway(others);
  }

  protected override receivedHead(exchange: Exchange, bytes: Uint8Array, start: number, end: number): void {
    super.receivedHead(exchange, bytes, start, end);
    // Only interim responses have come.
    if (this.awaitsHead) this.watchFront();
  }

  protected override goOn(exchange: Exchange): void {
    if (this.framer.dataLeft > mostLeftBytes) this.sendAway(this.takeBehind());
    else this.watchFront();
    super.goOn(exchange);
  }

  protected override finish(
    exchange: Exchange,
    keepAlive: boolean,
    bytes: Uint8Array,
    at: number,
    end: number,
  ): void {
    if (this.behind.length === 0) {
      super.finish(exchange, keepAlive && !this.isSpoilt, bytes, at, end);
      return;
    }
    const next = keepAlive ? this.behind[0] : null;
    if (next === null) {
      const others = this.takeBehind(keepAlive);
      exchange.responseDone(this, false);
      this.sendAway(others);
      return;
    }
    this.behind.shift();
    this.expectResponse(next);
    if (this.behind.length > 0) this.comesToFront();
    else this.connection.deadline("server", this.route.config.timeouts.serverMs);
    exchange.responseDone(this, true, true);
    if (at < end && this.exchange === next) this.receivedHead(next, bytes, at, end);
  }

  protected override dropFromPool(): void {
    if (!this.isGathering) {
      super.dropFromPool();
      return;
    }
    const others = this.takeBehind();
    this.isGathering = false;
    this.pipelines.lost(this);
    this.route.counters.idleConnections(this.server, -1);
    this.sendAway(others);
  }

  /** Somebody is at the front, with others behind. */
  private comesToFront(): void {
    this.frontSinceMs = this.route.engine.now();
    this.connection.deadline("head-of-line", headOfLineMs);
  }

  /** The exchange has given the server new time; those behind have no more than they had. */
  private watchFront(): void {
    if (this.behind.length === 0) return;
    const leftMs = this.frontSinceMs + headOfLineMs - this.route.engine.now();
    if (leftMs <= 0) this.sendAway(this.takeBehind());
    else this.connection.deadline("head-of-line", leftMs);
  }

  /** Those who shall not wait here any longer. `isNobodysFault`: the server may go on getting several requests at once. */
  private takeBehind(isNobodysFault = false): (Exchange | null)[] {
    const { behind } = this;
    if (behind.length === 0) return behind;
    this.behind = [];
    if (this.isGathering) return behind;
    this.isSpoilt = true;
    if (!isNobodysFault) this.pipelines.suspend(this.server);
    return behind;
  }

  private sendAway(others: readonly (Exchange | null)[]): void {
    for (const exchange of others) exchange?.leftBehind();
  }
}
