import { deepStrictEqual, ok } from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import t from "tap";
import { projectRoot } from "../../../lab/project-root.js";
import type { Config } from "../../../src/config/config.js";
import { loadConfig } from "../../../src/config/load.js";
import { splitLine } from "../../../src/import/haproxy-parse.js";
import { describeNote, importFiles } from "../../../src/import/import.js";
import { parseKeepalived, withoutComment } from "../../../src/import/keepalived-parse.js";

const machine = { hostname: "lb", cores: 1 };

function load(yaml: string | null): Config {
  const { config, problems } = loadConfig(yaml ?? "", "lb.yaml", machine, {
    variable: () => "1",
    read: () => ({ ok: true, value: "" }),
    bytes: () => ({ ok: true, value: new Uint8Array(0) }),
    match: () => ({ ok: true, value: [] }),
  });
  deepStrictEqual(problems, []);
  if (config === null) throw new Error("there are no problems and no configuration");
  return config;
}

function haproxy(text: string) {
  const { yaml, notes, carried } = importFiles([{ path: "h.cfg", text }], []);
  return { yaml, config: yaml === null ? null : load(yaml), notes: notes.map(describeNote), carried };
}

function keepalived(text: string) {
  const { yaml, notes, carried } = importFiles([], [{ path: "k.conf", text }]);
  return { yaml, config: yaml === null ? null : load(yaml), notes: notes.map(describeNote), carried };
}

const example = (name: string) => {
  const path = `examples/import/${name}`;
  return { path, text: readFileSync(join(projectRoot, path), "utf8") };
};

for (const [node, priority] of [
  ["lb-box1", 101],
  ["lb-box2", 100],
] as const) {
  t.test(`the demo's files of ${node} become the configuration that they mean`, async (t) => {
    const files = [[example(`${node}/haproxy.cfg`)], [example(`${node}/keepalived.conf`)]] as const;
    const { yaml, notes, carried } = importFiles(...files);
    const config = load(yaml);
    t.match(config, {
      vrrp: [
        {
          name: "VI_1",
          interface: "eth1",
          virtualRouterId: 51,
          priority,
          authentication: { type: "pass", password: "k@l" },
          addresses: [{ address: "192.168.33.84", prefixLength: 24 }],
        },
      ],
      proxies: [
        {
          name: "http",
          listen: [{ address: "192.168.33.84", port: 80 }],
          balance: "roundrobin",
          servers: [
            { name: "web01", host: "192.168.33.68", port: 80 },
            { name: "web02", host: "192.168.33.69", port: 80 },
          ],
          timeouts: { connectMs: 5000, clientMs: 50_000, serverMs: 50_000 },
        },
      ],
      admin: {
        path: "/stats",
        user: "admin",
        password: "supersecret",
        listen: { interface: "eth1", port: 80 },
      },
      statsSocket: { path: "/var/lib/haproxy/stats.sock" },
      maxconn: 4096,
    });
    t.equal(config.tracking.scripts.length, 0, "nothing watches HAProxy any more");
    for (const { path, text } of files.flat()) {
      for (const [i, line] of text.split("\n").entries()) {
        if (/^\s*([!#}].*)?$/.test(line)) continue;
        const isTold = notes.some(
          (note) => note.file === path && note.line <= i + 1 && note.lastLine >= i + 1,
        );
        t.ok(isTold || carried.get(path)?.has(i + 1), `${path}:${i + 1}: ${line}`);
      }
    }
  });
}

t.test(
  "keepalived's comments begin inside of words, but not inside of quotes or behind a backslash",
  async (t) => {
    const lines: readonly (readonly [string, string])[] = [
      ["auth_pass pa!ss", "auth_pass pa"],
      ["auth_pass pa#ss # x", "auth_pass pa"],
      ['script "a!b#c" # d', 'script "a!b#c"'],
      ["auth_pass pa\\#ss", "auth_pass pa#ss"],
      ["! all of it", ""],
    ];
    for (const [line, text] of lines) t.equal(withoutComment(line).text, text, line);
    t.same(
      parseKeepalived('a "b c"\\\n d {\n e f\n}\ng { h }').map(({ words, line, lastLine }) => [
        words,
        line,
        lastLine,
      ]),
      [
        [["a", "b c", "d"], 1, 4],
        [["g"], 5, 5],
      ],
    );
  },
);

t.test(
  "keepalived: both dialects, groups, tracking, notify, routes, and every line that has no place here",
  async (t) => {
    const { config, notes } = keepalived(`
$VIP=10.0.0.9
global_defs {
  lvs_id old_name
  vrrp_garp_master_repeat 3
  vrrp_version 2
  notification_email { a@example.org
    b@example.org }
  smtp_server 10.0.0.1 2525
  vrrp_strict
}
vrrp_script chk { script "/usr/bin/test -e /up" interval 3 weight -30 fall 2 }
vrrp_script ports {
  script /usr/bin/true
  interval 3
}
vrrp_track_process dns {
  process unbound
  weight 10
}
vrrp_sync_group G1 {
  group {
    VI_1
    VI_2
  }
  notify "/bin/told group" nobody
}
vrrp_instance VI_1 {
  state MASTER
  interface eth0
  virtual_router_id 10
  priority 150
  nopreempt
  virtual_ipaddress {
    $VIP/24 brd 10.0.0.255 dev eth0 label eth0:1
    10.0.0.999
  }
  virtual_routes {
    10.9.0.0/16 via 10.0.0.1
  }
  track_script {
    ports weight 5
  }
  track_process { dns }
  notify_master /bin/told
  mystery_word 1
}
vrrp_instance VI_2
{
  interface eth1
  virtual_router_id 11
  unicast_peer {
    10.1.0.2
  }
  virtual_ipaddress {
    10.1.0.9/24
  }
}
virtual_server 10.0.0.9 80 {
  lb_algo rr
  real_server 10.0.0.1 80 {
  }
}
`);
    t.match(config, {
      vrrp: [
        {
          name: "VI_1",
          preempt: false,
          version: 2,
          gratuitousArp: { repeat: 3 },
          addresses: [
            {
              address: "10.0.0.9",
              prefixLength: 24,
              interface: "eth0",
              label: "eth0:1",
              broadcast: "10.0.0.255",
            },
          ],
          routes: [{ address: "10.9.0.0", gateway: "10.0.0.1" }],
          track: { scripts: [{ name: "ports", weight: 5 }], processes: [{ name: "dns", weight: 10 }] },
        },
        { name: "VI_2", unicastPeers: ["10.1.0.2"] },
      ],
      syncGroups: [{ name: "G1", members: ["VI_1", "VI_2"] }],
      alerts: {
        mail: { to: ["a@example.org", "b@example.org"], host: "10.0.0.1", port: 2525, routerId: "old_name" },
      },
    });
    const told = notes.map((note) => note.replace(/^k\.conf:/, ""));
    for (const part of [
      '10: "vrrp_strict": what is not allowed is an error of lb check',
      '29: "state MASTER": every node starts as a backup',
      '36: "10.0.0.999": "10.0.0.999" is not an IP address',
      '46: "mystery_word 1": Tandem has no such word in an instance',
      '59-63: "virtual_server 10.0.0.9 80": LVS is not spoken',
    ]) {
      t.ok(
        told.some((note) => note.startsWith(part)),
        `${part} in ${told.join("\n")}`,
      );
    }
  },
);

t.test("HAProxy's words: quotes, escapes, variables and comments", async (t) => {
  t.same(splitLine("  bind *:80 # comment"), ["bind", "*:80"]);
  t.same(splitLine("a b\\ c 'd \"e' \"f 'g\" h\\#i"), ["a", "b c", 'd "e', "f 'g", "h#i"]);
  const { yaml } = haproxy('listen a\n bind "10.0.0.1:${PORT}"\n server s "${HOST}:80"\n');
  t.equal(yaml, null, "a variable is no address to check");
  const named = haproxy(
    'listen a\n bind :80\n server s 10.0.0.1:80\nlisten s\n bind :8404\n stats enable\n stats auth "op:$PW"\n',
  );
  t.match(named.yaml, "password: ${PW}");
});

t.test(
  "HAProxy: the stats page acts where it did for everybody, and other conditions are named",
  async (t) => {
    const page =
      "listen a\n bind :80\n server s 10.0.0.1:80\nlisten s\n bind :8404\n stats enable\n stats auth a:b\n";
    t.equal(haproxy(`${page} stats admin if TRUE\n`).config?.admin?.pageActs, true);
    const local = haproxy(`${page} stats admin if LOCALHOST\n`);
    t.equal(local.config?.admin?.pageActs, undefined);
    t.match(JSON.stringify(local.notes), "stats admin if LOCALHOST");
  },
);

t.test("HAProxy: frontends, backends, acls, rules, checks and old words", async (t) => {
  const { config, notes } = haproxy(`
global
  nbthread 2
  hard-stop-after 20s
  ssl-default-bind-options no-sslv3
userlist team
  user ann insecure-password s3cret
defaults
  mode http
  contimeout 4000
  timeout client 30s
  timeout server 30s
  timeout queue 10s
  retries 2
  default-server inter 3s fall 4
frontend web
  bind 10.0.0.9:80,10.0.0.9:8080 name x
  bind 10.0.0.9:443 accept-proxy ssl crt /etc/cert.pem crt /etc/more/ alpn h2,spdy/3,http/1.1
  acl admin path_beg /admin
  acl inside src 10.0.0.0/8
  acl inside src fd00::/8
  acl odd url_reg x
  http-request deny deny_status 404 if admin !inside
  http-request redirect scheme https if { path_beg /secret } !{ ssl_fc }
  http-request redirect scheme https code 301 if { hdr(host) -i old.example.org } or { path /old }
  http-request auth realm Team if { path_beg /team } !{ http_auth(team) }
  http-request set-header X-From %[src]
  http-request deny if odd
  http-response set-header X-Frame-Options DENY
  http-response del-header Server if { status 200 }
  use_backend api if { path_beg /api }
  default_backend app
backend app
  balance static-rr
  option httpchk GET /up
  http-check expect status 200
  cookie SRV insert indirect nocache maxidle 1h
  errorfile 503 /etc/errors/503.http
  server web01 10.0.0.1:80 check weight 10 maxconn 50 maxqueue 7 cookie w1
  server web02 10.0.0.2:80 check backup slowstart 10s send-proxy-v2
  server tls 10.0.0.3:443 ssl verify required ca-file /etc/ca.pem sni str(www.example.org)
backend api
  server a 10.0.0.4:80
listen old 10.0.0.9:90
  dispatch 10.0.0.1:80
  server x 10.0.0.1
listen stats
  bind 127.0.0.1:8404
  stats enable
  stats uri /s
peers mine
  peer a 10.0.0.1:1024
`);
  t.match(config, {
    threads: 2,
    drainTimeoutMs: 20_000,
    admin: { listen: { kind: "address", address: "127.0.0.1", port: 8404 }, path: "/s" },
  });
  const [old, web, app, api] = config?.proxies ?? [];
  t.match(old, { name: "old", servers: [{ name: "x", host: "10.0.0.1", port: 90 }] });
  t.match(web, {
    name: "web",
    side: "frontend",
    defaultBackend: "app",
    listen: [
      { address: "10.0.0.9", port: 80 },
      { address: "10.0.0.9", port: 8080 },
      {
        address: "10.0.0.9",
        port: 443,
        acceptProxy: true,
        tls: { crt: ["/etc/cert.pem", "/etc/more/"], alpn: ["h2", "http/1.1"] },
      },
    ],
    timeouts: { clientMs: 30_000 },
  });
  t.same(
    web?.rules?.map(({ action }) => action.kind),
    ["deny", "redirect", "redirect", "redirect", "auth", "set-header", "use-backend"],
  );
  t.match(web?.rules?.at(-1), { when: { pathBegins: ["/api"] }, action: { backend: "api" } });
  t.match(web?.responseRules, [{ action: { kind: "set-header", name: "X-Frame-Options" } }]);
  t.match(app, {
    name: "app",
    balance: "roundrobin",
    timeouts: { connectMs: 4000, serverMs: 30_000, queueMs: 10_000 },
    cookie: { name: "SRV", indirect: true, nocache: true, maxIdleS: 3600 },
    errorFiles: [{ status: 503, path: "/etc/errors/503.http" }],
    servers: [
      {
        name: "web01",
        weight: 10,
        maxconn: 50,
        maxqueue: 7,
        cookie: "w1",
        check: { intervalMs: 3000, fall: 4 },
      },
      { name: "web02", backup: true, slowStartMs: 10_000, sendProxy: 2, check: { sendProxy: true } },
      { name: "tls", tls: { verify: "required", caFile: "/etc/ca.pem", sni: "www.example.org" } },
    ],
    httpCheck: { method: "GET", uri: "/up" },
  });
  t.equal(api?.name, "api");
  const told = notes.map((note) => note.replace(/^h\.cfg:/, ""));
  for (const part of [
    '5: "ssl-default-bind-options no-sslv3": write it into tls: of the address',
    '22: "acl odd url_reg x"',
    '28: "http-request deny if odd": its acl odd cannot be carried over',
    '30: "http-response del-header Server if { status 200 }": write it with its condition',
    '45: "dispatch 10.0.0.1:80"',
    '51-52: "peers mine": stick tables are not shared',
  ]) {
    t.ok(
      told.some((note) => note.startsWith(part)),
      `${part} in\n${told.join("\n")}`,
    );
  }
});

t.test("what lb check refuses is taken out, line by line, with its reason", async (t) => {
  const { config, notes } = keepalived(`
vrrp_instance A {
  interface eth0
  virtual_router_id 10
  priority 300
  virtual_ipaddress {
    10.0.0.9/24
  }
}
vrrp_instance B {
  interface eth0
  virtual_router_id 10
  virtual_ipaddress {
    10.0.0.10/24
  }
}
`);
  t.same(
    config?.vrrp.map(({ name, priority }) => [name, priority]),
    [["A", 100]],
  );
  t.ok(notes.some((note) => /^k\.conf:5: "priority 300": lb check refuses it: priority is 300/.test(note)));
  t.ok(notes.some((note) => note.startsWith('k.conf:12: "virtual_router_id 10": lb check refuses it')));
});

t.test("passwords are in the configuration, and in no note", async (t) => {
  const { notes, yaml } = keepalived(
    "vrrp_instance A {\n authentication {\n auth_pass hidden1\n auth_word hidden2\n }\n}\n",
  );
  t.equal(yaml, null);
  t.notMatch(notes.join("\n"), /hidden/);
});

/** Lines that come close to both dialects. */
const line = fc
  .array(
    fc.constantFrom(
      "global",
      "defaults",
      "listen",
      "frontend",
      "backend",
      "userlist",
      "bind",
      "server",
      "acl",
      "http-request",
      "if",
      "unless",
      "{",
      "}",
      "!",
      "||",
      "deny",
      "auth",
      "redirect",
      "a",
      "b",
      ":80",
      "10.0.0.1:80",
      "*",
      "check",
      "inter",
      "5",
      "path_beg",
      "/x",
      "timeout",
      "client",
      "option",
      "httpchk",
      "stats",
      "auth",
      "a:b",
      "log",
      "use_backend",
      "default_backend",
      "mode",
      "tcp",
      "vrrp_instance",
      "vrrp_script",
      "vrrp_sync_group",
      "global_defs",
      "virtual_ipaddress",
      "10.0.0.9/24",
      "interface",
      "eth0",
      "virtual_router_id",
      "51",
      "priority",
      "track_script",
      "script",
      "authentication",
      "auth_pass",
      "group",
      "__proto__",
      "constructor",
      "'",
      '"',
      "\\",
      "#",
      "${",
      "${A}",
      "$A=1",
      "\u2028",
      "\t",
      "notify",
      "weight",
      "-5",
      "default-server",
      "balance",
    ),
    { maxLength: 7 },
  )
  .map((words) => words.join(" "));
const text = fc.oneof(
  fc.array(line, { maxLength: 25 }).map((lines) => lines.join("\n")),
  fc.string({ maxLength: 200 }),
);

/** Lines that mean something, so that something comes out; junk lands between them. */
const sensible = fc.constantFrom(
  "listen a\n bind :80\n server s 10.0.0.1:80 check weight 5",
  "frontend f\n bind :81\n default_backend b",
  "backend b\n server s 10.0.0.1:80",
  "defaults\n timeout client 5s\n mode tcp",
  " acl x path_beg /a\n http-request deny if x",
  " stats enable\n stats auth a:b",
  "global\n log /dev/log local0\n maxconn 5",
  "vrrp_instance A {\n interface eth0\n virtual_router_id 5\n virtual_ipaddress {\n 10.0.0.9/24\n }\n",
  "}",
  " priority 5\n track_script {\n chk\n }",
  "vrrp_script chk {\n script /bin/true\n}",
  "vrrp_sync_group G {\n group {\n A\n }\n}",
);
const mixed = fc
  .array(fc.oneof({ weight: 3, arbitrary: sensible }, { weight: 1, arbitrary: line }), { maxLength: 14 })
  .map((pieces) => pieces.join("\n"));

t.test(
  "no text makes an import throw, lb check accepts what comes out, and no line is lost in silence",
  async (t) => {
    let successes = 0;
    t.doesNotThrow(() =>
      fc.assert(
        fc.property(fc.oneof(text, mixed), fc.oneof(text, mixed), (first, second) => {
          const { yaml, notes, carried } = importFiles(
            [{ path: "h", text: first }],
            [{ path: "k", text: second }],
          );
          if (yaml !== null) {
            load(yaml);
            successes++;
          }
          ok(notes.every(({ reason }) => reason !== ""));
          for (const [i, written] of first.split(/\r\n|\n|\r/).entries()) {
            const isTold = notes.some(
              (note) => note.file === "h" && note.line <= i + 1 && note.lastLine >= i + 1,
            );
            if (splitLine(written).length > 0)
              ok(
                isTold || carried.get("h")?.has(i + 1),
                `h:${i + 1}: ${JSON.stringify(written)} of ${JSON.stringify(first)}`,
              );
          }
        }),
        { numRuns: 2000 },
      ),
    );
    t.ok(successes > 500, `${successes} of 2000 brought a configuration`);
  },
);

t.test("agents are carried over, those of default-server too, and not where no agent is asked", (t) => {
  const { config, notes } = haproxy(`
listen web
  bind :80
  mode http
  default-server agent-inter 5s agent-port 9707
  server a 10.0.0.1:80 agent-check agent-addr 10.0.0.9 agent-send "state\\n"
  server b 10.0.0.2:80 check on-marked-down shutdown-sessions on-marked-up shutdown-backup-sessions
`);
  const [a, b] = config?.proxies[0]?.servers ?? [];
  t.match(a?.agent, { host: "10.0.0.9", port: 9707, intervalMs: 5000, send: "state\n" });
  t.notOk(b?.agent);
  t.match(b, { onMarkedDown: "shutdown-sessions", onMarkedUp: "shutdown-backup-sessions" });
  t.same(
    notes.filter((note) => note.includes("agent")),
    [],
  );
  t.end();
});

t.test("cookies that servers set are carried over with their mode", (t) => {
  const of = (words: string) =>
    haproxy(`
listen web
  bind :80
  mode http
  cookie SRV ${words}
  server a 10.0.0.1:80 cookie a
`).config?.proxies[0]?.cookie;
  t.match(of("insert maxidle 30 maxlife 0 attr SameSite=Lax attr Priority=High"), {
    maxIdleS: 30,
    maxLifeS: undefined,
    attributes: ["SameSite=Lax", "Priority=High"],
  });
  const dynamic = haproxy(`
backend app
  mode http
  dynamic-cookie-key MYKEY
  cookie SRV insert dynamic
  server a 10.1.2.3:80
  server own 10.1.2.4:80 cookie x
frontend web
  bind :80
  mode http
  default_backend app
`).config?.proxies.find(({ name }) => name === "app");
  t.match(dynamic?.servers, [{ cookie: "f77d9f7ee8c7e9dc" }, { cookie: "x" }]);
  t.match(of("prefix"), { name: "SRV", mode: "prefix", indirect: false });
  t.match(of("rewrite nocache"), { name: "SRV", mode: "rewrite", nocache: false });
  t.notOk(of("insert indirect")?.mode);
  t.end();
});

t.test("whose address servers are told is carried over, from the defaults too", (t) => {
  const { config, notes } = haproxy(`
defaults
  mode http
  option forwardfor except 127.0.0.0/8
listen web
  bind :80
  server a 10.0.0.1:80
listen own
  bind :81
  option forwardfor header X-Client if-none
  server a 10.0.0.1:80
listen again
  bind :82
  option forwardfor
  server a 10.0.0.1:80
listen plain
  bind :83
  mode tcp
  server a 10.0.0.1:80
`);
  const told = Object.fromEntries((config?.proxies ?? []).map(({ name, forwardFor }) => [name, forwardFor]));
  t.match(told.web, { except: [{ text: "127.0.0.0/8" }], ifNone: false, header: "X-Forwarded-For" });
  t.same(told.own, { except: [], ifNone: true, header: "X-Client" }, "each line says all of it anew");
  t.same([told.again, told.plain], [undefined, undefined]);
  t.match(
    notes.filter((note) => note.includes("forwardfor")),
    [/always added/],
  );
  t.end();
});

t.test("whom clients have to be certified by is carried over, and what rules ask of it", (t) => {
  const { config } = haproxy(`
listen web
  bind 10.0.0.9:443 ssl crt /etc/cert.pem ca-file /etc/ca.pem verify required crl-file /etc/crl.pem strict-sni
  http-request set-header X-Name %[ssl_c_s_dn(cn)] if { ssl_c_used }
  http-request set-header X-Cert "%[ssl_c_sha1,hex] %[ssl_fc_sni]"
  server a 10.0.0.1:80
`);
  t.match(config?.proxies[0], {
    listen: [
      {
        tls: {
          clients: { verify: "required", caFile: "/etc/ca.pem", crlFile: "/etc/crl.pem" },
          strictSni: true,
        },
      },
    ],
    rules: [
      { when: { isCertified: true }, action: { kind: "set-header", name: "X-Name" } },
      { action: { name: "X-Cert", value: [{ word: "ssl_c_sha1,hex" }, " ", { word: "ssl_fc_sni" }] } },
    ],
  });
  t.end();
});

t.test("backends by the name that a TLS client asks for are carried over", (t) => {
  const { config, notes } = haproxy(`
frontend tls
  mode tcp
  bind 10.0.0.9:443
  tcp-request inspect-delay 3s
  acl hello req_ssl_hello_type 1
  tcp-request content accept if hello
  tcp-request content reject
  acl shop req.ssl_sni -i shop.example
  use_backend shop if shop
  use_backend shop if { req_ssl_sni -m end .shop.example } !{ src 10.0.0.0/8 }
  use_backend shop if { req.ssl_sni -m beg shop }
  use_backend shop if { path_beg /shop }
  default_backend site
backend shop
  mode tcp
  server a 10.0.0.1:443
backend site
  mode tcp
  server b 10.0.0.2:443
frontend web
  bind 10.0.0.9:80
  use_backend plain if { req.ssl_sni shop.example }
  default_backend plain
backend plain
  server c 10.0.0.3:80
`);
  t.match(config?.proxies[0], {
    mode: "tcp",
    defaultBackend: "site",
    timeouts: { inspectMs: 3000 },
    rules: [
      { when: { serverNames: ["shop.example"] }, unless: null, action: { backend: "shop" } },
      {
        when: { serverNames: ["*.shop.example"] },
        unless: { sources: [{ text: "10.0.0.0/8" }] },
        action: { backend: "shop" },
      },
    ],
  });
  const told = JSON.stringify(notes);
  for (const part of [
    "req_ssl_sni compares whole names",
    "path_beg is about requests, which mode tcp does not see",
    "req_ssl_sni is asked in mode tcp",
    "tcp-request content reject",
  ])
    t.match(told, part);
  t.notMatch(told, "hello_type");
  t.notMatch(told, "inspect-delay");
  t.end();
});
