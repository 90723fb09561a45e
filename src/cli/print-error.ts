import { sentences } from "../config/problem.js";
import { LbError } from "../errors.js";

/** `lb: LB_PERMISSION: what is wrong. What to do.` on stderr; a stack only for what nobody foresaw. */
export function printError(error: unknown): void {
  if (error instanceof LbError) console.error(`lb: ${error.code}: ${sentences(error.message, error.advice)}`);
  else console.error("lb: internal error, please report it:", error);
}
