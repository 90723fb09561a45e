import { execFile } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import type { LoadCase } from "./cases.js";
import type { LoadReport } from "./load.js";
import type { Target } from "./targets.js";

const runFile = promisify(execFile);

/** The same closed loop as wrk's, over HTTP/2 by h2load, whose log has a line for each answer. */
export async function loadOverHttp2(
  target: Target,
  load: LoadCase,
  seconds: number,
  cores: string,
): Promise<LoadReport> {
  const log = join(tmpdir(), `lb-h2load-${process.pid}.log`);
  rmSync(log, { force: true });
  try {
    const { stdout } = await runFile("taskset", [
      ...["-c", cores, "h2load", "-t", "1", "-c", String(load.connections), "-m", String(load.streams)],
      ...["-D", String(seconds), "--connection-active-timeout=10s", `--log-file=${log}`],
      ...load.headers.flatMap((header) => ["-H", header]),
      `https://127.0.0.1:${target.port}${load.path}`,
    ]);
    return reportOf(stdout, readFileSync(log, "latin1"), load.bodyBytes, seconds);
  } finally {
    rmSync(log, { force: true });
  }
}

/**
 * `log`: a line for each answer, with when it was asked for (µs), its status and how long it took (µs). What was still on
 * its way at the end is no answer.
 *
 * @throws Error when h2load's output is not what it was.
 */
export function reportOf(stdout: string, log: string, bodyBytes: number, seconds: number): LoadReport {
  const protocol = /^Application protocol: (\S+)$/m.exec(stdout)?.[1];
  const requests = /^requests: .* (\d+) failed, (\d+) errored, (\d+) timeout$/m.exec(stdout);
  const data = /^traffic: .* \((\d+)\) data$/m.exec(stdout)?.[1];
  if (protocol !== "h2" || requests === null || data === undefined)
    throw new Error(`h2load has not loaded over HTTP/2:\n${stdout}`);
  const [failed, , timeouts] = requests.slice(1).map(Number);
  const lines = log
    .trimEnd()
    .split("\n")
    .map((line) => line.split("\t").map(Number));
  const wrong = lines.filter(([, status]) => status !== 200);
  const times = lines.map(([, , us]) => us).sort((a, b) => a - b);
  const at = (part: number): number =>
    times[Math.min(times.length - 1, Math.floor(times.length * part))] ?? 0;
  const bytes = Number(data);
  const isShort = bytes < lines.length * bodyBytes;
  return {
    answers: lines.length,
    wrong: wrong.length + (isShort ? 1 : 0),
    firstWrong: wrong.length > 0 ? `status ${wrong[0][1]}` : isShort ? `${bytes} bytes in all` : "",
    bytes,
    durationUs: seconds * 1e6,
    p50Us: at(0.5),
    p99Us: at(0.99),
    p999Us: at(0.999),
    connectErrors: 0,
    readErrors: failed,
    writeErrors: 0,
    timeouts,
  };
}
