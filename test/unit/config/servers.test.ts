import t from "tap";
import { describeBalance, parseBalance } from "../../../src/config/balance.js";
import { parseStatuses } from "../../../src/config/http-check-section.js";
import { loadConfig } from "../../../src/config/load.js";
import { describeProblem } from "../../../src/config/problem.js";

const machine = { hostname: "lb", cores: 2 };

/** A proxy with these further lines, which begin in line 4, and its servers behind them. */
function file(lines: string, servers = "{ web01: 10.0.0.1:80, web02: 10.0.0.2:80 }"): string {
  return `proxies:\n  http:\n    bind: 192.0.2.1:80\n${lines === "" ? "" : `    ${lines}\n`}    servers: ${servers}\n`;
}

function load(text: string) {
  const { config, problems, warnings } = loadConfig(text, "lb.yaml", machine);
  return {
    proxy: config?.proxies[0],
    problems: problems.map(describeProblem),
    warnings: warnings.map(describeProblem),
  };
}

t.test("a server is an address, or a mapping with its words, in HAProxy's defaults", async (t) => {
  const { proxy, problems } = load(
    file(
      "",
      "{ web01: 10.0.0.1:80, web02: { address: 10.0.0.2:80, weight: 10, backup: true, slowstart: 30s, disabled: true, check: true } }",
    ),
  );
  t.same(problems, []);
  t.same(proxy?.servers, [
    { name: "web01", host: "10.0.0.1", port: 80 },
    {
      name: "web02",
      host: "10.0.0.2",
      port: 80,
      weight: 10,
      backup: true,
      disabled: true,
      slowStartMs: 30_000,
      check: {
        intervalMs: 2000,
        fastIntervalMs: 2000,
        downIntervalMs: 2000,
        rise: 2,
        fall: 3,
        port: 80,
        timeoutMs: 2000,
      },
    },
  ]);
});

t.test(
  "default_server gives what a server does not say itself, word for word also inside check",
  async (t) => {
    const { proxy, problems } = load(
      file(
        "default_server: { weight: 5, check: { inter: 1000, fall: 2, observe: layer7 } }",
        "{ a: 10.0.0.1:80, b: { address: 10.0.0.2:80, check: { fall: 4, port: 8080 } }, c: { address: 10.0.0.3:80, weight: 1, check: false } }",
      ),
    );
    t.same(problems, []);
    const [a, b, c] = proxy?.servers ?? [];
    t.match(a, { weight: 5, check: { intervalMs: 1000, timeoutMs: 1000, fall: 2, port: 80 } });
    t.same(a.check?.observe, { layer: "layer7", errorLimit: 10, onError: "fail-check" });
    t.match(b, { weight: 5, check: { intervalMs: 1000, fall: 4, port: 8080, rise: 2 } });
    t.same(c, { name: "c", host: "10.0.0.3", port: 80 });
  },
);

t.test("a check takes no longer than a connection may, unless it says so", async (t) => {
  const { proxy } = load(
    file(
      "timeout: { connect: 500ms }\n    default_server: { check: { inter: 10s } }",
      "{ a: 10.0.0.1:80, b: { address: 10.0.0.2:80, check: { timeout: 7s } } }",
    ),
  );
  t.same(
    proxy?.servers.map(({ check }) => check?.timeoutMs),
    [500, 7000],
  );
});

t.test("balance takes HAProxy's words, and comes back the same way", async (t) => {
  for (const [text, canonical] of [
    ["roundrobin", "roundrobin"],
    ["leastconn", "leastconn"],
    ["source", "source"],
    ["first", "first"],
    ["random", "random(2)"],
    ["random(3)", "random(3)"],
    ["hdr(X-User)", "hdr(x-user)"],
    ["uri", "uri"],
    ["uri depth 2 whole len 30", "uri whole len 30 depth 2"],
  ]) {
    const result = parseBalance(text);
    t.equal(result.ok && describeBalance(result.value), canonical);
  }
});

t.test("http_check takes a request and what is expected", async (t) => {
  const at = (words: string) =>
    load(file(`http_check: ${words}`, "{ a: { address: 10.0.0.1:80, check: true } }"));
  t.same(at("{}").proxy?.httpCheck, {
    method: "OPTIONS",
    uri: "/",
    expect: { kind: "status", ranges: [{ from: 200, to: 399 }] },
  });
  t.same(at('{ method: GET, uri: /health, host: www, expect: { status: "200-204,301" } }').proxy?.httpCheck, {
    method: "GET",
    uri: "/health",
    host: "www",
    expect: {
      kind: "status",
      ranges: [
        { from: 200, to: 204 },
        { from: 301, to: 301 },
      ],
    },
  });
  t.same(at("{ expect: { status: 200 } }").proxy?.httpCheck?.expect, {
    kind: "status",
    ranges: [{ from: 200, to: 200 }],
  });
  t.same(at("{ expect: { string: 0123 } }").proxy?.httpCheck?.expect, { kind: "string", text: "0123" });
  for (const text of ["99", "200-", "300-200", "600", "", "2xx"])
    t.equal(parseStatuses(text).ok, false, text);
});

const checked = "{ a: { address: 10.0.0.1:80, check: true } }";
const golden: readonly (readonly [
  text: string,
  problems: readonly string[],
  warnings?: readonly string[],
])[] = [
  [file("balance: leastcon"), ['lb.yaml:4:14: balance "leastcon" is not known. Did you mean leastconn?']],
  [
    file("balance: fastest-one"),
    [
      'lb.yaml:4:14: balance "fastest-one" is not known. Known are roundrobin, leastconn, source, uri, hdr(name), random and first.',
    ],
  ],
  [file("balance: static-rr"), ["lb.yaml:4:14: static-rr is not known here. Write roundrobin."]],
  [file("balance: hdr"), ['lb.yaml:4:14: "hdr" names no header field. Write one, such as hdr(Host).']],
  [
    file("balance: random(0)"),
    ["lb.yaml:4:14: random(0) is out of range. Write random for two draws, or a number from 1 to 32."],
  ],
  [
    file("balance: uri depth"),
    ['lb.yaml:4:14: "uri depth" is not known. Write uri, uri whole, uri len 40 or uri depth 2.'],
  ],
  [
    file("hash_type: consistent"),
    [],
    [
      "lb.yaml:4:5: hash_type says nothing where requests are not hashed. Leave it out, or balance by source, uri or hdr(name).",
    ],
  ],
  [
    file("", "{ a: { address: 10.0.0.1:80, weight: 257 } }"),
    ["lb.yaml:4:51: weight is 257. Write a whole number from 0 to 256."],
  ],
  [
    file("", "{ a: { weight: 2 } }"),
    ["lb.yaml:4:16: a has no address. Add one, such as address: 192.168.33.68:80."],
  ],
  [
    file("", "{ a: { address: 10.0.0.1 } }"),
    ['lb.yaml:4:30: "10.0.0.1" has no port. Write address:port, such as 192.168.33.68:80.'],
  ],
  [
    file("", "{ a: { address: 10.0.0.1:80, check: { inter: 5 } } }"),
    ["lb.yaml:4:59: inter 5 is too short. Write at least 10 ms."],
  ],
  [
    file("", "{ a: { address: 10.0.0.1:80, check: yes } }"),
    [
      'lb.yaml:4:50: check is "yes". Write true, false, or a mapping such as { inter: 2s, rise: 2, fall: 3 }.',
    ],
  ],
  [
    file("", "{ a: { address: 10.0.0.1:80, check: { rize: 2 } } }"),
    ['lb.yaml:4:52: "rize" is not known here. Did you mean rise?'],
  ],
  [
    file("default_server: { check: { error_limit: 5 } }"),
    ["lb.yaml:4:45: error_limit says nothing without observe. Add observe: layer4 or observe: layer7."],
  ],
  [
    file("", "{ a: 10.0.0.1:80, b: 5 }"),
    ["lb.yaml:4:35: b is 5. Write an address such as 192.168.33.68:80, or a mapping with address."],
  ],
  [
    file("http_check: { uri: health, method: G T, host: a b }", checked),
    [
      'lb.yaml:4:24: "health" is not a path. Write one that begins with /, such as /health, with what is not ASCII as %xx.',
      'lb.yaml:4:40: "G T" is not a method. Write GET, HEAD or OPTIONS.',
      'lb.yaml:4:51: "a b" is not a host. Write a name such as www.example.org.',
    ],
  ],
  [
    file("http_check: { expect: { status: 2xx } }", checked),
    ['lb.yaml:4:37: "2xx" are no statuses. Write statuses from 100 to 599, such as 200-299,301.'],
  ],
  [
    file("http_check: { expect: { status: 200, string: ok } }", checked),
    [
      "lb.yaml:4:29: expect has a status and a string. Keep one of them: a string is looked for whatever the status.",
    ],
  ],
  [
    file("http_check: {}"),
    [],
    ["lb.yaml:4:5: http_check says how, and no server is checked. Add default_server: { check: true }."],
  ],
  [
    file("httpchk: /health"),
    ['lb.yaml:4:5: "httpchk" is not known here. Write http_check: { uri: /health }.'],
  ],
];

for (const [text, problems, warnings] of golden) {
  t.test(`says what is wrong: ${problems[0] ?? warnings?.[0]}`, async (t) => {
    const found = load(text);
    t.same(found.problems, problems);
    if (warnings !== undefined) t.same(found.warnings, warnings);
  });
}
