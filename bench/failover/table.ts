import { events, programs, settings } from "./plan.js";
import type { Cell, Results } from "./results.js";

/** Markdown: a row for each event and setting, the programs side by side. */
export function failoverTable({ cells }: Results): string {
  const head = [
    "event",
    "VRRP",
    ...programs.flatMap(({ title }) => [`${title}: gap, ms`, "failed", "both, ms"]),
  ];
  const rows = events.flatMap((event) =>
    settings.flatMap((setting) => {
      const those = programs.map(({ name }) =>
        cells.find((c) => c.program === name && c.setting === setting.name && c.event === event.name),
      );
      if (those.every((one) => one === undefined)) return [];
      return [[event.title, setting.title, ...those.flatMap(describeCell)]];
    }),
  );
  const line = (row: readonly string[]): string => `| ${row.join(" | ")} |`;
  const rule = line(head.map((_, column) => (column < 2 ? "---" : "---:")));
  return [line(head), rule, ...rows.map(line)].join("\n");
}

function describeCell(cell: Cell | undefined): readonly string[] {
  if (cell === undefined) return ["", "", ""];
  if (cell.runs.length === 0) return [cell.reason ?? "not measured", "–", "–"];
  const gaps = cell.runs.map(({ gapMs }) => gapMs);
  const failed = [0, 1, 2].map((stream) => Math.max(...cell.runs.map((run) => run.failed[stream] ?? 0)));
  const both = Math.max(...cell.runs.map(({ bothHeldMs }) => bothHeldMs));
  const forEver = cell.runs.some(({ stillBoth }) => stillBoth);
  return [
    range(gaps),
    failed.every((count) => count === 0) ? "0" : failed.join(" + "),
    forEver ? `${ms(both)}, and on` : ms(both),
  ];
}

/** The median, and of several the least and the most. */
function range(values: readonly number[]): string {
  const sorted = values.toSorted((a, b) => a - b);
  const median = ms(sorted[Math.floor((sorted.length - 1) / 2)]);
  return sorted.length === 1 ? median : `${median} (${ms(sorted[0])}–${ms(sorted.at(-1) ?? 0)})`;
}

function ms(value: number): string {
  return value < 9.95 ? value.toFixed(1) : value.toFixed(0);
}
