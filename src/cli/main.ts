import { version } from "../control/release.js";
import { exitCodeOf, LbError } from "../errors.js";
import { type Arguments, parseArguments } from "./arguments.js";
import { drain, status } from "./ask.js";
import { check } from "./check.js";
import { printError } from "./print-error.js";
import { helpText, usageLine } from "./usage.js";

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
      console.log(`lb ${version}`);
      return 0;
    case "check":
      return check(args);
    case "status":
      return status(args);
    case "drain":
      return drain(args);
    case "run": {
      // Only here: check and help need neither the threads' modules nor the native ones.
      const { run } = await import("./run.js");
      return run(args);
    }
  }
}
