import assert from "node:assert/strict";
import fc from "fast-check";
import t from "tap";
import type { ServerConfig } from "../../../src/config/server-config.js";
import { ServerTable } from "../../../src/proxy/health/server-table.js";
import { defaultCheck as check } from "./check-config.js";

const web01: ServerConfig = { name: "web01", host: "10.0.0.1", port: 80, check };
const web02: ServerConfig = { name: "web02", host: "web02.example", port: 80 };
const proxies = [{ name: "a", servers: [web01, web02] }];
const home = { host: null, port: null, checkPort: null };

t.test("an operator's address is read in another thread, IPv4 and IPv6, with its ports", async () => {
  const here = new ServerTable(proxies, { nowMs: 0 });
  const there = new ServerTable(proxies, { buffer: here.buffer });
  const port = fc.option(fc.integer({ min: 1, max: 65_535 }));
  fc.assert(
    fc.property(
      fc.option(fc.oneof(fc.ipV4(), fc.constantFrom("::1", "2001:db8::ff:1"))),
      port,
      port,
      (...all) => {
        const [host, own, checkPort] = all;
        here.setTarget(0, 1, { host, port: own, checkPort });
        assert.deepEqual(there.readTarget(0, 1), { host, port: own, checkPort });
        assert.deepEqual(there.readTarget(0, 0), home, "the other one stays");
      },
    ),
  );
});

t.test("without an operator's word a server is the configuration's very object", async (t) => {
  const table = new ServerTable(proxies, { nowMs: 0 });
  t.equal(table.effectiveServer(0, 0), web01);
  const before = table.targetVersion;
  table.setTarget(0, 0, { host: "10.0.0.9", port: 8080, checkPort: null });
  t.not(table.targetVersion, before);
  t.same(table.effectiveServer(0, 0), {
    ...web01,
    host: "10.0.0.9",
    port: 8080,
    check: { ...check, port: 8080 },
  });
  table.setTarget(0, 0, { host: null, port: 8080, checkPort: 9000 });
  t.same(table.effectiveServer(0, 0), { ...web01, port: 8080, check: { ...check, port: 9000 } });
  table.setTarget(0, 0, home);
  t.equal(table.effectiveServer(0, 0), web01);
});

t.test("an operator's address outlives a reload, unless the file gives the server another one", async (t) => {
  const before = new ServerTable(proxies, { nowMs: 0 });
  for (const server of [0, 1]) before.setTarget(0, server, { host: "10.0.0.9", port: null, checkPort: null });
  const after = new ServerTable(
    [
      {
        name: "a",
        servers: [
          { ...web01, weight: 7 },
          { ...web02, port: 81 },
        ],
      },
    ],
    {
      nowMs: 1,
    },
  );
  after.takeOver(before, 1);
  t.equal(after.effectiveServer(0, 0).host, "10.0.0.9");
  t.equal(after.effectiveServer(0, 1).host, "web02.example");
});
