import { setTimeout as delay } from "node:timers/promises";
import { ExitCode } from "../errors.js";
import type { Arguments } from "./arguments.js";
import { askDaemon, findSocket, notAllowed, trimAnswer } from "./ask-daemon.js";
import { awaitsPartners, hasMaster } from "./status-report.js";

/** Within that a partner has taken over, or none will. */
const drainLimitMs = 10_000;

/** Partners that are reached answer in milliseconds; those of before this version do so within a second. */
const partnersLimitMs = 1500;

/** `lb status`: what the running daemon says of itself. Throws LbError LB_NOT_RUNNING. Returns the exit code. */
export async function status(args: Arguments): Promise<number> {
  await showStatus(await findSocket(args), args);
  return ExitCode.ok;
}

/** Partners tell of their servers while somebody asks: the question that is answered is not the first one. */
async function showStatus(path: string, args: Arguments): Promise<void> {
  const deadlineMs = performance.now() + partnersLimitMs;
  let report = await askDaemon(path, "show vrrp json");
  while (awaitsPartners(report) && performance.now() < deadlineMs) {
    await delay(50);
    report = await askDaemon(path, "show vrrp json");
  }
  process.stdout.write(trimAnswer(args.json ? report : await askDaemon(path, "show vrrp")));
}

/**
 * `lb drain` and `lb drain --undo`: hands mastership over, waits until that is done, and says how it went. Exit code 1:
 * this node is still master, because nobody took over.
 */
export async function drain(args: Arguments): Promise<number> {
  const path = await findSocket(args);
  const said = trimAnswer(await askDaemon(path, args.undo ? "undrain" : "drain"));
  if (/^Permission denied/.test(said)) throw notAllowed();
  if (!args.json) process.stdout.write(said);
  if (args.undo) {
    if (args.json) await showStatus(path, args);
    return ExitCode.ok;
  }
  const deadlineMs = performance.now() + drainLimitMs;
  while (hasMaster(await askDaemon(path, "show vrrp json"))) {
    if (performance.now() > deadlineMs) {
      await showStatus(path, args);
      console.error("lb: this node is still master: nobody else took over");
      return ExitCode.fatal;
    }
    await delay(200);
  }
  await showStatus(path, args);
  return ExitCode.ok;
}
