import { isOutcome, type Outcome } from "./stats-actions.js";

export interface StatsRequest {
  readonly format: "html" | "csv" | "json";
  /** The page asks the browser to load it again every few seconds; null: the address does not say. */
  readonly refresh: boolean | null;
  /** What came of an action, `st=DONE`; null: nothing is to be told. */
  readonly outcome: Outcome | null;
}

/**
 * Reads HAProxy's stats URL: the configured path, perhaps a slash, then options behind semicolons, in any order
 * (`/stats;csv;norefresh`, `/stats/;csv`). Unknown options and a query are ignored. Null: another URL.
 */
export function parseStatsPath(path: string, url: string): StatsRequest | null {
  const [target] = url.split("?", 1);
  if (!target.startsWith(path)) return null;
  const [rest, ...options] = target.slice(path.length).split(";");
  if (rest !== "" && rest !== "/") return null;
  const format = options.includes("csv") ? "csv" : options.includes("json") ? "json" : "html";
  const refresh = options.includes("norefresh") ? false : options.some(asksForRefresh) ? true : null;
  const told = options.find((option) => option.startsWith("st="))?.slice(3) ?? "";
  return { format, refresh, outcome: isOutcome(told) ? told : null };
}

const asksForRefresh = (option: string): boolean => /^refresh(=|$)/.test(option);
