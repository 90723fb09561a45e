import { version } from "../control/release.js";
import { exitCodeOf, LbError } from "../errors.js";
import { type Arguments, parseArguments } from "./arguments.js";
import { drain, status } from "./ask.js";
import { check } from "./check.js";
import { completionFor } from "./completion.js";
import { explain } from "./explain.js";
import { importCommand } from "./import.js";
import { printError } from "./print-error.js";
import { plan, reload } from "./reload.js";
import { server } from "./server.js";
import { upgrade } from "./upgrade.js";
import { helpText, shells, usageLine } from "./usage.js";
import { watch } from "./watch.js";

/** The command `lb`. Ends the process with one of the documented exit codes. */
export async function main(argv: readonly string[]): Promise<void> {
  let exitCode: number;
  try {
    exitCode = await dispatch(parseArguments(argv));
  } catch (error) {
    printError(error);
    if (error instanceof LbError && error.code === "LB_USAGE") console.error(usageLine);
    exitCode = exitCodeOf(error);
  }
  process.exit(exitCode);
}

async function dispatch(args: Arguments): Promise<number> {
  switch (args.command) {
    case "help":
      process.stdout.write(helpText);
      return 0;
    case "version":
      console.log(args.json ? JSON.stringify({ version, node: process.version }) : `lb ${version}`);
      return 0;
    case "completion":
      return completion(args);
    case "check":
      return check(args);
    case "status":
      return status(args);
    case "drain":
      return drain(args);
    case "reload":
      return reload(args);
    case "upgrade":
      return upgrade(args);
    case "plan":
      return plan(args);
    case "server":
      return server(args);
    case "explain":
      return explain(args);
    case "watch":
      return watch(args);
    case "import":
      return importCommand(args);
    case "run": {
      // Only here: the other commands need neither the threads' modules nor the native ones.
      const { run } = await import("./run.js");
      return run(args);
    }
  }
}

function completion({ words: [word] = [] }: Arguments): number {
  const shell = shells.find((known) => known === word);
  if (shell === undefined)
    throw new LbError("LB_USAGE", "lb completion needs the shell's name", "write lb completion bash, or zsh");
  process.stdout.write(completionFor(shell));
  return 0;
}
