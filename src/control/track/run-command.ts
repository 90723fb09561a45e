import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import type { UserConfig } from "../../config/tracking-config.js";

export interface CommandEnd {
  /** Exit code 0. */
  readonly ok: boolean;
  /** `exit code 1`, `timed out after 500 ms`, …: for the log. */
  readonly reason: string;
}

export interface RunningCommand {
  /** Null: it could not be started. */
  readonly pid: number | null;
  /** Resolves when it has ended, or at its time-out; never rejects. */
  readonly ended: Promise<CommandEnd>;
  /** Resolves when it is gone, which may be later than its time-out. */
  readonly gone: Promise<void>;
  /** Ends it and what it has started. */
  end(): void;
  /** It goes on, and this thread does not wait for it. */
  leave(): void;
}

/** What a command that was asked to end gets before it is killed. */
const killAfterMs = 1000;

/**
 * Runs a command without a shell, in a process group of its own and with neither input nor output. At `timeoutMs` the
 * group gets SIGTERM, and a second later SIGKILL.
 */
export function runCommand(
  words: readonly string[],
  user: UserConfig | null,
  timeoutMs: number | null,
): RunningCommand {
  let child: ChildProcess;
  try {
    const ids = user === null ? {} : resolveUser(user, readFileSync);
    child = spawn(words[0], words.slice(1), {
      ...ids,
      detached: true,
      stdio: "ignore",
      env: scriptEnvironment(process.env),
    });
  } catch (error) {
    return notStarted(error);
  }
  let timer: NodeJS.Timeout | null = null;
  let killTimer: NodeJS.Timeout | null = null;
  let isGone = false;
  const signal = (name: NodeJS.Signals): void => {
    if (child.pid === undefined || isGone) return;
    try {
      process.kill(-child.pid, name);
    } catch {
      // It went just now.
    }
  };
  const end = (): void => {
    signal("SIGTERM");
    killTimer ??= setTimeout(() => signal("SIGKILL"), killAfterMs);
  };
  const gone = new Promise<CommandEnd>((resolve) => {
    child.once("error", (error) => resolve({ ok: false, reason: `cannot be started: ${error.message}` }));
    child.once("exit", (code, signalName) => {
      resolve({
        ok: code === 0,
        reason: signalName === null ? `exit code ${code}` : `ended by ${signalName}`,
      });
    });
  }).finally(() => {
    isGone = true;
    clearTimeout(timer ?? undefined);
    clearTimeout(killTimer ?? undefined);
  });
  const late = new Promise<CommandEnd>((resolve) => {
    if (timeoutMs === null) return;
    timer = setTimeout(() => {
      resolve({ ok: false, reason: `timed out after ${timeoutMs} ms` });
      end();
    }, timeoutMs);
  });
  return {
    pid: child.pid ?? null,
    ended: timeoutMs === null ? gone : Promise.race([gone, late]),
    gone: gone.then(() => {}),
    end,
    leave: () => {
      child.unref();
      timer?.unref();
      killTimer?.unref();
    },
  };
}

function notStarted(error: unknown): RunningCommand {
  const reason = `cannot be started: ${error instanceof Error ? error.message : String(error)}`;
  return {
    pid: null,
    ended: Promise.resolve({ ok: false, reason }),
    gone: Promise.resolve(),
    end: () => {},
    leave: () => {},
  };
}

/** Without what systemd has said to this process alone. */
export function scriptEnvironment(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const { NOTIFY_SOCKET, WATCHDOG_USEC, WATCHDOG_PID, LISTEN_FDS, LISTEN_PID, ...others } = environment;
  return others;
}

/** Numbers of a user and a group, by /etc/passwd and /etc/group. Throws an Error that names the one that is not there. */
export function resolveUser(
  { user, group }: UserConfig,
  read: (path: string, encoding: "utf8") => string,
): { readonly uid: number; readonly gid: number } {
  const entry = find(read("/etc/passwd", "utf8"), user);
  if (entry === null) throw new Error(`there is no user ${user} in /etc/passwd`);
  const uid = Number(entry[2]);
  if (group === null) return { uid, gid: Number(entry[3]) };
  const groupEntry = find(read("/etc/group", "utf8"), group);
  if (groupEntry === null) throw new Error(`there is no group ${group} in /etc/group`);
  return { uid, gid: Number(groupEntry[2]) };
}

/** By name, or by number. */
function find(table: string, key: string): string[] | null {
  const entries = table.split("\n").map((line) => line.split(":"));
  return entries.find(([name]) => name === key) ?? entries.find((entry) => entry[2] === key) ?? null;
}
