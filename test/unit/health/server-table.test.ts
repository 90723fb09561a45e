import t from "tap";
import type { ServerConfig } from "../../../src/config/server-config.js";
import { handleServer, type ServerInput } from "../../../src/proxy/health/server-state.js";
import { ServerTable } from "../../../src/proxy/health/server-table.js";
import { defaultCheck as check } from "./check-config.js";

const web01: ServerConfig = { name: "web01", host: "10.0.0.1", port: 80, check };
const web02: ServerConfig = { name: "web02", host: "10.0.0.2", port: 80, weight: 5 };
const refused: ServerInput = {
  kind: "checked",
  result: { status: "L7STS", code: 503, durationMs: 7, detail: "" },
};

function apply(table: ServerTable, proxy: number, server: number, input: ServerInput, nowMs: number): void {
  const config = table.proxies[proxy].servers[server];
  table.write(proxy, server, handleServer(table.read(proxy, server), input, config, nowMs).state, nowMs);
}

t.test("what is written in one thread is read in another, state for state", async (t) => {
  const proxies = [
    { name: "a", servers: [web01, web02] },
    { name: "b", servers: [{ ...web01, disabled: true as const }] },
  ];
  const here = new ServerTable(proxies, { nowMs: 5 });
  const there = new ServerTable(proxies, { buffer: here.buffer });
  apply(here, 0, 0, refused, 1000);
  apply(here, 0, 1, { kind: "weight", weight: 256 }, 1000);
  for (const [proxy, server] of [
    [0, 0],
    [0, 1],
    [1, 0],
  ])
    t.same(there.read(proxy, server), here.read(proxy, server));
  t.match(there.read(0, 0), {
    checkStatus: "L7STS",
    checkCode: 503,
    checkDurationMs: 7,
    health: 0,
    downs: 1,
  });
  t.same(
    [there.effectiveWeight(0, 0), there.effectiveWeight(0, 1), there.effectiveWeight(1, 0)],
    [0, 256 * 256, 0],
  );
});

t.test("the version changes with what a pick depends on, and with nothing else", async (t) => {
  const table = new ServerTable([{ name: "a", servers: [web01] }], { nowMs: 0 });
  const atStart = table.version;
  const good: ServerInput = {
    kind: "checked",
    result: { status: "L4OK", code: null, durationMs: 1, detail: "" },
  };
  apply(table, 0, 0, good, 1);
  const { version } = table;
  t.not(version, atStart, "the first check has ended");
  apply(table, 0, 0, good, 1);
  t.equal(table.version, version);
  for (let i = 0; i < 3; i++) apply(table, 0, 0, refused, 2);
  t.not(table.version, version);
});

t.test("a backend is down while nobody in it takes requests, and its books say for how long", async (t) => {
  const table = new ServerTable([{ name: "a", servers: [web01] }], { nowMs: 0 });
  t.equal(table.settleBackend(0, 0), null);
  apply(table, 0, 0, refused, 1000);
  t.equal(table.settleBackend(0, 1000), false);
  apply(table, 0, 0, { kind: "admin", state: "maint" }, 2000);
  t.equal(table.settleBackend(0, 2000), null);
  apply(table, 0, 0, { kind: "admin", state: "ready" }, 4000);
  t.equal(table.settleBackend(0, 4000), true);
  t.same(table.readBackend(0), { hasServer: true, changedMs: 4000, downtimeMs: 3000, downs: 1 });
});

t.test("a reload keeps what is known of the servers that stay", async (t) => {
  const before = new ServerTable([{ name: "a", servers: [web01, web02] }], { nowMs: 0 });
  apply(before, 0, 0, refused, 1000);
  apply(before, 0, 1, { kind: "admin", state: "drain" }, 1000);
  apply(before, 0, 1, { kind: "weight", weight: 9 }, 1000);
  before.settleBackend(0, 1000);
  const web03 = { name: "web03", host: "10.0.0.3", port: 80 };
  const after = new ServerTable([{ name: "a", servers: [web03, web02, web01] }], { nowMs: 2000 });
  after.takeOver(before, 2000);
  t.same(after.read(0, 2), before.read(0, 0));
  t.same(after.read(0, 1), before.read(0, 1));
  t.equal(after.effectiveWeight(0, 2), 0, "it is down as before");
  t.match(after.readBackend(0), { hasServer: true, downs: 1 });
});

t.test("a reload begins anew with a server that has moved, and heeds what the file changes", async (t) => {
  const before = new ServerTable([{ name: "a", servers: [web01, web02] }], { nowMs: 0 });
  apply(before, 0, 0, refused, 1000);
  apply(before, 0, 1, { kind: "weight", weight: 9 }, 1000);
  const after = new ServerTable(
    [
      {
        name: "a",
        servers: [
          { ...web01, host: "10.9.9.9" },
          { ...web02, weight: 7, disabled: true },
        ],
      },
    ],
    { nowMs: 2000 },
  );
  after.takeOver(before, 2000);
  t.match(after.read(0, 0), { downs: 0, health: 2 });
  t.match(after.read(0, 1), { weight: 7, admin: "maint" });
});

t.test("a server whose rise and fall change stays up or down", async (t) => {
  const before = new ServerTable([{ name: "a", servers: [web01] }], { nowMs: 0 });
  const changed = { ...web01, check: { ...check, rise: 5, fall: 1 } };
  const upAfter = new ServerTable([{ name: "a", servers: [changed] }], { nowMs: 1 });
  upAfter.takeOver(before, 1);
  t.equal(upAfter.isStopped(0, 0), false);
  apply(before, 0, 0, refused, 1000);
  const downAfter = new ServerTable([{ name: "a", servers: [changed] }], { nowMs: 1 });
  downAfter.takeOver(before, 1001);
  t.equal(downAfter.isStopped(0, 0), true);
});
