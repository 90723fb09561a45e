import t from "tap";
import {
  defaultAlerts,
  defaultFitness,
  notifyNobody,
  plainInstance,
  trackNothing,
} from "../../../src/config/defaults.js";
import { loadConfig } from "../../../src/config/load.js";
import { describeProblem } from "../../../src/config/problem.js";

const machine = { hostname: "lb-box1", cores: 2 };

function problems(text: string): string[] {
  return loadConfig(text, "lb.yaml", machine).problems.map(describeProblem);
}

function warnings(text: string): string[] {
  return loadConfig(text, "lb.yaml", machine).warnings.map(describeProblem);
}

/** A whole file around one VRRP instance's line. */
function instance(line: string): string {
  return `vrrp:
  VI_1:
    interface: eth1
    virtual_router_id: 51
    virtual_ipaddress: 192.168.33.84/24
    ${line}
`;
}

/** A whole file around one proxy's line. */
function proxy(line: string): string {
  return `proxies:
  http:
    bind: 192.168.33.84:80
    servers: { web01: 192.168.33.68:80 }
    ${line}
`;
}

t.test("the example of the documentation loads to these values", async (t) => {
  const text = `
node: lb-box1
vrrp:
  VI_1:
    interface: eth1
    virtual_router_id: 51
    priority: 101
    advert_int: 1
    preempt: false
    authentication: { auth_type: PASS, auth_pass: s3cret }
    virtual_ipaddress: [192.168.33.84/24, 192.168.33.85]
    lease: 2s
    garp_master_repeat: 3
    garp_master_delay: 0
    garp_master_refresh: 30
peer_link: { key: correct horse battery, port: 4112 }
proxies:
  http:
    bind: ["192.168.33.84:80", "[fd00::84]:80"]
    balance: roundrobin
    timeout: { connect: 3s, http-request: 5000, client: 1m, server: 90s, http-keep-alive: 500ms, tunnel: 2h }
    servers:
      web01: 192.168.33.68:80
      web02: web02.example:8080
    max_head_bytes: 32768
    maxconn: 500
admin: { bind: "eth1:80", stats: { uri: /lb, user: op, password: 0123 } }
stats_socket: /var/lib/haproxy/stats.sock
maxconn: 20000
threads: 4
engine: portable
drain_timeout: 10s
`;
  const loaded = loadConfig(text, "lb.yaml", machine);
  t.same(loaded.problems, []);
  t.same(loaded.warnings, []);
  t.same(loaded.config, {
    node: "lb-box1",
    peerLink: { key: { kind: "text", text: "correct horse battery" }, port: 4112 },
    vrrp: [
      {
        name: "VI_1",
        interface: "eth1",
        virtualRouterId: 51,
        priority: 101,
        preempt: false,
        version: 2,
        advertIntervalCs: 100,
        v3ChecksumAsV2: false,
        authentication: { type: "pass", password: "s3cret" },
        sourceAddress: null,
        unicastPeers: [],
        ...plainInstance,
        addresses: [
          { address: "192.168.33.84", prefixLength: 24 },
          { address: "192.168.33.85", prefixLength: 32 },
        ],
        leaseMs: 2000,
        gratuitousArp: { repeat: 3, delayMs: 0, refreshMs: 30_000 },
        track: trackNothing,
        notify: notifyNobody,
        partnerPriority: null,
      },
    ],
    syncGroups: [],
    tracking: { scripts: [], files: [], processes: [] },
    fitness: defaultFitness,
    alerts: defaultAlerts,
    proxies: [
      {
        name: "http",
        listen: [
          { address: "192.168.33.84", port: 80 },
          { address: "fd00::84", port: 80 },
        ],
        balance: "roundrobin",
        servers: [
          { name: "web01", host: "192.168.33.68", port: 80 },
          { name: "web02", host: "web02.example", port: 8080 },
        ],
        timeouts: {
          connectMs: 3000,
          requestHeadMs: 5000,
          clientMs: 60_000,
          serverMs: 90_000,
          keepAliveMs: 500,
          tunnelMs: 7_200_000,
        },
        maxHeadBytes: 32_768,
        maxconn: 500,
      },
    ],
    admin: {
      listen: { kind: "interface", interface: "eth1", port: 80 },
      path: "/lb",
      user: "op",
      password: "0123",
      isDefault: false,
    },
    statsSocket: { path: "/var/lib/haproxy/stats.sock", isDefault: false },
    maxconn: 20_000,
    threads: 4,
    engine: "portable",
    drainTimeoutMs: 10_000,
  });
});

t.test("what is left out has the documented default, and no admin server opens unasked", async (t) => {
  const { config } = loadConfig(`${instance("")}${proxy("")}`, "lb.yaml", machine);
  t.match(config, {
    node: "lb-box1",
    vrrp: [
      {
        priority: 100,
        preempt: true,
        version: 2,
        advertIntervalCs: 100,
        authentication: { type: "none" },
        leaseMs: 3000,
        gratuitousArp: { repeat: 5, delayMs: 5000, refreshMs: 60_000 },
      },
    ],
    proxies: [
      {
        timeouts: {
          connectMs: 5000,
          requestHeadMs: 10_000,
          clientMs: 60_000,
          serverMs: 60_000,
          keepAliveMs: 60_000,
          tunnelMs: 3_600_000,
        },
      },
    ],
    admin: null,
    statsSocket: { path: "/run/lb/stats.sock", isDefault: true },
    maxconn: null,
    threads: 2,
    engine: "auto",
    drainTimeoutMs: 30_000,
  });
});

t.test("an IPv6 instance, addresses elsewhere, unicast peers and AH", async (t) => {
  const text = `vrrp:
  V6:
    interface: eth1
    virtual_router_id: 51
    advert_int: 100ms
    virtual_ipaddress: [FE80:0:0::51/64, fd00::0:84/64]
  V4:
    interface: eth1
    virtual_router_id: 51
    authentication: { auth_type: AH, auth_pass: k@l }
    unicast_src_ip: 192.168.33.80
    unicast_peer: 192.168.33.81
    virtual_ipaddress: 192.168.33.84/24 dev eth2 label eth2:1 scope link
`;
  const loaded = loadConfig(text, "lb.yaml", machine);
  t.same(loaded.problems, []);
  t.match(loaded.config?.vrrp, [
    {
      version: 3,
      advertIntervalCs: 10,
      leaseMs: 1000,
      unicastPeers: [],
      sourceAddress: null,
      addresses: [
        { address: "fe80::51", prefixLength: 64 },
        { address: "fd00::84", prefixLength: 64 },
      ],
    },
    {
      version: 2,
      authentication: { type: "ah", password: "k@l" },
      unicastPeers: ["192.168.33.81"],
      sourceAddress: "192.168.33.80",
      addresses: [{ address: "192.168.33.84", interface: "eth2", label: "eth2:1", scope: "link" }],
    },
  ]);
});

t.test("what a master has besides the addresses of its adverts", async (t) => {
  const text = instance(`virtual_ipaddress_excluded: [192.168.34.84/24 dev eth2, fd00::84]
    virtual_routes:
      - src 192.168.33.84 to default via 192.168.33.1 table 100
      - 10.0.0.0/8 gw 192.168.33.1 dev eth1 metric 5
      - blackhole fd01::/16
    virtual_rules: from 192.168.33.84 fwmark 0x10 priority 99 table main
    preempt_delay: 2
    startup_delay: 1500ms
    accept: false
    use_vmac: true`);
  const loaded = loadConfig(text, "lb.yaml", machine);
  t.same(loaded.problems, []);
  t.match(loaded.config?.vrrp[0], {
    excludedAddresses: [
      { address: "192.168.34.84", prefixLength: 24, interface: "eth2" },
      { address: "fd00::84", prefixLength: 128 },
    ],
    routes: [
      { address: "0.0.0.0", prefixLength: 0, gateway: "192.168.33.1", source: "192.168.33.84", table: 100 },
      { address: "10.0.0.0", prefixLength: 8, gateway: "192.168.33.1", interface: "eth1", metric: 5 },
      { address: "fd01::", prefixLength: 16, kind: "blackhole" },
    ],
    rules: [{ from: { address: "192.168.33.84", prefixLength: 32 }, mark: 16, priority: 99, table: 254 }],
    preemptDelayMs: 2000,
    startupDelayMs: 1500,
    accept: false,
    vmac: "vrrp.51",
  });
});

t.test(
  "keepalived's smaller words: brd, no_track, unicast_ttl, min_ttl, max_ttl, vmac_xmit_base",
  async (t) => {
    const text = `vrrp:
  VI_1:
    interface: eth1
    virtual_router_id: 51
    use_vmac: true
    vmac_xmit_base: true
    unicast_peer: [192.168.33.81 min_ttl 250, 192.168.33.82 max_ttl 254 min_ttl 60, 192.168.33.83]
    unicast_ttl: 64
    virtual_ipaddress:
      - 192.168.33.84/20 brd + dev eth2 no_track
      - 192.168.33.85/24 no_track brd 192.168.33.127
      - 192.168.33.86/24 brd -
    virtual_routes: no_track 10.0.0.0/8 via 192.168.33.1
    virtual_rules: from 192.168.33.84 no_track table 100
`;
    const loaded = loadConfig(text, "lb.yaml", machine);
    t.same(loaded.problems, []);
    t.match(loaded.config?.vrrp[0], {
      vmacXmitBase: true,
      unicastPeers: ["192.168.33.81", "192.168.33.82", "192.168.33.83"],
      unicastTtl: 64,
      peerTtls: [
        { address: "192.168.33.81", min: 250, max: 255 },
        { address: "192.168.33.82", min: 60, max: 254 },
      ],
      addresses: [
        { address: "192.168.33.84", broadcast: "192.168.47.255", interface: "eth2", noTrack: true },
        { address: "192.168.33.85", broadcast: "192.168.33.127", noTrack: true },
        { address: "192.168.33.86" },
      ],
      routes: [{ address: "10.0.0.0", noTrack: true }],
      rules: [{ table: 100, noTrack: true }],
    });
    t.notOk(loaded.config?.vrrp[0].addresses[2].broadcast);
  },
);

t.test("an admin server without bind goes to the VRRP interface, or stays on this machine", async (t) => {
  t.match(loadConfig(`${instance("")}admin: {}`, "f", machine).config?.admin, {
    listen: { kind: "interface", interface: "eth1", port: 80 },
    isDefault: false,
  });
  t.match(loadConfig(`${proxy("")}admin: {}`, "f", machine).config?.admin, {
    listen: { kind: "address", address: "127.0.0.1", port: 8404 },
  });
  t.equal(loadConfig(`${proxy("")}admin: false`, "f", machine).config?.admin, null);
  t.equal(loadConfig(`${proxy("")}stats_socket: false`, "f", machine).config?.statsSocket, null);
  const access = "{ level: operator, mode: 0600, user: root, group: 12 }";
  t.same(loadConfig(`${proxy("")}stats_socket: ${access}`, "f", machine).config?.statsSocket, {
    path: "/run/lb/stats.sock",
    level: "operator",
    mode: 0o600,
    user: "root",
    group: "12",
    isDefault: false,
  });
  t.match(loadConfig(`${proxy("")}stats_socket: { mode: 888 }`, "f", machine).problems, [
    { message: '"888" is no mode' },
  ]);
});

const golden: readonly (readonly [name: string, text: string, expected: readonly string[]])[] = [
  ["an empty file", "", ["lb.yaml:1:1: the file is empty. Write a mapping with vrrp, proxies and admin."]],
  [
    "a file with a comment alone",
    "# nothing\n",
    ["lb.yaml:1:1: the file is empty. Write a mapping with vrrp, proxies and admin."],
  ],
  [
    "a file that is one word",
    "hello",
    ['lb.yaml:1:1: the file is "hello". Write a mapping with vrrp, proxies and admin.'],
  ],
  [
    "nothing to do",
    "node: a\n",
    ["lb.yaml:1:1: the file has neither vrrp nor proxies. Add at least one of them."],
  ],
  [
    "a mistyped word",
    proxy("ballance: roundrobin"),
    ['lb.yaml:5:5: "ballance" is not known here. Did you mean balance?'],
  ],
  [
    "a word that is like no other",
    proxy("timeout: { xyzzy: 1s }"),
    [
      'lb.yaml:5:16: "xyzzy" is not known here. Known here are connect, queue, server, tunnel, server-fin, http-request, client, http-keep-alive, inspect-delay, client-fin.',
    ],
  ],
  [
    "keepalived's state",
    instance("state: MASTER"),
    [
      'lb.yaml:6:5: "state" is not known here. Leave it out: every node starts as a backup, and the priorities elect the master.',
    ],
  ],
  [
    "keepalived's nopreempt",
    instance("nopreempt: true"),
    ['lb.yaml:6:5: "nopreempt" is not known here. Write preempt: false.'],
  ],
  [
    "an underscore for a hyphen",
    proxy("timeout: { http_request: 1s }"),
    ['lb.yaml:5:16: "http_request" is not known here. Did you mean http-request?'],
  ],
  [
    "the same word twice",
    `${instance("priority: 1")}    priority: 2\n`,
    ["lb.yaml:7:5: the same word stands twice in this mapping. Keep one of them."],
  ],
  [
    "a priority of 0",
    instance("priority: 0"),
    ["lb.yaml:6:15: priority is 0. Write a whole number from 1 to 255."],
  ],
  [
    "a priority of 256",
    instance("priority: 256"),
    ["lb.yaml:6:15: priority is 256. Write a whole number from 1 to 255."],
  ],
  [
    "a priority in words",
    instance("priority: high"),
    ['lb.yaml:6:15: priority is "high". Write a whole number from 1 to 255.'],
  ],
  [
    "an empty value",
    instance("priority:"),
    ["lb.yaml:6:14: priority is empty. Write a whole number from 1 to 255."],
  ],
  [
    "YAML 1.1's yes",
    instance("preempt: yes"),
    ['lb.yaml:6:14: preempt is "yes". Write true or false; here it is true.'],
  ],
  [
    "half a second in VRRPv2",
    instance("advert_int: 0.5"),
    [
      "lb.yaml:6:17: advert_int 0.5 is not a whole number of seconds. VRRP version 2 counts seconds: write 1 to 255, or version: 3 on both nodes.",
    ],
  ],
  [
    "a thousandth of a second in VRRPv3",
    instance("version: 3\n    advert_int: 15ms"),
    [
      "lb.yaml:7:17: advert_int 15ms is not a whole number of hundredths of a second. VRRP version 3 counts hundredths of a second: write 10ms to 40.95s.",
    ],
  ],
  [
    "an interval above twelve bits",
    instance("version: 3\n    advert_int: 41"),
    ["lb.yaml:7:17: advert_int 41 is too long. VRRP version 3 takes at most 40.95 seconds."],
  ],
  ["version 1", instance("version: 1"), ["lb.yaml:6:14: version is 1. Write a whole number from 2 to 3."]],
  [
    "IPv4 and IPv6 in one instance",
    "vrrp:\n  V:\n    interface: eth1\n    virtual_router_id: 1\n    virtual_ipaddress: [10.0.0.1/24, fd00::1/64]\n",
    [
      "lb.yaml:5:24: V has IPv4 and IPv6 addresses, and an advert carries one kind. Make an instance for each family.",
    ],
  ],
  [
    "IPv6 in version 2",
    "vrrp:\n  V:\n    interface: eth1\n    virtual_router_id: 1\n    version: 2\n    virtual_ipaddress: fe80::51/64\n",
    ["lb.yaml:5:14: VRRP version 2 does not carry IPv6 addresses. Leave version out, or write 3."],
  ],
  [
    "what cannot stand behind an address",
    "vrrp:\n  V:\n    interface: eth1\n    virtual_router_id: 1\n    virtual_ipaddress:\n      - 10.0.0.1/24 dve eth2\n      - 10.0.0.2/24 dev\n      - 10.0.0.3/24 scope links\n      - fd00::1/64 label x\n",
    [
      'lb.yaml:6:9: "dve" is not known behind an address. Did you mean dev?',
      "lb.yaml:7:9: dev has no value. Write it behind the word, such as dev eth2.",
      'lb.yaml:8:9: "links" is not a scope. Did you mean link?',
      'lb.yaml:9:9: "x" cannot be a label here. Write at most 15 characters such as eth1:1, and for IPv4 addresses only.',
    ],
  ],
  [
    "a unicast peer of another family, and this node as its own peer",
    instance("unicast_src_ip: 10.0.0.1\n    unicast_peer: [fd00::1, here, 10.0.0.1]"),
    [
      "lb.yaml:7:19: 10.0.0.1 is this node's own source address. Name the partner's address.",
      "lb.yaml:7:20: fd00::1 is not of the family of virtual_ipaddress. Write an IPv4 address.",
      'lb.yaml:7:29: "here" is not an IP address. Write, for example, 192.168.33.81.',
    ],
  ],
  [
    "routes and rules that cannot be",
    instance(`virtual_routes:
      - via 10.0.0.1
      - 10.0.0.0/8
      - 10.0.0.0/33 via 10.0.0.1
      - 10.0.0.0/8 via fd00::1
      - 10.0.0.0/8 vai 10.0.0.1
    virtual_rules: [table 5, from 10.0.0.1, from 10.0.0.1 table x]`),
    [
      'lb.yaml:7:9: "via 10.0.0.1" names no destination. Write, for example, 10.0.0.0/8 via 192.168.33.1.',
      'lb.yaml:8:9: "10.0.0.0/8" leads nowhere. Add via and a gateway, or dev and an interface.',
      'lb.yaml:9:9: "10.0.0.0/33" is not a network. Write, for example, 10.0.0.0/8 or default.',
      'lb.yaml:10:9: "10.0.0.0/8 via fd00::1" mixes IPv4 and IPv6. Write addresses of one family.',
      'lb.yaml:11:9: "vai" is not known here. Did you mean via?',
      'lb.yaml:12:21: "table 5" matches everything. Say what it is for, such as from 192.168.33.84.',
      'lb.yaml:12:30: "from 10.0.0.1" names no table. Add table and a number, such as table 100.',
      'lb.yaml:12:45: "x" is not a table\'s number. Write a whole number.',
    ],
  ],
  [
    "a macvlan with the interface's own name, and an excluded address that is not",
    instance("use_vmac: eth1\n    virtual_ipaddress_excluded: 192.168.33.84/24"),
    [
      "lb.yaml:6:15: eth1 is the interface itself. Write true, or a name that no interface has.",
      "lb.yaml:7:33: 192.168.33.84 stands in virtual_ipaddress too. Keep one of them.",
    ],
  ],
  [
    "a unicast source without a peer",
    instance("unicast_src_ip: 10.0.0.1"),
    [
      "lb.yaml:6:5: unicast_src_ip without unicast_peer. Add unicast_peer: with the partner's address, or write mcast_src_ip.",
    ],
  ],
  [
    "AH without a password",
    instance("authentication: { auth_type: AH }"),
    ["lb.yaml:6:5: auth_type AH needs a password. Add auth_pass: with at most 8 characters."],
  ],
  [
    "a password in VRRPv3",
    instance("version: 3\n    authentication: { auth_type: PASS, auth_pass: x }"),
    ["lb.yaml:7:34: VRRP version 3 has no authentication. Leave authentication out, or write version: 2."],
  ],
  [
    "an interval above a byte",
    instance("advert_int: 5m"),
    ["lb.yaml:6:17: advert_int 5m is too long. VRRP version 2 takes at most 255 seconds."],
  ],
  [
    "a negative time",
    instance("lease: -1"),
    ['lb.yaml:6:12: "-1" is not a time. Write a number and a unit, such as 500ms, 5s or 1m.'],
  ],
  [
    "a lease under a second",
    instance("lease: 500ms"),
    ["lb.yaml:6:12: lease 500ms is too short. Write at least 1000 ms."],
  ],
  [
    "an unknown unit",
    proxy("timeout: { client: 3w }"),
    ["lb.yaml:5:24: w is not a unit of time. Known are ms, s, m, h and d."],
  ],
  [
    "a time without a unit where nobody's habit helps",
    `${proxy("")}drain_timeout: 30\n`,
    ["lb.yaml:6:16: 30 has no unit. Write 30s for seconds or 30ms."],
  ],
  [
    "a time-out of 0",
    proxy("timeout: { client: 0 }"),
    ["lb.yaml:5:24: client 0 is too short. Write at least 1 ms."],
  ],
  [
    "an auth_pass alone",
    instance("authentication: { auth_pass: abc }"),
    ["lb.yaml:6:5: auth_pass has no auth_type. Add auth_type: PASS or AH."],
  ],
  [
    "an auth_type alone",
    instance("authentication: { auth_type: PASS }"),
    ["lb.yaml:6:5: auth_type PASS needs a password. Add auth_pass: with at most 8 characters."],
  ],
  [
    "an auth_type that nobody speaks",
    instance("authentication: { auth_type: SHA, auth_pass: abc }"),
    ['lb.yaml:6:34: auth_type is "SHA". Write PASS, AH or none.'],
  ],
  [
    "no interface, no id and no address",
    "vrrp:\n  VI_1:\n    priority: 1\n",
    [
      "lb.yaml:2:3: VI_1 has no interface. Add the interface's name, such as interface: eth1.",
      "lb.yaml:2:3: VI_1 has no virtual_router_id. Add virtual_router_id: with a number from 1 to 255, the same on both nodes.",
      "lb.yaml:2:3: VI_1 has no virtual_ipaddress. Add one, such as virtual_ipaddress: 192.168.33.84/24.",
    ],
  ],
  [
    "addresses that are none",
    "vrrp:\n  V:\n    interface: eth1\n    virtual_router_id: 1\n    virtual_ipaddress:\n      - 192.168.33.300\n      - 10.0.0.1/33\n      - ::1\n      - 224.0.0.18\n      - 10.0.0.2\n      - 10.0.0.2/24\n",
    [
      'lb.yaml:6:9: "192.168.33.300" is not an IP address. Write, for example, 192.168.33.84/24 or fd00::84/64.',
      "lb.yaml:7:9: /33 is not a prefix length. Write a number from 1 to 32, such as /24.",
      "lb.yaml:8:9: ::1 cannot be a host's address on a network. Choose an address of the interface's network.",
      "lb.yaml:9:9: 224.0.0.18 cannot be a host's address on a network. Choose an address of the interface's network.",
      "lb.yaml:11:9: 10.0.0.2 stands twice in V. Keep one of them.",
    ],
  ],
  [
    "two instances with one number or one address on an interface",
    "vrrp:\n  A: { interface: eth1, virtual_router_id: 51, virtual_ipaddress: 10.0.0.1 }\n  B: { interface: eth1, virtual_router_id: 51, virtual_ipaddress: 10.0.0.1 }\n  C: { interface: eth2, virtual_router_id: 51, virtual_ipaddress: 10.0.0.1 }\n",
    [
      "lb.yaml:3:44: A has virtual_router_id 51 on eth1 too. Give each instance of an interface its own number.",
      "lb.yaml:3:67: A has 10.0.0.1 too. Give each address to one instance.",
    ],
  ],
  [
    "an interface that cannot be",
    "vrrp:\n  A: { interface: a name too long, virtual_router_id: 51, virtual_ipaddress: 10.0.0.1 }\n",
    [
      'lb.yaml:2:19: "a name too long" is not a name that an interface can have. Write a name that `ip link` shows, at most 15 characters.',
    ],
  ],
  [
    "no bind and no servers",
    "proxies:\n  http: {}\n",
    [
      "lb.yaml:2:3: http has no bind. Add where the clients come in, such as bind: 192.168.33.84:80.",
      "lb.yaml:2:3: http has no servers. Add at least one, such as servers: { web01: 192.168.33.68:80 }.",
    ],
  ],
  [
    "servers that are none",
    "proxies:\n  http:\n    bind: :80\n    servers:\n      a: 10.0.0.2\n      b: 10.0.0.300:80\n      c: 10.0.0.2:0\n      d: 10.0.0.2:65536\n      e: ':80'\n      f: fd00::1:80\n      g: '[fd00::g]:80'\n      BACKEND: 10.0.0.2:80\n      h: a b:80\n",
    [
      'lb.yaml:5:10: "10.0.0.2" has no port. Write address:port, such as 192.168.33.68:80.',
      "lb.yaml:6:10: 10.0.0.300 is not an IPv4 address. Write four numbers from 0 to 255, such as 192.168.33.68.",
      "lb.yaml:7:10: port 0 is out of range. Choose 1 to 65535.",
      "lb.yaml:8:10: port 65536 is out of range. Choose 1 to 65535.",
      'lb.yaml:9:10: ":80" names no host. Write the server\'s address, such as 192.168.33.68:80.',
      'lb.yaml:10:10: "fd00::1:80" is ambiguous. Put the IPv6 address in brackets, such as [fd00::1]:80.',
      "lb.yaml:11:10: [fd00::g] is not an IPv6 address. Brackets hold an IPv6 address, such as [fd00::1]:80.",
      "lb.yaml:12:7: BACKEND is the name of a line of show stat. Give the server another name.",
      'lb.yaml:13:10: "a b" is neither an address nor a host name. Write, for example, web01:8080.',
    ],
  ],
  [
    "a port as a number",
    "proxies:\n  http:\n    bind: 80\n    servers: { a: b:80 }\n",
    ["lb.yaml:3:11: bind is 80. Write an address such as 192.168.33.84:80, or a list of them."],
  ],
  [
    "an unquoted star",
    "proxies:\n  http:\n    bind: *:80\n    servers: { a: b:80 }\n",
    [
      'lb.yaml:3:11: *:80 refers to an anchor that is not there. Quote it if a plain text is meant, such as "*:80".',
    ],
  ],
  [
    "a name with a space",
    "proxies:\n  my http: {}\n",
    ['lb.yaml:2:3: "my http" cannot be a name here. Write letters, digits and - _ . :.'],
  ],
  [
    "two proxies on one address",
    "proxies:\n  a: { bind: ':80', servers: { s: b:80 } }\n  b: { bind: '10.0.0.1:80', servers: { s: b:80 } }\n  c: { bind: ['[::]:80', '10.0.0.1:81', '10.0.0.1:81'], servers: { s: b:80 } }\n",
    [
      "lb.yaml:3:14: 10.0.0.1:80 is already taken by a's 0.0.0.0:80. Choose another port, or keep one of them.",
      "lb.yaml:4:41: 10.0.0.1:81 is already taken by c's 10.0.0.1:81. Choose another port, or keep one of them.",
    ],
  ],
  [
    "a proxy in front of itself",
    "proxies:\n  a: { bind: 10.0.0.1:80, servers: { s: 10.0.0.1:80 } }\n",
    [
      "lb.yaml:2:41: s is the address that a itself listens on. Write the address of a server behind it, or every request runs in a circle.",
    ],
  ],
  [
    "a balance that is not known",
    proxy("balance: rdp-cookie"),
    [
      'lb.yaml:5:14: balance "rdp-cookie" is not known. Known are roundrobin, leastconn, source, uri, hdr(name), random and first.',
    ],
  ],
  [
    "an admin server that cannot be",
    `${proxy("")}admin: { bind: eth1, stats: { auth: "a:b", uri: stats, user: "a:b" } }\n`,
    [
      'lb.yaml:6:16: "eth1" has no port. Write address:port, such as eth1:80.',
      'lb.yaml:6:31: "auth" is not known here. Write user: and password:.',
      'lb.yaml:6:49: "stats" is not a path. Write, for example, /stats.',
      "lb.yaml:6:62: a user's name cannot hold a colon. Choose another name.",
    ],
  ],
  [
    "an admin server on a proxy's port",
    `${proxy("")}admin: { bind: ":80" }\n`,
    ["lb.yaml:6:16: the proxy http listens on :80 too. Choose another port for the admin server."],
  ],
  [
    "an admin of true",
    `${proxy("")}admin: true\n`,
    ["lb.yaml:6:8: admin is true. Write a mapping with bind and stats, or false."],
  ],
  [
    "small words where they say nothing",
    `vrrp:
  VI_1:
    interface: eth1
    virtual_router_id: 51
    virtual_ipaddress: [192.168.33.84/24 brd 300.0.0.1, 192.168.33.85/32 brd +]
    unicast_ttl: 64
    vmac_xmit_base: true
`,
    [
      'lb.yaml:5:25: "300.0.0.1" is not a broadcast address. Write one such as 192.168.33.255, or +.',
      "lb.yaml:5:57: /32 has no broadcast address. Leave brd out.",
      "lb.yaml:6:5: unicast_ttl without unicast_peer. Leave it out: adverts to the group have 255.",
      "lb.yaml:7:5: vmac_xmit_base without use_vmac. Leave it out: adverts go over the interface itself.",
    ],
  ],
  [
    "unicast peers on a macvlan, and TTLs that cannot be",
    `vrrp:
  VI_1:
    interface: eth1
    virtual_router_id: 51
    use_vmac: true
    unicast_peer: [192.168.33.81 min_ttl 256, 192.168.33.82 ttl 3, 192.168.33.83 min_ttl 9 max_ttl 8]
    virtual_ipaddress: 192.168.33.84/24
`,
    [
      "lb.yaml:5:5: use_vmac and unicast_peer without vmac_xmit_base. Add vmac_xmit_base: true: peers answer to the interface's own MAC.",
      "lb.yaml:6:20: min_ttl has no TTL behind it. Write a number from 0 to 255.",
      'lb.yaml:6:47: "ttl" is not known behind an address. Known here are min_ttl, max_ttl.',
      "lb.yaml:6:68: min_ttl 9 is above max_ttl 8. Exchange them.",
    ],
  ],
  [
    "a relative socket",
    `${proxy("")}stats_socket: stats.sock\n`,
    ['lb.yaml:6:15: "stats.sock" is not an absolute path. Write, for example, /run/lb/stats.sock.'],
  ],
  [
    "a peer link without VRRP",
    `${proxy("")}peer_link: { key: long enough as it is }\n`,
    ["lb.yaml:6:1: peer_link has no vrrp to serve. Add a vrrp instance, or take peer_link out."],
  ],
  [
    "a peer link with a short key",
    `${instance("")}peer_link: { key: 1234567 }\n`,
    [
      "lb.yaml:7:19: the key of the peer link has 7 characters, and at least 8 are needed. Take a long random one, such as `openssl rand -hex 32` prints.",
    ],
  ],
  [
    "a peer link without a key",
    `${instance("")}peer_link: { port: 3112 }\n`,
    ["lb.yaml:7:1: peer_link has no key. Add key: or key_file:, with the same secret on both nodes."],
  ],
  [
    "a peer link with two keys",
    `${instance("")}peer_link: { key: long enough as it is, key_file: /k }\n`,
    ["lb.yaml:7:41: peer_link has both key and key_file. Keep one of them."],
  ],
  [
    "a peer link's key in a relative file",
    `${instance("")}peer_link: { key_file: peer.key }\n`,
    ["lb.yaml:7:24: key_file peer.key is not an absolute path. Begin it with /."],
  ],
  [
    "room for nobody",
    `${proxy("")}maxconn: 0\n`,
    ["lb.yaml:6:10: maxconn is 0. Write a whole number from 1 to 10000000."],
  ],
  [
    "threads beyond measure",
    `${proxy("")}threads: 65\n`,
    ["lb.yaml:6:10: threads is 65. Write a whole number from 1 to 64."],
  ],
  [
    "a mistyped engine",
    `${proxy("")}engine: potable\n`,
    ['lb.yaml:6:9: engine is "potable". Write auto, direct or portable; did you mean portable?'],
  ],
  ["a tab", "vrrp:\n\tVI_1: {}\n", ["lb.yaml:2:1: a tab is used to indent. Indent with spaces."]],
  [
    "two documents",
    "node: a\n---\nnode: b\n",
    ["lb.yaml:2:1: a second document begins here. Remove the line ---."],
  ],
  [
    "a value that contains itself",
    "vrrp: &a { A: *a }\n",
    ["lb.yaml:1:15: *a contains itself. Write the value out."],
  ],
];

for (const [name, text, expected] of golden) {
  t.test(`${name} is refused with its place and what to do`, async (t) => {
    t.same(problems(text), expected);
  });
}

t.test("every mistake of a file is told at once, in the order of the text", async (t) => {
  const text = `nod: x
vrrp:
  VI_1:
    interface: eth1
    virtual_router_id: 300
    priority: 0
    advert_int: 0.5
    state: MASTER
    preempt: yes
    virtual_ipaddress: [192.168.33.300/24]
proxies:
  http:
    bind: 80
    ballance: roundrobin
    servers: { web01: 10.0.0.2, web02: [1] }
    timeout: { clinet: 3s, server: 5 parsecs }
threads: many
`;
  const places = problems(text).map((line) => line.split(":").slice(1, 3).join(":"));
  t.same(places, [
    "1:1",
    "5:24",
    "6:15",
    "7:17",
    "8:5",
    "9:14",
    "10:25",
    "13:11",
    "14:5",
    "15:23",
    "15:40",
    "16:16",
    "16:36",
    "17:10",
  ]);
});

t.test("a password longer than VRRP's 8 bytes is cut as keepalived cuts it, with a warning", async (t) => {
  const text = instance("authentication: { auth_type: PASS, auth_pass: 123456789 }");
  t.same(warnings(text), [
    "lb.yaml:6:51: auth_pass has 9 characters, and VRRP carries the first 8 only. Shorten it to 8 characters (keepalived cuts it in the same way).",
  ]);
  t.match(loadConfig(text, "f", machine).config?.vrrp[0].authentication, {
    type: "pass",
    password: "12345678",
  });
});

t.test("a lease that outlives the partner's patience is a warning", async (t) => {
  t.same(warnings(instance("lease: 4s")), [
    "lb.yaml:6:12: lease 4s is longer than the 3 s after which the partner takes over. Choose a shorter one, or a killed node still holds the address when the partner has it.",
  ]);
  t.same(warnings(instance("lease: 3s")), []);
});

t.test("a bare time-out that HAProxy would read as a few milliseconds is a warning", async (t) => {
  t.same(warnings(proxy("timeout: { connect: 5 }")), [
    "lb.yaml:5:25: connect 5 counts milliseconds, as in HAProxy. Write 5s if seconds are meant, or 5ms.",
  ]);
  t.same(warnings(proxy("timeout: { connect: 5000 }")), []);
});

t.test("anchors and aliases serve, and a mistake behind one is shown where it is used", async (t) => {
  const text = `proxies:
  a: { bind: ":80", servers: &s { web01: b:80 }, timeout: &t { client: 7s } }
  b: { bind: ":81", servers: *s, timeout: *t }
`;
  t.equal(loadConfig(text, "f", machine).config?.proxies[1].timeouts.clientMs, 7000);
  t.same(
    problems(
      "proxies:\n  a: { bind: &x oops, servers: { web01: b:80 } }\n  b: { bind: *x, servers: { web01: b:80 } }\n",
    ),
    [
      'lb.yaml:2:17: "oops" has no port. Write address:port, such as 192.168.33.84:80.',
      'lb.yaml:3:14: "oops" has no port. Write address:port, such as 192.168.33.84:80.',
    ],
  );
});
