import t from "tap";
import { loadConfig } from "../../../src/config/load.js";
import { describeProblem } from "../../../src/config/problem.js";

const load = (proxy: string) =>
  loadConfig(`proxies:\n  web:\n${proxy.replace(/^/gm, "    ")}`, "lb.yaml", { hostname: "lb", cores: 1 });

const servers = 'servers: { a: "192.0.2.1:80" }';

/** What is wrong with a proxy of these words, as `lb check` says it. */
function problems(...words: readonly string[]): string[] {
  return load([...words, servers].join("\n")).problems.map(describeProblem);
}

function listenOf(...words: readonly string[]) {
  const { config, problems } = load([...words, servers].join("\n"));
  if (config === null) throw new Error(JSON.stringify(problems));
  return config.proxies[0].listen;
}

t.test("an address, a mapping and a list of both", async (t) => {
  t.same(listenOf('bind: "*:80"'), [{ address: "0.0.0.0", port: 80 }]);
  t.same(listenOf('bind: { address: "*:80-81", accept_proxy: true }'), [
    { address: "0.0.0.0", port: 80, acceptProxy: true },
    { address: "0.0.0.0", port: 81, acceptProxy: true },
  ]);
  t.same(
    listenOf(
      "bind:",
      '  - "*:80"',
      '  - { address: ["*:443", "[::]:443"], tls: { crt: /a.pem, min_version: TLSv1.3, alpn: [h2, http/1.1] } }',
    ),
    [
      { address: "0.0.0.0", port: 80 },
      ...["0.0.0.0", "::"].map((address) => ({
        address,
        port: 443,
        tls: { crt: ["/a.pem"], alpn: ["h2", "http/1.1"], minVersion: "TLSv1.3" },
      })),
    ],
  );
});

t.test("whom clients have to be certified by", async (t) => {
  const tlsOf = (words: string) => listenOf(`bind: { address: "*:443", tls: { crt: /a, ${words} } }`)[0].tls;
  t.same(tlsOf("verify: required, ca_file: /ca, crl_file: /crl, strict_sni: true"), {
    crt: ["/a"],
    clients: { verify: "required", caFile: "/ca", crlFile: "/crl" },
    strictSni: true,
  });
  t.same(tlsOf("verify: none, strict_sni: false"), { crt: ["/a"] });
  const { warnings } = load(
    'bind: { address: "*:443", tls: { crt: /a, ca_file: /ca } }\nservers: { a: "192.0.2.1:80" }',
  );
  t.match(warnings.map(describeProblem), [/ca_file says nothing without verify/]);
});

t.test("what is wrong is said where it stands", async (t) => {
  t.match(problems("bind: { accept_proxy: true }"), [/^lb\.yaml:3:\d+: this bind has no address\. /]);
  t.match(problems('bind: { adress: "*:80" }'), [
    /this bind has no address/,
    /"adress" is not known here\. Did you mean address\?/,
  ]);
  t.match(problems('bind: { address: "*:80", accept_proxy: 2 }'), [
    /accept_proxy is 2\. Write true or false/,
  ]);
  t.match(problems('bind: { address: "*:80", accept-proxy: true }'), [
    /Write bind: \{ address: …, accept_proxy/,
  ]);
  t.match(problems('bind: ["*:80", { address: "*:80", accept_proxy: true }]'), [/already taken by web's/]);
  t.match(problems('bind: { address: "*:443", tls: {} }'), [/tls has no crt\. Add a PEM file/]);
  t.match(problems('bind: { address: "*:443", tls: { crt: site.pem } }'), [
    /"site\.pem" is no absolute path/,
  ]);
  t.match(problems('bind: { address: "*:443", tls: { crt: /a, alpn: [spdy] } }'), [
    /spdy is not spoken here/,
  ]);
  t.match(problems('bind: { address: "*:443", tls: { crt: /a, min_version: SSLv3 } }'), [
    /min_version is "SSLv3"/,
  ]);
  t.match(problems('bind: { address: "*:443", tls: { crt: /a, verify: required } }'), [
    /verify: required has no ca_file\. Add who signs/,
  ]);
  t.match(problems('bind: { address: "*:443", tls: { crt: /a, verify: optional, ca_file: ca.pem } }'), [
    /"ca\.pem" is no absolute path/,
  ]);
  t.match(problems('bind: { address: "*:443", tls: { crt: /a, verify: some } }'), [
    /verify is "some"\. Write none, optional or required/,
  ]);
  t.match(problems("bind: 80"), [/bind is 80\. Write an address such as/]);
});

t.test("servers: send_proxy, send_proxy_v2, and when checks send it too", async (t) => {
  const read = (words: string, more = "") => {
    const text = `bind: "*:80"\n${more}\nservers: { a: { address: "192.0.2.1:80", ${words} } }`;
    const { config, problems } = load(text);
    if (config === null) throw new Error(problems.map(describeProblem).join());
    const { sendProxy, check } = config.proxies[0].servers[0];
    return [sendProxy, check?.sendProxy];
  };
  t.same(read("check: true"), [undefined, undefined]);
  t.same(read("send_proxy: true, check: true"), [1, true]);
  t.same(read("send_proxy_v2: true, check: { inter: 1s }"), [2, true]);
  t.same(read("send_proxy: true, check: { port: 81 }"), [1, undefined], "another listener may not expect it");
  t.same(read("send_proxy: true, check: { port: 81, send_proxy: true }"), [1, true]);
  t.same(read("send_proxy: true, check: { send_proxy: false }"), [1, undefined]);
  t.same(read("check: { send_proxy: true }"), [undefined, true]);
  const inherited = "default_server: { send_proxy_v2: true }";
  t.same(read("weight: 2", inherited), [2, undefined]);
  t.same(read("send_proxy: true", inherited), [1, undefined], "a server's own word counts");
  t.same(read("send_proxy_v2: false", inherited), [undefined, undefined]);
  t.throws(() => read("send_proxy: true, send_proxy_v2: true"), /are two headers/);
});
