import { deepStrictEqual } from "node:assert/strict";
import fc from "fast-check";
import t from "tap";
import { loadConfig } from "../../../src/config/load.js";
import { describeProblem } from "../../../src/config/problem.js";
import type { Surroundings } from "../../../src/config/surroundings.js";
import { escapeReferences, expandText } from "../../../src/config/variables.js";

const machine = { hostname: "lb-box1", cores: 2 };

/** A world of these variables and files. */
function world(
  variables: Readonly<Record<string, string>> = {},
  files: Readonly<Record<string, string>> = {},
): Surroundings {
  return {
    variable: (name) => (Object.hasOwn(variables, name) ? variables[name] : undefined),
    read: (path) =>
      Object.hasOwn(files, path)
        ? { ok: true, value: files[path] }
        : { ok: false, message: `${path} cannot be read (ENOENT)`, advice: "check that it is there" },
    bytes: () => ({ ok: false, message: "no bytes here", advice: "ask for none" }),
    match: (pattern) => {
      const [start, end] = pattern.split("*");
      const found = Object.keys(files).filter((path) => path.startsWith(start) && path.endsWith(end));
      return { ok: true, value: found.sort() };
    },
  };
}

function load(text: string, around: Surroundings = world()) {
  const { config, problems, warnings } = loadConfig(text, "/etc/lb/lb.yaml", machine, around);
  return { config, problems: problems.map(describeProblem), warnings: warnings.map(describeProblem) };
}

const proxies = "proxies: { http: { bind: ':80', servers: { web01: 10.0.0.1:80 } } }\n";

t.test(
  "variables and files stand in for values: numbers become numbers, quoted ones and files stay text",
  async (t) => {
    const { config, problems } = load(
      `${proxies}threads: \${THREADS}\nmaxconn: \${MAX:-500}\nnode: "\${THREADS}"
admin: { bind: 127.0.0.1:8404, stats: { user: "\${USER_NAME}", password: "\${file:secret}" } }\n`,
      world({ THREADS: "3", USER_NAME: "op" }, { "/etc/lb/secret": "0123\n" }),
    );
    t.same(problems, []);
    t.match(config, { threads: 3, maxconn: 500, node: "3", admin: { user: "op", password: "0123" } });
  },
);

t.test("a password that is a number keeps its zeros", async (t) => {
  const { config } = load(`${proxies}admin: { stats: { password: "\${PW}" } }\n`, world({ PW: "0123" }));
  t.equal(config?.admin?.password, "0123");
});

t.test("what cannot be filled in is told with its place, all of it at once", async (t) => {
  const { config, problems } = load(
    `${proxies}node: \${NODE}\nadmin: { stats: { user: "\${}", password: "\${file:/none}" } }\n`,
  );
  t.equal(config, null);
  t.same(problems, [
    "/etc/lb/lb.yaml:2:7: the environment variable NODE is not set. Set it, or write ${NODE:-default}; $${ if these signs themselves are meant.",
    '/etc/lb/lb.yaml:3:25: "${" begins no reference. Write ${NAME}, ${NAME:-default} or ${file:/path}, or $${ if these signs themselves are meant.',
    "/etc/lb/lb.yaml:3:42: /none cannot be read (ENOENT). Check that it is there.",
  ]);
});

t.test("a doubled sign stands for itself, and any text survives being escaped", async (t) => {
  const around = world({ A: "x" });
  t.same(expandText("a$${A}b${A}$A", "f", around), { ok: true, value: "a${A}bx$A" });
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(fc.array(fc.constantFrom("$", "{", "}", "A", ":", "-"), { maxLength: 12 }), (parts) => {
        const text = parts.join("");
        deepStrictEqual(expandText(escapeReferences(text), "f", around), { ok: true, value: text });
      }),
    ),
  );
});

t.test(
  "included files join section by section and member by member, and their places are told",
  async (t) => {
    const files = {
      "/etc/lb/conf.d/a.yaml": "proxies: { a: { bind: ':81', servers: { s: 10.0.0.1:80 } } }\n",
      "/etc/lb/conf.d/b.yaml": "proxies: { b: { bind: ':82', servers: { s: 10.0.0.1:80 } } }\nthreads: 4\n",
      "/etc/lb/conf.d/empty.yaml": "# nothing yet\n",
    };
    const { config, problems } = load(`include: conf.d/*.yaml\n${proxies}`, world({}, files));
    t.same(problems, []);
    t.same(
      config?.proxies.map(({ name }) => name),
      ["http", "a", "b"],
    );
    t.equal(config?.threads, 4);

    const bad = {
      ...files,
      "/etc/lb/conf.d/b.yaml": "proxies:\n  b: { bind: ':80', severs: {} }\n  a: {}\n",
    };
    t.same(load(`include: conf.d/*.yaml\n${proxies}`, world({}, bad)).problems, [
      "/etc/lb/conf.d/b.yaml:3:3: proxies.a stands at /etc/lb/conf.d/a.yaml:1:12 too. Keep one of them.",
    ]);
    const alone = { "/etc/lb/b.yaml": "proxies:\n  b: { bind: ':80', severs: { x: 10.0.0.1:1 } }\n" };
    t.same(load(`include: b.yaml\n${proxies}`, world({}, alone)).problems, [
      "/etc/lb/b.yaml:2:3: b has no servers. Add at least one, such as servers: { web01: 192.168.33.68:80 }.",
      "/etc/lb/b.yaml:2:14: :80 is already taken by http's 0.0.0.0:80. Choose another port, or keep one of them.",
      '/etc/lb/b.yaml:2:21: "severs" is not known here. Did you mean servers?',
    ]);
  },
);

t.test(
  "a file that is missing, included twice, or no mapping is told at the line that names it",
  async (t) => {
    const files = {
      "/etc/lb/a.yaml": "include: b.yaml\n",
      "/etc/lb/b.yaml": "include: [a.yaml]\n",
      "/etc/lb/c.yaml": "- 1\n",
    };
    t.same(load(`include: [a.yaml, none.yaml, c.yaml]\n${proxies}`, world({}, files)).problems, [
      "/etc/lb/lb.yaml:1:19: /etc/lb/none.yaml cannot be read (ENOENT). Check that it is there.",
      "/etc/lb/b.yaml:1:11: /etc/lb/a.yaml is included twice. Include each file once.",
      "/etc/lb/c.yaml:1:1: the file is not a mapping. Write words such as proxies: and what belongs to them.",
    ]);
  },
);

t.test("lint: settings that are allowed and most likely not meant", async (t) => {
  const { warnings, problems } = load(`
vrrp:
  A:
    interface: eth1
    virtual_router_id: 1
    priority: 100
    partner_priority: 100
    preempt: false
    preempt_delay: 5s
    authentication: { auth_type: PASS, auth_pass: 1111 }
    virtual_ipaddress: 10.0.0.9/24
peer_link: { key: key-of-the-demo-boxes }
fitness: { servers: false }
proxies:
  http:
    bind: 10.0.0.9:80
    default_server: { weight: 0 }
    servers: { web01: 10.0.0.1:80 }
    timeout: { connect: 2m, server: 1m }
admin: { bind: eth1:80, stats: { password: supersecret } }
drain_timeout: 5m
`);
  t.same(problems, []);
  t.same(
    warnings.map((warning) => warning.replace(/^\/etc\/lb\/lb\.yaml:(\d+):\d+: /, "$1 ").split(". ")[0]),
    [
      "7 A has priority 100 on both nodes, so their addresses decide",
      "9 preempt_delay says nothing with preempt: false",
      "10 this auth_pass stands in everybody's examples",
      "12 the key of peer_link is the demo's, which everybody knows",
      "18 every server of http has weight 0, so none gets a request",
      "19 connecting to a server of http may take longer (2m) than its answer (1m)",
      "20 the stats page has its default password, which everybody knows",
      "21 drain_timeout 5m is longer than the unit waits for a stop",
    ],
  );
});
