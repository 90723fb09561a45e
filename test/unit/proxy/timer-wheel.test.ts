import fc from "fast-check";
import t from "tap";
import { type Timed, TimerWheel } from "../../../src/proxy/engine/timer-wheel.js";

const timed = (): Timed => ({ dueMs: Infinity, wheelTick: -1, wheelPrevious: null, wheelNext: null });

t.test("a deadline never fires early and at most one tick late, however it is moved", async () => {
  const move = fc.record({
    entry: fc.nat(4),
    afterMs: fc.integer({ min: 1, max: 300_000 }),
    stepMs: fc.nat(5_000),
  });
  fc.assert(
    fc.property(fc.array(move, { maxLength: 60 }), (moves) => {
      const wheel = new TimerWheel(50, 0);
      const entries = Array.from({ length: 5 }, timed);
      const due = new Map<Timed, number>();
      let now = 0;
      const runTo = (target: number) => {
        while (now < target) {
          now = Math.min(target, now + 50);
          wheel.advance(now, (entry) => {
            const expected = due.get(entry);
            if (expected === undefined || now < expected || now - expected > 100)
              throw new Error(`${expected} at ${now}`);
            due.delete(entry);
          });
        }
        for (const [, expected] of due)
          if (expected < now - 100) throw new Error(`missed ${expected} at ${now}`);
      };
      for (const { entry, afterMs, stepMs } of moves) {
        if (afterMs % 7 === 0) {
          wheel.disarm(entries[entry]);
          due.delete(entries[entry]);
        } else if (afterMs % 11 === 0) {
          wheel.remove(entries[entry]);
          due.delete(entries[entry]);
        } else {
          wheel.arm(entries[entry], now + afterMs);
          due.set(entries[entry], now + afterMs);
        }
        runTo(now + stepMs);
      }
      runTo(now + 301_000);
      return due.size === 0 && wheel.size === 0;
    }),
    { numRuns: 60 },
  );
});

t.test("a long stall fires everything that fell due in it, once", async (t) => {
  const wheel = new TimerWheel(50, 0);
  const entries = Array.from({ length: 100 }, timed);
  entries.forEach((entry, i) => {
    wheel.arm(entry, 1 + i * 5_000);
  });
  let fired = 0;
  wheel.advance(1_000_000, () => fired++);
  wheel.advance(2_000_000, () => fired++);
  t.equal(fired, 100);
});

t.test("an entry that is armed again while it fires waits for its new time", async (t) => {
  const wheel = new TimerWheel(50, 0);
  const entry = timed();
  const firedAt: number[] = [];
  wheel.arm(entry, 100);
  for (let now = 0; now <= 1_000; now += 50) {
    wheel.advance(now, (fired) => {
      firedAt.push(now);
      wheel.arm(fired, now + 200);
    });
  }
  t.same(firedAt, [100, 300, 500, 700, 900]);
});
