import { connect } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { describeProblem } from "../config/problem.js";
import { ExitCode, LbError } from "../errors.js";
import type { Arguments } from "./arguments.js";
import { readConfiguration } from "./configuration.js";

const answerLimitMs = 5000;
/** Within that a partner has taken over, or none will. */
const drainLimitMs = 10_000;

/** `lb status`: what the running daemon says of itself. Throws LbError LB_NOT_RUNNING. Returns the exit code. */
export async function status(args: Arguments): Promise<number> {
  const path = await socketPath(args);
  if (path === null) return ExitCode.config;
  process.stdout.write(trim(await ask(path, args.json ? "show vrrp json" : "show vrrp")));
  return ExitCode.ok;
}

/**
 * `lb drain` and `lb drain --undo`: hands mastership over, waits until that is done, and says how it went. Exit code 1:
 * this node is still master, because nobody took over.
 */
export async function drain(args: Arguments): Promise<number> {
  const path = await socketPath(args);
  if (path === null) return ExitCode.config;
  process.stdout.write(trim(await ask(path, args.undo ? "undrain" : "drain")));
  if (args.undo) return ExitCode.ok;
  const deadlineMs = Date.now() + drainLimitMs;
  while (await isMaster(path)) {
    if (Date.now() > deadlineMs) {
      process.stdout.write(trim(await ask(path, "show vrrp")));
      console.error("lb: this node is still master: nobody else took over");
      return ExitCode.fatal;
    }
    await delay(200);
  }
  process.stdout.write(trim(await ask(path, "show vrrp")));
  return ExitCode.ok;
}

async function isMaster(path: string): Promise<boolean> {
  const answer: unknown = JSON.parse(await ask(path, "show vrrp json"));
  const instances: unknown = typeof answer === "object" && answer !== null ? Reflect.get(answer, "vrrp") : [];
  return (
    Array.isArray(instances) &&
    instances.some((instance: unknown) => {
      return typeof instance === "object" && instance !== null && Reflect.get(instance, "state") === "MASTER";
    })
  );
}

async function socketPath(args: Arguments): Promise<string | null> {
  const { config, problems } = await readConfiguration(args);
  if (config === null) {
    for (const problem of problems) console.error(describeProblem(problem));
    return null;
  }
  if (config.statsSocket !== null) return config.statsSocket.path;
  throw new LbError(
    "LB_NOT_RUNNING",
    "the configuration has no stats socket, so there is nobody to ask",
    "give stats_socket: a path, or name the running daemon's with --stats-socket",
  );
}

/** One line to the stats socket, and all of its answer. */
function ask(path: string, line: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const fail = (reason: string): void => {
      socket.destroy();
      reject(
        new LbError(
          "LB_NOT_RUNNING",
          `nobody answers on the stats socket ${path} (${reason})`,
          "start lb, or name its socket with --stats-socket or --config",
        ),
      );
    };
    const socket = connect(path);
    let answer = "";
    socket.setEncoding("utf8");
    socket.setTimeout(answerLimitMs, () => fail("no answer in time"));
    socket.on("connect", () => socket.write(`${line}\n`));
    socket.on("data", (text: string) => {
      answer += text;
    });
    socket.on("error", (error: NodeJS.ErrnoException) => fail(error.code ?? error.message));
    socket.on("end", () => resolve(answer));
  });
}

/** Without the empty line that ends an answer of the socket. */
function trim(answer: string): string {
  return `${answer.trimEnd()}\n`;
}
