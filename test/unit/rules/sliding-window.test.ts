import fc from "fast-check";
import t from "tap";
import { SlidingWindow, slidingWindowBytes } from "../../../src/proxy/rules/sliding-window.js";

const window = (limit: number, periodMs = 1000, keys = 1000) =>
  new SlidingWindow(new SharedArrayBuffer(slidingWindowBytes(keys)), limit, periodMs);

t.test("what has passed counts for a period, and not for much longer", async (t) => {
  const counted = window(10);
  const burst = (nowMs: number) => {
    let passed = 0;
    for (let i = 0; i < 20; i++) if (counted.admits("a", nowMs)) passed++;
    return passed;
  };
  t.equal(burst(990), 10);
  t.equal(burst(1010), 0, "the border of two periods is none");
  t.equal(burst(1989), 0);
  t.equal(burst(2125), 10, "a period and an eighth later it is forgotten");
  t.equal(burst(9000), 10);
});

const gapsMs = fc.array(fc.integer({ min: 0, max: 400 }), { maxLength: 200 });

t.test("in no period do more than the limit pass, whatever comes when", async () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 20 }), gapsMs, (limit, gaps) => {
      const counted = window(limit);
      const passedAt: number[] = [];
      let nowMs = 0;
      for (const gapMs of gaps) {
        nowMs += gapMs;
        if (counted.admits("a", nowMs)) passedAt.push(nowMs);
      }
      return passedAt.every(
        (from) => passedAt.filter((at) => at >= from && at <= from + 999).length <= limit,
      );
    }),
  );
});

t.test("who stays below eight ninths of the limit is never refused", async () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 0, max: 5000 }), (limit, startMs) => {
      const counted = window(limit);
      for (let i = 0; i < 3 * limit; i++)
        if (!counted.admits("a", startMs + (i * 1126) / limit)) return false;
      return true;
    }),
  );
});

t.test(
  "more keys than there is room for: nobody is refused for another's requests, and memory stays",
  async (t) => {
    const counted = window(5, 1000, 64);
    let refused = 0;
    for (let i = 0; i < 10_000; i++) if (!counted.admits(`key ${i}`, i / 100)) refused++;
    t.equal(refused, 0);
  },
);

t.test("two threads that share the buffer share the count", async (t) => {
  const buffer = new SharedArrayBuffer(slidingWindowBytes(8));
  const [one, other] = [new SlidingWindow(buffer, 3, 1000), new SlidingWindow(buffer, 3, 1000)];
  t.same(
    [one, other, one, other].map((each) => each.admits("a", 5)),
    [true, true, true, false],
  );
});
