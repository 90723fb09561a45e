import t from "tap";
import {
  type Fitness,
  fitAtStart,
  judgeFitness,
  recoveryMs,
  silenceMs,
  type ThreadHealth,
} from "../../../src/process/fitness.js";

function thread(state: ThreadHealth["state"], keepsDying = false, name = "data-0"): ThreadHealth {
  return { name, state, keepsDying };
}

/** The verdicts of a series of looks. */
function watch(looks: readonly (readonly [nowMs: number, threads: readonly ThreadHealth[]])[]): Fitness[] {
  let fitness = fitAtStart;
  return looks.map(([nowMs, threads]) => {
    fitness = judgeFitness(fitness, threads, nowMs);
    return fitness;
  });
}

t.test("a node without data threads is fit", async (t) => {
  t.equal(judgeFitness(fitAtStart, [], 5).fit, true);
});

t.test("one thread of two may be away", async (t) => {
  t.same(
    watch([
      [0, [thread("serving"), thread("down")]],
      [60_000, [thread("serving"), thread("down")]],
    ]).map(({ fit }) => fit),
    [true, true],
  );
});

t.test("the only thread may be away for as long as clients can wait in the backlog", async (t) => {
  const verdicts = watch([
    [0, [thread("down")]],
    [silenceMs - 1, [thread("down")]],
    [silenceMs, [thread("down")]],
  ]);
  t.same(
    verdicts.map(({ fit }) => fit),
    [true, true, false],
  );
  t.equal(verdicts[2].reason, "no data thread serves");
});

t.test("two short absences do not add up", async (t) => {
  const verdicts = watch([
    [0, [thread("down")]],
    [900, [thread("serving")]],
    [1000, [thread("down")]],
    [1900, [thread("down")]],
  ]);
  t.equal(verdicts[3].fit, true);
});

t.test(
  "a stuck thread makes the node unfit at once, and it stays so until all has been well for a while",
  async (t) => {
    const verdicts = watch([
      [0, [thread("serving"), thread("stuck", false, "data-1")]],
      [100, [thread("serving"), thread("down", false, "data-1")]],
      [300, [thread("serving"), thread("serving")]],
      [300 + recoveryMs - 1, [thread("serving"), thread("serving")]],
      [300 + recoveryMs, [thread("serving"), thread("serving")]],
    ]);
    t.same(
      verdicts.map(({ fit }) => fit),
      [false, false, false, false, true],
    );
    t.equal(verdicts[0].reason, "data-1 is stuck");
    t.equal(verdicts[4].reason, "every data thread serves again");
  },
);

t.test("recovery begins anew when something goes wrong in it", async (t) => {
  const verdicts = watch([
    [0, [thread("stuck")]],
    [100, [thread("serving")]],
    [2000, [thread("down")]],
    [2100, [thread("serving")]],
    [100 + recoveryMs, [thread("serving")]],
    [2100 + recoveryMs, [thread("serving")]],
  ]);
  t.same(
    verdicts.map(({ fit }) => fit),
    [false, false, false, false, false, true],
  );
});

t.test("a thread that keeps dying makes the node unfit even while it serves", async (t) => {
  const [verdict] = watch([[0, [thread("serving", true)]]]);
  t.match(verdict, { fit: false, reason: "data-0 keeps dying" });
});
