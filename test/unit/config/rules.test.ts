import t from "tap";
import { loadConfig } from "../../../src/config/load.js";
import { describeProblem } from "../../../src/config/problem.js";

/** A whole file with these rules, one in a line, the first in line 6. */
function load(...rules: string[]) {
  const text = `proxies:
  http:
    bind: 192.168.33.84:80
    servers: { web01: 192.168.33.68:80 }
    rules:
${rules.map((rule) => `      - ${rule}\n`).join("")}`;
  return loadConfig(text, "lb.yaml", { hostname: "lb-box1", cores: 2 });
}

t.test("rules load to these values, a line of several actions to several rules", async (t) => {
  const { config, problems } = load(
    "{ if: { path_beg: /admin, host: [WWW.example.org] }, unless: { src: 10.0.0.0/8 }, deny: 403 }",
    "{ del_header: [Cookie, X-A], set_header: { X-B: '%[src]' }, rate_limit: { requests: 20, per: 10s, by: hdr(X-Key) } }",
    "{ if: { hdr: { X-A: true, X-B: [a, b] } }, redirect: { location: 'https://%[host]%[url]', code: 301 } }",
    "{ auth: { users: { ann: 0123 } } }",
  );
  t.same(problems.map(describeProblem), []);
  t.match(config?.proxies[0].rules, [
    {
      when: { pathBegins: ["/admin"], hosts: ["www.example.org"] },
      unless: { sources: [{ text: "10.0.0.0/8", prefixBits: 104 }] },
      action: { kind: "deny", status: 403 },
    },
    {
      when: null,
      unless: null,
      action: { kind: "rate-limit", requests: 20, periodMs: 10_000, by: { field: "x-key" }, status: 429 },
    },
    { action: { kind: "del-header", name: "Cookie" } },
    { action: { kind: "del-header", name: "X-A" } },
    { action: { kind: "set-header", name: "X-B", value: [{ word: "src" }] } },
    {
      when: {
        fields: [
          { name: "x-a", values: null },
          { name: "x-b", values: ["a", "b"] },
        ],
      },
      action: {
        kind: "redirect",
        status: 301,
        location: ["https://", { word: "host" }, { word: "url" }],
      },
    },
    { action: { kind: "auth", realm: "http", users: [{ name: "ann", password: "0123" }] } },
  ]);
});

t.test("what is wrong with a rule is said where it stands, with what to do", async (t) => {
  const said = (rule: string) => load(rule).problems.map(describeProblem);
  for (const [rule, ...expected] of [
    ["{ if: { path_beg: /x } }", "lb.yaml:6:9: this rule does nothing. Add deny, redirect"],
    ["{ deny: 200 }", "lb.yaml:6:17: deny is 200. Write a whole number from 400 to 599."],
    ["{ if: { pathbeg: /x }, deny: 403 }", '"pathbeg" is not known here. Did you mean path_beg?'],
    [
      "{ if: { path: admin }, deny: 403 }",
      '"admin" is no beginning of a path. Write one with a slash, such as /admin.',
    ],
    ["{ if: { src: 10.0.0.0/33 }, deny: 403 }", '"10.0.0.0/33" is neither an address nor a network.'],
    ["{ if: {}, deny: 403 }", "this condition asks nothing"],
    ["{ set_header: { Content-Length: 5 } }", "Content-Length is the proxy's own to write."],
    ["{ del_header: 'a b' }", '"a b" is no name of a field.'],
    ["{ set_header: { X-A: '%[cookie]' } }", "%[cookie] is not known here. Write %[src]"],
    ['{ set_header: { X-A: "a\\r\\nb" } }', "cannot stand in a field"],
    ["{ set_path: new }", '"new" is no path.'],
    ["{ redirect: { code: 301 } }", "redirect has no location."],
    ["{ redirect: { location: /, code: 304 } }", "304 is no redirect. Write 301, 302, 303, 307, 308."],
    ["{ auth: {} }", "auth lets nobody in."],
    ["{ auth: { users: { 'a:b': x } } }", '"a:b" holds a colon.'],
    ["{ rate_limit: { per: 1s } }", "rate_limit has no requests."],
    [
      "{ rate_limit: { requests: 1, by: cookie } }",
      '"cookie" is nothing to count by. Write src or hdr(name).',
    ],
  ] as const) {
    const problems = said(rule);
    t.equal(problems.length, 1, `${rule}: ${problems.join(" | ")}`);
    for (const text of expected) t.ok(problems[0]?.includes(text), `${rule}: ${problems[0]}`);
  }
});

t.test("mode tcp has no requests to judge", async (t) => {
  const { problems } = load("{ deny: 403 }", "{ deny: 403 }\n    mode: tcp");
  t.match(problems.map(describeProblem), [
    /^lb\.yaml:6:11: deny is about requests, which mode tcp does not see/,
    /^lb\.yaml:7:11: deny is about requests/,
  ]);
});

t.test("check --print hides the passwords of auth", async (t) => {
  const { serializeConfig } = await import("../../../src/config/serialize.js");
  const { config } = load("{ auth: { users: { ann: s3cret } } }");
  if (config === null) throw new Error("no configuration");
  t.notMatch(serializeConfig(config, "hidden"), /s3cret/);
});
