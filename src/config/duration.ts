import { type Parsed, parsed, quote, refused } from "./problem.js";

/** The longest time that a timer of Node can wait: 2^31 − 1 ms, about 24.8 days. */
export const longestMs = 2_147_483_647;

const unitMs: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/**
 * Reads a time: `500ms`, `5s`, `1.5s`, `1m`, `1h`, `2d`, or a bare number in `bareUnit`.
 *
 * keepalived's words count seconds when the unit is left out and HAProxy's count milliseconds, so the caller says
 * which; null: a unit must be there. The result is a whole number of ms.
 */
export function parseDuration(text: string | number, bareUnit: "s" | "ms" | null): Parsed<number> {
  const match = /^(\d+(?:\.\d+)?)([a-z]*)$/.exec(String(text).trim());
  if (match === null) {
    return refused(
      `${quote(String(text))} is not a time`,
      "write a number and a unit, such as 500ms, 5s or 1m",
    );
  }
  const unit = match[2] === "" ? bareUnit : match[2];
  if (unit === null) return refused(`${text} has no unit`, `write ${text}s for seconds or ${text}ms`);
  const factor = Object.hasOwn(unitMs, unit) ? unitMs[unit] : undefined;
  if (factor === undefined) return refused(`${unit} is not a unit of time`, "known are ms, s, m, h and d");
  // Rounded to the nanosecond first: 1.1 × 1000 must not miss 1100 by a bit.
  const ms = Math.round(Number(match[1]) * factor * 1e6) / 1e6;
  if (!Number.isInteger(ms)) {
    return refused(`${text} is not a whole number of milliseconds`, "round it to milliseconds");
  }
  if (ms > longestMs) return refused(`${text} is longer than 24 days`, "choose a shorter time");
  return parsed(ms);
}

/** The shortest way to write a whole number of ms: `1h`, `90s`, `1500ms`. */
export function describeDuration(ms: number): string {
  if (ms === 0) return "0s";
  for (const unit of ["d", "h", "m", "s"]) {
    if (ms % unitMs[unit] === 0) return `${ms / unitMs[unit]}${unit}`;
  }
  return `${ms}ms`;
}
