import { events, type Outcome, type Role, runScenario, type Variant } from "./scenario.js";
import { variants } from "./variants.js";

/** A run waits more than it works. */
const runsAtOnce = 3;
const roles: readonly Role[] = ["Tandem first", "peer first"];

interface Run {
  readonly variant: Variant;
  readonly role: Role;
  readonly outcomes: readonly Outcome[];
}

/**
 * Runs the matrix and prints it: a row for each variant and role, a cell for each event.
 *
 * `filter`: only rows whose text holds all of these words. Gives the exit code, 1 when a cell failed.
 */
export async function runInterop(filter: readonly string[]): Promise<number> {
  const wanted = variants
    .flatMap((variant) => roles.map((role) => ({ variant, role })))
    .filter(({ variant, role }) => {
      const text = `${variant.peer} ${variant.name} ${role}`.toLowerCase();
      return filter.every((word) => text.includes(word.toLowerCase()));
    });
  if (wanted.length === 0) {
    console.log(`no row holds ${filter.join(" and ")}`);
    return 1;
  }
  const runs = await inParallel(wanted, async ({ variant, role }): Promise<Run> => {
    const outcomes = await runScenario(variant, role);
    console.log(describeRun({ variant, role, outcomes }));
    return { variant, role, outcomes };
  });
  console.log(`\n${table(runs)}`);
  const cells = runs.flatMap(({ outcomes }) => outcomes);
  const failed = cells.filter(({ passed }) => !passed).length;
  console.log(
    `${cells.length - failed} passed, ${failed} failed, ${variants.length * 2 - runs.length} rows not asked for`,
  );
  return failed === 0 ? 0 : 1;
}

async function inParallel<Item, Result>(
  items: readonly Item[],
  work: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  const waiting = [...items.entries()];
  const worker = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      results[next[0]] = await work(next[1]);
    }
  };
  await Promise.all(Array.from({ length: runsAtOnce }, worker));
  return results;
}

function describeRun({ variant, role, outcomes }: Run): string {
  const lines = outcomes.map(
    ({ event, passed, detail }) => `  ${passed ? "pass" : "FAIL"}  ${event}: ${detail}`,
  );
  return [`${variant.peer}, ${variant.name}, ${role}`, ...lines].join("\n");
}

function table(runs: readonly Run[]): string {
  const header = ["peer", "variant", "role", ...events];
  const rows = runs.map(({ variant, role, outcomes }) => [
    variant.peer,
    variant.name,
    role,
    ...events.map((event) => {
      const cell = outcomes.find((outcome) => outcome.event === event);
      return cell === undefined ? "–" : cell.passed ? "pass" : "FAIL";
    }),
  ]);
  const widths = header.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column].length)),
  );
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, column) => cell.padEnd(widths[column]))
      .join("  ")
      .trimEnd();
  return [line(header), "─".repeat(line(header).length + 4), ...rows.map(line)].join("\n");
}
