import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t, { type Test } from "tap";
import type { StatsSocketConfig } from "../../../src/config/config.js";
import { StatsSocket, type StatsSocketLimits } from "../../../src/control/stats-socket.js";
import { duplicateDescriptor } from "../../../src/netlink/listening-socket.js";
import { limits, listenAt, openStats } from "./open-stats.js";
import { makeView, noActions } from "./view.js";

async function open(t: Test, changes: Partial<StatsSocketLimits> = {}): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), "lb-stats-"));
  const path = join(directory, "run", "stats.sock");
  const socket = await openStats(path, { changes });
  t.teardown(async () => {
    await socket.close();
    rmSync(directory, { recursive: true });
  });
  return path;
}

/** Everything that the socket says until it closes, or until `enough` is said. */
function listenTo(client: Socket, enough?: (text: string) => boolean): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = "";
    client.setEncoding("utf8");
    client.on("data", (part) => {
      text += part;
      if (enough?.(text)) resolve(text);
    });
    client.on("close", () => resolve(text));
    client.on("error", reject);
  });
}

/** Sends `line` and keeps its own side open, as a careless client does. */
function ask(path: string, line: string): Promise<string> {
  const client = connect(path);
  client.write(line);
  return listenTo(client);
}

t.test("one line is answered, with an empty line at the end, and the connection closed", async (t) => {
  const path = await open(t);
  t.equal(await ask(path, "show version\n"), "0.1.0\n\n");
});

t.test("a line may end in CRLF", async (t) => {
  const path = await open(t);
  t.equal(await ask(path, "show version\r\n"), "0.1.0\n\n");
});

t.test("datadog's two commands on one line give two parts at an empty line", async (t) => {
  const path = await open(t);
  const parts = (await ask(path, "show info;show stat\r\n")).split("\n\n").filter((part) => part !== "");
  t.equal(parts.length, 2);
  t.match(parts, [/^Name: Tandem\n/, /^# pxname,/]);
});

t.test("a client that closes its side first is answered all the same", async (t) => {
  const path = await open(t);
  const client = connect(path);
  client.end("show version");
  t.equal(await listenTo(client), "0.1.0\n\n");
});

t.test("prompt keeps the connection open until quit", async (t) => {
  const path = await open(t);
  const client = connect(path);
  client.write("prompt\n");
  t.equal(await listenTo(client, (text) => text.endsWith("> ")), "\n> ");
  client.write("show version;show version\n");
  const twice = "0.1.0\n\n> 0.1.0\n\n> ";
  t.equal(await listenTo(client, (text) => text.length >= twice.length), twice);
  client.write("quit\n");
  t.equal(await listenTo(client), "");
});

t.test("quit ends the line that it stands in", async (t) => {
  const path = await open(t);
  t.equal(await ask(path, "show version;quit;show version\n"), "0.1.0\n\n");
});

t.test("an overlong line is refused and the connection closed, with or without its end", async (t) => {
  const path = await open(t);
  t.match(await ask(path, "x".repeat(300)), /^Line too long/);
  t.match(await ask(path, `${"x".repeat(300)}\n`), /^Line too long/);
});

t.test("a client that says nothing is cut after the idle time-out", async (t) => {
  const path = await open(t, { idleTimeoutMs: 50 });
  t.equal(await ask(path, "prom"), "");
});

t.test("thirty clients at once get whole answers", async (t) => {
  const path = await open(t);
  const answers = await Promise.all(Array.from({ length: 30 }, () => ask(path, "show stat\n")));
  for (const answer of answers) t.match(answer, /\nhttp,BACKEND,.*\n\n$/);
});

t.test("a client beyond the limit is closed and the others go on", async (t) => {
  const path = await open(t, { maxClients: 1 });
  const first = connect(path);
  first.write("prompt\n");
  await listenTo(first, (text) => text.endsWith("> "));
  const refused = connect(path);
  refused.on("error", () => {});
  await new Promise((resolve) => refused.on("close", resolve));
  first.write("show version\n");
  t.equal(await listenTo(first, (text) => text.endsWith("> ")), "0.1.0\n\n> ");
  first.destroy();
});

t.test("a client that does not read holds back its own answers, and others are served", async (t) => {
  const path = await open(t, { maxLineBytes: 16_384 });
  let views = 0;
  const directory = mkdtempSync(join(tmpdir(), "lb-stats-"));
  const slow = join(directory, "slow.sock");
  const view = () => {
    views++;
    return makeView();
  };
  const counting = await openStats(slow, { view, changes: { maxLineBytes: 16_384 } });
  t.teardown(async () => {
    await counting.close();
    rmSync(directory, { recursive: true });
  });
  const client = connect(slow);
  client.pause();
  client.write(`${Array(1_500).fill("show stat").join(";")}\n`);
  t.match(await ask(slow, "show version\n"), /^0\.1\.0/);
  t.match(await ask(path, "show version\n"), /^0\.1\.0/);
  t.ok(views < 1_000, `${views} of 1500 commands were run for a client that takes no answer`);
  client.destroy();
});

t.test("the socket's file has mode 0660 and its directory is made", async (t) => {
  const path = await open(t);
  t.equal(statSync(path).mode & 0o777, 0o660);
});

t.test("a socket on which another process answers is left alone", async (t) => {
  const path = await open(t);
  await t.rejects(openStats(path), { code: "LB_STATS_SOCKET_IN_USE" });
  t.equal(await ask(path, "show version\n"), "0.1.0\n\n");
});

t.test("a socket file that nobody answers on is replaced", async (t) => {
  const directory = mkdtempSync(join(tmpdir(), "lb-stats-"));
  const path = join(directory, "stats.sock");
  const stale = join(directory, "stale.sock");
  // A server moved away from its own name leaves its file behind, as a killed process does.
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(stale, resolve));
  const { renameSync } = await import("node:fs");
  renameSync(stale, path);
  await new Promise((resolve) => server.close(resolve));
  t.ok(statSync(path).isSocket());
  const socket = await openStats(path);
  t.teardown(() => rmSync(directory, { recursive: true }));
  t.equal(await ask(path, "show version\n"), "0.1.0\n\n");
  await socket.close();
  t.throws(() => statSync(path), { code: "ENOENT" });
});

t.test("a file that is no socket is not removed", async (t) => {
  const directory = mkdtempSync(join(tmpdir(), "lb-stats-"));
  t.teardown(() => rmSync(directory, { recursive: true }));
  const path = join(directory, "stats.sock");
  writeFileSync(path, "precious");
  await t.rejects(openStats(path), { code: "LB_STATS_SOCKET", message: /not a socket/ });
  t.ok(statSync(path).isFile());
});

t.test("a directory that cannot be made is an error that names the path", async (t) => {
  const directory = mkdtempSync(join(tmpdir(), "lb-stats-"));
  t.teardown(() => rmSync(directory, { recursive: true }));
  writeFileSync(join(directory, "file"), "");
  mkdirSync(join(directory, "other"));
  const path = join(directory, "file", "stats.sock");
  await t.rejects(openStats(path), { code: "LB_STATS_SOCKET", message: new RegExp(path) });
});

t.test("a path that is too long for a socket is refused with advice", async (t) => {
  const path = `/tmp/${"x".repeat(120)}/stats.sock`;
  await t.rejects(openStats(path), { code: "LB_STATS_SOCKET", message: /longer/ });
});

t.test("closing answers the command that is on its way, and nobody after it", async (t) => {
  const directory = mkdtempSync(join(tmpdir(), "lb-stats-"));
  t.teardown(() => rmSync(directory, { recursive: true }));
  const path = join(directory, "stats.sock");
  const socket = await openStats(path);
  const client = connect(path);
  await new Promise<void>((resolve) => client.on("connect", () => resolve()));
  const answered = listenTo(client);
  // Its connection must have been accepted.
  t.match(await ask(path, "show version\n"), /^0\.1\.0/);
  const closed = socket.close();
  client.write("show version\nshow version\n");
  t.equal(await answered, "0.1.0\n\n");
  await closed;
});

t.test("once withdrawn, new clients wait for who follows, and the old ones go on", async (t) => {
  const directory = mkdtempSync(join(tmpdir(), "lb-stats-"));
  const { listener, descriptor } = listenAt(join(directory, "stats.sock"));
  const { path } = listener.config;
  const serve = (of: number, version: string): Promise<StatsSocket> =>
    StatsSocket.serve(of, () => ({ ...makeView(), version }), noActions, limits);
  const before = await serve(descriptor, "before");
  const old = connect(path);
  const says = (text: string): boolean => text.endsWith("before\n\n> ");
  old.write("prompt\nshow version\n");
  await listenTo(old, says);

  before.withdraw();
  const asked = ask(path, "show version\n");
  for (let i = 0; i < 3; i++) {
    old.write("show version\n");
    t.equal(await listenTo(old, says), "before\n\n> ");
  }
  const after = await serve(duplicateDescriptor(listener.descriptor), "after");
  t.equal(await asked, "after\n\n");

  old.destroy();
  listener.close();
  await Promise.all([before.close(), after.close()]);
  rmSync(directory, { recursive: true });
});

t.test("closing cuts the clients and removes the file", async (t) => {
  const directory = mkdtempSync(join(tmpdir(), "lb-stats-"));
  t.teardown(() => rmSync(directory, { recursive: true }));
  const path = join(directory, "stats.sock");
  const socket = await openStats(path);
  const client = connect(path);
  client.write("prompt\n");
  await listenTo(client, (text) => text.endsWith("> "));
  const closed = new Promise((resolve) => client.on("close", resolve));
  await socket.close();
  await closed;
  t.throws(() => statSync(path), { code: "ENOENT" });
});

async function openWith(t: Test, access: Partial<StatsSocketConfig>): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), "lb-stats-"));
  const path = join(directory, "stats.sock");
  const socket = await openStats(path, { access });
  t.teardown(async () => {
    await socket.close();
    rmSync(directory, { recursive: true });
  });
  return path;
}

t.test("levels are HAProxy's: who may not gets Permission denied", async (t) => {
  const changes = [
    "set server http/web01 state drain",
    "set weight http/web01 1",
    "disable server http/web01",
  ];
  for (const level of ["user", "operator"] as const) {
    const path = await openWith(t, { level });
    t.equal(await ask(path, "show cli level\n"), `${level}\n\n`);
    for (const command of [...changes, "enable server http/web01", "drain", "undrain", "reload"])
      t.equal(await ask(path, `${command}\n`), "Permission denied\n\n", command);
    t.equal(await ask(path, "get weight http/web01\n"), "1 (initial 1)\n\n");
    t.match(await ask(path, "show info\n"), /^Name: Tandem\n/);
    t.equal(
      await ask(path, "operator;show cli level\n"),
      level === "user" ? "Permission denied\n\nuser\n\n" : "\noperator\n\n",
    );
  }
  const path = await openWith(t, {});
  t.equal(await ask(path, "show cli level\n"), "admin\n\n");
  t.equal(
    await ask(path, "user;show cli level;set weight http/web01 1\n"),
    "\nuser\n\nPermission denied\n\n",
  );
});

t.test("level user does not see where servers are and how they are chosen", async (t) => {
  const cells = async (level: "user" | "operator") => {
    const [header, ...rows] = (await ask(await openWith(t, { level }), "show stat\n")).trim().split("\n");
    const columns = header.slice(2).split(",");
    return rows.flatMap((row) => {
      const values = row.split(",");
      return ["addr", "cookie", "algo"].map((name) => values[columns.indexOf(name)]);
    });
  };
  t.ok((await cells("user")).every((cell) => cell === ""));
  t.ok((await cells("operator")).some((cell) => cell !== ""));
});

t.test("the file has the mode and the owner that are asked for", async (t) => {
  const uid = process.getuid?.() ?? 0;
  const path = await openWith(t, { mode: 0o600, user: String(uid) });
  t.equal(statSync(path).mode & 0o777, 0o600);
  t.equal(statSync(path).uid, uid);
  await t.rejects(openWith(t, { group: "nobody-of-that-name" }), {
    code: "LB_STATS_SOCKET",
    message: "nobody-of-that-name of stats_socket is no group of this machine",
  });
});
