import { setImmediate, setTimeout } from "node:timers/promises";
import { isMainThread, parentPort } from "node:worker_threads";
import { pino } from "pino";
import { LineWriter } from "./line-writer.js";

export type Log = pino.Logger;

/** What waits for a reader of stdout; lines beyond it are dropped, and nothing ever waits for them. */
const longestQueueBytes = 4 << 20;

/** What another thread has for stdout: the main thread alone writes there, and gets it among the thread's other messages. */
export type ForStdout =
  | { readonly kind: "log-line"; readonly text: string }
  /** Lines that are none of the daemon's log: no level counts for them, and no recorder hears them. */
  | { readonly kind: "access-log"; readonly text: string }
  /** For the flight recorder alone. */
  | { readonly kind: "recorded"; readonly text: string };

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
  const level = levels.indexOf(asked) < levels.indexOf(recordedLevel) ? asked : recordedLevel;
  return writeLines(thread, level, isMainThread ? outlet(standardOutput()) : toMainThread("log-line"));
}

/** Of a thread that is not the main one: lines that the flight recorder hears and stdout does not show. */
export function createRecordedLog(thread: string): Log {
  return writeLines(thread, recordedLevel, toMainThread("recorded"));
}

function writeLines(thread: string, level: string, write: (line: string) => void): Log {
  return pino(
    {
      level,
      base: { thread },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    { write },
  );
}

let output: LineWriter | null = null;
let listener: ((line: string) => void) | null = null;

/** Main thread: `hear` is told of every line of every thread's log, also of those that stdout does not show. */
export function listenToLog(hear: (line: string) => void): void {
  listener = hear;
}

function standardOutput(): LineWriter {
  output ??= new LineWriter(1, longestQueueBytes, describeDropped);
  return output;
}

/** Main thread: whether a thread's message is for stdout and no business of its supervisor's. */
export function isForStdout(message: unknown): message is ForStdout {
  const kind: unknown = typeof message === "object" && message !== null ? Reflect.get(message, "kind") : null;
  return kind === "log-line" || kind === "access-log" || kind === "recorded";
}

let show: ((line: string) => void) | null = null;

/** Main thread: takes what another thread has for stdout. */
export function takeForStdout({ kind, text }: ForStdout): void {
  if (kind === "access-log") {
    standardOutput().write(text);
    return;
  }
  if (kind === "recorded") {
    listener?.(text);
    return;
  }
  show ??= outlet(standardOutput());
  show(text);
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

function describeDropped(dropped: number): string {
  const time = new Date().toISOString();
  const msg = "log lines were dropped because nobody read stdout";
  return `${JSON.stringify({ level: "warn", time, thread: "main", dropped, msg })}\n`;
}

function toMainThread(kind: "log-line" | "recorded"): (text: string) => void {
  return (text) => parentPort?.postMessage({ kind, text } satisfies ForStdout);
}

/** Main thread: waits until stdout has taken every line, at most `limitMs`. False: nobody reads it. */
export async function flushLog(limitMs: number): Promise<boolean> {
  // The other threads' last messages come in on the next turns of the loop.
  for (let turn = 0; turn < 2; turn++) await setImmediate();
  if (output === null) return true;
  const written = output.idle().then(() => true);
  return Promise.race([written, setTimeout(limitMs, false)]);
}
