import t from "tap";
import { parseAddressRange } from "../../../src/config/address-range.js";
import type { Condition, Rule } from "../../../src/config/rule-config.js";
import { SessionRules } from "../../../src/proxy/rules/session-rules.js";

const use = (backend: string, when: Condition | null, unless: Condition | null = null): Rule => ({
  when,
  unless,
  action: { kind: "use-backend", backend },
});
const range = (text: string) => {
  const parsed = parseAddressRange(text);
  if (parsed === null) throw new Error(text);
  return parsed;
};

t.test("the first rule that applies chooses", async (t) => {
  const rules = new SessionRules([
    use("one", { serverNames: ["a.example"] }),
    use("two", { serverNames: ["a.example", "*.b.example"] }),
  ]);
  t.equal(rules.backendFor("192.0.2.1", "A.Example"), "one");
  t.equal(rules.backendFor("192.0.2.1", "x.y.b.example"), "two");
  t.equal(rules.backendFor("192.0.2.1", "b.example"), null, "a wildcard is not its own domain");
  t.equal(rules.backendFor("192.0.2.1", null), null);
});

t.test("who has named nothing is not excepted by a name", async (t) => {
  const rules = new SessionRules([use("rest", null, { serverNames: ["a.example"] })]);
  t.equal(rules.backendFor("192.0.2.1", null), "rest");
  t.equal(rules.backendFor("192.0.2.1", "a.example"), null);
});

t.test("all words of a condition have to hold", async (t) => {
  const rules = new SessionRules([
    use("near", { serverNames: ["a.example"], sources: [range("10.0.0.0/8"), range("fe80::/10")] }),
  ]);
  t.equal(rules.backendFor("10.1.2.3", "a.example"), "near");
  t.equal(rules.backendFor("fe80::1%eth1", "a.example"), "near");
  t.equal(rules.backendFor("192.0.2.1", "a.example"), null);
  t.equal(rules.backendFor("10.1.2.3", "b.example"), null);
});

t.test("only a rule that asks for the name makes a session wait for it", async (t) => {
  t.equal(new SessionRules([use("a", { sources: [range("10.0.0.0/8")] })]).asksName, false);
  t.equal(new SessionRules([use("a", null, { serverNames: ["a.example"] })]).asksName, true);
});
