import t from "tap";
import { Fitness } from "../../../src/proxy/pipelining/fitness.js";

/** A server that has answered `times` times, in `ms` each. */
function after(times: number, ms: number): Fitness {
  const fitness = new Fitness();
  for (let i = 0; i < times; i++) fitness.answered(ms);
  return fitness;
}

t.test("a server is given several requests at once when enough answers were fast", async (t) => {
  t.equal(after(31, 1).isFit(0), false, "too few are known");
  t.equal(after(32, 1).isFit(0), true);
  t.equal(after(1_000, 30).isFit(0), false);
});

t.test("one that becomes slow loses it, and gets it back", async (t) => {
  const fitness = after(100, 1);
  for (let i = 0; i < 3; i++) fitness.answered(20);
  t.equal(fitness.isFit(0), true, "a few slow answers are no habit");
  for (let i = 0; i < 40; i++) fitness.answered(20);
  t.equal(fitness.isFit(0), false);
  for (let i = 0; i < 40; i++) fitness.answered(1);
  t.equal(fitness.isFit(0), true);
});

t.test("one that has let somebody wait is left alone for a second", async (t) => {
  const fitness = after(100, 1);
  fitness.suspend(5_000);
  t.equal(fitness.isFit(5_999), false);
  t.equal(fitness.isFit(6_000), true);
});
