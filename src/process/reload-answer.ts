import { parseJsonObject } from "../json.js";

/** What came of a reload, or would come of it: for the log, the stats socket and `lb reload`, `lb plan`. */
export interface ReloadAnswer {
  /** `planned`: nothing was done. `refused`: the configuration is not valid. `failed`: it could not be applied. */
  readonly outcome: "planned" | "applied" | "unchanged" | "refused" | "failed";
  /** Sentences without a full stop, in order. */
  readonly steps: readonly string[];
  readonly problems: readonly string[];
  readonly warnings: readonly string[];
}

/** What the control thread asks the main thread; `entrances`: to have the listening sockets be as `OperatorLimits` says. */
export type Question = "plan" | "reload" | "upgrade" | "flight" | "changes" | "entrances";

export function formatReloadAnswer({ outcome, steps, problems, warnings }: ReloadAnswer): string {
  const lines = [...warnings.map((warning) => `warning: ${warning}`), ...problems, headings[outcome]];
  return `${[...lines, ...steps.map((step) => `  ${step}`)].join("\n")}\n`;
}

const headings: Readonly<Record<ReloadAnswer["outcome"], string>> = {
  planned: "a reload would take these steps:",
  applied: "reloaded, in these steps:",
  unchanged: "nothing differs: a reload changes nothing",
  refused: "the configuration is not valid: nothing was changed",
  failed: "it could not be applied: nothing was changed",
};

/** Reads what `JSON.stringify` wrote of a ReloadAnswer; null: it is something else. */
export function parseReloadAnswer(text: string): ReloadAnswer | null {
  const value = parseJsonObject(text);
  if (value === null) return null;
  const outcome = Object.keys(headings).find((known) => known === value.outcome);
  if (outcome === undefined || !isOutcome(outcome)) return null;
  const list = (name: string): string[] => {
    const items = value[name];
    return Array.isArray(items) ? items.map(String) : [];
  };
  return { outcome, steps: list("steps"), problems: list("problems"), warnings: list("warnings") };
}

function isOutcome(text: string): text is ReloadAnswer["outcome"] {
  return Object.hasOwn(headings, text);
}
