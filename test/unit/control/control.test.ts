import { EventEmitter, once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { get, type IncomingMessage } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import t, { type Test } from "tap";
import type { AdminConfig } from "../../../src/config/config.js";
import { defaultAlerts } from "../../../src/config/defaults.js";
import { Control, type ControlLog } from "../../../src/control/control.js";
import { openListeningSocket } from "../../../src/netlink/listening-socket.js";
import { isForStdout } from "../../../src/process/log.js";
import type { ControlThreadData, FromControlThread } from "../../../src/process/messages.js";
import { ServerTable } from "../../../src/proxy/health/server-table.js";
import { OperatorLimits } from "../../../src/proxy/operator-limits.js";
import { Cell } from "../../../src/proxy/stats/layout.js";
import { monotonicMs } from "../../../src/proxy/stats/monotonic.js";
import { StatsTable } from "../../../src/proxy/stats/table.js";
import { noCertificates } from "../../../src/proxy/tls/certificate.js";
import { makeInstance } from "./instance.js";
import { listenAt } from "./open-stats.js";
import { demoProxy } from "./view.js";

const adminConfig: AdminConfig = {
  listen: { kind: "address", address: "127.0.0.1", port: 0 },
  path: "/stats",
  user: "admin",
  password: "supersecret",
  isDefault: false,
};

function makeData(table: StatsTable, changes: Partial<ControlThreadData> = {}): ControlThreadData {
  return {
    certificates: noCertificates,
    node: "lb-box1",
    proxies: [demoProxy],
    vrrpConfigured: true,
    admin: null,
    statsSocket: null,
    accepts: true,
    threads: 2,
    engine: "portable",
    maxconn: 2_000,
    statsBuffer: table.buffer,
    serversBuffer: new ServerTable([demoProxy], { nowMs: monotonicMs() }).buffer,
    limitsBuffer: new OperatorLimits([demoProxy]).buffer,
    startedEpochMs: Date.now(),
    tracking: { scripts: [], files: [], processes: [] },
    known: [],
    alerts: defaultAlerts,
    ...changes,
  };
}

function temporaryDirectory(t: Test): string {
  const directory = mkdtempSync(join(tmpdir(), "lb-control-"));
  t.teardown(() => rmSync(directory, { recursive: true }));
  return directory;
}

/** A control, what it posted, and the port that its log says it serves. */
async function start(t: Test, changes: Partial<ControlThreadData> = {}) {
  const table = new StatsTable([demoProxy], 2);
  const posted: FromControlThread[] = [];
  const ports: unknown[] = [];
  const note = (fields: object) => {
    if ("port" in fields) ports.push(fields.port);
  };
  const log: ControlLog = { info: note, warn: note, error: note };
  const control = new Control(makeData(table, changes), log, (message) => posted.push(message));
  await control.start();
  t.teardown(() => control.handle({ kind: "stop", last: true }));
  return { control, table, posted, port: () => Number(ports.at(-1)) };
}

function fetchPage(port: number, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = get(
      { port, path, auth: "admin:supersecret", agent: false },
      (answer: IncomingMessage) => {
        let body = "";
        answer.setEncoding("utf8");
        answer.on("data", (part) => {
          body += part;
        });
        answer.on("end", () => resolve(body));
      },
    );
    request.on("error", reject);
  });
}

function askSocket(path: string, line: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const client = connect(path);
    let text = "";
    client.setEncoding("utf8");
    client.on("data", (part) => {
      text += part;
    });
    client.on("close", () => resolve(text));
    client.on("error", reject);
    client.write(`${line}\n`);
  });
}

const listening = () => openListeningSocket({ address: "127.0.0.1", port: 0 });

t.test("the admin server answers on the descriptor that main opened, and the socket beside it", async (t) => {
  const path = join(temporaryDirectory(t), "stats.sock");
  const { table, posted, port } = await start(t, {
    admin: { descriptor: listening(), config: adminConfig },
    statsSocket: listenAt(path),
  });
  t.same(posted, [{ kind: "ready" }]);
  table.blocks[1][table.backendRow(0) + Cell.bytesOut] = 4_242;
  const backend = /^http,BACKEND,(?:[^,]*,){7}4242,/m;
  t.match(await fetchPage(port(), "/stats;csv"), backend);
  t.match(await askSocket(path, "show stat"), backend);
});

t.test("the VRRP state that main last told is on the page", async (t) => {
  const { control, port } = await start(t, { admin: { descriptor: listening(), config: adminConfig } });
  t.match(await fetchPage(port(), "/stats"), "Starting.");
  await control.handle({ kind: "vrrp", instances: [makeInstance({ state: "BACKUP" })] });
  await control.handle({
    kind: "vrrp",
    instances: [makeInstance({ state: "MASTER", reason: "priority 255" })],
  });
  t.match(await fetchPage(port(), "/stats"), /class="state MASTER">MASTER<[\s\S]*priority 255/);
});

t.test("an admin socket may come late, and a second one replaces the first", async (t) => {
  const { control, port } = await start(t);
  await control.handle({ kind: "admin", descriptor: listening(), config: adminConfig });
  const first = port();
  t.match(await fetchPage(first, "/stats;csv"), "# pxname");
  await control.handle({ kind: "admin", descriptor: listening(), config: adminConfig });
  t.not(port(), first);
  t.match(await fetchPage(port(), "/stats;csv"), "# pxname");
  await t.rejects(fetchPage(first, "/stats;csv"), { code: "ECONNREFUSED" });
});

t.test("a descriptor that is no listening socket is told", async (t) => {
  const { posted } = await start(t, { admin: { descriptor: 999_999, config: adminConfig } });
  t.match(posted, [{ kind: "failed", code: "LB_ADMIN", fatal: true }, { kind: "ready" }]);
});

t.test("stop cuts idle and half-open clients, and posts stopped once", async (t) => {
  const path = join(temporaryDirectory(t), "stats.sock");
  const { control, posted, port } = await start(t, {
    admin: { descriptor: listening(), config: adminConfig },
    statsSocket: listenAt(path),
  });
  const clients = [connect(port(), "127.0.0.1"), connect(path)];
  clients[0].write("GET /stats HTTP/1.1\r\n");
  clients[1].write("show");
  const closed = clients.map(
    (client) => new Promise((resolve) => client.on("close", resolve).on("error", () => {})),
  );
  await sleep(50);
  await control.handle({ kind: "stop", last: true });
  await control.handle({ kind: "stop", last: true });
  for (const client of clients) client.resume();
  await Promise.all(closed);
  t.same(posted, [{ kind: "ready" }, { kind: "stopped" }]);
});

t.test("as a thread it starts, serves and ends by itself after stop", async (t) => {
  const path = join(temporaryDirectory(t), "stats.sock");
  const table = new StatsTable([demoProxy], 2);
  // The built one: whether a thread of Node's can load TypeScript depends on how the tests are run.
  const worker = new Worker(new URL("../../../dist/control/control-thread.js", import.meta.url), {
    workerData: makeData(table, { statsSocket: listenAt(path) }),
    stdout: true,
  });
  const said = new EventEmitter();
  worker.on("message", (message) => {
    if (!isForStdout(message)) said.emit("message", message);
  });
  const next = async () => (await once(said, "message"))[0];
  t.same(await next(), { kind: "ready" });
  t.match(await askSocket(path, "show info"), /^Name: Tandem\n/);
  const exit = new Promise((resolve) => worker.once("exit", resolve));
  worker.postMessage({ kind: "stop", last: true });
  t.same(await next(), { kind: "stopped" });
  t.equal(await exit, 0);
});
