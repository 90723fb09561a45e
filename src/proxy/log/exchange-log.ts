import type { AccessLogConfig, LogTarget } from "../../config/log-config.js";
import { describeArrival, type FailedArrival, formatArrival } from "./failed-arrival.js";
import { describeRecord, formatLine } from "./log-line.js";
import type { LogRecord } from "./log-record.js";
import { Cause } from "./termination.js";

/** Takes lines for a target; nobody waits for them to be written. */
export interface LogSink {
  write(target: LogTarget, facility: AccessLogConfig["facility"], line: string): void;
}

/** How many connections and exchanges there are now, over all data threads. */
export interface SessionCounts {
  process(): number;
  frontend(): number;
  backend(): number;
  server(server: number): number;
}

export interface ExchangeLogOptions {
  /** null: no access log. */
  readonly config: AccessLogConfig | null;
  readonly sink: LogSink;
  readonly counts: SessionCounts;
  /** Writes into the daemon's own log, rate-limited; `isInAccessLog`: for the flight recorder alone, since the line of it is elsewhere. */
  readonly failed: (fields: Record<string, string | number>, message: string, isInAccessLog: boolean) => void;
  /** Name in the daemon's lines, such as `data-0`. */
  readonly thread: string;
  /** Wall clock minus the engine's, ms. */
  readonly epochOffsetMs: () => number;
  /** Local time minus UTC. */
  readonly offsetMinutes: () => number;
}

/**
 * Where a proxy's exchanges are told of when they are over: all of them in the access log, where there is one; without
 * one those that failed or were cut, in the daemon's log. The flight recorder hears of those that failed either way.
 */
export class ExchangeLog {
  /** Every exchange is to be told of, not only those that failed. */
  readonly isOn: boolean;

  constructor(private readonly options: ExchangeLogOptions) {
    this.isOn = options.config !== null;
  }

  get counts(): SessionCounts {
    return this.options.counts;
  }

  /** A time on the engine's clock as ms since the epoch. */
  epochMs(engineMs: number): number {
    return engineMs + this.options.epochOffsetMs();
  }

  /** A connection failed before anything could be asked over it. `isNull`: nothing came on it. */
  arrivalFailed(arrival: FailedArrival, isNull: boolean): void {
    const { config, sink, failed } = this.options;
    if (!isNull) failed(describeArrival(arrival), "connection failed", config !== null);
    if (config === null) return;
    if (isNull && config.dontLogNull) return;
    const line = formatArrival(config.format, arrival, this.options.offsetMinutes(), this.options.thread);
    for (const target of config.targets) sink.write(target, config.facility, line);
  }

  /** `isNull`: nothing came on the connection. `isByRule`: a rule has answered, which is no failure. */
  write(record: LogRecord, isNull = false, isByRule = false): void {
    const { config, sink, failed } = this.options;
    if (record.cause !== Cause.none && !isNull && !isByRule)
      failed(describeRecord(record), "request failed", config !== null);
    if (config === null) return;
    if ((isNull && config.dontLogNull) || (config.dontLogNormal && isNormal(record))) return;
    const line = formatLine(config.format, record, this.options.offsetMinutes(), this.options.thread);
    for (const target of config.targets) sink.write(target, config.facility, line);
  }
}

/** HAProxy's option dontlog-normal: no error, no time-out, no retry, no redispatch, no 5xx. */
function isNormal({ cause, retries, isRedispatched, status }: LogRecord): boolean {
  return cause === Cause.none && retries === 0 && !isRedispatched && status < 500;
}
