import { describeProblem } from "../config/problem.js";
import { serializeConfig } from "../config/serialize.js";
import { ExitCode } from "../errors.js";
import type { Arguments } from "./arguments.js";
import { readFullConfiguration } from "./configuration.js";

/**
 * `lb check`: `ok` (or with --print the whole configuration) on stdout, warnings and problems on stderr. Touches
 * nothing and needs no privilege. Returns the exit code.
 */
export async function check(args: Arguments): Promise<number> {
  const { config, problems, warnings, from } = await readFullConfiguration(args);
  if (args.json) {
    const printed = config !== null && args.print ? { config: serializeConfig(config, "hidden") } : {};
    console.log(JSON.stringify({ ok: config !== null, from, problems, warnings, ...printed }, null, 2));
    return config === null ? ExitCode.config : ExitCode.ok;
  }
  for (const warning of warnings) console.error(`warning: ${describeProblem(warning)}`);
  for (const problem of problems) console.error(describeProblem(problem));
  if (config === null) return ExitCode.config;
  if (args.print) process.stdout.write(serializeConfig(config, "hidden"));
  else console.log(`ok: ${from}`);
  return ExitCode.ok;
}
