import { setTimeout as delay } from "node:timers/promises";
import { ExitCode } from "../errors.js";
import type { Arguments } from "./arguments.js";
import { askDaemon, findSocket, notAllowed, trimAnswer } from "./ask-daemon.js";

/** Within that a partner has taken over, or none will. */
const drainLimitMs = 10_000;

/** `lb status`: what the running daemon says of itself. Throws LbError LB_NOT_RUNNING. Returns the exit code. */
export async function status(args: Arguments): Promise<number> {
  const path = await findSocket(args);
  process.stdout.write(trimAnswer(await askDaemon(path, args.json ? "show vrrp json" : "show vrrp")));
  return ExitCode.ok;
}

/**
 * `lb drain` and `lb drain --undo`: hands mastership over, waits until that is done, and says how it went. Exit code 1:
 * this node is still master, because nobody took over.
 */
export async function drain(args: Arguments): Promise<number> {
  const path = await findSocket(args);
  const said = trimAnswer(await askDaemon(path, args.undo ? "undrain" : "drain"));
  if (/^Permission denied/.test(said)) throw notAllowed();
  const show = async (): Promise<void> => {
    process.stdout.write(trimAnswer(await askDaemon(path, args.json ? "show vrrp json" : "show vrrp")));
  };
  if (!args.json) process.stdout.write(said);
  if (args.undo) {
    if (args.json) await show();
    return ExitCode.ok;
  }
  const deadlineMs = Date.now() + drainLimitMs;
  while (await isMaster(path)) {
    if (Date.now() > deadlineMs) {
      await show();
      console.error("lb: this node is still master: nobody else took over");
      return ExitCode.fatal;
    }
    await delay(200);
  }
  await show();
  return ExitCode.ok;
}

async function isMaster(path: string): Promise<boolean> {
  const answer: unknown = JSON.parse(await askDaemon(path, "show vrrp json"));
  const instances: unknown = typeof answer === "object" && answer !== null ? Reflect.get(answer, "vrrp") : [];
  return (
    Array.isArray(instances) &&
    instances.some((instance: unknown) => {
      return typeof instance === "object" && instance !== null && Reflect.get(instance, "state") === "MASTER";
    })
  );
}
