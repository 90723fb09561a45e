import fc from "fast-check";
import t from "tap";
import type { ServerConfig } from "../../../src/config/server-config.js";
import type { CheckResult } from "../../../src/proxy/health/check-status.js";
import { effectiveWeight } from "../../../src/proxy/health/effective-weight.js";
import { nothingObserved, observeErrors } from "../../../src/proxy/health/observed-errors.js";
import {
  downtimeMs,
  type Handled,
  handleServer,
  initialState,
  isStopped,
  nextIntervalMs,
  type ServerInput,
  type ServerState,
} from "../../../src/proxy/health/server-state.js";
import { statusWord } from "../../../src/proxy/health/status-word.js";
import { defaultCheck } from "./check-config.js";

const check = { ...defaultCheck, fastIntervalMs: 500, downIntervalMs: 1000 };
const server: ServerConfig = { name: "web01", host: "10.0.0.1", port: 80, check };

const passed: CheckResult = { status: "L4OK", code: null, durationMs: 1, detail: "" };
const refused: CheckResult = { status: "L4CON", code: null, durationMs: 0, detail: "Connection refused" };

/** A server with what has happened to it, a second a step. */
class Story {
  state: ServerState;
  nowMs = 0;
  readonly words: string[] = [];
  readonly transitions: string[] = [];

  constructor(readonly config: ServerConfig = server) {
    this.state = initialState(config, 0);
  }

  step(...inputs: ServerInput[]): this {
    for (const input of inputs) {
      this.nowMs += 1000;
      const { state, transition }: Handled = handleServer(this.state, input, this.config, this.nowMs);
      this.state = state;
      this.words.push(statusWord(state, this.config));
      if (transition !== null) this.transitions.push(`${transition.to}: ${transition.reason}`);
    }
    return this;
  }

  checks(text: string): this {
    return this.step(
      ...Array.from(
        text,
        (letter): ServerInput => ({
          kind: "checked",
          result: letter === "+" ? passed : refused,
        }),
      ),
    );
  }
}

t.test("a server is up before its first check, and one failure then takes it down", async (t) => {
  const story = new Story();
  t.equal(statusWord(story.state, server), "UP 1/3");
  story.checks("-");
  t.same(story.words, ["DOWN"]);
  t.same(story.transitions, ["DOWN: Layer4 connection problem, Connection refused"]);
});

t.test(
  "it falls after three failures in a row and rises after two successes, in HAProxy's words",
  async (t) => {
    const story = new Story().checks("+--+---++");
    t.same(story.words, ["UP", "UP 2/3", "UP 1/3", "UP", "UP 2/3", "UP 1/3", "DOWN", "DOWN 1/2", "UP"]);
    t.equal(story.transitions.length, 2);
    t.match(story.state, { failedChecks: 5, downs: 1, recoveries: 1 });
  },
);

t.test("up and down are what a count of results in a row says, for any rise, fall and history", async () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 5 }),
      fc.integer({ min: 1, max: 5 }),
      fc.array(fc.boolean(), { maxLength: 60 }),
      (rise, fall, results) => {
        const config = { ...server, check: { ...check, rise, fall } };
        const story = new Story(config);
        let up = true;
        let successes = 0;
        // Up, with all but one failure behind it.
        let failures = fall - 1;
        let downs = 0;
        for (const result of results) {
          story.checks(result ? "+" : "-");
          successes = result ? successes + 1 : 0;
          failures = result ? 0 : failures + 1;
          if (up && failures >= fall) {
            up = false;
            downs++;
          } else if (!up && successes >= rise) {
            up = true;
          }
          if (isStopped(story.state, config) === up) return false;
        }
        return story.state.downs === downs;
      },
    ),
  );
});

t.test("checks come fast while a server is on its way, and by downinter while it is down", async (t) => {
  const story = new Story();
  const interval = () => nextIntervalMs(story.state, server);
  t.equal(interval(), 500, "before the first one");
  story.checks("+");
  t.equal(interval(), 2000);
  story.checks("-");
  t.equal(interval(), 500);
  story.checks("--");
  t.equal(interval(), 1000);
  story.checks("+");
  t.equal(interval(), 500);
});

t.test("errors of requests count as on_error says", async (t) => {
  const after = (onError: "fastinter" | "fail-check" | "sudden-death" | "mark-down") =>
    new Story().checks("+").step({ kind: "errors", count: 10, onError });
  t.same(after("fastinter").words.at(-1), "UP");
  t.same(after("fail-check").words.at(-1), "UP 2/3");
  t.same(after("sudden-death").words.at(-1), "UP 1/3");
  const down = after("mark-down");
  t.same(down.words.at(-1), "DOWN");
  t.same(down.transitions, ["DOWN: Health analyze, 10 errors of requests in a row"]);
  t.match(down.state, { errorLimits: 1, checkStatus: "HANA" });
  t.same(down.step({ kind: "errors", count: 10, onError: "mark-down" }).state.errorLimits, 1, "down is down");
});

t.test("the errors that are told of are not told of again, and a success begins a new count", async (t) => {
  let observed = nothingObserved;
  const reached = [0, 4, 5, 9, 10, 3, 5, 5, 11].map((inRow) => {
    const result = observeErrors(observed, inRow, 5);
    observed = result.next;
    return result.reached;
  });
  t.same(reached, [false, false, true, false, true, false, true, false, true]);
});

t.test(
  "maintenance stops a server, forgets its checks, and ends with one that is taken for up",
  async (t) => {
    const story = new Story().checks("+").step({ kind: "admin", state: "maint" });
    t.same(story.words.at(-1), "MAINT");
    t.equal(isStopped(story.state, server), true);
    story.checks("---");
    t.same(story.words.at(-1), "MAINT", "what comes in late says nothing");
    story.step({ kind: "admin", state: "ready" });
    t.same(story.words.at(-1), "UP 1/3");
    t.match(story.state, { downs: 1, recoveries: 1 });
    t.same(story.transitions, ["MAINT: an operator asked for it", "READY: an operator asked for it"]);
  },
);

t.test("a server that drains is checked on", async (t) => {
  const story = new Story().checks("+").step({ kind: "admin", state: "drain" }).checks("-");
  t.same(story.words, ["UP", "DRAIN", "DRAIN 2/3"]);
  t.equal(effectiveWeight(story.state, server, story.nowMs), 0);
});

t.test("a server without checks is `no check`, whatever its state else", async (t) => {
  const config = { name: "web01", host: "10.0.0.1", port: 80 };
  const story = new Story(config).checks("--");
  t.same(story.words, ["no check", "no check"]);
  story.step({ kind: "admin", state: "drain" }, { kind: "admin", state: "maint" });
  t.same(story.words.slice(2), ["DRAIN", "MAINT"]);
});

t.test("downtime is the time down and in maintenance", async (t) => {
  // Up to 1 s, down to 3 s, up to 5 s, then in maintenance.
  const story = new Story()
    .checks("-++")
    .step({ kind: "weight", weight: 3 }, { kind: "admin", state: "maint" });
  t.equal(downtimeMs(story.state, server, 7500), 2000 + 2500);
});

t.test("slow start begins small when a server comes up, and not at the start of the process", async (t) => {
  const slow: ServerConfig = { ...server, weight: 10, slowStartMs: 10_000 };
  const story = new Story(slow).checks("+");
  const weight = (nowMs: number) => effectiveWeight(story.state, slow, nowMs) / 256;
  t.equal(weight(1000), 10);
  story.checks("---++");
  const upMs = story.nowMs;
  t.ok(weight(upMs) > 0 && weight(upMs) < 0.1, `${weight(upMs)}`);
  t.equal(weight(upMs + 5000), 5);
  t.equal(weight(upMs + 10_000), 10);
  t.equal(weight(upMs + 99_000), 10);
});

t.test("whatever happens, weight and state agree, and books only grow", async () => {
  const input: fc.Arbitrary<ServerInput> = fc.oneof(
    fc.boolean().map((isGood): ServerInput => ({ kind: "checked", result: isGood ? passed : refused })),
    fc.constantFrom<ServerInput>(
      { kind: "admin", state: "ready" },
      { kind: "admin", state: "drain" },
      { kind: "admin", state: "maint" },
      { kind: "errors", count: 10, onError: "fail-check" },
      { kind: "errors", count: 10, onError: "mark-down" },
    ),
    fc.integer({ min: 0, max: 256 }).map((weight): ServerInput => ({ kind: "weight", weight })),
  );
  fc.assert(
    fc.property(fc.array(input, { maxLength: 40 }), (inputs) => {
      const story = new Story();
      let before = story.state;
      return inputs.every((one) => {
        story.step(one);
        const { state, nowMs } = story;
        const gets = effectiveWeight(state, server, nowMs) > 0;
        const should = state.admin === "ready" && !isStopped(state, server) && state.weight > 0;
        const grows =
          state.downs >= before.downs &&
          state.recoveries >= before.recoveries &&
          downtimeMs(state, server, nowMs) >= downtimeMs(before, server, nowMs - 1000) &&
          state.downs - state.recoveries === (isStopped(state, server) ? 1 : 0);
        before = state;
        return gets === should && grows && state.health >= 0 && state.health <= 4;
      });
    }),
  );
});
