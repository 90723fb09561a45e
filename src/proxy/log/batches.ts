import type { AccessLogConfig, LogTarget } from "../../config/log-config.js";
import type { LogSink } from "./exchange-log.js";

/** Lines that go the same way, in one piece. */
export interface LogBatch {
  readonly target: LogTarget;
  readonly facility: AccessLogConfig["facility"];
  /** Each with its newline. */
  readonly text: string;
}

/** A batch leaves when it is so long, or at the next `flush`. */
const longestBatch = 32_768;

/**
 * Collects the lines of one data thread: a message to another thread costs more than a line, so that one carries many of
 * them. Pure: the owner flushes some times a second.
 */
export class LogBatches implements LogSink {
  private readonly waiting: {
    readonly target: LogTarget;
    readonly facility: AccessLogConfig["facility"];
    text: string;
  }[] = [];

  constructor(private readonly post: (batch: LogBatch) => void) {}

  write(target: LogTarget, facility: AccessLogConfig["facility"], line: string): void {
    // One object stands for a target throughout the configuration's life.
    let batch = this.waiting.find((one) => one.target === target);
    if (batch === undefined) {
      batch = { target, facility, text: "" };
      this.waiting.push(batch);
    }
    batch.text += `${line}\n`;
    if (batch.text.length >= longestBatch) this.send(batch);
  }

  flush(): void {
    for (const batch of this.waiting) if (batch.text !== "") this.send(batch);
  }

  private send(batch: {
    readonly target: LogTarget;
    readonly facility: AccessLogConfig["facility"];
    text: string;
  }): void {
    const { target, facility, text } = batch;
    batch.text = "";
    this.post({ target, facility, text });
  }
}
