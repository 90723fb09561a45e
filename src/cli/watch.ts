import { setTimeout as delay } from "node:timers/promises";
import { parseDuration } from "../config/duration.js";
import type { NodeReport } from "../control/show-node.js";
import { ExitCode, LbError } from "../errors.js";
import { type Change, changesOf } from "../flight/changes.js";
import { parseFlight } from "../flight/recorder.js";
import type { Arguments } from "./arguments.js";
import { askDaemon, findSocket, parseAnswer } from "./ask-daemon.js";
import { parseNodeReport } from "./node-report.js";
import { renderWatch } from "./watch-view.js";

/** The other screen of the terminal, and no cursor; and back. */
const enter = "\u001b[?1049h\u001b[?25l";
const leave = "\u001b[?25h\u001b[?1049l";
const home = "\u001b[H";
const clearLine = "\u001b[K";
const clearBelow = "\u001b[J";

const shortestIntervalMs = 100;

/** `lb watch`: until q, Ctrl-C or SIGTERM. Throws LbError LB_USAGE, LB_NOT_RUNNING. */
export async function watch(args: Arguments): Promise<number> {
  const intervalMs = readInterval(args.interval ?? "1s");
  const path = await findSocket(args);
  const report = async (): Promise<NodeReport> =>
    parseAnswer(await askDaemon(path, "show node"), parseNodeReport);
  const first = await report();
  if (args.json) return watchJson(first, report, intervalMs, args.once === true);
  // What happened, also before somebody looked, is in the flight recorder.
  const changes = async (): Promise<Change[]> => {
    const flight = parseFlight((await askDaemon(path, "show flight changes", 30_000)).trim());
    return flight === null ? [] : changesOf(flight);
  };
  let told = await changes();
  const { stdout } = process;
  const picture = (of: NodeReport): string[] =>
    renderWatch(of, told, {
      columns: stdout.columns ?? 120,
      rows: args.once ? 1000 : (stdout.rows ?? 50),
      colours: stdout.isTTY === true && process.env.NO_COLOR === undefined,
    });
  if (args.once || !stdout.isTTY) {
    stdout.write(`${picture(first).join("\n")}\n`);
    return ExitCode.ok;
  }
  const stop = new AbortController();
  const listening = listenForEnd(stop);
  stdout.write(enter);
  try {
    let last = first;
    while (!stop.signal.aborted) {
      let lines: string[];
      try {
        last = await report();
        told = await changes();
        lines = picture(last);
      } catch (error) {
        if (!(error instanceof LbError)) throw error;
        // A daemon that is being restarted comes back.
        lines = [...picture(last).slice(0, -2), "", `${error.message}`];
      }
      stdout.write(`${home}${lines.map((line) => `${line}${clearLine}`).join("\r\n")}${clearBelow}`);
      await delay(intervalMs, undefined, { signal: stop.signal }).catch(() => {});
    }
  } finally {
    listening.end();
    stdout.write(leave);
  }
  return ExitCode.ok;
}

async function watchJson(
  first: NodeReport,
  report: () => Promise<NodeReport>,
  intervalMs: number,
  once: boolean,
): Promise<number> {
  for (let next = first; ; next = await report()) {
    process.stdout.write(`${JSON.stringify(next)}\n`);
    if (once) return ExitCode.ok;
    await delay(intervalMs);
  }
}

function listenForEnd(stop: AbortController): { end(): void } {
  const { stdin } = process;
  const onKey = (key: Buffer): void => {
    // q, Ctrl-C, Ctrl-D
    if (["q", "\u0003", "\u0004"].includes(key.toString())) stop.abort();
  };
  const onSignal = (): void => stop.abort();
  if (stdin.isTTY) stdin.setRawMode(true);
  stdin.on("data", onKey);
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, onSignal);
  return {
    end: () => {
      if (stdin.isTTY) stdin.setRawMode(false);
      stdin.off("data", onKey);
      stdin.pause();
      for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.off(signal, onSignal);
    },
  };
}

function readInterval(text: string): number {
  const result = parseDuration(text, null);
  if (!result.ok) throw new LbError("LB_USAGE", `--interval: ${result.message}`, result.advice);
  return Math.max(shortestIntervalMs, result.value);
}
