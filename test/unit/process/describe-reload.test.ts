import t from "tap";
import { loadConfig } from "../../../src/config/load.js";
import { describeReload } from "../../../src/process/describe-reload.js";
import { formatReloadAnswer, parseReloadAnswer } from "../../../src/process/reload-answer.js";

function config(text: string) {
  const loaded = loadConfig(text, "lb.yaml", { hostname: "lb", cores: 1 });
  if (loaded.config === null) throw new Error(JSON.stringify(loaded.problems));
  return loaded.config;
}

const vrrp =
  "vrrp: { VI_1: { interface: eth1, virtual_router_id: 51, virtual_ipaddress: 10.0.0.9/24, priority: 101 } }\n";
const base = `${vrrp}proxies: { http: { bind: ':80', servers: { web01: 10.0.0.1:80, web02: 10.0.0.2:80 } } }\n`;

t.test("the same configuration needs no step", async (t) => {
  t.same(describeReload(config(base), config(base)), []);
});

t.test(
  "servers, addresses, virtual routers and secrets: each change is a sentence, in the order of the reload",
  async (t) => {
    const after = config(`
vrrp:
  VI_1: { interface: eth1, virtual_router_id: 51, virtual_ipaddress: 10.0.0.9/24, priority: 90 }
  VI_2: { interface: eth1, virtual_router_id: 52, virtual_ipaddress: 10.0.0.10/24 }
proxies:
  http: { bind: ":8080", servers: { web01: { address: 10.0.0.1:80, weight: 5 }, web03: 10.0.0.3:80 }, timeout: { client: 5s } }
  tcp: { mode: tcp, bind: ":443", servers: { web01: 10.0.0.1:443 } }
admin: { bind: 127.0.0.1:8404, stats: { password: s3cret-of-mine } }
drain_timeout: 10s
`);
    const steps = describeReload(config(base), after);
    t.same(steps, [
      "proxy http no longer listens on 0.0.0.0:80",
      "proxy http listens on 0.0.0.0:8080",
      "server http/web02 removed",
      "server http/web01 changed: weight",
      "server http/web03 added: 10.0.0.3:80",
      "proxy http changed: timeouts.clientMs",
      "proxy tcp added: 0.0.0.0:443 → web01",
      "new data threads take over the listening sockets; what is in flight is finished by the old ones, for at most 10s",
      "vrrp: VI_1 changed in place: priority",
      "vrrp: VI_2 added",
      "changed: admin, drainTimeoutMs",
      "a new control thread takes over the admin server, the stats socket and the checks",
    ]);
    t.notMatch(steps.join(), "s3cret-of-mine");
  },
);

t.test("a key that changes is named and not shown", async (t) => {
  const key = (text: string) => config(`${base}peer_link: { key: ${text} }\n`);
  t.same(describeReload(key("first-secret-of-all"), key("other-secret-of-all")), [
    "the peer link is made anew with the new key or port",
  ]);
});

t.test("an answer is read back, and told with its problems first", async (t) => {
  const answer = { outcome: "refused", steps: [], problems: ["lb.yaml:1:1: no"], warnings: ["w"] } as const;
  t.same(parseReloadAnswer(JSON.stringify(answer)), answer);
  t.equal(parseReloadAnswer("{}"), null);
  t.equal(parseReloadAnswer('{"outcome":"constructor"}'), null);
  t.equal(
    formatReloadAnswer(answer),
    "warning: w\nlb.yaml:1:1: no\nthe configuration is not valid: nothing was changed\n",
  );
});

t.test("what an address says of its clients, and renewed certificates, are steps too", async (t) => {
  const at = (bind: string) =>
    config(`${vrrp}proxies: { http: { bind: ${bind}, servers: { web01: 10.0.0.1:80 } } }\n`);
  const plain = at('":443"');
  const secure = at('{ address: ":443", accept_proxy: true, tls: { crt: /a.pem } }');
  t.equal(describeReload(plain, secure)[0], "proxy http changed on 0.0.0.0:443: acceptProxy, tls");
  t.same(describeReload(secure, secure), []);
  t.same(describeReload(secure, secure, false, true), [
    "clients that come from now on are shown the renewed certificates",
  ]);
});
