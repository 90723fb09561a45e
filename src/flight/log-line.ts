/** A line of the log, as an object. */
export type LogLine = Readonly<Record<string, unknown>>;

/** When it was written, in ms since 1970; null: it does not say. */
export function timeOf({ time }: LogLine): number | null {
  const epochMs = typeof time === "string" ? Date.parse(time) : Number.NaN;
  return Number.isNaN(epochMs) ? null : epochMs;
}
