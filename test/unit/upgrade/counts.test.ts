import t from "tap";
import { describeStates, takeStates } from "../../../src/proxy/health/described-states.js";
import { ServerTable } from "../../../src/proxy/health/server-table.js";
import { carryCounts, describeCounts } from "../../../src/proxy/stats/counts.js";
import { Cell } from "../../../src/proxy/stats/layout.js";
import { readSnapshot } from "../../../src/proxy/stats/snapshot.js";
import { StatsTable } from "../../../src/proxy/stats/table.js";

const server = (name: string) => ({ name, host: "10.0.0.1", port: 80 });
const proxies = [
  { name: "http", servers: [server("a"), server("b")] },
  { name: "other", servers: [server("a")] },
];

t.test("counts go by name into the table of another process, and not twice", async (t) => {
  const before = new StatsTable(proxies, 2);
  before.blocks[0][before.frontendRow(0) + Cell.requestsTotal] = 3;
  before.blocks[1][before.frontendRow(0) + Cell.requestsTotal] = 4;
  before.blocks[1][before.serverRow(0, 1) + Cell.bytesOut] = 5;
  before.blocks[0][before.serverRow(0, 1) + Cell.timedRequests] = 10;
  before.blocks[0][before.serverRow(0, 1) + Cell.totalTimeSum] = 250;
  const counts = JSON.parse(JSON.stringify(describeCounts(before, proxies)));
  // Another order, and one server less.
  const others = [proxies[1], { name: "http", servers: [server("b")] }];
  const after = new StatsTable(others, 1);
  for (let time = 0; time < 2; time++) carryCounts(counts, { table: after, proxies: others });
  const [, http] = readSnapshot(after, others).proxies;
  t.equal(http.frontend.requestsTotal, 7);
  t.equal(http.servers[0].bytesOut, 5);
  t.equal(http.servers[0].totalTimeAverage, 25);
});

t.test("what another version counts otherwise is left out, and what it does not count is 0", async (t) => {
  const table = new StatsTable(proxies, 1);
  const row = { requestsTotal: 2, fromTheFuture: 9 };
  carryCounts([{ name: "http", frontend: row, backend: {}, servers: [] }], { table, proxies });
  const [http] = readSnapshot(table, proxies).proxies;
  t.equal(http.frontend.requestsTotal, 2);
  t.equal(http.frontend.bytesIn, 0);
});

t.test("states of servers go by name, and an unknown check result begins anew", async (t) => {
  const before = new ServerTable(proxies, { nowMs: 1000 });
  before.write(0, 1, { ...before.read(0, 1), admin: "drain", weight: 7, checkStatus: "L7OK" }, 2000);
  const states = JSON.parse(JSON.stringify(describeStates(before)));
  const after = new ServerTable(proxies, { nowMs: 3000 });
  takeStates(after, states, 3000);
  t.match(after.read(0, 1), { admin: "drain", weight: 7, checkStatus: "L7OK", changedMs: 1000 });
  t.equal(after.effectiveWeight(0, 1), 0);
  states[0].servers[1].state.checkStatus = "L9NEW";
  takeStates(after, states, 3000);
  t.equal(after.read(0, 1).checkStatus, "INI");
});
