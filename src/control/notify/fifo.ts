import { spawnSync } from "node:child_process";
import { closeSync, constants, fstatSync, openSync, writeSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import type { FifoConfig } from "../../config/tracking-config.js";
import type { ControlLog } from "../control.js";
import { type RunningCommand, runCommand } from "../track/run-command.js";

/** A pipe that nobody empties takes 64 KiB; then a line waits so long for room before it is given up. */
const patienceMs = 5000;
const againMs = 50;
const restartMs = 1000;

/** `notify_fifo`: a line for each transition, for whoever reads it, and the `notify_fifo_script` that does. */
export class Fifo {
  private descriptor: number | null = null;
  private reader: RunningCommand | null = null;
  private restart: NodeJS.Timeout | null = null;
  private isClosed = false;

  constructor(
    private readonly config: FifoConfig,
    private readonly log: ControlLog,
  ) {}

  /** Makes the FIFO if it is missing. Never throws: what is wrong is logged, and tried again with the next line. */
  open(): void {
    if (this.descriptor !== null) return;
    const { path } = this.config;
    try {
      this.descriptor = openFifo(path);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      const advice = "check the path and its permissions";
      this.log.error({ code: "LB_NOTIFY_FIFO", reason, advice }, `the FIFO ${path} cannot be opened`);
      return;
    }
    if (this.reader === null) this.startReader();
  }

  /** Lines that find no room after a while are given up, and said so. */
  async write(line: string): Promise<void> {
    this.open();
    const deadlineMs = performance.now() + patienceMs;
    while (this.descriptor !== null) {
      try {
        writeSync(this.descriptor, line);
        return;
      } catch (error) {
        const code = error instanceof Error && "code" in error ? String(error.code) : String(error);
        if (code !== "EAGAIN" || performance.now() >= deadlineMs || this.isClosed) {
          const fields = { code: "LB_NOTIFY_FIFO", reason: code, line: line.trim() };
          this.log.error(fields, `nobody reads the FIFO ${this.config.path}: a line was given up`);
          return;
        }
      }
      await delay(againMs);
    }
  }

  close(): void {
    this.isClosed = true;
    clearTimeout(this.restart ?? undefined);
    this.reader?.end();
    if (this.descriptor !== null) closeSync(this.descriptor);
    this.descriptor = null;
  }

  private startReader(): void {
    const { path, script } = this.config;
    if (script === null || this.isClosed) return;
    const reader = runCommand([...script.script, path], script.user, null);
    this.reader = reader;
    void reader.ended.then(({ reason }) => {
      if (this.isClosed) return;
      this.log.warn(
        { script: script.script, reason },
        "the reader of the FIFO has ended and is started again",
      );
      this.restart = setTimeout(() => this.startReader(), restartMs);
    });
  }
}

/** Read and write, so that it opens without a reader, and lines wait for one; as keepalived does. */
function openFifo(path: string): number {
  const flags = constants.O_RDWR | constants.O_NONBLOCK | constants.O_NOFOLLOW;
  let descriptor: number;
  try {
    descriptor = openSync(path, flags);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
    // Node has no mkfifo; the command is part of every Debian.
    const made = spawnSync("mkfifo", ["-m", "600", path], { encoding: "utf8" });
    if (made.status !== 0) throw new Error(made.stderr?.trim() || String(made.error ?? "mkfifo failed"));
    descriptor = openSync(path, flags);
  }
  if (fstatSync(descriptor).isFIFO()) return descriptor;
  closeSync(descriptor);
  throw new Error("it is there, and no FIFO");
}
