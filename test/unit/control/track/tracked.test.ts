import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t, { type Test } from "tap";
import type { ScriptConfig, TrackProcessConfig } from "../../../../src/config/tracking-config.js";
import {
  matchesCommandLine,
  matchesName,
  processState,
} from "../../../../src/control/track/process-match.js";
import { resolveUser, runCommand, scriptEnvironment } from "../../../../src/control/track/run-command.js";
import { parseTrackFile, TrackedFile } from "../../../../src/control/track/tracked-file.js";
import { TrackedProcess } from "../../../../src/control/track/tracked-process.js";
import { TrackedScript } from "../../../../src/control/track/tracked-script.js";
import type { Found } from "../../../../src/vrrp/tracking.js";

/** What a tracker has told, and a way to wait for the next word. */
class Told<T> {
  readonly all: T[] = [];
  private wake: () => void = () => {};

  readonly tell = (value: T): void => {
    this.all.push(value);
    this.wake();
  };

  async until(count: number): Promise<T[]> {
    while (this.all.length < count)
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    return this.all;
  }
}

function folder(t: Test): string {
  const path = mkdtempSync(join(tmpdir(), "lb-track-"));
  t.teardown(() => rmSync(path, { recursive: true }));
  return path;
}

function scriptConfig(script: readonly string[], changes: Partial<ScriptConfig> = {}): ScriptConfig {
  return {
    name: "check",
    script,
    intervalMs: 30,
    timeoutMs: 5000,
    rise: 1,
    fall: 1,
    initFail: false,
    user: null,
    ...changes,
  };
}

t.test("a command: exit codes, time-outs, and what cannot be started", async (t) => {
  t.same(await runCommand(["true"], null, 5000).ended, { ok: true, reason: "exit code 0" });
  t.same(await runCommand(["sh", "-c", "exit 3"], null, 5000).ended, { ok: false, reason: "exit code 3" });
  t.same(await runCommand(["sleep", "60"], null, 50).ended, { ok: false, reason: "timed out after 50 ms" });
  t.match(await runCommand(["/nowhere/at/all"], null, 5000).ended, {
    ok: false,
    reason: /cannot be started: .*ENOENT/,
  });
  t.match(await runCommand(["true"], { user: "nobody-of-that-name", group: null }, 5000).ended, {
    reason: "cannot be started: there is no user nobody-of-that-name in /etc/passwd",
  });
});

t.test("a command that ignores SIGTERM is killed with all that it has started", async (t) => {
  const path = join(folder(t), "pid");
  const script = `trap '' TERM; sleep 600 & echo $! > ${path}.new; mv ${path}.new ${path}; while :; do sleep 600; done`;
  const running = runCommand(["sh", "-c", script], null, 1_500);
  t.match(await running.ended, { ok: false, reason: /timed out/ });
  await running.gone;
  const pid = Number(readFileSync(path, "utf8"));
  await t.rejects(async () => {
    // A zombie that nobody has waited for yet still takes a signal 0.
    for (let tries = 0; tries < 200; tries++) {
      process.kill(pid, 0);
      if (processState(readFileSync(`/proc/${pid}/stat`, "utf8")) === "Z") throw new Error("it has ended");
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }, "the child is gone");
});

t.test("users and groups are found by name and by number", async (t) => {
  const read = (path: string) =>
    path === "/etc/passwd" ? "root:x:0:0::/:\nwww:x:33:34::/:\n" : "root:x:0:\nadm:x:4:\n";
  t.same(resolveUser({ user: "www", group: null }, read), { uid: 33, gid: 34 });
  t.same(resolveUser({ user: "33", group: "adm" }, read), { uid: 33, gid: 4 });
  t.throws(() => resolveUser({ user: "www", group: "x" }, read), {
    message: "there is no group x in /etc/group",
  });
});

t.test("a script does not hear what systemd told Tandem", async (t) => {
  t.same(scriptEnvironment({ PATH: "/bin", NOTIFY_SOCKET: "/x", WATCHDOG_USEC: "1", WATCHDOG_PID: "2" }), {
    PATH: "/bin",
  });
});

t.test("a script is run again and again, and tells its changes only", async (t) => {
  const path = join(folder(t), "up");
  const told = new Told<Found>();
  const script = new TrackedScript(scriptConfig(["test", "-e", path]), "unknown", told.tell);
  script.start();
  t.teardown(() => script.stop());
  t.same(await told.until(1), ["down"]);
  writeFileSync(path, "");
  t.same(await told.until(2), ["down", "up"]);
  rmSync(path);
  t.same(await told.until(3), ["down", "up", "down"]);
});

t.test("a script that hangs has failed, and is not started a second time beside itself", async (t) => {
  const marks = join(folder(t), "marks");
  const told = new Told<Found>();
  const config = scriptConfig(["sh", "-c", `echo >> ${marks}; exec sleep 60`], {
    timeoutMs: 300,
    intervalMs: 20,
  });
  const script = new TrackedScript(config, "unknown", told.tell);
  script.start();
  t.same(await told.until(1), ["down"]);
  t.equal(readFileSync(marks, "utf8"), "\n");
  script.stop();
});

t.test("what was known before holds until it is found otherwise; init_fail begins down", async (t) => {
  const before = new Told<Found>();
  const known = new TrackedScript(scriptConfig(["false"], { fall: 2 }), "up", before.tell);
  known.start();
  t.same(await before.until(2), ["up", "down"]);
  known.stop();
  const told = new Told<Found>();
  const failing = new TrackedScript(
    scriptConfig(["true"], { initFail: true, rise: 2 }),
    "unknown",
    told.tell,
  );
  failing.start();
  t.same(await told.until(2), ["down", "up"]);
  failing.stop();
});

t.test("a file's number is followed, through writes, renames and removal", async (t) => {
  const path = join(folder(t), "offset");
  const told = new Told<number>();
  const file = new TrackedFile(
    { name: "f", file: path, init: { value: 7, overwrite: false } },
    null,
    told.tell,
  );
  await file.start();
  t.teardown(() => file.stop());
  t.same(await told.until(1), [7], "begun with the number of init_file");
  writeFileSync(path, "-20\n");
  t.same((await told.until(2)).at(-1), -20);
  writeFileSync(`${path}.new`, "3 and words");
  renameSync(`${path}.new`, path);
  t.same((await told.until(3)).at(-1), 3);
  rmSync(path);
  t.same((await told.until(4)).at(-1), 0);
});

t.test("a file that is there is kept, unless init_file overwrites it", async (t) => {
  const path = join(folder(t), "offset");
  writeFileSync(path, "5");
  const kept = new Told<number>();
  const file = new TrackedFile(
    { name: "f", file: path, init: { value: 7, overwrite: false } },
    null,
    kept.tell,
  );
  await file.start();
  file.stop();
  t.same(kept.all, [5]);
  const told = new Told<number>();
  const other = new TrackedFile(
    { name: "f", file: path, init: { value: 7, overwrite: true } },
    null,
    told.tell,
  );
  await other.start();
  other.stop();
  t.same(told.all, [7]);
  const again = new Told<number>();
  writeFileSync(path, "8");
  const next = new TrackedFile({ name: "f", file: path, init: { value: 7, overwrite: true } }, 7, again.tell);
  await next.start();
  next.stop();
  t.same(again.all, [8], "a control thread that follows another does not begin it anew");
});

t.test("what a file can hold", async (t) => {
  t.equal(parseTrackFile(" 12\n"), 12);
  t.equal(parseTrackFile("-3"), -3);
  t.equal(parseTrackFile("+4 x"), 4);
  t.equal(parseTrackFile(""), null);
  t.equal(parseTrackFile("x1"), null);
  t.equal(parseTrackFile("99999999999"), null);
  t.equal(parseTrackFile("2147483648"), null);
});

function processConfig(process: readonly string[], changes: Partial<TrackProcessConfig> = {}) {
  return {
    name: "p",
    process,
    fullCommand: false,
    quorum: 1,
    forkDelayMs: 0,
    terminateDelayMs: 0,
    ...changes,
  };
}

/** A process whose command line nothing else on this machine has. */
function start(t: Test, seconds: string): ChildProcess {
  const child = spawn("sleep", [seconds], { stdio: "ignore" });
  t.teardown(() => child.kill("SIGKILL"));
  return child;
}

t.test("processes are counted against the quorum", async (t) => {
  const seconds = `${700_000 + process.pid}`;
  const told = new Told<Found>();
  const tracked = new TrackedProcess(processConfig(["sleep", seconds], { quorum: 2 }), "unknown", told.tell);
  await tracked.start();
  t.teardown(() => tracked.stop());
  t.same(told.all, ["down"]);
  start(t, seconds);
  const second = start(t, seconds);
  t.same(await told.until(2), ["down", "up"]);
  second.kill("SIGKILL");
  t.same(await told.until(3), ["down", "up", "down"]);
});

t.test("a process that is replaced within terminate_delay is not missed", async (t) => {
  const seconds = `${800_000 + process.pid}`;
  const first = start(t, seconds);
  const told = new Told<Found>();
  const config = processConfig(["sleep", seconds], { terminateDelayMs: 60_000 });
  const tracked = new TrackedProcess(config, "unknown", told.tell);
  await tracked.start();
  first.kill("SIGKILL");
  await new Promise((resolve) => setTimeout(resolve, 400));
  t.same(told.all, ["up"]);
  tracked.stop();
});

t.test("a process is known by its name, or by its whole command line", async (t) => {
  t.ok(matchesName(processConfig(["nginx"]), "nginx\n"));
  t.notOk(matchesName(processConfig(["nginx"]), "nginx2\n"));
  t.ok(matchesName(processConfig(["a-name-that-is-long"]), "a-name-that-is-\n"));
  const ssh = processConfig(["sshd", "-D"]);
  t.ok(matchesCommandLine(ssh, "/usr/sbin/sshd\0-D\0"));
  t.ok(matchesCommandLine(processConfig(["/usr/sbin/sshd"]), "/usr/sbin/sshd\0"));
  t.notOk(matchesCommandLine(ssh, "/usr/sbin/sshd\0"));
  t.notOk(matchesCommandLine(ssh, "/usr/sbin/sshd\0-D\0-e\0"));
  t.notOk(matchesCommandLine(ssh, ""), "a kernel thread");
  t.equal(processState("12 (a) Z b) S 1 2"), "S");
});
