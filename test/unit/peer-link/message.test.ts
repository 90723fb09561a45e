import t from "tap";
import { encodeMessage, parseMessage, type StateMessage } from "../../../src/peer-link/message.js";

const state: StateMessage = {
  kind: "state",
  node: "lb-box2",
  mac: "02:00:00:00:00:01",
  routers: [],
  members: [],
};
const parse = (value: unknown) => parseMessage(Buffer.from(JSON.stringify(value)));

t.test("what a partner of another version says is taken as far as it is known", async (t) => {
  t.same(parseMessage(encodeMessage(state)), state, "an older one does not say whether somebody watches");
  t.match(parse({ ...state, watches: true, later: [1] }), { ...state, watches: true });
  t.equal(parse({ kind: "later", anything: [1] }), "unknown");
  t.same(parse({ kind: "servers", report: "{}" }), { kind: "servers", report: "{}" });
});

t.test("what is no message, or one of a known kind with something else in it, is refused", async (t) => {
  for (const value of [
    null,
    1,
    [],
    {},
    { kind: 1 },
    { kind: "servers" },
    { kind: "servers", report: 1 },
    { kind: "servers", report: "x".repeat(16_385) },
    { ...state, watches: "yes" },
    { ...state, mac: "" },
  ])
    t.equal(parse(value), null, JSON.stringify(value)?.slice(0, 60));
  t.equal(parseMessage(Buffer.from("{")), null);
});
