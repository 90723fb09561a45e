import t from "tap";
import { RetryPolicy } from "../../../src/proxy/retry-policy.js";

const everything = {
  retries: 2,
  onConnectFailure: true,
  onEmptyResponse: true,
  onResponseTimeout: true,
  onStatuses: [503],
};

t.test(
  "without words: every server is tried that refuses, and an empty response costs one replay",
  async (t) => {
    const policy = new RetryPolicy(null);
    t.ok(policy.afterRefusal(50));
    t.ok(policy.afterEmptyResponse(5, 0));
    t.notOk(policy.afterEmptyResponse(5, 1));
    t.notOk(policy.afterTimeout(0));
    t.notOk(policy.looksAtStatus);
  },
);

t.test("retries bounds the moves of a request, whatever they are for", async (t) => {
  const policy = new RetryPolicy(everything);
  for (const after of [
    (moves: number) => policy.afterRefusal(moves),
    (moves: number) => policy.afterEmptyResponse(moves, moves),
    (moves: number) => policy.afterTimeout(moves),
    (moves: number) => policy.afterStatus(503, moves),
  ])
    t.same([after(0), after(1), after(2)], [true, true, false]);
  t.notOk(policy.afterStatus(500, 0));
});

t.test("the budget bounds replays by requests, and leaves refusals alone", async (t) => {
  const policy = new RetryPolicy({ ...everything, budgetPercent: 25 });
  const replays = (requests: number): number => {
    let count = 0;
    for (let i = 0; i < requests; i++) {
      policy.earn();
      if (policy.afterStatus(503, 0)) count++;
    }
    return count;
  };
  const first = replays(100);
  t.ok(
    first >= 25 + 9 && first <= 25 + 13,
    `${first} replays of the first 100: what was saved up, and a quarter`,
  );
  const later = replays(1000);
  t.ok(later >= 249 && later <= 251, `${later} of 1000`);
  t.ok(policy.afterRefusal(0));
});
