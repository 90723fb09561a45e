import { Agent, get } from "node:http";
import { sleep } from "../../../lab/clock.js";

/** What clients saw of a proxy that something else was done to meanwhile. */
export interface Seen {
  readonly answers: number;
  /** By status or error. */
  readonly failed: Readonly<Record<string, number>>;
  /** Ms of the answers, sorted. */
  readonly times: readonly number[];
}

/** Clients that ask one request after the other over kept connections, until they are told to stop. */
export class Clients {
  private readonly agent: Agent;
  private readonly running: Promise<void>[];
  private readonly times: number[] = [];
  private readonly failed: Record<string, number> = {};
  private goesOn = true;

  constructor(
    private readonly port: number,
    count: number,
    private readonly restMs: number,
  ) {
    this.agent = new Agent({ keepAlive: true, maxSockets: count });
    this.running = Array.from({ length: count }, () => this.run());
  }

  get answers(): number {
    return this.times.length;
  }

  async stop(): Promise<Seen> {
    this.goesOn = false;
    await Promise.all(this.running);
    this.agent.destroy();
    return { answers: this.times.length, failed: this.failed, times: [...this.times].sort((a, b) => a - b) };
  }

  private async run(): Promise<void> {
    while (this.goesOn) {
      const startMs = performance.now();
      const result = await this.ask();
      if (result === 200) this.times.push(performance.now() - startMs);
      else this.failed[result] = (this.failed[result] ?? 0) + 1;
      if (this.restMs > 0) await sleep(this.restMs);
    }
  }

  private ask(): Promise<number | string> {
    return new Promise((resolve) => {
      const request = get({ port: this.port, host: "127.0.0.1", agent: this.agent }, (response) => {
        response.resume();
        response.on("end", () => resolve(response.complete ? (response.statusCode ?? 0) : "cut"));
        response.on("error", () => resolve("cut"));
      });
      request.setTimeout(10_000, () => request.destroy(new Error("late")));
      request.on("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    });
  }
}

export const percentile = (sorted: readonly number[], part: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN;
