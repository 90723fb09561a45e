import { describeProblem, sentences } from "../config/problem.js";
import { version } from "../control/release.js";
import { ExitCode, exitCodeOf, LbError } from "../errors.js";
import { logConsole } from "../process/console-lines.js";
import { Daemon } from "../process/daemon.js";
import { createLog, flushLog, type Log } from "../process/log.js";
import { noCertificates } from "../proxy/tls/certificate.js";
import { Predecessor } from "../upgrade/predecessor.js";
import type { Arguments } from "./arguments.js";
import { readFullConfiguration } from "./configuration.js";
import { printError } from "./print-error.js";

/** How long a stopping daemon waits for somebody to read its last lines. */
const flushLimitMs = 1000;

/** `lb run`: the daemon in the foreground. Returns the exit code when it has ended. */
export async function run(args: Arguments): Promise<number> {
  // First of all: what is inherited must not be inherited again by a program that is started here.
  const predecessor = await Predecessor.meet(process.env, version);
  const { config, certificates, problems, warnings, from } = await readFullConfiguration(args).catch(
    (error: unknown) => {
      predecessor?.refuse(true, [error instanceof LbError ? describeError(error) : String(error)]);
      throw error;
    },
  );
  if (config === null) {
    predecessor?.refuse(true, problems.map(describeProblem));
    for (const problem of problems) console.error(describeProblem(problem));
    return ExitCode.config;
  }
  const log = createLog("main");
  logConsole(log);
  log.info({ version, pid: process.pid, node: process.version, config: from }, "starting");
  try {
    const daemon = new Daemon({
      config,
      certificates,
      configFrom: from,
      warnings,
      log,
      environment: process.env,
      reload: () => reload(args),
      predecessor,
    });
    process.on("uncaughtException", (error) => daemon.crash(error));
    const started = daemon.start().catch((error: unknown) => endStart(error, log, predecessor));
    const exitCode = await Promise.race([daemon.ended, started.then((code) => code ?? daemon.ended)]);
    if (daemon.failure !== null) printError(daemon.failure);
    return exitCode;
  } catch (error) {
    return endStart(error, log, predecessor);
  } finally {
    await leaveLog();
  }
}

/** A start that failed: the fatal line of the log, the line for the terminal, and the exit code. */
function endStart(error: unknown, log: Log, predecessor: Predecessor | null): number {
  if (error instanceof LbError) predecessor?.refuse(false, [describeError(error)]);
  if (error instanceof LbError) log.fatal({ code: error.code, advice: error.advice }, error.message);
  else log.fatal({ err: error }, "internal error at the start");
  printError(error);
  return exitCodeOf(error);
}

function describeError({ code, message, advice }: LbError): string {
  return `${code}: ${sentences(message, advice)}`;
}

async function reload(args: Arguments): ReturnType<ConstructorParameters<typeof Daemon>[0]["reload"]> {
  try {
    return await readFullConfiguration(args);
  } catch (error) {
    if (!(error instanceof LbError)) throw error;
    const problem = { where: error.code, message: error.message, advice: error.advice };
    return { config: null, certificates: noCertificates, problems: [problem] };
  }
}

/**
 * With a stdout that nobody reads a thread of libuv's pool hangs in write(2), and `exit` would wait for it for ever.
 * Everything has been released by now.
 */
async function leaveLog(): Promise<void> {
  if (!(await flushLog(flushLimitMs))) process.kill(process.pid, "SIGKILL");
}
