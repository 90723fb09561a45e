import { ExitCode } from "../errors.js";
import { formatReloadAnswer, parseReloadAnswer } from "../process/reload-answer.js";
import { formatUpgradeAnswer, parseUpgradeAnswer, type UpgradeAnswer } from "../upgrade/answer.js";
import type { Arguments } from "./arguments.js";
import { askDaemon, findSocket, parseAnswer } from "./ask-daemon.js";

/** A reload waits for new threads, and an upgrade for a whole start. */
const upgradeLimitMs = 120_000;

/**
 * `lb upgrade`: a reload, so that the new program finds the configuration that runs, and then the upgrade. Exit code 2: the
 * configuration is not valid; 1: the new program could not take over.
 */
export async function upgrade(args: Arguments): Promise<number> {
  const path = await findSocket(args);
  const reloaded = parseAnswer(await askDaemon(path, "reload json", upgradeLimitMs), parseReloadAnswer);
  if (reloaded.outcome === "refused" || reloaded.outcome === "failed") {
    const { outcome, problems } = reloaded;
    return show({ outcome, pid: null, version: null, problems }, args);
  }
  if (reloaded.outcome === "applied" && !args.json) process.stdout.write(formatReloadAnswer(reloaded));
  return show(parseAnswer(await askDaemon(path, "upgrade json", upgradeLimitMs), parseUpgradeAnswer), args);
}

function show(answer: UpgradeAnswer, args: Arguments): number {
  if (args.json) process.stdout.write(`${JSON.stringify(answer, null, 2)}\n`);
  else (answer.outcome === "upgraded" ? process.stdout : process.stderr).write(formatUpgradeAnswer(answer));
  if (answer.outcome === "refused") return ExitCode.config;
  return answer.outcome === "failed" ? ExitCode.fatal : ExitCode.ok;
}
