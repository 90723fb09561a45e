import t from "tap";
import {
  keepsDying,
  neverDied,
  defaultRestartPolicy as policy,
  type RestartState,
  recordDeath,
} from "../../../src/process/restart-policy.js";

/** Deaths at the given times (ms): the delays that they get, and the state after them. */
function die(times: readonly number[]): { delays: number[]; state: RestartState } {
  let state = neverDied;
  const delays = times.map((time) => {
    const death = recordDeath(state, time, policy);
    state = death.state;
    return death.delayMs;
  });
  return { delays, state };
}

t.test("a thread that dies once is back at once", async (t) => {
  const { delays, state } = die([1000]);
  t.same(delays, [0]);
  t.equal(keepsDying(state, 1000, policy), false);
});

t.test("each further death in a row waits twice as long, up to a limit", async (t) => {
  t.same(
    die([0, 1, 2, 3, 4, 5, 6, 7, 8].map((i) => i * 100)).delays,
    [0, 200, 400, 800, 1600, 3200, 6400, 10_000, 10_000],
  );
});

t.test("the third death within a minute means that it keeps dying, until it has been quiet", async (t) => {
  const { state } = die([0, 10_000, 20_000]);
  t.equal(keepsDying(state, 20_000, policy), true);
  t.equal(keepsDying(state, 49_999, policy), true);
  t.equal(keepsDying(state, 50_000, policy), false);
});

t.test("deaths far apart are forgotten", async (t) => {
  const { delays, state } = die([0, 30_000, 60_000, 90_000]);
  t.same(delays, [0, 0, 0, 0]);
  t.equal(keepsDying(state, 90_000, policy), false);
});

t.test(
  "deaths that are less than the quiet time apart, but fewer than three a minute, do not count together",
  async (t) => {
    const { state } = die([0, 29_000, 58_000, 87_000]);
    t.equal(keepsDying(state, 58_001, policy), true, "three within 58 s");
    t.equal(keepsDying(die([0, 29_000]).state, 29_001, policy), false);
    t.equal(state.length, 3, "the oldest is out of the window");
  },
);
