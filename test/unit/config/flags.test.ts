import t from "tap";
import type { Config } from "../../../src/config/config.js";
import { demoConfig } from "../../../src/config/defaults.js";
import { applyFlags, type Flags } from "../../../src/config/flags.js";
import { loadConfig } from "../../../src/config/load.js";
import { describeProblem } from "../../../src/config/problem.js";

const machine = { hostname: "lb-box1", cores: 2 };
const demo = demoConfig(machine);

function file(text: string): Config {
  const { config, problems } = loadConfig(text, "f", machine);
  if (config === null) throw new Error(problems.map(describeProblem).join("\n"));
  return config;
}

function merged(flags: Flags, config = demo): Config {
  const result = applyFlags(config, flags, config === demo);
  if (result.config === null) throw new Error(result.problems.map(describeProblem).join("\n"));
  return result.config;
}

function problems(flags: Flags, config = demo): string[] {
  return applyFlags(config, flags, config === demo).problems.map(describeProblem);
}

t.test("without a file and flags it is the demo of the documentation", async (t) => {
  t.match(merged({}), {
    vrrp: [
      {
        interface: "eth1",
        virtualRouterId: 51,
        priority: 100,
        addresses: [{ address: "192.168.33.84", prefixLength: 24 }],
      },
    ],
    proxies: [
      {
        name: "http",
        listen: [{ address: "192.168.33.84", port: 80 }],
        servers: [
          { name: "web01", host: "192.168.33.68", port: 80 },
          { name: "web02", host: "192.168.33.69", port: 80 },
        ],
      },
    ],
    admin: {
      listen: { kind: "interface", interface: "eth1", port: 80 },
      path: "/stats",
      user: "admin",
      password: "supersecret",
      isDefault: true,
    },
    statsSocket: { path: "/run/lb/stats.sock", isDefault: true },
    threads: 2,
    engine: "auto",
  });
});

t.test("flags of the instance change it and leave the rest", async (t) => {
  const config = merged({ priority: "101", interface: "ens18", vrid: "7" });
  t.match(config.vrrp, [
    { priority: 101, interface: "ens18", virtualRouterId: 7, addresses: demo.vrrp[0].addresses },
  ]);
  t.same(
    config.admin?.listen,
    { kind: "interface", interface: "ens18", port: 80 },
    "the demo's admin server goes along",
  );
  t.same(config.proxies, demo.proxies);
});

t.test("--vip replaces the addresses, and the demo's proxy follows to port 80 of each", async (t) => {
  const config = merged({ vip: ["10.0.0.5/16", "10.0.0.6/16"] });
  t.same(config.vrrp[0].addresses, [
    { address: "10.0.0.5", prefixLength: 16 },
    { address: "10.0.0.6", prefixLength: 16 },
  ]);
  t.same(config.proxies[0].listen, [
    { address: "10.0.0.5", port: 80 },
    { address: "10.0.0.6", port: 80 },
  ]);
  t.same(merged({ vip: ["10.0.0.5/16"], listen: [":8080"] }).proxies[0].listen, [
    { address: "0.0.0.0", port: 8080 },
  ]);
});

t.test("--vip leaves a file's listening addresses alone", async (t) => {
  const config = file(
    "vrrp: { V: { interface: eth1, virtual_router_id: 1, virtual_ipaddress: 10.0.0.1 } }\nproxies: { http: { bind: 10.0.0.1:80, servers: { a: b:80 } } }\n",
  );
  t.same(merged({ vip: ["10.0.0.5/16"] }, config).proxies, config.proxies);
});

t.test(
  "--backend replaces the servers, which are web01, web02 and so on unless they have names",
  async (t) => {
    t.same(merged({ backend: ["10.0.0.1:80", "api=[fd00::1]:8080", "box:81"] }).proxies[0].servers, [
      { name: "web01", host: "10.0.0.1", port: 80 },
      { name: "api", host: "fd00::1", port: 8080 },
      { name: "web03", host: "box", port: 81 },
    ]);
  },
);

t.test("--listen and --backend make a proxy http where the file has none", async (t) => {
  const config = file("proxies: { other: { bind: ':81', servers: { a: b:80 } } }\n");
  const { proxies } = merged({ listen: [":80"], backend: ["c:80"] }, config);
  t.match(proxies, [
    { name: "other" },
    { name: "http", listen: [{ port: 80 }], servers: [{ name: "web01" }] },
  ]);
  t.same(problems({ listen: [":80"] }, config), [
    "--listen: the file has no proxy http to change. Add --backend to make one.",
  ]);
  t.same(problems({ backend: ["c:80"] }, config), [
    "--backend: the file has no proxy http to change. Add --listen to make one.",
  ]);
  t.same(problems({ listen: ["10.0.0.1:81"], backend: ["c:80"] }, config), [
    "--listen: 10.0.0.1:81 is taken by another listening address. Choose another port.",
  ]);
});

t.test("--no-vrrp makes a plain balancer whose unasked admin server stays on this machine", async (t) => {
  const config = merged({ "no-vrrp": true, listen: [":8080"], backend: ["127.0.0.1:9000"] });
  t.same(config.vrrp, []);
  t.match(config.admin, { listen: { kind: "address", address: "127.0.0.1", port: 8404 }, isDefault: true });
});

t.test("--no-proxy makes a plain VRRP daemon", async (t) => {
  const config = merged({ "no-proxy": true, vip: ["10.0.0.5/16"] });
  t.same(config.proxies, []);
  t.equal(config.vrrp.length, 1);
});

t.test("--admin and --stats-socket move what they name, or switch it off", async (t) => {
  t.match(merged({ admin: "127.0.0.1:9" }).admin, {
    listen: { kind: "address", address: "127.0.0.1", port: 9 },
    user: "admin",
    isDefault: false,
  });
  t.match(merged({ admin: "eth7:9" }).admin?.listen, { kind: "interface", interface: "eth7", port: 9 });
  t.equal(merged({ admin: "off" }).admin, null);
  t.same(merged({ "stats-socket": "/a/b" }).statsSocket, { path: "/a/b", isDefault: false });
  t.equal(merged({ "stats-socket": "off" }).statsSocket, null);
});

t.test("flags that contradict each other are refused", async (t) => {
  t.same(problems({ "no-vrrp": true, priority: "1" }), [
    "--priority: --no-vrrp leaves nothing for it to change. Leave out one of the two.",
  ]);
  t.same(problems({ "no-proxy": true, listen: [":80"] }), [
    "--listen: --no-proxy leaves nothing for it to change. Leave out one of the two.",
  ]);
  t.same(problems({ "no-proxy": true, "no-vrrp": true }), [
    "--no-vrrp: there is nothing left to do. Leave out --no-vrrp or --no-proxy, or configure the other.",
  ]);
});

t.test("flags of an instance need exactly one instance", async (t) => {
  const two = file(
    "vrrp:\n  A: { interface: eth1, virtual_router_id: 1, virtual_ipaddress: 10.0.0.1 }\n  B: { interface: eth1, virtual_router_id: 2, virtual_ipaddress: 10.0.0.2 }\n",
  );
  t.same(problems({ priority: "5" }, two), [
    "--priority: the file has 2 instances. Change them in the file.",
  ]);
  const none = file("proxies: { http: { bind: ':80', servers: { a: b:80 } } }\n");
  t.same(problems({ priority: "5" }, none), [
    "--priority: the file has no vrrp instance to change. Add --vip, or an instance to the file.",
  ]);
  t.match(merged({ vip: ["10.0.0.9/24"], priority: "5" }, none).vrrp, [
    { name: "VI_1", priority: 5, interface: "eth1" },
  ]);
});

t.test("every wrong flag is told at once, with its value", async (t) => {
  t.same(
    problems({
      priority: "0",
      vrid: "256",
      interface: "a/b",
      vip: ["10.0.0.1/24", "nonsense", "10.0.0.1"],
      listen: ["80"],
      backend: ["10.0.0.1", "x=10.0.0.1:80", "x=10.0.0.2:80"],
      admin: "1.2.3:80",
      "stats-socket": "stats.sock",
      engine: "drect",
      threads: "1.5",
    }),
    [
      '--priority: "0" is not a whole number from 1 to 255. Write, for example, --priority 1.',
      '--interface: "a/b" is not a name that an interface can have. Write a name that `ip link` shows, at most 15 characters.',
      '--vrid: "256" is not a whole number from 1 to 255. Write, for example, --vrid 255.',
      '--vip: "nonsense" is not an IP address. Write, for example, 192.168.33.84/24 or fd00::84/64.',
      "--vip: the same address stands twice. Keep one of them.",
      '--listen: "80" has no port. Write address:port, such as 192.168.33.84:80.',
      '--backend: "10.0.0.1" has no port. Write address:port, such as 192.168.33.68:80.',
      "--backend: two servers are called x. Give each its own name, as in --backend web03=HOST:PORT.",
      "--admin: 1.2.3 is not an IPv4 address. Write four numbers from 0 to 255, or an interface's name.",
      '--stats-socket: "stats.sock" is not an absolute path. Write, for example, /run/lb/stats.sock.',
      '--threads: "1.5" is not a whole number from 1 to 64. Write, for example, --threads 1.',
      '--engine: "drect" is not an engine. Did you mean direct?',
    ],
  );
});

t.test("--peer-key sets the key and leaves the file's port", async (t) => {
  t.equal(merged({}).peerLink, null, "off without a key");
  const key = { kind: "text", text: "correct horse battery" } as const;
  t.same(merged({ "peer-key": key.text }).peerLink, { key, port: 3112 });
  const other = { ...demo, peerLink: { key: { kind: "file", path: "/k" } as const, port: 4112 } };
  t.same(merged({}, other).peerLink, other.peerLink);
  t.same(merged({ "peer-key": key.text }, other).peerLink, { key, port: 4112 });
  t.equal(merged({ "no-vrrp": true }, other).peerLink, null);
});

t.test("a peer key that is too short or has no VRRP to serve is refused, and never shown", async (t) => {
  const advice = "Take a long random one, such as `openssl rand -hex 32` prints.";
  t.same(problems({ "peer-key": "secret" }), [
    `--peer-key: the key of the peer link has 6 characters, and at least 8 are needed. ${advice}`,
  ]);
  t.same(problems({ "peer-key": "correct horse", "no-vrrp": true }), [
    "--peer-key: without VRRP there is no partner. Leave it out, or --no-vrrp.",
  ]);
});
