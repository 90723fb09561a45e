import t from "tap";
import { Cell } from "../../../../src/proxy/stats/layout.js";
import { sampleRates, startRates } from "../../../../src/proxy/stats/rates.js";
import { readSnapshot } from "../../../../src/proxy/stats/snapshot.js";
import { StatsTable } from "../../../../src/proxy/stats/table.js";

const proxies = [{ servers: { length: 1 } }];

function setUp() {
  const table = new StatsTable(proxies, 2);
  return { table, read: () => readSnapshot(table, proxies) };
}

t.test("a rate is the growth since the last sample, per second, over all threads", async (t) => {
  const { table, read } = setUp();
  let rates = startRates(read(), 1_000);
  table.blocks[0][table.frontendRow(0) + Cell.requestsTotal] = 30;
  table.blocks[1][table.frontendRow(0) + Cell.requestsTotal] = 20;
  rates = sampleRates(rates, read(), 3_000);
  t.match(rates.proxies[0].frontend.requests, { total: 50, perSecond: 25, max: 25 });
});

t.test("the maximum stays when the rate falls", async (t) => {
  const { table, read } = setUp();
  const row = table.serverRow(0, 0) + Cell.sessionsTotal;
  let rates = startRates(read(), 0);
  table.blocks[0][row] = 100;
  rates = sampleRates(rates, read(), 1_000);
  table.blocks[0][row] = 103;
  rates = sampleRates(rates, read(), 2_000);
  t.match(rates.proxies[0].servers[0].sessions, { perSecond: 3, max: 100 });
});

t.test("what was counted before the first sample is no rate", async (t) => {
  const { table, read } = setUp();
  table.blocks[0][table.frontendRow(0) + Cell.connectionsTotal] = 1_000_000;
  let rates = startRates(read(), 0);
  rates = sampleRates(rates, read(), 1_000);
  t.match(rates.connections, { total: 1_000_000, perSecond: 0, max: 0 });
});

t.test("a total that shrinks is no growth, and growth goes on from there", async (t) => {
  const { table, read } = setUp();
  table.blocks[0][table.frontendRow(0) + Cell.requestsTotal] = 100;
  let rates = startRates(read(), 0);
  table.blocks[0][table.frontendRow(0) + Cell.requestsTotal] = 0;
  rates = sampleRates(rates, read(), 1_000);
  t.equal(rates.requests.perSecond, 0);
  table.blocks[0][table.frontendRow(0) + Cell.requestsTotal] = 7;
  rates = sampleRates(rates, read(), 2_000);
  t.equal(rates.requests.perSecond, 7);
});

t.test("a second sample at the same time changes nothing", async (t) => {
  const { read } = setUp();
  const rates = startRates(read(), 1_000);
  t.equal(sampleRates(rates, read(), 1_000), rates);
});
