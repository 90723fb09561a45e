import t from "tap";
import { loadConfig } from "../../../src/config/load.js";
import { describeProblem } from "../../../src/config/problem.js";
import { serializeConfig } from "../../../src/config/serialize.js";

const machine = { hostname: "lb", cores: 2 };

/** A frontend with these words in line 5, and two backends. */
function load(words: string, mode = "tcp") {
  const backend = (name: string, port: number): string =>
    `  ${name}: { mode: ${mode}, servers: { s: 10.0.0.1:${port} } }\n`;
  const text = `frontends:\n  in:\n    bind: 192.0.2.1:443\n    mode: ${mode}\n    ${words}\n    default_backend: b\nbackends:\n${backend("a", 1)}${backend("b", 2)}`;
  const { config, problems, warnings } = loadConfig(text, "lb.yaml", machine);
  const describe = (list: typeof problems) => list.map((one) => describeProblem(one));
  return { config, proxy: config?.proxies[0], problems: describe(problems), warnings: describe(warnings) };
}

t.test(
  "a session's backend goes by the name that its client asks for and by where it comes from",
  async (t) => {
    const { proxy, problems } = load(
      "rules: [{ if: { req_ssl_sni: [WWW.example.org, '*.b.org'] }, unless: { src: 10.0.0.0/8 }, use_backend: a }]",
    );
    t.same(problems, []);
    t.match(proxy, {
      rules: [
        {
          when: { serverNames: ["www.example.org", "*.b.org"] },
          unless: { sources: [{ text: "10.0.0.0/8" }] },
          action: { kind: "use-backend", backend: "a" },
        },
      ],
      timeouts: { inspectMs: 5000 },
    });
  },
);

t.test("inspect-delay is how long the name is waited for, where a rule asks for it", async (t) => {
  const rules = "rules: [{ if: { req_ssl_sni: a.example }, use_backend: a }]";
  t.equal(load(`${rules}\n    timeout: { inspect-delay: 2s }`).proxy?.timeouts.inspectMs, 2000);
  const bySource = load(
    "rules: [{ if: { src: 10.0.0.0/8 }, use_backend: a }]\n    timeout: { inspect-delay: 2s }",
  );
  t.equal(bySource.proxy?.timeouts.inspectMs, undefined);
  t.match(bySource.warnings, [/^lb\.yaml:6:16: inspect-delay says nothing where no rule/]);
});

t.test("what is about requests is refused in mode tcp, and the name in mode http", async (t) => {
  t.match(load("rules: [{ if: { path_beg: /a }, use_backend: a }]").problems, [
    /^lb\.yaml:5:21: path_beg is about requests, which mode tcp does not see\. Ask for req_ssl_sni or src/,
  ]);
  t.match(load("rules: [{ if: { src: 10.0.0.0/8 }, deny: 403 }]").problems, [
    /^lb\.yaml:5:40: deny is about requests/,
  ]);
  t.match(load("rules: [{ if: { req_ssl_sni: a.example }, use_backend: a }]", "http").problems, [
    /^lb\.yaml:5:21: req_ssl_sni is asked in mode tcp\. Ask for the request's host/,
  ]);
});

t.test("a name that would be looked for inside of TLS is warned of", async (t) => {
  const rules = "rules: [{ if: { req_ssl_sni: a.example }, use_backend: a }]";
  const text = (bind: string) =>
    `frontends:\n  in: { bind: ${bind}, mode: tcp, ${rules}, default_backend: a }\nbackends:\n  a: { mode: tcp, servers: { s: 10.0.0.1:1 } }\n`;
  const warned = (bind: string) => loadConfig(text(bind), "lb.yaml", machine).warnings.map(describeProblem);
  const secured = '{ address: "*:443", tls: { crt: /a.pem } }';
  t.match(warned(secured), [/req_ssl_sni is looked for inside of TLS that ends here/]);
  t.same(warned(`[${secured}, "*:8443"]`), []);
});

t.test("a backend that is not there, or of mode http, is refused", async (t) => {
  t.match(load("rules: [{ use_backend: nowhere }]").problems, [/there is no backend .*nowhere/]);
});

t.test("the effective configuration reads back the same", async (t) => {
  const { config } = load(
    "rules: [{ if: { req_ssl_sni: a.example }, use_backend: a }]\n    timeout: { inspect-delay: 700ms }",
  );
  if (config === null) throw new Error("no configuration");
  const again = loadConfig(serializeConfig(config, "shown"), "lb.yaml", machine).config;
  t.same(again?.proxies, config.proxies);
});
