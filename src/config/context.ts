import { parseDuration } from "./duration.js";
import type { Parsed, Problem } from "./problem.js";
import type { Shaped } from "./shape.js";
import type { Path, Source } from "./source.js";
import { noSurroundings, type Surroundings } from "./surroundings.js";

/** What the readers of the file's sections share: the findings, and where things stand. */
export class Context {
  readonly problems: Problem[] = [];
  readonly warnings: Problem[] = [];
  private readonly source: Source;
  private readonly shaped: Shaped;

  constructor(
    source: Source,
    shaped: Shaped,
    readonly surroundings: Surroundings = noSurroundings,
  ) {
    this.source = source;
    this.shaped = shaped;
  }

  problem(path: Path, message: string, advice: string, part: "key" | "value" = "value"): void {
    const where = this.source.where(path, part);
    // What stands in `default_server` is read once for each server.
    if (this.problems.some((known) => known.where === where && known.message === message)) return;
    this.problems.push({ where, message, advice });
  }

  warning(path: Path, message: string, advice: string, part: "key" | "value" = "value"): void {
    this.warnings.push({ where: this.source.where(path, part), message, advice });
  }

  /** Whether something at or below `path` was refused by its shape. */
  flagged(path: Path): boolean {
    return this.shaped.flagged(path);
  }

  /** Reports that `path` should be there, at its parent's key; silent when what stood there was refused already. */
  missing(path: Path, message: string, advice: string): void {
    if (!this.flagged(path)) this.problem(path.slice(0, -1), message, advice, "key");
  }

  /** The value of a parse, or `fallback` with a problem. */
  take<T>(path: Path, result: Parsed<T>, fallback: T): T {
    if (result.ok) return result.value;
    this.problem(path, result.message, result.advice);
    return fallback;
  }

  /** The text of a word that may be written without quotes (`auth_pass: 0123`). */
  text(path: Path, value: string | number | undefined, fallback: string): string {
    if (value === undefined) return fallback;
    return typeof value === "string" ? value : this.source.text(path);
  }

  /** The members of the mapping at `path`, in the order of the text. */
  members<T>(path: Path, mapping: Readonly<Record<string, T>> | undefined): [string, T][] {
    const words = this.source.words(path);
    return Object.entries(mapping ?? {}).toSorted(([a], [b]) => words.indexOf(a) - words.indexOf(b));
  }

  /** A time in ms, at least `minimumMs`. */
  duration(
    path: Path,
    value: string | number | undefined,
    bareUnit: "s" | "ms" | null,
    fallbackMs: number,
    minimumMs: number,
  ): number {
    if (value === undefined) return fallbackMs;
    const ms = this.take(path, parseDuration(value, bareUnit), fallbackMs);
    if (ms >= minimumMs) return ms;
    this.problem(path, `${path.at(-1)} ${value} is too short`, `write at least ${minimumMs} ms`);
    return fallbackMs;
  }
}

/** A word that takes one text or a list of them, as pairs of path and text. */
export function each(path: Path, value: string | readonly string[] | undefined): [Path, string][] {
  if (value === undefined) return [];
  if (typeof value === "string") return [[path, value]];
  return value.map((item, i) => [[...path, String(i)], item]);
}
