import t from "tap";
import { seededHash } from "../../../src/proxy/rules/seeded-hash.js";
import {
  clearSourceCounts,
  createSourceCounts,
  SourceCounts,
} from "../../../src/proxy/rules/source-counts.js";

const threads = (
  count: number,
  most: number,
  keys = 1000,
): { buffer: SharedArrayBuffer; all: SourceCounts[] } => {
  const buffer = createSourceCounts(keys, count, () => 12_345);
  return { buffer, all: Array.from({ length: count }, (_, i) => new SourceCounts(buffer, count, i, most)) };
};

t.test("connections of one source are counted over all threads", async (t) => {
  const [a, b] = threads(2, 3).all;
  const places = [a.enter("x"), b.enter("x"), a.enter("x")];
  t.ok(places.every((place) => place > 0));
  t.equal(b.enter("x"), -1);
  t.ok(b.enter("y") > 0, "another source is not asked about it");
  a.leave(places[0]);
  t.ok(b.enter("x") > 0);
  t.equal(a.enter("x"), -1);
});

t.test("a place that nobody has any more is the next source's", async (t) => {
  const [counts] = threads(1, 1, 8).all;
  for (let i = 0; i < 1000; i++) {
    const place = counts.enter(`source ${i}`);
    t.ok(place > 0) || t.bailout();
    counts.leave(place);
  }
});

t.test("sources that find no place are let in, and the counted ones stay counted", async (t) => {
  const [counts] = threads(1, 1, 8).all;
  for (let i = 0; i < 8; i++) counts.enter(`source ${i}`);
  t.equal(counts.enter("one more"), 0);
  t.equal(counts.enter("one more"), 0);
  t.equal(counts.enter("source 3"), -1);
});

t.test("a dead thread's connections are gone", async (t) => {
  const { buffer, all } = threads(2, 1);
  all[0].enter("x");
  t.equal(all[1].enter("x"), -1);
  clearSourceCounts(buffer, 0, 2);
  t.ok(all[1].enter("x") > 0);
});

t.test("where a text falls depends on the secret", async (t) => {
  const places = (seed: number) =>
    Array.from({ length: 64 }, (_, i) => (seededHash(`192.0.2.${i}`, seed, seed * 31) >>> 0) % 64).join(" ");
  t.not(places(1), places(2));
  const spread = new Set(
    Array.from({ length: 4096 }, (_, i) => seededHash(`10.0.${i >> 8}.${i & 255}`, 7, 9)),
  );
  t.ok(spread.size > 4090, `${spread.size} of 4096 are apart`);
});
