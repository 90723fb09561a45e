/** Something wrong with what the user wrote, where it stands, and what to do about it. */
export interface Problem {
  /** `file:line:column`, or the flag (`--priority`). */
  readonly where: string;
  /** What is wrong, with the offending value; no full stop. */
  readonly message: string;
  /** What to do; no full stop. */
  readonly advice: string;
}

/** A piece of text that was read as a value, or why it cannot be. */
export type Parsed<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly message: string; readonly advice: string };

export function parsed<T>(value: T): Parsed<T> {
  return { ok: true, value };
}

export function refused(message: string, advice: string): Parsed<never> {
  return { ok: false, message, advice };
}

/** `lb.yaml:3:15: priority 0 is out of range. Choose 1 to 254.` */
export function describeProblem(problem: Problem): string {
  return `${problem.where}: ${sentences(problem.message, problem.advice)}`;
}

/** Joins a message and its advice to two sentences. */
export function sentences(message: string, advice: string): string {
  return `${message}. ${advice.charAt(0).toUpperCase()}${advice.slice(1)}${advice.endsWith("?") ? "" : "."}`;
}

/** A user's text in quotes, cut where it is long. */
export function quote(text: string): string {
  return JSON.stringify(text.length <= 60 ? text : `${text.slice(0, 60)}…`);
}
