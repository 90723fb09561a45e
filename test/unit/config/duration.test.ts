import t from "tap";
import { describeDuration, parseDuration } from "../../../src/config/duration.js";

t.test("units and bare numbers come to milliseconds", async (t) => {
  const cases: readonly (readonly [string | number, "s" | "ms" | null, number])[] = [
    ["5s", null, 5000],
    ["500ms", "s", 500],
    ["1m", "ms", 60_000],
    ["1h", null, 3_600_000],
    ["2d", null, 172_800_000],
    [1, "s", 1000],
    ["1", "s", 1000],
    [0.5, "s", 500],
    [1.1, "s", 1100],
    ["2.3s", null, 2300],
    [5000, "ms", 5000],
    ["0", "s", 0],
  ];
  for (const [text, unit, value] of cases)
    t.same(parseDuration(text, unit), { ok: true, value }, String(text));
});

t.test("what is no time is refused", async (t) => {
  for (const text of [
    "",
    "s",
    "-1s",
    "5 s",
    "1e3",
    "1s1s",
    "0.0001s",
    "25d",
    ".5s",
    "1S",
    Number.NaN,
    1e21,
    Infinity,
  ]) {
    t.match(parseDuration(text, "s"), { ok: false }, String(text));
  }
  t.match(parseDuration(5, null), { ok: false, message: "5 has no unit" });
  t.match(parseDuration("5constructor", null), { ok: false, message: "constructor is not a unit of time" });
});

t.test("a time is written in its largest whole unit", async (t) => {
  t.same([0, 1, 1500, 90_000, 60_000, 3_600_000, 86_400_000].map(describeDuration), [
    "0s",
    "1ms",
    "1500ms",
    "90s",
    "1m",
    "1h",
    "1d",
  ]);
});
