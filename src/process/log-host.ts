import { setTimeout as delay } from "node:timers/promises";
import { MessageChannel, type MessagePort } from "node:worker_threads";
import type { Config } from "../config/config.js";
import type { Log } from "./log.js";
import type { FromLogThread, ToLogThread } from "./messages.js";
import { startThread, type ThreadHost } from "./thread-host.js";

const entry = new URL("./log-thread.js", import.meta.url);

/** It dies of nothing but faults of its own; then it is started again, not in a circle. */
const restartAfterMs = 1_000;

/** Whether access logs go anywhere but to stdout, which is the main thread's. */
const needsThread = ({ proxies }: Config): boolean =>
  proxies.some(({ log }) => log?.targets.some(({ kind }) => kind !== "stdout") === true);

/** The log thread of this process: started with the first configuration that needs it, there until the end. */
export class LogHost {
  private thread: ThreadHost<ToLogThread> | null = null;
  private isReady: Promise<void> = Promise.resolve();
  private written: (() => void)[] = [];

  /** `onStarted`: data threads that are there need a new port to it, each by `connect`. */
  constructor(
    private readonly log: Log,
    private readonly onStarted: () => void,
  ) {}

  /** Resolves when it reads; at once where nothing is written by it. */
  ensure(config: Config): Promise<void> {
    if (this.thread === null && needsThread(config)) this.start();
    return this.isReady;
  }

  /**
   * A port for one data thread, which says `LogBatch`es there; what it says before the log thread listens waits. Null: there is
   * no log thread at the moment.
   */
  connect(): MessagePort | null {
    if (this.thread === null) return null;
    const { port1, port2 } = new MessageChannel();
    this.thread.post({ kind: "hear", port: port1 }, [port1]);
    return port2;
  }

  /** Waits until every line is written, at most `limitMs`. */
  async flush(limitMs: number): Promise<void> {
    const { thread } = this;
    if (thread === null) return;
    const written = new Promise<void>((resolve) => this.written.push(resolve));
    thread.post({ kind: "write" });
    await Promise.race([written, delay(limitMs, undefined, { ref: false })]);
  }

  private start(): void {
    let ready = (): void => {};
    this.isReady = new Promise((resolve) => {
      ready = resolve;
    });
    const nothingIsAwaited = (): void => {
      for (const resolve of this.written.splice(0)) resolve();
    };
    this.thread = startThread<ToLogThread, FromLogThread>(
      "log",
      entry,
      {},
      {
        message: ({ kind }) => {
          if (kind === "ready") ready();
          else nothingIsAwaited();
        },
        gone: (reason, error) => {
          this.log.error({ event: "thread", reason, ...(error && { err: error }) }, "log thread died");
          this.thread = null;
          ready();
          nothingIsAwaited();
          setTimeout(() => {
            if (this.thread === null) this.start();
          }, restartAfterMs).unref();
        },
      },
    );
    this.onStarted();
  }
}
