import t from "tap";
import { Moderation } from "../../../src/proxy/engine/direct/moderation.js";

/** Turns of `events` each, `everyMs` apart, for so long; how many of them were paused before. */
function pauses(moderation: Moderation, events: number, everyMs: number, forMs: number, fromMs = 0): number {
  let paused = 0;
  for (let nowMs = fromMs; nowMs < fromMs + forMs; nowMs += everyMs) {
    if (moderation.shouldPause) paused++;
    moderation.note(events, nowMs);
  }
  return paused;
}

t.test("few events are taken as they come", async (t) => {
  t.equal(pauses(new Moderation(), 1, 1, 1000), 0);
  t.equal(pauses(new Moderation(), 20, 1, 1000), 0, "20,000 a second");
});

t.test(
  "where small turns follow each other densely, all of them wait a moment, but for those of the first window",
  async (t) => {
    const paused = pauses(new Moderation(), 4, 0.04, 1000);
    t.ok(paused > 24_000 && paused < 25_000, `${paused} of 25,000`);
  },
);

t.test("a thread that has more to do than time is not put to sleep", async (t) => {
  t.equal(pauses(new Moderation(), 60, 0.3, 1000), 0);
});

t.test("a dense moment is forgotten in the next window, and after a rest at once", async (t) => {
  const moderation = new Moderation();
  pauses(moderation, 4, 0.04, 100);
  t.equal(moderation.shouldPause, true);
  const afterwards = pauses(moderation, 1, 1, 100, 101);
  t.ok(afterwards <= 6, `${afterwards}`);
  pauses(moderation, 4, 0.04, 100, 300);
  moderation.note(1, 2000);
  t.equal(moderation.shouldPause, false);
});
