export interface StatsRequest {
  readonly format: "html" | "csv" | "json";
  /** The page asks the browser to load it again every few seconds. */
  readonly refresh: boolean;
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
  return { format, refresh: !options.includes("norefresh") };
}
