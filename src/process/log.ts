import { setImmediate, setTimeout } from "node:timers/promises";
import { BroadcastChannel, isMainThread } from "node:worker_threads";
import { pino } from "pino";
import { LineWriter } from "./line-writer.js";
import { speakOn } from "./one-way-channel.js";

export type Log = pino.Logger;

/** Carries the other threads' lines to the main thread, which alone writes; those of access logs as an `AccessLogText`. */
export const logChannelName = "lb-log";

/** What waits for a reader of stdout; lines beyond it are dropped, and nothing ever waits for them. */
const longestQueueBytes = 4 << 20;

/** Lines for stdout that are none of the daemon's log: no level counts for them, and no recorder hears them. */
export interface AccessLogText {
  readonly access: string;
}

const levels = ["trace", "debug", "info", "warn", "error", "fatal", "silent"];
/** What the flight recorder hears of, whatever stdout is to show. */
const recordedLevel = "info";

function askedLevel(): string {
  const asked = process.env.LB_LOG_LEVEL;
  return asked !== undefined && levels.includes(asked) ? asked : recordedLevel;
}

/** Whether a line of the log is of `level` or above it. Pure: pino writes the level first. */
export function reaches(line: string, level: string): boolean {
  const word = /^\{"level":"([a-z]+)"/.exec(line)?.[1] ?? "fatal";
  return levels.indexOf(word) >= levels.indexOf(level);
}

/**
 * The log of one thread: JSON lines on stdout, with `level` as a word, `time` in ISO 8601 and `thread`.
 * `LB_LOG_LEVEL` says from which level on; info where it says nothing known. The flight recorder hears of more than stdout
 * shows where that is less than info.
 *
 * Writing never waits. One write at a time runs in libuv's pool, from the main thread, so a stdout that nobody reads
 * takes one of the pool's four threads and not those that netlink and DNS need. A thread that dies loses no line.
 */
export function createLog(thread: string): Log {
  const asked = askedLevel();
  return pino(
    {
      level: levels.indexOf(asked) < levels.indexOf(recordedLevel) ? asked : recordedLevel,
      base: { thread },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    isMainThread ? standardOutput() : toMainThread(),
  );
}

let output: LineWriter | null = null;
let listener: ((line: string) => void) | null = null;

/** Main thread: `hear` is told of every line of every thread's log, also of those that stdout does not show. */
export function listenToLog(hear: (line: string) => void): void {
  listener = hear;
}

function standardOutput(): { write(line: string): void } {
  const writer = output ?? openOutput();
  return { write: outlet(writer) };
}

/** A line's way: everything is heard, and what is asked for is shown. */
function outlet(writer: LineWriter): (line: string) => void {
  const asked = askedLevel();
  const showsAll = levels.indexOf(asked) <= levels.indexOf(recordedLevel);
  return (line) => {
    listener?.(line);
    if (showsAll || reaches(line, asked)) writer.write(line);
  };
}

function openOutput(): LineWriter {
  const writer = new LineWriter(1, longestQueueBytes, describeDropped);
  const show = outlet(writer);
  const channel = new BroadcastChannel(logChannelName);
  channel.onmessage = (event: unknown) => {
    const said: unknown = typeof event === "object" && event !== null ? Reflect.get(event, "data") : null;
    if (typeof said === "string") show(said);
    else if (isAccessLog(said)) writer.write(said.access);
  };
  channel.unref();
  output = writer;
  return writer;
}

function isAccessLog(said: unknown): said is AccessLogText {
  return typeof said === "object" && said !== null && typeof Reflect.get(said, "access") === "string";
}

function describeDropped(dropped: number): string {
  const time = new Date().toISOString();
  const msg = "log lines were dropped because nobody read stdout";
  return `${JSON.stringify({ level: "warn", time, thread: "main", dropped, msg })}\n`;
}

function toMainThread(): { write(line: string): void } {
  const channel = speakOn(logChannelName);
  return { write: (line) => channel.postMessage(line) };
}

/** Main thread: waits until stdout has taken every line, at most `limitMs`. False: nobody reads it. */
export async function flushLog(limitMs: number): Promise<boolean> {
  // The other threads' last messages come in on the next turns of the loop.
  for (let turn = 0; turn < 2; turn++) await setImmediate();
  if (output === null) return true;
  const written = output.idle().then(() => true);
  return Promise.race([written, setTimeout(limitMs, false)]);
}
