import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startBackends } from "./backends.js";
import { type Case, cases } from "./cases.js";
import { chartOf } from "./chart.js";
import { measureIdle, measureLoad, type Setting, Targets } from "./measure.js";
import { type Options, readOptions, usage } from "./options.js";
import type { Program } from "./programs.js";
import { type CaseResult, mergeInto, type Results, readResults } from "./results.js";
import { describeCase, detailTable, memoryTable, ratioTable } from "./table.js";
import { type TargetKind, targetKinds } from "./targets.js";

/** `npm run bench`. Gives the exit code; 1: an answer was wrong, or nothing could be measured. */
export async function runBench(parameters: readonly string[]): Promise<number> {
  if (parameters.includes("--help")) {
    console.log(usage);
    return 0;
  }
  let options: Options;
  try {
    options = readOptions(parameters);
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : error}\n\n${usage}`);
    return 1;
  }
  const file = join(options.output, "results.json");
  if (options.render) {
    present(readResults(file), options);
    return 0;
  }
  const say = (line: string): void => console.error(line);
  const fresh = await measureAll(options, say);
  if (fresh.length === 0) return 1;
  mkdirSync(options.output, { recursive: true });
  const order = cases.map(({ name }) => name);
  const results = mergeInto(file, fresh, order);
  writeFileSync(join(options.output, "chart.svg"), chartOf(results));
  if (options.json) console.log(JSON.stringify(results));
  else if (fresh.some(({ kind }) => kind === "load"))
    console.log(`\n${ratioTable({ ...results, cases: fresh })}`);
  say(`saved: ${file}, ${join(options.output, "chart.svg")}`);
  return 0;
}

function present(results: Results, options: Options): void {
  if (options.json) {
    console.log(JSON.stringify(results));
    return;
  }
  for (const result of results.cases) console.log(`${describeCase(result)}\n`);
  for (const table of [ratioTable, memoryTable, detailTable]) console.log(`${table(results)}\n`);
  writeFileSync(join(options.output, "chart.svg"), chartOf(results));
}

async function measureAll(options: Options, say: (line: string) => void): Promise<CaseResult[]> {
  const kinds = chooseTargets(options);
  say(`about ${Math.ceil(estimateSeconds(options.cases, kinds, options) / 60)} minutes`);
  const folder = mkdtempSync(join(tmpdir(), "lb-bench-"));
  const setting: Setting = { ...options, folder, say };
  const targets = new Targets(setting);
  let backends: Program | null = null;
  const results: CaseResult[] = [];
  try {
    backends = await startBackends(folder, options.loadCores);
    for (const one of options.cases) {
      const result =
        one.kind === "idle"
          ? await measureIdle(one, kinds, targets, setting)
          : await measureLoad(one, kinds, targets, setting);
      results.push(result);
      if (!options.json) console.log(`${describeCase(result)}\n`);
    }
  } finally {
    await targets.stop();
    await backends?.stop();
    rmSync(folder, { recursive: true, force: true });
  }
  return results;
}

function chooseTargets({ targets }: Options): TargetKind[] {
  const all = targetKinds();
  const unknown = targets?.filter((name) => !all.some((kind) => kind.name === name)) ?? [];
  if (unknown.length > 0)
    throw new Error(
      `no such target: ${unknown.join(", ")}. There are ${all.map(({ name }) => name).join(", ")}`,
    );
  return all.filter(({ name }) => targets === null || targets.includes(name));
}

/** Turns, warm-ups and starts. */
function estimateSeconds(wanted: readonly Case[], kinds: readonly TargetKind[], options: Options): number {
  const plain = kinds.filter(({ splicesOnly }) => !splicesOnly).length;
  return wanted.reduce((sum, one) => {
    if (one.kind === "idle") return sum + plain * 11;
    const targets = one.splices ? kinds.length : plain;
    return sum + targets * (options.rounds * (options.seconds + 0.1) + options.warmUpSeconds);
  }, kinds.length * 3.5);
}
