import { parseJsonObject } from "../json.js";

/** What came of an upgrade: for the stats socket and `lb upgrade`. */
export interface UpgradeAnswer {
  /** `refused`: the new program does not take this configuration. `failed`: it could not take over. Both change nothing. */
  readonly outcome: "upgraded" | "refused" | "failed";
  /** The main process from now on, and its version; null where nothing was upgraded. */
  readonly pid: number | null;
  readonly version: string | null;
  /** Sentences without a full stop. */
  readonly problems: readonly string[];
}

export function formatUpgradeAnswer({ outcome, pid, version, problems }: UpgradeAnswer): string {
  const heading =
    outcome === "upgraded"
      ? `upgraded: version ${version} serves as process ${pid}; the one before finishes what it has begun`
      : outcome === "refused"
        ? "the new program refuses the configuration: the running one goes on"
        : "the new program could not take over: the running one goes on";
  return `${[...problems, heading].join("\n")}\n`;
}

/** Reads what `JSON.stringify` wrote of an UpgradeAnswer; null: it is something else. */
export function parseUpgradeAnswer(text: string): UpgradeAnswer | null {
  const value = parseJsonObject(text);
  if (value === null) return null;
  const outcome = (["upgraded", "refused", "failed"] as const).find((known) => known === value.outcome);
  const { pid, version, problems } = value;
  if (outcome === undefined || !Array.isArray(problems)) return null;
  return {
    outcome,
    pid: typeof pid === "number" ? pid : null,
    version: typeof version === "string" ? version : null,
    problems: problems.map(String),
  };
}
