import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { cpus, release, totalmem } from "node:os";
import { type Ratio, ratioOf } from "./statistics.js";

/** What one target did in one case; one number a round. */
export interface LoadFigures {
  readonly cpuUsPerRequest: readonly number[];
  readonly requestsPerSecond: readonly number[];
  readonly p50Us: readonly number[];
  readonly p99Us: readonly number[];
  readonly p999Us: readonly number[];
  /** After the round. */
  readonly residentMb: readonly number[];
}

export interface TargetResult {
  readonly target: string;
  readonly title: string;
  readonly figures: LoadFigures;
}

export interface LoadResult {
  readonly kind: "load";
  readonly name: string;
  readonly title: string;
  readonly threads: number;
  readonly seconds: number;
  readonly measuredAt: string;
  /** Proxies and load had to share cores: more threads cannot give more requests per second. */
  readonly sharedCores: boolean;
  readonly targets: readonly TargetResult[];
}

export interface IdleFigures {
  readonly target: string;
  readonly title: string;
  /** Resident before the idle clients came, warmed up; with them. */
  readonly beforeMb: number;
  readonly withClientsMb: number;
  readonly bytesPerClient: number;
}

export interface IdleResult {
  readonly kind: "idle";
  readonly name: string;
  readonly title: string;
  readonly clients: number;
  readonly measuredAt: string;
  readonly targets: readonly IdleFigures[];
}

export type CaseResult = LoadResult | IdleResult;

export interface Results {
  readonly machine: {
    readonly cpu: string;
    readonly cores: number;
    readonly memoryGb: number;
    readonly kernel: string;
    readonly node: string;
  };
  readonly cases: readonly CaseResult[];
}

export function describeMachine(): Results["machine"] {
  const all = cpus();
  return {
    cpu: all[0]?.model ?? "?",
    cores: all.length,
    memoryGb: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
    node: process.version,
  };
}

/** Results of an earlier run whose cases were not measured again stay: each case is compared within itself. */
export function mergeInto(file: string, fresh: readonly CaseResult[], order: readonly string[]): Results {
  const machine = describeMachine();
  const earlier = existsSync(file) ? readResults(file) : null;
  const kept =
    earlier !== null && JSON.stringify(earlier.machine) === JSON.stringify(machine) ? earlier.cases : [];
  const byName = new Map([...kept, ...fresh].map((result) => [result.name, result]));
  const cases = order.map((name) => byName.get(name)).filter((result) => result !== undefined);
  const results = { machine, cases };
  writeFileSync(file, `${JSON.stringify(results, null, 1)}\n`);
  return results;
}

/** Throws Error when the file is none of ours. */
export function readResults(file: string): Results {
  const read: Results = JSON.parse(readFileSync(file, "utf8"));
  if (!Array.isArray(read.cases) || typeof read.machine !== "object")
    throw new Error(`${file} holds no results of npm run bench`);
  return read;
}

/** CPU per request against a baseline of the same case; null where one of the two was not measured. */
export function cpuRatio(result: LoadResult, target: string, baseline: string): Ratio | null {
  const figures = result.targets.find((one) => one.target === target)?.figures;
  const base = result.targets.find((one) => one.target === baseline)?.figures;
  if (figures === undefined || base === undefined) return null;
  return ratioOf(figures.cpuUsPerRequest, base.cpuUsPerRequest);
}
