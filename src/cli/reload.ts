import type { Config } from "../config/config.js";
import { loadConfig } from "../config/load.js";
import { describeProblem } from "../config/problem.js";
import { readConfigFile, theseSurroundings, thisMachine } from "../config/read-file.js";
import { ExitCode, LbError } from "../errors.js";
import { describeReload } from "../process/describe-reload.js";
import { formatReloadAnswer, parseReloadAnswer, type ReloadAnswer } from "../process/reload-answer.js";
import type { Arguments } from "./arguments.js";
import { askDaemon, findSocket, parseAnswer } from "./ask-daemon.js";

/** A reload waits for new threads, and for what VRRP does step by step. */
const reloadLimitMs = 120_000;

/** `lb reload`. Exit code 2: the configuration is not valid; 1: it could not be applied. */
export async function reload(args: Arguments): Promise<number> {
  const path = await findSocket(args);
  const text = await askDaemon(path, "reload json", reloadLimitMs);
  const answer = parseAnswer(text, parseReloadAnswer);
  return show(answer, args);
}

/** `lb plan`: of the running daemon and its file, or of two files. */
export async function plan(args: Arguments): Promise<number> {
  const [oldFile, newFile] = args.words ?? [];
  if (oldFile === undefined) {
    const text = await askDaemon(await findSocket(args), "show plan json", reloadLimitMs);
    return show(parseAnswer(text, parseReloadAnswer), args);
  }
  if (newFile === undefined)
    throw new LbError("LB_USAGE", "lb plan needs two files or none", "write lb plan OLD NEW");
  const [before, after] = [await load(oldFile), await load(newFile)];
  const problems = [...before.problems, ...after.problems];
  if (before.config === null || after.config === null)
    return show({ outcome: "refused", steps: [], problems, warnings: [] }, args);
  const steps = describeReload(before.config, after.config);
  const outcome = steps.length === 0 ? "unchanged" : "planned";
  return show({ outcome, steps, problems: [], warnings: after.warnings }, args);
}

async function load(
  path: string,
): Promise<{ config: Config | null; problems: readonly string[]; warnings: readonly string[] }> {
  const file = await readConfigFile(path, process.env);
  const text = file?.text ?? "";
  const { config, problems, warnings } = loadConfig(
    text,
    path,
    thisMachine(),
    theseSurroundings(process.env),
  );
  return { config, problems: problems.map(describeProblem), warnings: warnings.map(describeProblem) };
}

function show(answer: ReloadAnswer, args: Arguments): number {
  const isBad = answer.outcome === "refused" || answer.outcome === "failed";
  if (args.json) process.stdout.write(`${JSON.stringify(answer, null, 2)}\n`);
  else (isBad ? process.stderr : process.stdout).write(formatReloadAnswer(answer));
  if (answer.outcome === "refused") return ExitCode.config;
  return answer.outcome === "failed" ? ExitCode.fatal : ExitCode.ok;
}
