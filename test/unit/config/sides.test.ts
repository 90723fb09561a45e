import t from "tap";
import { loadConfig } from "../../../src/config/load.js";
import { describeProblem } from "../../../src/config/problem.js";
import { backendOf, canReach, chosenBackends, joinSides } from "../../../src/config/proxy-sides.js";
import { serializeConfig } from "../../../src/config/serialize.js";

const machine = { hostname: "lb", cores: 2 };

function load(text: string) {
  const { config, problems, warnings } = loadConfig(text, "lb.yaml", machine);
  return { config, problems: problems.map(describeProblem), warnings: warnings.map(describeProblem) };
}

const shared = `frontends:
  web: { bind: ["192.0.2.1:80", "[2001:db8::1]:80"], default_backend: app, timeout: { client: 10s, http-request: 3s }, maxconn: 50 }
  api: { bind: "*:8000-8002", default_backend: app, max_head_bytes: 4096 }
backends:
  app:
    balance: leastconn
    timeout: { server: 20s, connect: 1s, tunnel: 2h }
    servers: { web01: 10.0.0.1:80 }
`;

t.test("frontends share a backend, each with its own words about clients", async (t) => {
  const { config, problems, warnings } = load(shared);
  t.same([...problems, ...warnings], []);
  const proxies = config?.proxies ?? [];
  t.same(
    proxies.map(({ name, side, defaultBackend, listen }) => [name, side, defaultBackend, listen.length]),
    [
      ["web", "frontend", "app", 2],
      ["api", "frontend", "app", 3],
      ["app", "backend", undefined, 0],
    ],
  );
  t.same(
    proxies.map((_, i) => backendOf(proxies, i)),
    [2, 2, 2],
  );
  const web = joinSides(proxies[0], proxies[2]);
  t.match(web, { name: "web", balance: "leastconn", maxconn: 50, servers: [{ name: "web01" }] });
  t.match(web.timeouts, {
    clientMs: 10_000,
    requestHeadMs: 3_000,
    serverMs: 20_000,
    connectMs: 1_000,
    tunnelMs: 7_200_000,
  });
  t.match(joinSides(proxies[1], proxies[2]), { maxHeadBytes: 4096, timeouts: { clientMs: 60_000 } });
  t.equal(joinSides(proxies[2], proxies[2]), proxies[2]);
});

t.test("sides that are written out load to the same", async (t) => {
  for (const text of [
    shared,
    "frontends: { t: { mode: tcp, bind: ':443', default_backend: b, timeout: { client-fin: 2s } } }\nbackends: { b: { mode: tcp, servers: { s: '10.0.0.1:443' }, timeout: { server: 30s, server-fin: 1s } } }\n",
    "frontends: { more: { bind: ':8080', default_backend: http } }\nproxies: { http: { bind: ':80', servers: { s: '10.0.0.1:80' } } }\n",
  ]) {
    const { config, problems } = load(text);
    t.same(problems, []);
    if (config !== null) t.same(load(serializeConfig(config, "shown")).config?.proxies, config.proxies);
  }
});

t.test("in mode tcp the shorter of both sides' time-outs ends a silent session, of FIN too", async (t) => {
  const { config } = load(
    "frontends: { t: { mode: tcp, bind: ':443', default_backend: b, timeout: { client: 5s, client-fin: 2s } } }\nbackends: { b: { mode: tcp, servers: { s: '10.0.0.1:443' }, timeout: { server: 30s, server-fin: 1s } } }\n",
  );
  const [frontend, backend] = config?.proxies ?? [];
  t.match(joinSides(frontend, backend).timeouts, { tunnelMs: 5_000, halfClosedMs: 1_000 });
});

const app = "backends: { app: { servers: { s: '10.0.0.1:80' } } }\n";

for (const [name, text, expected] of [
  [
    "a frontend without a backend",
    `frontends: { web: { bind: ':80' } }\n${app}`,
    /^lb\.yaml:1:14: web has no default_backend/,
  ],
  [
    "a backend that is not there",
    `frontends: { web: { bind: ':80', default_backend: apo } }\n${app}`,
    /there is no backend "apo"\. Did you mean app\?/,
  ],
  [
    "sides of two modes",
    `frontends: { web: { bind: ':80', mode: tcp, default_backend: app } }\n${app}`,
    /app is of mode http, and this frontend of mode tcp/,
  ],
  [
    "a name that is taken",
    `frontends: { app: { bind: ':80', default_backend: app } }\n${app}`,
    /^lb\.yaml:2:13: app is also the name of one of the frontends/,
  ],
  [
    "an address that another frontend has",
    `frontends: { a: { bind: ':80', default_backend: app }, b: { bind: '*:79-81', default_backend: app } }\n${app}`,
    /\*:79-81 is already taken by a's 0\.0\.0\.0:80/,
  ],
  [
    "a server that is a frontend of its own",
    "frontends: { a: { bind: '10.0.0.1:80', default_backend: app } }\nbackends: { app: { servers: { s: '10.0.0.1:80' } } }\n",
    /s is the address that a itself listens on/,
  ],
  [
    "ports that run backwards",
    `frontends: { a: { bind: '*:90-80', default_backend: app } }\n${app}`,
    /90-80 is no range of at most 1024 ports/,
  ],
  [
    "a backend's word in a frontend",
    `frontends: { a: { bind: ':80', balance: first, default_backend: app } }\n${app}`,
    /balance/,
  ],
  [
    "a frontend's word in a backend",
    "backends: { app: { maxconn: 5, servers: { s: '10.0.0.1:80' } } }\n",
    /maxconn/,
  ],
] as const) {
  t.test(`${name} is refused`, async (t) => {
    const { problems } = load(text);
    t.match(problems, [expected]);
  });
}

const choosing = `frontends:
  web: { bind: ":80", default_backend: app, rules: [{ if: { path_beg: /api/ }, use_backend: api }, { use_backend: api, deny: 403 }] }
proxies:
  http: { bind: ":81", servers: { s: "10.0.0.3:80" }, rules: [{ if: { host: a.example }, use_backend: app }] }
backends:
  app: { servers: { s: "10.0.0.1:80" } }
  api: { servers: { s: "10.0.0.2:80" } }
`;

t.test("rules choose among backends, of frontends and listens alike", async (t) => {
  const { config, problems, warnings } = load(choosing);
  t.same([...problems, ...warnings], []);
  const proxies = config?.proxies ?? [];
  t.same(proxies.map(chosenBackends), [["app"], ["api"], [], []]);
  const reached = proxies.map((_, index) => proxies.filter((_, to) => canReach(proxies, index, to)));
  t.same(
    reached.map((some) => some.map(({ name }) => name)),
    [["http", "app"], ["app", "api"], [], []],
  );
  if (config !== null) t.same(load(serializeConfig(config, "shown")).config?.proxies, config.proxies);
});

t.test("a chosen backend must be there, of the same mode, and not lead back", async (t) => {
  const refused = (rule: string, more = ""): string[] =>
    load(`frontends: { web: { bind: '10.0.0.9:80', default_backend: app, rules: [${rule}] } }
backends: { app: { servers: { s: '10.0.0.1:80' } }${more} }
`).problems;
  t.match(refused("{ use_backend: apo }"), [
    /^lb\.yaml:1:87: there is no backend "apo"\. Did you mean app\?/,
  ]);
  t.match(refused("{ use_backend: t }", ", t: { mode: tcp, servers: { s: '10.0.0.2:80' } }"), [
    /t is of mode tcp, and this frontend of mode http/,
  ]);
  t.match(refused("{ use_backend: back }", ", back: { servers: { s: '10.0.0.9:80' } }"), [
    /s is the address that web itself listens on/,
  ]);
});

t.test("a backend that no frontend uses is warned of", async (t) => {
  t.match(load(app).warnings, [/no frontend uses app/]);
});
