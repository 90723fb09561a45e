import t from "tap";
import { loadConfig } from "../../../src/config/load.js";
import { describeProblem } from "../../../src/config/problem.js";

const machine = { hostname: "lb", cores: 2 };

/** A proxy of mode tcp with these further lines, which begin in line 5. */
function load(lines: string, mode = "tcp") {
  const text = `proxies:\n  tls:\n    bind: 192.0.2.1:443\n    mode: ${mode}\n    ${lines}\n    servers: { web01: 10.0.0.1:443 }\n`;
  const { config, problems, warnings } = loadConfig(text, "lb.yaml", machine);
  return {
    proxy: config?.proxies[0],
    problems: problems.map(describeProblem),
    warnings: warnings.map(describeProblem),
  };
}

t.test(
  "a silent session ends with the shorter of both sides' time-outs, unless tunnel says otherwise",
  async (t) => {
    t.match(load("timeout: { client: 30s, server: 50s }").proxy, {
      mode: "tcp",
      timeouts: { tunnelMs: 30_000 },
    });
    t.match(load("timeout: { client: 30s, tunnel: 2h }").proxy, { timeouts: { tunnelMs: 7_200_000 } });
    t.match(load("timeout: { client: 30s }", "http").proxy, {
      mode: undefined,
      timeouts: { tunnelMs: 3_600_000 },
    });
  },
);

t.test("client-fin and server-fin: the shorter one counts", async (t) => {
  t.equal(load("timeout: { client-fin: 5s, server-fin: 3s }").proxy?.timeouts.halfClosedMs, 3_000);
  t.equal(load("timeout: { client: 5s }").proxy?.timeouts.halfClosedMs, undefined);
  t.match(load("timeout: { client-fin: 5s }", "http").warnings, [/lb.yaml:5:5: client-fin .* mode http/]);
});

t.test("what stands in requests cannot be balanced by", async (t) => {
  for (const balance of ["uri", "hdr(Host)"]) {
    t.match(load(`balance: ${balance}`).problems, [
      /^lb\.yaml:5:14: (uri|hdr) is in requests, which mode tcp does not see\. Balance by source/,
    ]);
  }
  for (const balance of ["roundrobin", "leastconn", "source", "random", "first"]) {
    t.same(load(`balance: ${balance}`).problems, []);
  }
});

t.test("words about requests are warned of", async (t) => {
  t.match(load("max_head_bytes: 2048").warnings, [/^lb\.yaml:5:5: max_head_bytes says nothing in mode tcp/]);
  t.match(load("timeout: { http-request: 5s, http-keep-alive: 5s }").warnings, [
    /http-request says nothing/,
    /http-keep-alive says nothing/,
  ]);
  t.same(load("http_check: { uri: /health }\n    default_server: { check: true }").warnings, []);
});

t.test("another mode is none", async (t) => {
  t.match(load("allbackups: false", "udp").problems, [/lb\.yaml:4:11: .*http or tcp/]);
});
