import { writeFileSync } from "node:fs";
import { Agent, get } from "node:http";
import { join } from "node:path";
import t, { type Test } from "tap";
import { RunningDaemon } from "./running-daemon.js";

/** The processes that follow are nobody's children: they end with the test. */
async function start(t: Test): Promise<RunningDaemon> {
  const daemon = await RunningDaemon.start(t, []);
  t.teardown(() => {
    for (const { msg, pid } of daemon.lines) if (msg === "starting") end(Number(pid));
  });
  return daemon;
}

function end(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended.
  }
}

function starts(daemon: RunningDaemon): number[] {
  return daemon.lines.flatMap(({ msg, pid }) => (msg === "starting" ? [Number(pid)] : []));
}

t.test("SIGUSR2: another process serves on the same socket, and what was begun is finished", async (t) => {
  const daemon = await start(t);
  const first = daemon.process.pid;
  const held = new Promise<string>((resolve, reject) => {
    const options = { port: daemon.port, path: "/hold", agent: new Agent() };
    get(options, (response) => {
      response.on("data", (bytes: Buffer) => resolve(String(bytes)));
      response.on("error", () => {});
    }).on("error", reject);
  });
  t.equal(await held, "begun");
  daemon.process.kill("SIGUSR2");
  await daemon.line(({ msg }) => msg === "upgraded: another process serves");
  await daemon.line(({ msg, pid }) => msg === "serving" || pid === -1);
  const [, second] = starts(daemon);
  t.ok(second);
  t.not(second, first);
  t.equal(await daemon.get(), "ok");
  t.equal(daemon.process.exitCode, null, "the first one has a request still");
  process.kill(second, "SIGTERM");
  await daemon.line(({ msg, signal }) => msg === "stopping" && signal === "SIGTERM");
});

t.test("a new program that does not start changes nothing, and its reason is told", async (t) => {
  const daemon = await start(t);
  writeFileSync(join(daemon.folder, "sabotage.control.always"), "");
  daemon.process.kill("SIGUSR2");
  const { code, msg } = await daemon.line(({ msg }) => msg.endsWith("nothing was upgraded"));
  t.equal(code, "LB_UPGRADE");
  t.match(msg, /the new program did not start: LB_THREAD_START: the thread control does not start/);
  t.equal(await daemon.get(), "ok");
  t.equal(daemon.process.exitCode, null);
});

t.test(
  "a new program that hangs when it should take over is ended, and the running one goes on",
  async (t) => {
    const daemon = await start(t);
    daemon.process.kill("SIGUSR2");
    await daemon.line(({ msg, pid }) => msg === "starting" && pid !== daemon.process.pid);
    const [, second] = starts(daemon);
    process.kill(second, "SIGSTOP");
    // What waits for it would wait half a minute.
    setTimeout(() => end(second), 500);
    const { code, msg } = await daemon.line(({ msg }) => msg.endsWith("nothing was upgraded"));
    t.equal(code, "LB_UPGRADE");
    // Where this test came late to stop it, it was further.
    t.match(msg, /the new program ended (before it was ready|while it took over)/);
    t.equal(await daemon.get(), "ok");
  },
);

t.test("LB_UPGRADE without a process to follow is an error that says so", async (t) => {
  const daemon = await RunningDaemon.spawn(t, [], { LB_UPGRADE: "77" }, "unread");
  t.equal(await daemon.exited, 1);
});
