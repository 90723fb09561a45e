import { readlinkSync } from "node:fs";
import { type MessagePort, Worker } from "node:worker_threads";
import { type ForStdout, isForStdout, takeForStdout } from "./log.js";

/** A running thread, as its supervisor sees it. `Input` is what it is told. */
export interface ThreadHost<Input> {
  /** `ports` are those in the message: they are the thread's from now on. */
  post(message: Input, ports?: readonly MessagePort[]): void;
  /** Ends the thread wherever it is; `gone` follows. */
  terminate(): void;
}

/** What a thread tells. `gone` comes once and last, `reason` being one sentence without a full stop. */
export interface ThreadEvents<Output> {
  message(message: Output): void;
  gone(reason: string, error: Error | null): void;
}

/** Starts a worker thread on a module of this package; `ports` are those in `data`. What it logs is taken here. */
export function startThread<Input, Output>(
  name: string,
  entry: URL,
  data: object,
  events: ThreadEvents<Output>,
  ports: readonly MessagePort[] = [],
): ThreadHost<Input> {
  const worker = new Worker(entry, { name, workerData: data, transferList: [...ports] });
  let failure: Error | null = null;
  worker.on("message", (message: Output | ForStdout) => {
    if (isForStdout(message)) takeForStdout(message);
    else events.message(message);
  });
  worker.on("error", (error: unknown) => {
    failure = error instanceof Error ? error : new Error(String(error));
  });
  worker.on("exit", (code) => {
    events.gone(failure === null ? `it ended with code ${code}` : `it threw ${failure.message}`, failure);
  });
  return {
    post: (message, given = []) => worker.postMessage(message, given),
    terminate: () => void worker.terminate(),
  };
}

/** Identifies what a descriptor is open on, such as `socket:[4711]`; null when it is not open. */
export function describeDescriptor(descriptor: number): string | null {
  try {
    return readlinkSync(`/proc/self/fd/${descriptor}`);
  } catch {
    return null;
  }
}
