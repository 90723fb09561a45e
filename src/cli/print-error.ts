import { inspect } from "node:util";
import { sentences } from "../config/problem.js";
import { LbError } from "../errors.js";

/**
 * `lb: LB_PERMISSION: what is wrong. What to do.` on stderr, also where the daemon's console is its log; a stack only for what
 * nobody foresaw.
 */
export function printError(error: unknown): void {
  const text =
    error instanceof LbError
      ? `${error.code}: ${sentences(error.message, error.advice)}`
      : `internal error, please report it: ${inspect(error)}`;
  process.stderr.write(`lb: ${text}\n`);
}
