import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { projectRoot } from "../lab/project-root.js";
import type { LoadCase } from "./cases.js";
import { loadOverHttp2 } from "./http2-load.js";
import { cpuUs, residentBytes } from "./process-usage.js";
import type { Target } from "./targets.js";

const runFile = promisify(execFile);

/** One turn of one target. */
export interface Turn {
  readonly cpuUsPerRequest: number;
  readonly requestsPerSecond: number;
  readonly p50Us: number;
  readonly p99Us: number;
  readonly p999Us: number;
  readonly residentMb: number;
}

/** What check.lua prints, and h2load's output comes to. */
export interface LoadReport {
  readonly answers: number;
  readonly wrong: number;
  readonly firstWrong: string;
  readonly bytes: number;
  readonly durationUs: number;
  readonly p50Us: number;
  readonly p99Us: number;
  readonly p999Us: number;
  readonly connectErrors: number;
  readonly readErrors: number;
  readonly writeErrors: number;
  readonly timeouts: number;
}

/**
 * Loads a target for some seconds and takes what it cost.
 *
 * @throws Error when one answer has not the status or the body that the case wants, or a connection failed.
 */
export async function takeTurn(
  target: Target,
  load: LoadCase,
  seconds: number,
  cores: string,
): Promise<Turn> {
  const { pid } = target.program;
  target.program.checkRuns();
  const before = cpuUs(pid);
  const report = await (load.streams > 0 ? loadOverHttp2 : loadByWrk)(target, load, seconds, cores);
  target.program.checkRuns();
  const cpu = cpuUs(pid) - before;
  check(report, load, target.kind.title);
  return {
    cpuUsPerRequest: cpu / report.answers,
    requestsPerSecond: report.answers / (report.durationUs / 1e6),
    p50Us: report.p50Us,
    p99Us: report.p99Us,
    p999Us: report.p999Us,
    residentMb: residentBytes(pid) / 2 ** 20,
  };
}

async function loadByWrk(
  target: Target,
  load: LoadCase,
  seconds: number,
  cores: string,
): Promise<LoadReport> {
  const { stdout } = await runFile("taskset", [
    ...["-c", cores, "wrk", "-t", cores.includes(",") ? "2" : "1"],
    ...["-c", String(load.connections), "-d", `${seconds}s`, "--timeout", "10s"],
    ...["-s", join(projectRoot, "bench", "check.lua")],
    ...load.headers.flatMap((header) => ["-H", header]),
    `${target.tls ? "https" : "http"}://127.0.0.1:${target.port}${load.path}`,
    ...["--", "200", String(load.bodyBytes), ...(load.uploadBytes > 0 ? [String(load.uploadBytes)] : [])],
  ]);
  return JSON.parse(stdout.trim().split("\n").at(-1) ?? "");
}

function check(report: LoadReport, load: LoadCase, title: string): void {
  const problems: string[] = [];
  if (report.answers === 0) problems.push("no answer at all");
  if (report.wrong > 0) problems.push(`${report.wrong} wrong answers, the first: ${report.firstWrong}`);
  // wrk counts the end of a connection that was announced as a read error.
  const readErrors = load.headers.includes("Connection: close") ? 0 : report.readErrors;
  const failed = report.connectErrors + readErrors + report.writeErrors + report.timeouts;
  if (failed > 0) problems.push(`${failed} connections failed: ${JSON.stringify(report)}`);
  if (problems.length > 0) throw new Error(`${title}, ${load.title}: ${problems.join("; ")}`);
}
