import { deepStrictEqual, ok } from "node:assert/strict";
import fc from "fast-check";
import t from "tap";
import {
  beforeStart,
  handleLifeCycle,
  type LifeCycleEffect,
  type LifeCycleInput,
  type LifeCycleState,
} from "../../../src/process/life-cycle.js";

const drainTimeoutMs = 30_000;

/** Runs a life: what happens when, as `state: effects` lines. */
function live(inputs: readonly (readonly [nowMs: number, input: LifeCycleInput])[]): string[] {
  let state = beforeStart;
  return inputs.map(([nowMs, input]) => {
    const step = handleLifeCycle(state, input, nowMs, drainTimeoutMs);
    state = step.state;
    return `${state.name}: ${step.effects.map(describe).join(" ")}`;
  });
}

function describe(effect: LifeCycleEffect): string {
  const { kind, ...rest } = effect;
  return [kind, ...Object.values(rest)].join("=");
}

t.test("SIGTERM hands over, drains, closes and ends with 0", async (t) => {
  t.same(
    live([
      [0, { kind: "started" }],
      [100, { kind: "stop" }],
      [400, { kind: "released" }],
      [2000, { kind: "drained" }],
      [2010, { kind: "closed" }],
      [2020, { kind: "stop" }],
    ]),
    [
      "serving: announce-serving",
      "handing-over: hand-over announce-stopping",
      "draining: drain=30000",
      "closing: close",
      "stopped: exit=0",
      "stopped: ",
    ],
  );
});

t.test("whoever is superseded gives nothing away: it drains what is open, and ends", async (t) => {
  t.same(
    live([
      [0, { kind: "started" }],
      [100, { kind: "superseded" }],
      [200, { kind: "superseded" }],
      [2000, { kind: "drained" }],
      [2010, { kind: "closed" }],
    ]),
    [
      "serving: announce-serving",
      "draining: retire drain=30000",
      "draining: ",
      "closing: close",
      "stopped: exit=0",
    ],
  );
});

t.test("the hand-over is the first thing that a stop does", async (t) => {
  const { effects } = handleLifeCycle({ name: "serving" }, { kind: "stop" }, 0, drainTimeoutMs);
  t.equal(effects[0].kind, "hand-over");
});

for (const [name, inputs] of [
  ["hands over", []],
  ["drains", [[200, { kind: "released" }]]],
  [
    "closes",
    [
      [200, { kind: "released" }],
      [300, { kind: "drained" }],
    ],
  ],
] as const) {
  t.test(`a second SIGTERM while it ${name} releases and ends at once`, async (t) => {
    t.same(
      live([
        [0, { kind: "started" }],
        [100, { kind: "stop" }],
        ...inputs,
        [500, { kind: "stop" }],
        [501, { kind: "released" }],
      ]).slice(-2),
      ["leaving: release announce-stopping", "stopped: exit=0"],
    );
  });
}

t.test("SIGTERM during the start ends without serving", async (t) => {
  t.same(
    live([
      [0, { kind: "stop" }],
      [1, { kind: "started" }],
      [2, { kind: "released" }],
    ]),
    ["leaving: release announce-stopping", "leaving: ", "stopped: exit=0"],
  );
});

t.test("a failure releases the addresses and keeps its exit code, whatever is asked meanwhile", async (t) => {
  t.same(
    live([
      [0, { kind: "started" }],
      [1, { kind: "failed", exitCode: 70 }],
      [2, { kind: "stop" }],
      [3, { kind: "failed", exitCode: 1 }],
      [4, { kind: "released" }],
    ]),
    [
      "serving: announce-serving",
      "leaving: release announce-stopping",
      "leaving: ",
      "leaving: ",
      "stopped: exit=70",
    ],
  );
});

t.test("a part that never answers is given up on at its deadline, and not before", async (t) => {
  t.same(
    live([
      [0, { kind: "started" }],
      [0, { kind: "stop" }],
      [4999, { kind: "timer" }],
      [5000, { kind: "timer" }],
      [35_999, { kind: "timer" }],
      [36_000, { kind: "timer" }],
      [40_999, { kind: "timer" }],
      [41_000, { kind: "timer" }],
    ]),
    [
      "serving: announce-serving",
      "handing-over: hand-over announce-stopping",
      "handing-over: ",
      "draining: gave-up-waiting=handing-over drain=30000",
      "draining: ",
      "closing: gave-up-waiting=draining close",
      "closing: ",
      "stopped: gave-up-waiting=closing exit=0",
    ],
  );
});

t.test("answers that come late or twice change nothing", async (t) => {
  t.same(
    live([
      [0, { kind: "started" }],
      [0, { kind: "drained" }],
      [0, { kind: "released" }],
      [1, { kind: "stop" }],
      [2, { kind: "closed" }],
      [3, { kind: "released" }],
      [4, { kind: "released" }],
    ]),
    [
      "serving: announce-serving",
      "serving: ",
      "serving: ",
      "handing-over: hand-over announce-stopping",
      "handing-over: ",
      "draining: drain=30000",
      "draining: ",
    ],
  );
});

t.test(
  "whatever happens, it ends in bounded time after a stop, once, and hands over or releases before it does",
  async (t) => {
    const input: fc.Arbitrary<LifeCycleInput> = fc.oneof(
      fc.constantFrom<LifeCycleInput>(
        { kind: "started" },
        { kind: "stop" },
        { kind: "released" },
        { kind: "drained" },
        { kind: "closed" },
        { kind: "timer" },
      ),
      fc.constant<LifeCycleInput>({ kind: "failed", exitCode: 1 }),
    );
    t.doesNotThrow(() =>
      fc.assert(
        fc.property(fc.array(fc.tuple(fc.nat(5000), input)), (inputs) => {
          let state: LifeCycleState = beforeStart;
          let nowMs = 0;
          const effects: LifeCycleEffect[] = [];
          const feed = (next: LifeCycleInput): void => {
            const step = handleLifeCycle(state, next, nowMs, drainTimeoutMs);
            state = step.state;
            effects.push(...step.effects);
          };
          for (const [waitMs, next] of inputs) {
            nowMs += waitMs;
            feed(next);
          }
          feed({ kind: "stop" });
          const stoppedAt = nowMs;
          while (nowMs - stoppedAt <= 42_000) {
            nowMs += 250;
            feed({ kind: "timer" });
          }
          deepStrictEqual(state.name, "stopped");
          const kinds = effects.map(({ kind }) => kind);
          deepStrictEqual(kinds.filter((kind) => kind === "exit").length, 1);
          ok(kinds.includes("hand-over") || kinds.includes("release"));
        }),
        { numRuns: 500 },
      ),
    );
  },
);
