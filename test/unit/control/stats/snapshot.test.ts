import fc from "fast-check";
import t from "tap";
import { Cell } from "../../../../src/proxy/stats/layout.js";
import { addSlidingSample, addTimings, slidingWindow } from "../../../../src/proxy/stats/sliding.js";
import { readSnapshot } from "../../../../src/proxy/stats/snapshot.js";
import { StatsTable } from "../../../../src/proxy/stats/table.js";

const proxies = [{ servers: { length: 2 } }, { servers: { length: 0 } }];

t.test("counters are summed over the threads, row by row", async (t) => {
  const table = new StatsTable(proxies, 3);
  table.blocks.forEach((block, i) => {
    block[table.frontendRow(0) + Cell.bytesIn] = 1;
    block[table.serverRow(0, 1) + Cell.bytesIn] = 10 * i;
    block[table.backendRow(1) + Cell.bytesIn] = 100;
  });
  const [first, second] = readSnapshot(table, proxies).proxies;
  t.equal(first.frontend.bytesIn, 3);
  t.same(
    first.servers.map((server) => server.bytesIn),
    [0, 30],
  );
  t.equal(second.backend.bytesIn, 300);
  t.equal(second.servers.length, 0);
});

t.test("the last use and the greatest times are the greatest of the threads'", async (t) => {
  const table = new StatsTable(proxies, 2);
  const row = table.backendRow(0);
  [5, 9].forEach((value, i) => {
    table.blocks[i][row + Cell.lastSessionMs] = value;
    table.blocks[i][row + Cell.totalTimeMax] = value;
    table.blocks[i][row + Cell.sessionsMax] = value;
  });
  t.match(readSnapshot(table, proxies).proxies[0].backend, {
    lastSessionMs: 9,
    totalTimeMax: 9,
    sessionsMax: 14,
  });
});

t.test("with less than 1024 requests the average is the mean, over all threads", async () => {
  const times = fc.array(fc.integer({ min: 0, max: 60_000 }), { minLength: 1, maxLength: 50 });
  fc.assert(
    fc.property(times, times, (first, second) => {
      const table = new StatsTable(proxies, 2);
      const row = table.serverRow(0, 0);
      for (const ms of first) addTimings(table.blocks[0], row, 0, 0, ms);
      for (const ms of second) addTimings(table.blocks[1], row, 0, 0, ms);
      const all = [...first, ...second];
      const mean = all.reduce((sum, ms) => sum + ms, 0) / all.length;
      const { totalTimeAverage, totalTimeMax } = readSnapshot(table, proxies).proxies[0].servers[0];
      return Math.abs(totalTimeAverage - mean) < 1e-6 && totalTimeMax === Math.max(...all);
    }),
  );
});

t.test("beyond 1024 requests old times fade: a new level is reached within a few windows", async (t) => {
  const table = new StatsTable(proxies, 1);
  const row = table.serverRow(0, 0);
  const average = () => readSnapshot(table, proxies).proxies[0].servers[0].totalTimeAverage;
  for (let i = 0; i < slidingWindow; i++) addTimings(table.blocks[0], row, 0, 0, 100);
  t.equal(average(), 100);
  for (let i = 0; i < slidingWindow; i++) addTimings(table.blocks[0], row, 0, 0, 200);
  // After one window of N the old level weighs (1 − 1/N)^N ≈ 1/e.
  t.ok(Math.abs(average() - (200 - 100 / Math.E)) < 0.1, String(average()));
  for (let i = 0; i < 10 * slidingWindow; i++) addTimings(table.blocks[0], row, 0, 0, 200);
  t.ok(Math.abs(average() - 200) < 0.1);
});

t.test("one sample is added to the cell that is named, and to no other", async (t) => {
  const cells = new Float64Array(40);
  addSlidingSample(cells, 0, Cell.responseTimeSum, 12);
  t.same(
    [...cells].flatMap((value, i) => (value === 0 ? [] : [[i, value]])),
    [[Cell.responseTimeSum, 12]],
  );
});
