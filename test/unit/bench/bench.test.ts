import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t from "tap";
import { chartOf } from "../../../bench/chart.js";
import { readOptions } from "../../../bench/options.js";
import { cpuRatio, type LoadFigures, type LoadResult, mergeInto } from "../../../bench/results.js";
import { median, ratioOf } from "../../../bench/statistics.js";
import { describeCase, detailTable, ratioTable } from "../../../bench/table.js";

function figures(cpuUsPerRequest: readonly number[]): LoadFigures {
  const same = cpuUsPerRequest.map(() => 1000);
  return {
    cpuUsPerRequest,
    requestsPerSecond: same,
    p50Us: same,
    p99Us: same,
    p999Us: same,
    residentMb: same,
  };
}

const result: LoadResult = {
  kind: "load",
  name: "612-c64",
  title: "612 B, 64 clients",
  threads: 1,
  seconds: 3,
  measuredAt: "2026-01-01T00:00:00Z",
  sharedCores: false,
  targets: [
    { target: "haproxy", title: "HAProxy 2.6", figures: figures([20, 40, 30]) },
    { target: "direct", title: "Tandem, direct", figures: figures([16, 30, 27]) },
  ],
};

t.test("the median of an even number of values lies between the two in the middle", async (t) => {
  t.equal(median([3, 1, 2]), 2);
  t.equal(median([4, 1, 2, 3]), 2.5);
  t.ok(Number.isNaN(median([])));
});

t.test("a ratio is taken round by round, so that a disturbed round disturbs both sides", async (t) => {
  t.same(ratioOf([16, 30, 27], [20, 40, 30]), { median: 0.8, lowest: 0.75, highest: 0.9 });
});

t.test("a target that was not measured has no ratio", async (t) => {
  t.equal(cpuRatio(result, "direct", "haproxy")?.median, 0.8);
  t.equal(cpuRatio(result, "portable", "haproxy"), null);
});

t.test("table and chart name every target and its ratio", async (t) => {
  const machine = { cpu: "a <CPU>", cores: 2, memoryGb: 1, kernel: "6", node: "v20" };
  const results = { machine, cases: [result] };
  t.match(ratioTable(results), /\| 612 B, 64 clients \| 30\.0 µs \| 27\.0 µs · \*\*0\.80\*\* \|/);
  t.match(detailTable(results), /\| Tandem, direct \| 27\.0 µs \| 0\.80 \(0\.75–0\.90\) \| 1000 \|/);
  t.match(describeCase(result), /Tandem, direct +27\.0 µs +0\.80 {2}\(0\.75–0\.90\)/);
  const svg = chartOf(results);
  t.match(svg, /Tandem, direct<\/text>/);
  t.match(svg, />0\.80</);
  t.match(svg, /a &lt;CPU>/);
});

t.test(
  "a case that is measured again replaces the old one, the others stay, in the order of the list",
  async (t) => {
    const folder = mkdtempSync(join(tmpdir(), "lb-bench-test-"));
    t.teardown(() => rmSync(folder, { recursive: true }));
    const file = join(folder, "results.json");
    const order = ["612-c1", "612-c64", "close"];
    mergeInto(file, [{ ...result, name: "close" }, result], order);
    const merged = mergeInto(file, [{ ...result, seconds: 9 }], order);
    t.same(
      merged.cases.map((one) => [one.name, one.kind === "load" && one.seconds]),
      [
        ["612-c64", 9],
        ["close", 3],
      ],
    );
  },
);

t.test("unknown cases and senseless numbers are refused with a sentence", async (t) => {
  t.throws(() => readOptions(["--cases", "612-c64,nothing"]), /no such case: nothing\. There are 612-c1/);
  t.throws(() => readOptions(["--rounds", "0"]), /--rounds wants a whole number above 0, not 0/);
  t.throws(() => readOptions(["--proxy-cores", "a"]), /--proxy-cores wants cores/);
  t.ok(readOptions(["--quick"]).cases.every(({ quick }) => quick));
});
