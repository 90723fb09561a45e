import { execFile, execFileSync } from "node:child_process";

export interface CommandResult {
  /** -1: ended by a signal. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command to its end; a failure is a result and not an exception. At most 64 MiB of output. */
export function tryRun(
  command: string,
  parameters: readonly string[],
  timeoutMs = 60_000,
): Promise<CommandResult> {
  return new Promise((resolve, reject) => {
    execFile(
      command,
      [...parameters],
      { maxBuffer: 64 * 1024 * 1024, timeout: timeoutMs, encoding: "utf8" },
      (error, stdout, stderr) => {
        if (error === null) resolve({ code: 0, stdout, stderr });
        else if (typeof error.code === "number") resolve({ code: error.code, stdout, stderr });
        else if (error.killed === true || error.signal != null) resolve({ code: -1, stdout, stderr });
        else reject(error);
      },
    );
  });
}

/** Like `tryRun`, for commands that must succeed. Gives standard output. */
export async function run(
  command: string,
  parameters: readonly string[],
  timeoutMs?: number,
): Promise<string> {
  const result = await tryRun(command, parameters, timeoutMs);
  if (result.code !== 0)
    throw new Error(`${command} ${parameters.join(" ")}: exit code ${result.code}: ${result.stderr.trim()}`);
  return result.stdout;
}

/** For clean-up in exit handlers: synchronous, and a failure is no news. */
export function runSyncQuietly(command: string, parameters: readonly string[]): string {
  try {
    return execFileSync(command, [...parameters], { stdio: ["ignore", "pipe", "ignore"], encoding: "utf8" });
  } catch {
    return "";
  }
}
