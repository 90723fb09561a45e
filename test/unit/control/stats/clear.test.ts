import t from "tap";
import { clearCounters } from "../../../../src/proxy/stats/clear.js";
import { Cell } from "../../../../src/proxy/stats/layout.js";
import { clearMaxima, sampleRates, startRates } from "../../../../src/proxy/stats/rates.js";
import { readSnapshot } from "../../../../src/proxy/stats/snapshot.js";
import { StatsTable } from "../../../../src/proxy/stats/table.js";

const proxies = [{ servers: { length: 2 } }];

function filled(): StatsTable {
  const table = new StatsTable(proxies, 2);
  const rows = [table.frontendRow(0), table.serverRow(0, 0), table.serverRow(0, 1), table.backendRow(0)];
  for (const block of table.rowBlocks)
    for (const row of rows) for (const cell of Object.values(Cell)) block[row + cell] = 10 + cell;
  return table;
}

t.test("without all only the greatest values begin anew", async (t) => {
  const table = filled();
  clearCounters(table, proxies, false);
  const { frontend, servers } = readSnapshot(table, proxies).proxies[0];
  t.equal(frontend.sessionsMax, 0);
  t.equal(servers[1].queueMax, 0);
  t.equal(servers[0].totalTimeMax, 0);
  t.equal(servers[0].responses2xx, 3 * (10 + Cell.responses2xx));
});

t.test(
  "with all every counter is 0, in every row of every thread, and what is there now stays",
  async (t) => {
    const table = filled();
    clearCounters(table, proxies, true);
    const { frontend, servers, backend } = readSnapshot(table, proxies).proxies[0];
    for (const row of [frontend, ...servers, backend]) {
      t.match(row, { responses2xx: 0, bytesIn: 0, connectErrors: 0, totalTimeMax: 0, timedRequests: 0 });
      t.equal(row.sessionsCurrent, 3 * 10);
      t.equal(row.idleConnections, 3 * (10 + Cell.idleConnections));
      t.equal(row.lastFailedMs, 10 + Cell.lastFailedMs);
    }
  },
);

t.test("the greatest rates begin anew, the present ones stay", async (t) => {
  const table = new StatsTable(proxies, 1);
  const read = () => readSnapshot(table, proxies);
  let rates = startRates(read(), 0);
  table.blocks[0][table.frontendRow(0) + Cell.requestsTotal] = 50;
  rates = clearMaxima(sampleRates(rates, read(), 1_000));
  t.match(rates.requests, { total: 50, perSecond: 50, max: 0 });
  t.match(rates.proxies[0].frontend.requests, { perSecond: 50, max: 0 });
});
