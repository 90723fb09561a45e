import type { MessagePort } from "node:worker_threads";
import type { LogBatch } from "../proxy/log/batches.js";
import type { ForStdout } from "./log.js";

/**
 * A data thread's way to the access logs: lines for stdout go where the daemon's own go, to the main thread, so that
 * nothing is written between two of them; all others to the log thread, over a port that no other thread hears.
 */
export class AccessLogChannel {
  /** `logThread` null: there is none at the moment. */
  constructor(
    private readonly mainThread: MessagePort | null,
    private logThread: MessagePort | null,
  ) {}

  /** Another log thread is there now. */
  connect(logThread: MessagePort): void {
    this.logThread?.close();
    this.logThread = logThread;
  }

  post(batch: LogBatch): void {
    if (batch.target.kind !== "stdout") this.logThread?.postMessage(batch);
    else this.mainThread?.postMessage({ kind: "access-log", text: batch.text } satisfies ForStdout);
  }
}
