import fc from "fast-check";
import t from "tap";
import { agentLine, parseAgentLine } from "../../../src/proxy/health/agent-report.js";

/** Each line as HAProxy 2.6 was seen to take it; more of them beside it in test/judges/agents.test.ts. */
const lines: readonly (readonly [string, object])[] = [
  ["up", { health: "up", status: "L7OK", detail: "via agent : up" }],
  ["UP,90%", { health: "up", weightPercent: 90, detail: "via agent : UP" }],
  ["down # sick today", { health: "down", status: "L7STS", detail: "via agent : down (sick today)" }],
  ["fail#x y", { health: null, status: "CHECKED", detail: "agent reports an error : fail#x" }],
  ["failed", { health: null, detail: "agent reports an error : failed" }],
  [
    "down bogus 20% maint # bye",
    { health: "down", admin: "maint", weightPercent: 20, detail: "via agent : down (bye)" },
  ],
  ["up maxconn:x # fine", { detail: "via agent : up (maxconn string empty or preceded by garbage)" }],
  ["up # fine", { detail: "via agent : up (fine)" }],
  ["maxconn:", { maxconn: null, detail: "agent warns : Require <maxconn>." }],
  ["maxconn:7", { maxconn: 7, health: null, status: "CHECKED", detail: "" }],
  ["-5%", { weightPercent: null, detail: "agent reports an error : -5%" }],
  ["50", { weightPercent: null, detail: "agent reports an error : 50" }],
  ["", { health: null, admin: null, status: "CHECKED", detail: "" }],
  ["drain ready", { admin: "ready" }],
  ["up down", { health: "down" }],
];
for (const [line, expected] of lines) t.match(parseAgentLine(line), expected, JSON.stringify(line));

t.test("a line ends with the first CR or LF, and nothing counts before that", (t) => {
  t.equal(agentLine("up\r\ndown\n"), "up");
  t.equal(agentLine("\n"), "");
  t.equal(agentLine("75% up dra"), null);
  t.equal(agentLine("x".repeat(20_000))?.length, 16_384, "one that never ends is cut");
  t.end();
});

t.test("whatever an agent says, numbers stay numbers and the words are among the known ones", (t) => {
  const word = fc.oneof(
    fc.constantFrom(
      "up",
      "Down",
      "stopped",
      "fail",
      "READY",
      "drain",
      "maint",
      "#",
      "maxconn:3",
      "70%",
      "7%x",
    ),
    fc.string({ unit: "binary" }),
  );
  fc.assert(
    fc.property(fc.array(word), fc.constantFrom(" ", ",", "\t", " , "), (words, between) => {
      const report = parseAgentLine(words.join(between));
      const { health, admin, weightPercent, maxconn, status } = report;
      return (
        [null, "up", "down"].includes(health) &&
        [null, "ready", "drain", "maint"].includes(admin) &&
        [weightPercent, maxconn].every((one) => one === null || (Number.isFinite(one) && one >= 0)) &&
        status === (health === null ? "CHECKED" : health === "up" ? "L7OK" : "L7STS")
      );
    }),
  );
  t.end();
});

t.test("words of different kinds mean the same in any order", (t) => {
  const words = fc.shuffledSubarray(["up", "drain", "50%", "maxconn:9"], { minLength: 4 });
  const expected = parseAgentLine("up drain 50% maxconn:9");
  fc.assert(fc.property(words, (order) => void t.same(parseAgentLine(order.join(" ")), expected)));
  t.end();
});
