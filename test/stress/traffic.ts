import { type Outcome, playConnection } from "./client.js";
import { planForHaproxy } from "./haproxy-differences.js";
import { judgeConnection, type Peer } from "./judge.js";
import { malformedNames } from "./malformed.js";
import { type ConnectionPlan, type ExchangePlan, planConnection } from "./plan.js";
import { type Book, PlannedServer } from "./server.js";

export interface Mismatch {
  readonly connection: number;
  readonly exchange: ExchangePlan;
  readonly plan: ConnectionPlan;
  readonly outcome: Outcome;
  readonly problem: string;
}

export interface Report {
  requests: number;
  connections: number;
  /** Exchanges by what was special about them. */
  readonly specials: Map<string, number>;
  /** HAProxy's listed differences, by name. */
  readonly listed: Map<string, number>;
  readonly mismatches: Mismatch[];
}

export interface TrafficOptions {
  readonly seed: number;
  /** The first connection's index; the traffic goes on from there. */
  readonly from: number;
  readonly requests: number;
  /** Connections at a time. */
  readonly concurrency: number;
  readonly peer: Peer;
  /** Stops early when it gives true. */
  readonly stop?: () => boolean;
}

/** Two planned servers and clients that follow the plans: the world around a proxy. */
export class Traffic {
  readonly servers: readonly PlannedServer[];
  readonly #book: Book;

  private constructor(book: Book, servers: readonly PlannedServer[]) {
    this.#book = book;
    this.servers = servers;
  }

  static async start(seed: number): Promise<Traffic> {
    const book: Book = new Map();
    return new Traffic(book, [await PlannedServer.start(book, seed), await PlannedServer.start(book, seed)]);
  }

  get serverPorts(): number[] {
    return this.servers.map(({ port }) => port);
  }

  get serverConnections(): number {
    return this.servers.reduce((sum, { connections }) => sum + connections, 0);
  }

  stop(): void {
    for (const server of this.servers) server.stop();
  }

  /** Plays connections, one index after the other, until so many requests are asked. */
  async run(port: number, options: TrafficOptions): Promise<Report> {
    const report: Report = {
      requests: 0,
      connections: 0,
      specials: new Map(),
      listed: new Map(),
      mismatches: [],
    };
    let next = options.from;
    const lane = async (): Promise<void> => {
      while (report.requests < options.requests && options.stop?.() !== true) {
        const planned = planConnection(options.seed, next++, malformedNames);
        const plan = options.peer === "haproxy" ? planForHaproxy(planned) : planned;
        report.requests += plan.exchanges.length;
        report.connections += 1;
        await this.playOne(port, plan, options, report);
      }
    };
    await Promise.all(Array.from({ length: options.concurrency }, lane));
    for (const server of this.servers) {
      for (const fault of server.faults.splice(0)) report.mismatches.push(serverFault(fault));
    }
    return report;
  }

  async playOne(
    port: number,
    plan: ConnectionPlan,
    { seed, peer }: Pick<TrafficOptions, "seed" | "peer">,
    report: Report,
  ): Promise<void> {
    for (const exchange of plan.exchanges) this.#book.set(exchange.id, { exchange, asked: 0 });
    const outcomes = await playConnection(plan, port, seed);
    for (const { id, special } of plan.exchanges) {
      this.#book.delete(id);
      count(report.specials, special);
    }
    for (const { exchange, outcome, problem, listed } of judgeConnection(plan, outcomes, peer)) {
      if (listed !== null) count(report.listed, listed);
      else report.mismatches.push({ connection: plan.index, exchange, plan, outcome, problem });
    }
  }
}

function count(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

function serverFault(problem: string): Mismatch {
  const plan = planConnection(0, 0, malformedNames);
  const outcome: Outcome = { status: 0, body: "none", bytes: 0, right: true, uploaded: "", wrong: problem };
  return { connection: -1, exchange: plan.exchanges[0], plan, outcome, problem: `at a server: ${problem}` };
}

export function describeMismatch({ connection, exchange, plan, outcome, problem }: Mismatch): string {
  const place = plan.exchanges.indexOf(exchange) + 1;
  const how = [
    plan.cut === "whole" ? "" : `written in ${plan.cut}`,
    plan.pipelined ? "pipelined" : "",
    plan.slowReadMs > 0 ? `read slowly (${plan.slowReadMs} ms)` : "",
    plan.ending,
    plan.abort === null ? "" : `abort at ${plan.abort.where}`,
  ].filter((text) => text !== "");
  return (
    `connection ${connection}, exchange ${place} of ${plan.exchanges.length}: ${problem}\n` +
    `    ${exchange.method} HTTP/1.${exchange.versionMinor} ${exchange.special} ${exchange.malformed ?? ""} ` +
    `upload ${JSON.stringify(exchange.upload)} answer ${JSON.stringify(exchange.answer)}\n` +
    `    client: ${how.join(", ")}\n` +
    `    saw: ${JSON.stringify(outcome)}`
  );
}
