import t from "tap";
import type { Action, Condition, Rule } from "../../../src/config/rule-config.js";
import { parseTextTemplate, type TextTemplate } from "../../../src/config/text-template.js";
import { RuleSet } from "../../../src/proxy/rules/rule-set.js";
import { slidingWindowBytes } from "../../../src/proxy/rules/sliding-window.js";
import { factsOf, linesOf } from "./request.js";

const rule = (action: Action, when: Condition | null = null, unless: Condition | null = null): Rule => ({
  when,
  unless,
  action,
});
const template = (text: string): TextTemplate => {
  const parsed = parseTextTemplate(text);
  if ("unknown" in parsed) throw new Error(parsed.unknown);
  return parsed;
};
const get = "GET /a?b=c HTTP/1.1\nHost: www.example.org\nX-A: 1\nx-a: 2\nAccept: */*";

t.test("the first rule that answers ends the request", async (t) => {
  const rules = new RuleSet(
    [
      rule({ kind: "deny", status: 403 }, { paths: ["/b"] }),
      rule({ kind: "deny", status: 404 }),
      rule({ kind: "deny", status: 405 }),
    ],
    [],
  );
  t.match(rules.apply(factsOf(get), 0), { status: 404, isDenied: true });
});

t.test("a rule is passed over where its unless holds", async (t) => {
  const rules = new RuleSet([rule({ kind: "deny", status: 403 }, null, { paths: ["/a"] })], []);
  t.equal(rules.apply(factsOf(get), 0), null);
  t.match(rules.apply(factsOf(get.replace("/a", "/b")), 0), { status: 403 });
});

t.test("fields are set, added and deleted, whatever their case, and others stay as they came", async (t) => {
  const facts = factsOf(get);
  const rules = new RuleSet(
    [
      rule({ kind: "set-header", name: "X-A", value: template("%[src] for %[host]%[url]") }),
      rule({ kind: "add-header", name: "X-B", value: template("1") }),
      rule({ kind: "del-header", name: "ACCEPT" }),
    ],
    [],
  );
  t.equal(rules.apply(facts, 0), null);
  t.ok(facts.isEdited);
  t.same(linesOf(facts), [
    "GET /a?b=c HTTP/1.1",
    "Host: www.example.org",
    "X-A: 192.0.2.7 for www.example.org/a?b=c",
    "X-B: 1",
  ]);
});

t.test("later rules see what earlier ones changed", async (t) => {
  const facts = factsOf("GET /old/x?q HTTP/1.1\nHost: a");
  const rules = new RuleSet(
    [
      rule({ kind: "replace-prefix", prefix: "/old/", by: "/new/" }),
      rule({ kind: "deny", status: 403 }, { pathBegins: ["/old"] }),
      rule({ kind: "set-header", name: "X-New", value: template("%[path]") }, { pathBegins: ["/new"] }),
    ],
    [],
  );
  t.equal(rules.apply(facts, 0), null);
  t.same(linesOf(facts), ["GET /new/x?q HTTP/1.1", "Host: a", "X-New: /new/x"]);
});

t.test("a request that no rule changes is not written anew", async (t) => {
  const facts = factsOf(get);
  new RuleSet([rule({ kind: "del-header", name: "Cookie" })], []).apply(facts, 0);
  t.notOk(facts.isEdited);
});

t.test("a redirect fills in the request, and a path of several slashes leads to no other host", async (t) => {
  const to = (location: string, request = get) =>
    new RuleSet([rule({ kind: "redirect", status: 301, location: template(location) })], []).apply(
      factsOf(request),
      0,
    )?.fields;
  t.same(to("https://%[host]%[url]"), ["Location: https://www.example.org/a?b=c"]);
  t.same(to("%[url]", get.replace("/a?", "//evil.example/?")), ["Location: /evil.example/?b=c"]);
  t.same(to("%[url]", get.replace("/a?", "/\\evil.example/?")), ["Location: /evil.example/?b=c"]);
});

t.test("auth lets in who knows a password, and asks everybody else", async (t) => {
  const users = [
    { name: "ann", password: "pä:ss" },
    { name: "bob", password: "x" },
  ];
  const rules = new RuleSet([rule({ kind: "auth", realm: "r", users })], []);
  const ask = (authorization: string | null) =>
    rules.apply(factsOf(`${get}${authorization === null ? "" : `\nAuthorization: ${authorization}`}`), 0);
  const basic = (text: string) => `Basic ${Buffer.from(text, "utf8").toString("base64")}`;
  t.equal(ask(basic("ann:pä:ss")), null);
  t.equal(ask(basic("bob:x").replace("Basic", "bAsIc")), null);
  for (const wrong of [null, basic("ann:x"), basic("bob:"), basic("bob"), "Basic", "Bearer x", "Basic !!"])
    t.match(
      ask(wrong),
      { status: 401, fields: ['WWW-Authenticate: Basic realm="r", charset="UTF-8"'] },
      `${wrong}`,
    );
});

t.test("a rate limit counts each source for itself, or each value of a field", async (t) => {
  const limit = { kind: "rate-limit", requests: 2, periodMs: 1000, status: 429, keys: 8 } as const;
  const buffer = () => [new SharedArrayBuffer(slidingWindowBytes(8))];
  const bySource = new RuleSet([rule({ ...limit, by: "src" })], buffer());
  t.equal(bySource.apply(factsOf(get), 0), null);
  t.equal(bySource.apply(factsOf(get), 10), null);
  t.match(bySource.apply(factsOf(get), 20), { status: 429, fields: ["Retry-After: 1"], isDenied: true });
  t.equal(bySource.apply(factsOf(get, "192.0.2.8"), 20), null);
  const byField = new RuleSet([rule({ ...limit, requests: 1, by: { field: "x-key" } })], buffer());
  t.equal(byField.apply(factsOf(`${get}\nX-Key: a`), 0), null);
  t.match(byField.apply(factsOf(`${get}\nX-Key: a`), 0), { status: 429 });
  t.equal(byField.apply(factsOf(`${get}\nX-Key: b`), 0), null);
  t.equal(byField.apply(factsOf(get), 0), null, "without the field nothing is counted");
});
