import { createSocket, type Socket } from "node:dgram";
import { closeSync, fstatSync, openSync, statSync, write } from "node:fs";
import { facilities } from "../config/log-config.js";
import type { LogBatch } from "../proxy/log/batches.js";
import { syslogDate } from "../proxy/log/log-line.js";
import { LineWriter } from "./line-writer.js";
import { UnixDatagramSocket, unixAddress } from "./unix-datagram.js";

/** What waits for a slow disk; lines beyond it are dropped and counted. */
const longestQueueBytes = 16 << 20;
/** What waits for the network, in datagrams. */
const longestDatagramQueue = 10_000;
/** A file that could not be opened is tried again after so long, and one that was moved away is noticed. */
const lookEveryMs = 1_000;
/** RFC 3164's severity "informational", HAProxy's level for traffic. */
const informational = 6;

/** Hears once when a target cannot be written to, and once when it can again. */
export type TargetNews = (target: string, reason: string | null) => void;

/** Writes the batches of one target. */
export interface TargetWriter {
  write(batch: LogBatch): void;
  /** Resolves when nothing waits any more. */
  idle(): Promise<void>;
  close(): void;
}

export function openTarget(batch: LogBatch, news: TargetNews): TargetWriter {
  const { target } = batch;
  switch (target.kind) {
    case "file":
      return new FileTarget(target.path, news);
    case "udp":
      return new UdpTarget(target.host, target.port, news);
    case "unix":
      return new UnixTarget(target.path, news);
    case "stdout":
      throw new Error("lines for stdout go to the main thread");
  }
}

/** Tells of the first failure and of the first success after it. */
class Condition {
  private isBroken = false;

  constructor(
    private readonly target: string,
    private readonly news: TargetNews,
  ) {}

  broken(reason: string): void {
    if (!this.isBroken) this.news(this.target, reason);
    this.isBroken = true;
  }

  works(): void {
    if (this.isBroken) this.news(this.target, null);
    this.isBroken = false;
  }
}

const reasonOf = (error: unknown): string => {
  const code: unknown = error instanceof Error ? Reflect.get(error, "code") : undefined;
  return typeof code === "string" ? code : String(error);
};

/** Appends to a file; when it was moved away or removed (logrotate), a new one is begun within a second. */
class FileTarget implements TargetWriter {
  private descriptor = -1;
  private writer: LineWriter | null = null;
  private readonly condition: Condition;
  private readonly timer: NodeJS.Timeout;

  constructor(
    private readonly path: string,
    news: TargetNews,
  ) {
    this.condition = new Condition(`file:${path}`, news);
    this.open();
    this.timer = setInterval(() => this.look(), lookEveryMs);
    this.timer.unref();
  }

  write({ text }: LogBatch): void {
    this.writer?.write(text);
  }

  idle(): Promise<void> {
    return this.writer?.idle() ?? Promise.resolve();
  }

  close(): void {
    clearInterval(this.timer);
    this.leave();
  }

  private open(): void {
    try {
      this.descriptor = openSync(this.path, "a", 0o640);
    } catch (error) {
      this.condition.broken(reasonOf(error));
      return;
    }
    this.condition.works();
    this.writer = new LineWriter(this.descriptor, longestQueueBytes, describeDropped, write, (error) => {
      if (error === null) this.condition.works();
      else this.condition.broken(reasonOf(error));
    });
  }

  private look(): void {
    if (this.writer === null) {
      this.open();
      return;
    }
    const own = fstatSync(this.descriptor);
    const there = statSync(this.path, { throwIfNoEntry: false });
    if (there !== undefined && there.ino === own.ino && there.dev === own.dev) return;
    this.leave();
    this.open();
  }

  /** What waits still goes into the old file. */
  private leave(): void {
    const { writer, descriptor } = this;
    this.writer = null;
    if (writer !== null) void writer.idle().then(() => closeSync(descriptor));
  }
}

function describeDropped(dropped: number): string {
  return `# ${dropped} lines were dropped: the disk did not take them\n`;
}

/** `<134>Nov 24 19:42:39 lb[4711]: `, RFC 3164 as HAProxy sends it, without a host name. */
export function syslogHeader(facility: LogBatch["facility"], epochMs: number, offsetMinutes: number): string {
  const priority = facilities.indexOf(facility) * 8 + informational;
  return `<${priority}>${syslogDate(epochMs, offsetMinutes)} lb[${process.pid}]: `;
}

function datagrams({ facility, text }: LogBatch): Buffer[] {
  const header = syslogHeader(facility, Date.now(), -new Date().getTimezoneOffset());
  return text
    .slice(0, -1)
    .split("\n")
    .map((line) => Buffer.from(`${header}${line}`));
}

class UdpTarget implements TargetWriter {
  private readonly socket: Socket;
  private readonly condition: Condition;
  private inFlight = 0;
  private waiting: (() => void)[] = [];

  constructor(
    private readonly host: string,
    private readonly port: number,
    news: TargetNews,
  ) {
    this.condition = new Condition(`${host}:${port}`, news);
    this.socket = createSocket(host.includes(":") ? "udp6" : "udp4");
    this.socket.on("error", (error) => this.condition.broken(reasonOf(error)));
    this.socket.unref();
  }

  write(batch: LogBatch): void {
    for (const datagram of datagrams(batch)) {
      if (this.inFlight >= longestDatagramQueue) {
        this.condition.broken("the network does not take them in time");
        return;
      }
      this.inFlight++;
      this.socket.send(datagram, this.port, this.host, (error) => {
        if (error === null) this.condition.works();
        else this.condition.broken(reasonOf(error));
        this.inFlight--;
        if (this.inFlight === 0) for (const resolve of this.waiting.splice(0)) resolve();
      });
    }
  }

  idle(): Promise<void> {
    if (this.inFlight === 0) return Promise.resolve();
    return new Promise((resolve) => this.waiting.push(resolve));
  }

  close(): void {
    this.socket.close();
  }
}

/** Syslog's own socket: a datagram that it does not take at once is lost, as HAProxy has it. */
class UnixTarget implements TargetWriter {
  private readonly socket = new UnixDatagramSocket();
  private readonly address: Uint8Array;
  private readonly condition: Condition;

  constructor(path: string, news: TargetNews) {
    this.address = unixAddress(path);
    this.condition = new Condition(path, news);
  }

  write(batch: LogBatch): void {
    try {
      for (const datagram of datagrams(batch)) this.socket.send(datagram, this.address);
      this.condition.works();
    } catch (error) {
      this.condition.broken(reasonOf(error));
    }
  }

  idle(): Promise<void> {
    return Promise.resolve();
  }

  close(): void {
    this.socket.close();
  }
}
