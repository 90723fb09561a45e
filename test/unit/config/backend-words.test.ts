import t from "tap";
import type { ProxyConfig } from "../../../src/config/config.js";
import { loadConfig } from "../../../src/config/load.js";
import { describeProblem } from "../../../src/config/problem.js";
import { serializeConfig } from "../../../src/config/serialize.js";

const machine = { hostname: "lb", cores: 1 };

/** A proxy with these lines, and one server. `server`: further words of it. */
function load(lines: string, server = "") {
  const text = `proxies:\n  http:\n    bind: 192.0.2.1:80\n    servers: { web01: { address: 10.0.0.1:80${server} } }\n${lines}`;
  const { config, problems, warnings } = loadConfig(text, "lb.yaml", machine);
  return {
    config,
    proxy: config?.proxies[0] ?? null,
    problems: problems.map(describeProblem),
    warnings: warnings.map(describeProblem),
  };
}

/** It loads, as `expected`, and again when it is written out. */
function holds(name: string, lines: string, server: string, expected: object): void {
  t.test(name, async (t) => {
    const { config, proxy, problems, warnings } = load(lines, server);
    t.same([...problems, ...warnings], []);
    t.match(proxy, expected);
    if (config === null) return;
    const again = loadConfig(serializeConfig(config, "shown"), "f", machine);
    t.same(again.config?.proxies, config.proxies);
  });
}

function refused(name: string, lines: string, server: string, expected: RegExp): void {
  t.test(`refused: ${name}`, async (t) => t.match(load(lines, server).problems, [expected]));
}

holds(
  "a cookie with every word",
  "    cookie: { name: SRV, mode: insert, indirect: true, nocache: true, postonly: true, preserve: true, httponly: true, secure: true, domain: .example.org, maxidle: 1h, maxlife: 86400, attr: [SameSite=Lax] }\n",
  ", cookie: 01",
  {
    cookie: {
      name: "SRV",
      indirect: true,
      nocache: true,
      postonly: true,
      preserve: true,
      httponly: true,
      secure: true,
      domain: ".example.org",
      maxIdleS: 3600,
      maxLifeS: 86_400,
      attributes: ["SameSite=Lax"],
    },
    servers: [{ cookie: "01" }],
  } satisfies { cookie: ProxyConfig["cookie"]; servers: object[] },
);
holds("cookies that are made from addresses", "    cookie: { name: SRV, dynamic_key: MYKEY }\n", "", {
  servers: [{ cookie: /^[0-9a-f]{16}$/ }],
});
t.test("refused: a cookie from an address where there is a name", async (t) => {
  const text =
    "proxies: { http: { bind: ':80', servers: { a: 'web01:80' }, cookie: { name: S, dynamic_key: K } } }\n";
  const { problems } = loadConfig(text, "lb.yaml", machine);
  t.match(problems.map(describeProblem), [/a is at "web01", a name/]);
});
refused(
  "an idle time of nothing",
  "    cookie: { name: SRV, maxidle: 0 }\n",
  ", cookie: a",
  /maxidle 0 is too short/,
);
refused("a cookie without a name", "    cookie: { indirect: true }\n", ", cookie: a", /cookie has no name/);
refused("no server with a value", "    cookie: { name: SRV }\n", "", /^lb\.yaml:5:5: no server has a cookie/);
refused(
  "a value that ends the field",
  "    cookie: { name: SRV }\n",
  ", cookie: 'a; b'",
  /"a; b" cannot be a cookie's value/,
);
refused("a name with a blank", "    cookie: { name: a b }\n", ", cookie: a", /"a b" is no cookie's name/);
for (const mode of ["rewrite", "prefix"] as const) {
  holds(`mode ${mode} of a cookie`, `    cookie: { name: SRV, mode: ${mode} }\n`, ", cookie: a", {
    cookie: { name: "SRV", mode },
  } as const);
  refused(
    `a word about a cookie of the proxy's own with mode ${mode}`,
    `    cookie: { name: SRV, mode: ${mode}, indirect: true }\n`,
    ", cookie: a",
    /indirect is about a cookie that the proxy sets/,
  );
}
refused(
  "a prefix with what ends a prefix",
  "    cookie: { name: SRV, mode: prefix }\n",
  ", cookie: a~b",
  /"a~b", the cookie of \S+, has the ~ in it/,
);
refused(
  "another mode",
  "    cookie: { name: SRV, mode: learn }\n",
  ", cookie: a",
  /mode is "learn"\. Write insert, rewrite or prefix/,
);
refused(
  "an attribute with a semicolon",
  "    cookie: { name: SRV, attr: 'a; b' }\n",
  ", cookie: a",
  /"a; b" cannot stand in Set-Cookie/,
);

holds("names of requests", "    unique_id_header: X-Request-ID\n    traceparent: true\n", "", {
  uniqueIdHeader: "X-Request-ID",
  traceparent: true,
});
refused(
  "a name that frames",
  "    unique_id_header: Connection\n",
  "",
  /Connection is the proxy's own to write/,
);

holds(
  "forwardfor with every word",
  "    forwardfor: { except: [127.0.0.0/8, 'fd00::/8'], if_none: true, header: X-Client-IP }\n",
  "",
  {
    forwardFor: {
      except: [{ text: "127.0.0.0/8" }, { text: "fd00::/8" }],
      ifNone: true,
      header: "X-Client-IP",
    },
  },
);
holds("forwardfor switched off", "    forwardfor: false\n", "", { forwardFor: null });
t.test("forwardfor: true is what is without a word", async (t) => {
  for (const value of ["true", "{}", "{ if_none: false, header: X-Forwarded-For }"])
    t.notOk("forwardFor" in (load(`    forwardfor: ${value}\n`).proxy ?? {}), value);
});
refused(
  "an exception that is no network",
  "    forwardfor: { except: here }\n",
  "",
  /"here" is no address or network/,
);
refused(
  "a client's address in a field that frames",
  "    forwardfor: { header: Connection }\n",
  "",
  /Connection is the proxy's own to write/,
);

holds("limits of a server", "    timeout: { queue: 3s }\n", ", maxconn: 10, maxqueue: 5", {
  servers: [{ maxconn: 10, maxqueue: 5 }],
  timeouts: { queueMs: 3_000 },
});
refused("maxqueue alone", "", ", maxqueue: 5", /^lb\.yaml:4:\d+: maxqueue says nothing without maxconn/);

holds(
  "connection rules",
  "    connection_rules: [{ if: { src: 10.0.0.0/8 }, reject: true }, { unless: { src: [fd00::/8] }, max_connections: 5, rate_limit: { connections: 7, per: 10s }, keys: 50 }]\n",
  "",
  {
    connectionRules: [
      { when: [{ text: "10.0.0.0/8" }], unless: null, action: { kind: "reject" } },
      { unless: [{ text: "fd00::/8" }], action: { kind: "max-connections", count: 5, keys: 50 } },
      { action: { kind: "rate-limit", connections: 7, periodMs: 10_000, keys: 50 } },
    ],
  },
);
refused("a rule that does nothing", "    connection_rules: [{ if: { src: ::1 } }]\n", "", /does nothing/);
refused(
  "a source that is none",
  "    connection_rules: [{ if: { src: here }, reject: true }]\n",
  "",
  /^lb\.yaml:5:37: "here" is neither an address nor a network/,
);
refused(
  "a limit of nothing",
  "    connection_rules: [{ rate_limit: { per: 1s } }]\n",
  "",
  /has no connections/,
);

holds(
  "response rules",
  "    response_rules: [{ if: { status: '200-299,304', hdr: { Server: true }, path_beg: /a }, del_header: Server, set_header: { X-A: '%[path]' } }, { add_header: { Vary: Cookie } }]\n",
  "",
  {
    responseRules: [
      {
        when: {
          statuses: [
            { from: 200, to: 299 },
            { from: 304, to: 304 },
          ],
          fields: [{ name: "server", values: null }],
          request: { pathBegins: ["/a"] },
        },
        action: { kind: "del-header", name: "Server" },
      },
      { action: { kind: "set-header", name: "X-A", value: [{ word: "path" }] } },
      { when: null, action: { kind: "add-header", name: "Vary", value: ["Cookie"] } },
    ],
  },
);
refused(
  "framing in a response rule",
  "    response_rules: [{ set_header: { Content-Length: 5 } }]\n",
  "",
  /Content-Length is the proxy's own to write/,
);
refused(
  "no status",
  "    response_rules: [{ if: { status: 99-1 }, del_header: X }]\n",
  "",
  /are no statuses/,
);

t.test("what mode tcp does not see it says so of", async (t) => {
  const tcp = load(
    "    mode: tcp\n    cookie: { name: SRV }\n    errorfiles: { 503: /x }\n    connection_rules: [{ max_connections: 2 }]\n    timeout: { queue: 1s }\n",
    ", maxconn: 3, cookie: a",
  );
  t.same(tcp.problems, []);
  t.match(tcp.warnings, [/cookie says nothing in mode tcp/, /errorfiles says nothing in mode tcp/]);
  t.match(tcp.proxy, {
    connectionRules: [{ action: { count: 2 } }],
    servers: [{ maxconn: 3 }],
    timeouts: { queueMs: 1_000 },
  });
  t.match(load("    mode: tcp\n    response_rules: [{ del_header: X }]\n").problems, [
    /response_rules are about responses/,
  ]);
});
