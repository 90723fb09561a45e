import fc from "fast-check";
import t from "tap";
import type { Outcome } from "../../stress/client.js";
import { judgeConnection } from "../../stress/judge.js";
import { malformedNames } from "../../stress/malformed.js";
import { bodyBytes, isBody } from "../../stress/pattern.js";
import { type ConnectionPlan, planConnection } from "../../stress/plan.js";

t.test("a seed and an index always give the same plan, and another index another one", async (t) => {
  t.same(planConnection(7, 41, malformedNames), planConnection(7, 41, malformedNames));
  t.not(
    JSON.stringify(planConnection(7, 41, malformedNames)),
    JSON.stringify(planConnection(7, 42, malformedNames)),
  );
});

t.test("a difficulty stands only in the last exchange, and never behind what was pipelined", async (t) => {
  fc.assert(
    fc.property(fc.nat(), fc.nat({ max: 100_000 }), (seed, index) => {
      const { exchanges, pipelined, abort } = planConnection(seed, index, malformedNames);
      const difficult = exchanges.findIndex(({ special }) => special !== "none");
      return (difficult < 0 || difficult === exchanges.length - 1) && !(pipelined && abort !== null);
    }),
  );
  t.pass("holds");
});

t.test("a body's bytes are told from a byte that is wrong, missing or twice there", async (t) => {
  const body = Buffer.concat([bodyBytes(5, 0, 1_000), bodyBytes(5, 1_000, 1_000)]);
  t.ok(isBody(5, 0, body));
  t.ok(isBody(5, 700, body.subarray(700)));
  t.notOk(isBody(6, 0, body));
  t.notOk(isBody(5, 0, body.subarray(1)));
  t.notOk(isBody(5, 0, Buffer.concat([body.subarray(0, 500), body.subarray(499)])));
  const changed = Buffer.from(body);
  changed[1_500] ^= 1;
  t.notOk(isBody(5, 0, changed));
});

const exchange = {
  id: 16,
  method: "GET",
  versionMinor: 1,
  paddingBytes: 0,
  upload: null,
  answer: {
    status: 200,
    bytes: 10,
    framing: "length",
    cut: "whole",
    hints: 0,
    trailer: false,
    delayMs: 0,
    closes: false,
  },
  special: "none",
  malformed: null,
} as const;
const good: Outcome = {
  status: 200,
  body: "whole",
  bytes: 10,
  right: true,
  uploaded: "0 right",
  wrong: null,
};

function planOf(...exchanges: ConnectionPlan["exchanges"]): ConnectionPlan {
  return {
    index: 1,
    exchanges,
    cut: "whole",
    pipelined: false,
    slowReadMs: 0,
    ending: "leave",
    abort: null,
  };
}

for (const [what, outcome] of [
  ["another status", { ...good, status: 502 }],
  ["a body that is cut", { ...good, body: "cut" }],
  ["a body that is too short", { ...good, bytes: 9 }],
  ["wrong bytes", { ...good, right: false }],
  ["an upload that arrived wrong", { ...good, uploaded: "0 wrong" }],
  ["something behind the answer", { ...good, wrong: "3 bytes behind the last answer" }],
  ["no answer", { ...good, status: 0, body: "none", uploaded: "" }],
] as const) {
  t.test(`${what} is a mismatch, for HAProxy as for Tandem`, async (t) => {
    for (const peer of ["tandem", "haproxy"] as const) {
      t.same(judgeConnection(planOf(exchange), [good], peer), []);
      t.match(judgeConnection(planOf(exchange), [outcome], peer), [{ listed: null }]);
    }
  });
}

t.test("a listed difference excuses HAProxy, and never Tandem", async (t) => {
  const plan = planOf({ ...exchange, special: "reset" });
  const silent: Outcome = { ...good, status: 0, body: "none", bytes: 0, uploaded: "" };
  t.match(judgeConnection(plan, [silent], "haproxy"), [{ listed: "silent-close" }]);
  t.match(judgeConnection(plan, [silent], "tandem"), [{ listed: null }]);
});
