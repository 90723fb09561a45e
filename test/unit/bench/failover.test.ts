import t from "tap";
import { bothHeldMs, type Holding, takeLine } from "../../../bench/failover/holders.js";
import { readFailoverOptions } from "../../../bench/failover/options.js";
import { merge, type Results } from "../../../bench/failover/results.js";
import { failoverTable } from "../../../bench/failover/table.js";

const address = "192.168.33.84";
const at = (time: string, text: string): string =>
  `[2026-11-24T20:00:${time}] ${text} scope global eth1\\  valid_lft 3sec`;
const read = (...lines: string[]): Holding[] =>
  lines.reduce<Holding[]>((holdings, line) => takeLine(holdings, line, address), []);

t.test(
  "a host holds an address from its first event to its removal, however often the lease is refreshed",
  async (t) => {
    const [holding, ...others] = read(
      at("00.250000", "7: eth1    inet 192.168.33.84/24"),
      at("01.250000", "7: eth1    inet 192.168.33.84/24"),
      `[2026-11-24T20:00:01.900000] ${at("02.000500", "Deleted 7: eth1    inet 192.168.33.84/24")}`,
    );
    t.same(others, []);
    t.ok(Math.abs((holding?.toMs ?? 0) - (holding?.fromMs ?? 0) - 1750.5) < 0.01);
  },
);

t.test("an address on lo, and another one, are not held", async (t) => {
  t.same(
    read(at("00.1", "1: lo    inet 192.168.33.84/32"), at("00.1", "7: eth1    inet 192.168.33.80/24")),
    [],
  );
});

t.test("only what both held counts, within the watch", async (t) => {
  const one = [
    { fromMs: 0, toMs: 100 },
    { fromMs: 300, toMs: null },
  ];
  const other = [{ fromMs: 90, toMs: 320 }];
  t.equal(bothHeldMs(one, other, 0, 1000), 10 + 20);
  t.equal(bothHeldMs(one, other, 95, 310), 5 + 10);
  t.equal(bothHeldMs(one, [{ fromMs: 400, toMs: null }], 0, 1000), 600);
});

t.test("--only takes words of every kind, and says what it does not know", async (t) => {
  const { programs, settings, events, output } = readFailoverOptions(["--only", "tandem,kill,stop"], "docs");
  t.same([programs, settings.length, events, output], [["tandem"], 3, ["kill", "stop"], "docs"]);
  t.throws(() => readFailoverOptions(["--only", "sigkill"], "docs"), /sigkill: not one of tandem/);
  t.throws(() => readFailoverOptions(["--repeat", "0"], "docs"), /--repeat 0/);
  t.equal(readFailoverOptions(["--quick"], "docs").output, null, "the docs keep their figures");
});

t.test("a new figure takes an old one's place; a cell without one says why", async (t) => {
  const cell = (gapMs: number | null, reason: string | null = null) => ({
    program: "tandem",
    setting: "v2-1s",
    event: "kill",
    reason,
    runs:
      gapMs === null
        ? []
        : [{ gapMs, requests: [9, 9, 9], failed: [2, 1, 0], failures: [], bothHeldMs: 0, stillBoth: true }],
  });
  const results = (...cells: ReturnType<typeof cell>[]): Results => ({
    date: "2026-11-24",
    machine: { kernel: "6", cores: 2, node: "v20", keepalived: "2", haproxy: "2", load: [0, 0] },
    cells,
  });
  const merged = merge(results(cell(100)), results(cell(12.3)));
  t.equal(merged.cells.length, 1);
  t.match(failoverTable(merged), "| 12 | 2 + 1 + 0 | 0.0, and on |");
  t.match(failoverTable(results(cell(null, "no master"))), "no master");
});
