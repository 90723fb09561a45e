import type { CheckStatus } from "./check-status.js";
import type { AdminState } from "./server-state.js";

/** What an agent's line comes to. */
export interface AgentReport {
  /** Its last health word; null: none, and health stays as it is. */
  readonly health: "up" | "down" | null;
  /** Its last administrative word; null: none. */
  readonly admin: AdminState | null;
  /** In percent of the weight in the configuration; null: not named. */
  readonly weightPercent: number | null;
  /** 0: no limit; null: not named. */
  readonly maxconn: number | null;
  readonly status: CheckStatus;
  /** What `last_agt` says. */
  readonly detail: string;
}

const longestBytes = 16_384;

/** The first line of what an agent has sent so far; null: it has no end yet. */
export function agentLine(text: string): string | null {
  const end = text.search(/[\r\n]/);
  if (end >= 0) return text.slice(0, end);
  return text.length >= longestBytes ? text.slice(0, longestBytes) : null;
}

/**
 * Reads an agent's line as HAProxy 2.6 does: words between spaces, tabs and commas, in any order and case, of which the
 * last one of a kind counts, and after # what it has to say of its health. Pure.
 */
export function parseAgentLine(line: string): AgentReport {
  const hash = /(?:^|[ \t,])#/.exec(line);
  const at = hash === null ? line.length : hash.index + hash[0].length - 1;
  const comment = line.slice(at + 1).trimStart();
  let health: { readonly word: string; readonly isUp: boolean } | null = null;
  let admin: AdminState | null = null;
  let weight: string | null = null;
  let limit: string | null = null;
  let unknown: string | null = null;
  for (const word of line.slice(0, at).split(/[ \t,]+/)) {
    const name = word.toLowerCase();
    if (word === "") continue;
    if (/^\d[^%]*%/.test(word)) weight = word;
    else if (name.startsWith("maxconn:")) limit = word.slice("maxconn:".length);
    else if (name === "ready" || name === "drain" || name === "maint") admin = name;
    else if (name === "up") health = { word, isUp: true };
    else if (name === "down" || name === "stopped" || name === "fail") health = { word, isUp: false };
    else unknown ??= word;
  }
  const weightPercent = weight === null || !/^\d+%$/.test(weight) ? null : Number(weight.slice(0, -1));
  const maxconn = limit === null || !/^\d+$/.test(limit) ? null : Number(limit);
  const warning =
    weight !== null && weightPercent === null
      ? "Trailing garbage in weight string"
      : limit !== null && maxconn === null
        ? wrongLimit(limit)
        : null;
  const common = {
    health: health === null ? null : health.isUp ? "up" : "down",
    admin,
    weightPercent,
    maxconn,
  } as const;
  if (health === null) {
    const detail =
      unknown !== null
        ? `agent reports an error : ${unknown}`
        : warning !== null
          ? `agent warns : ${warning}`
          : "";
    return { ...common, status: "CHECKED", detail };
  }
  // A report of DOWN keeps its reason; elsewhere what is wrong with the line has precedence.
  const remark = comment === "" || health.isUp ? (unknown ?? warning ?? comment) : comment;
  return {
    ...common,
    status: health.isUp ? "L7OK" : "L7STS",
    detail: `via agent : ${health.word}${remark === "" ? "" : ` (${remark})`}`,
  };
}

function wrongLimit(limit: string): string {
  if (limit === "") return "Require <maxconn>.";
  return /^\d/.test(limit)
    ? "Trailing garbage in maxconn string"
    : "maxconn string empty or preceded by garbage";
}
