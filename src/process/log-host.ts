import { setTimeout as delay } from "node:timers/promises";
import type { Config } from "../config/config.js";
import type { Log } from "./log.js";
import { startThread, type ThreadHost } from "./thread-host.js";

const entry = new URL("./log-thread.js", import.meta.url);

/** It dies of nothing but faults of its own; then it is started again, not in a circle. */
const restartAfterMs = 1_000;

/** Whether access logs go anywhere but to stdout, which is the main thread's. */
const needsThread = ({ proxies }: Config): boolean =>
  proxies.some(({ log }) => log?.targets.some(({ kind }) => kind !== "stdout") === true);

/** The log thread of this process: started with the first configuration that needs it, there until the end. */
export class LogHost {
  private thread: ThreadHost<"write"> | null = null;
  private isReady: Promise<void> = Promise.resolve();
  private written: (() => void)[] = [];

  constructor(private readonly log: Log) {}

  /** Resolves when it reads; at once where nothing is written by it. */
  ensure(config: Config): Promise<void> {
    if (this.thread === null && needsThread(config)) this.start();
    return this.isReady;
  }

  /** Waits until every line is written, at most `limitMs`. */
  async flush(limitMs: number): Promise<void> {
    const { thread } = this;
    if (thread === null) return;
    const written = new Promise<void>((resolve) => this.written.push(resolve));
    thread.post("write");
    await Promise.race([written, delay(limitMs, undefined, { ref: false })]);
  }

  private start(): void {
    let ready = (): void => {};
    this.isReady = new Promise((resolve) => {
      ready = resolve;
    });
    this.thread = startThread<"write", "ready" | "written">(
      "log",
      entry,
      {},
      {
        message: (message) => {
          if (message === "ready") ready();
          else for (const resolve of this.written.splice(0)) resolve();
        },
        gone: (reason, error) => {
          this.log.error({ event: "thread", reason, ...(error && { err: error }) }, "log thread died");
          ready();
          for (const resolve of this.written.splice(0)) resolve();
          setTimeout(() => this.start(), restartAfterMs).unref();
        },
      },
    );
  }
}
