import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import t from "tap";
import { askDaemon } from "../../../src/cli/ask-daemon.js";
import { type Change, changesOf } from "../../../src/flight/changes.js";
import { parseFlight } from "../../../src/flight/recorder.js";
import { DatagramReceiver } from "./datagram-receiver.js";
import { command, RunningDaemon } from "./running-daemon.js";

t.test("it serves, and SIGTERM ends it with 0", async (t) => {
  const daemon = await RunningDaemon.start(t, ["--threads=2"]);
  t.equal(await daemon.get(), "ok");
  daemon.process.kill("SIGTERM");
  t.equal(await daemon.exited, 0);
  t.match(
    daemon.lines.map(({ msg }) => msg),
    ["starting", "serving", "stopping", "drained", "drained", "stopped"],
  );
});

t.test("SIGTERM lets what is in flight finish, and cuts it at the end of the drain time", async (t) => {
  const file = join(t.testdir(), "lb.yaml");
  writeFileSync(file, "proxies: { http: { bind: ':1', servers: { a: b:1 } } }\ndrain_timeout: 700ms\n");
  const daemon = await RunningDaemon.start(t, [`--config=${file}`, "--threads=1"]);
  const socket = connect(daemon.port, "127.0.0.1");
  socket.on("error", () => {});
  socket.write("GET /hold HTTP/1.1\r\nHost: a\r\n\r\n");
  await new Promise((resolve) => socket.once("data", resolve));
  const before = performance.now();
  daemon.process.kill("SIGTERM");
  t.equal(await daemon.exited, 0);
  t.ok(performance.now() - before >= 690, "not before the drain time is over");
  t.match(await daemon.line(({ msg }) => msg.startsWith("drained")), { level: "warn", cutConnections: 1 });
});

t.test("a maxconn that the open files do not allow is said, with what holds instead", async (t) => {
  const file = join(t.testdir(), "lb.yaml");
  writeFileSync(file, "proxies: { http: { bind: ':1', servers: { a: b:1 } } }\nmaxconn: 10000000\n");
  const daemon = await RunningDaemon.start(t, [`--config=${file}`, "--threads=1"]);
  const { maxconn, limit, advice } = await daemon.line(({ msg }) => msg.startsWith("maxconn 10000000"));
  t.equal(maxconn, 10_000_000);
  t.ok(Number(limit) > 0 && Number(limit) < 10_000_000);
  t.match(advice, "LimitNOFILE");
  daemon.process.kill("SIGTERM");
  t.equal(await daemon.exited, 0);
});

t.test("a second SIGTERM ends it at once", async (t) => {
  const daemon = await RunningDaemon.start(t, ["--threads=1"]);
  const socket = connect(daemon.port, "127.0.0.1");
  socket.on("error", () => {});
  socket.write("GET /hold HTTP/1.1\r\nHost: a\r\n\r\n");
  await new Promise((resolve) => socket.once("data", resolve));
  daemon.process.kill("SIGTERM");
  await daemon.line(({ msg, next }) => msg === "stopping" && next === "handing-over");
  await setTimeout(100);
  t.equal(daemon.process.exitCode, null);
  daemon.process.kill("SIGINT");
  t.equal(await daemon.exited, 0);
  t.ok(daemon.lines.some(({ signal, next }) => signal === "SIGINT" && next === "leaving"));
});

t.test("SIGHUP applies what has changed, or says what is wrong and changes nothing", async (t) => {
  const file = join(t.testdir(), "lb.yaml");
  writeFileSync(file, "proxies: { http: { bind: ':1', servers: { a: b:1 } } }\n");
  const daemon = await RunningDaemon.start(t, [`--config=${file}`, "--threads=1"]);
  daemon.process.kill("SIGHUP");
  await daemon.line(({ msg }) => msg === "the configuration is valid and has not changed");
  writeFileSync(file, "proxies: { http: { bind: ':1', servers: { a: b:1 }, timeout: { client: 7s } } }\n");
  daemon.process.kill("SIGHUP");
  t.match(await daemon.line(({ msg }) => msg === "reloaded"), {
    applied: ["proxies.http.timeouts.clientMs"],
  });
  writeFileSync(file, "proxies: { http: { bind: ':1', servers: {} } }\n");
  daemon.process.kill("SIGHUP");
  await daemon.line(
    ({ msg }) =>
      msg ===
      `${file}:1:12: http has no servers. Add at least one, such as servers: { web01: 192.168.33.68:80 }.`,
  );
  t.match(await daemon.line(({ problems }) => problems === 1), {
    msg: "the configuration is not valid: nothing was changed",
  });
  rmSync(file);
  daemon.process.kill("SIGHUP");
  await daemon.line(({ msg }) => msg.startsWith("LB_NO_CONFIG: "));
  t.equal(await daemon.get(), "ok");
});

t.test("SIGUSR1 writes the state to the log, and opens no debugger", async (t) => {
  const daemon = await RunningDaemon.start(t, ["--threads=1"]);
  await daemon.get();
  daemon.process.kill("SIGUSR1");
  t.match(await daemon.line(({ msg }) => msg === "state"), {
    lifeCycle: "serving",
    fitness: "well",
    threads: [
      { name: "data-0", state: "serving" },
      { name: "control", state: "serving" },
    ],
    proxies: { http: { requests: 1, servers: { web01: 1 } } },
  });
  await t.rejects(fetch("http://127.0.0.1:9229/json/version"));
});

t.test("the flight recorder hears of what the level of the log keeps from stdout", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "lb-"));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const socket = join(folder, "stats.sock");
  const flags = ["--threads=1", `--stats-socket=${socket}`];
  const daemon = await RunningDaemon.spawn(t, flags, { LB_LOG_LEVEL: "error" });
  let changes: readonly Change[] = [];
  while (changes.length === 0 && daemon.process.exitCode === null) {
    await setTimeout(20);
    const answer = existsSync(socket) ? await askDaemon(socket, "show flight changes").catch(() => "") : "";
    changes = changesOf(parseFlight(answer) ?? { lines: [] });
  }
  t.match(changes, [{ tone: "dim", text: /^serving/ }]);
  daemon.process.kill("SIGTERM");
  t.equal(await daemon.exited, 0);
  t.same(daemon.lines, []);
});

t.test("a stdout that nobody reads keeps neither the traffic nor the end", async (t) => {
  const daemon = await RunningDaemon.spawn(t, ["--threads=1"], {}, "unread");
  while ((await daemon.get().catch(() => "not up yet")) !== "ok") await setTimeout(20);
  // Each state is a line of more than 1 KB: together more than a pipe holds, and less than the log's own queue.
  for (let i = 0; i < 400; i++) {
    daemon.process.kill("SIGUSR1");
    if ((await daemon.get()) !== "ok") t.fail("no answer");
  }
  daemon.process.kill("SIGTERM");
  t.equal(await daemon.exited, "SIGKILL", "its own, after everything was released");
});

t.test("the service manager hears READY, the watchdog and STOPPING", async (t) => {
  const receiver = await DatagramReceiver.open(t, "path");
  const environment = { NOTIFY_SOCKET: receiver.name, WATCHDOG_USEC: "200000" };
  const daemon = await RunningDaemon.start(t, ["--threads=1"], environment);
  t.same([await receiver.next(), await receiver.next()].sort(), ["READY=1\nSTATUS=serving", "WATCHDOG=1"]);
  for (let i = 0; i < 3; i++) t.equal(await receiver.next(), "WATCHDOG=1");
  daemon.process.kill("SIGTERM");
  t.equal(await daemon.exited, 0);
  for (;;) {
    const message = await receiver.next();
    if (message === "WATCHDOG=1") continue;
    t.equal(message, "STOPPING=1\nSTATUS=handing-over");
    break;
  }
});

t.test("a port that is taken is fatal and named", async (t) => {
  const daemon = await RunningDaemon.start(t, []);
  const { status, stderr, stdout } = spawnSync(
    process.execPath,
    [command, "--no-vrrp", `--listen=127.0.0.1:${daemon.port}`, "--backend=127.0.0.1:1"],
    { encoding: "utf8" },
  );
  t.equal(status, 1);
  t.match(stderr, `lb: LB_LISTEN_IN_USE: cannot listen on 127.0.0.1:${daemon.port}: another process does. `);
  t.match(JSON.parse(stdout.trim().split("\n").at(-1) ?? ""), { level: "fatal", code: "LB_LISTEN_IN_USE" });
});
