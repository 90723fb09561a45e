import { writeFileSync } from "node:fs";
import { availableParallelism, loadavg, release } from "node:os";
import { join } from "node:path";
import { tryRun } from "../../lab/command.js";
import { projectRoot } from "../../lab/project-root.js";
import { type FailoverOptions, failoverUsage, readFailoverOptions } from "./options.js";
import { BenchPair } from "./pair.js";
import { type EventName, events, type ProgramName, type Setting } from "./plan.js";
import { type Cell, merge, type Results, type Run, readResults } from "./results.js";
import { failoverTable } from "./table.js";

const docsFile = join(projectRoot, "docs", "failover.json");

/** `npm run bench:failover`. Gives the exit code; 1: nothing could be measured. */
export async function runFailoverBench(parameters: readonly string[]): Promise<number> {
  if (parameters.includes("--help")) {
    process.stdout.write(failoverUsage);
    return 0;
  }
  let options: FailoverOptions;
  try {
    options = readFailoverOptions(parameters, docsFile);
  } catch (error) {
    process.stderr.write(`${messageOf(error)}\n\n${failoverUsage}`);
    return 2;
  }
  const file = options.output ?? docsFile;
  if (options.render) {
    const there = readResults(file);
    process.stdout.write(there === null ? `${file} does not exist\n` : `${failoverTable(there)}\n`);
    return there === null ? 1 : 0;
  }
  const loadBefore = round(loadavg()[0]);
  const cells: Cell[] = [];
  for (const setting of options.settings) {
    for (const program of options.programs) cells.push(...(await measureCells(program, setting, options)));
  }
  const fresh: Results = {
    date: new Date().toISOString().slice(0, 10),
    machine: {
      kernel: release(),
      cores: availableParallelism(),
      node: process.version,
      keepalived: await versionOf("keepalived", /v([\d.]+)/),
      haproxy: await versionOf("haproxy", /version ([\d.]+)/),
      load: [loadBefore, round(loadavg()[0])],
    },
    cells,
  };
  process.stdout.write(`${failoverTable(fresh)}\n`);
  if (options.output !== null) {
    writeFileSync(file, `${JSON.stringify(merge(readResults(file), fresh))}\n`);
    say(`saved: ${file}`);
  }
  return cells.some(({ runs }) => runs.length > 0) ? 0 : 1;
}

/** Each event in its order, all of them `repeat` times. What goes wrong is the cell's reason, and ends this pair. */
async function measureCells(
  program: ProgramName,
  setting: Setting,
  { events: wanted, repeat }: FailoverOptions,
): Promise<Cell[]> {
  const runs = new Map<EventName, Run[]>(wanted.map((name) => [name, []]));
  let reason: string | null = null;
  let pair: BenchPair | null = null;
  try {
    pair = await BenchPair.create(program, setting);
    for (let round = 1; round <= repeat; round++) {
      // After a SIGTERM only `preempt` makes lb-box1 the master again.
      const needed = events.filter(
        ({ name }) =>
          wanted.includes(name) ||
          (name === "preempt" && wanted.includes("sigterm")) ||
          (name === "sigterm" && wanted.includes("preempt")),
      );
      for (const event of needed) {
        const run = await pair.measure(event);
        runs.get(event.name)?.push(run);
        const failures = run.failures.map((of) => JSON.stringify(of)).join(" ");
        const both = `both ${run.bothHeldMs} ms${run.stillBoth ? ", and on" : ""}`;
        say(
          `${program} ${setting.title} ${round}/${repeat} ${event.title}: gap ${run.gapMs} ms, ${both}, ${failures}`,
        );
      }
    }
  } catch (error) {
    reason = messageOf(error);
    say(`${program} ${setting.title}: ${reason}`);
  } finally {
    await pair?.close();
  }
  return wanted.map((event) => ({
    program,
    setting: setting.name,
    event,
    runs: runs.get(event) ?? [],
    reason: runs.get(event)?.length === 0 ? (reason ?? "not measured") : null,
  }));
}

async function versionOf(command: string, pattern: RegExp): Promise<string> {
  const { stdout, stderr } = await tryRun(command, ["-v"]);
  return pattern.exec(`${stdout}${stderr}`)?.[1] ?? "unknown";
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
