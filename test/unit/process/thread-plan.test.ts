import t from "tap";
import type { Config, ListenAddress } from "../../../src/config/config.js";
import { loadConfig } from "../../../src/config/load.js";
import { planThreads } from "../../../src/process/thread-plan.js";

const plain = '"*:80"';
const tls = '{ address: "*:443", tls: { crt: /etc/lb/site.pem } }';

/** Engine of each thread, and which ports it takes. */
function plan(engine: Config["engine"], ...bind: readonly string[]): string[] {
  return planWith("", engine, ...bind);
}

/** The same beside further sections. */
function planWith(more: string, engine: Config["engine"], ...bind: readonly string[]): string[] {
  const text = `proxies:
  http: { bind: [${bind.join(", ")}], servers: { a: "127.0.0.1:1" } }
${more}engine: ${engine}
threads: 2
`;
  const { config, problems } = loadConfig(text, "lb.yaml", { hostname: "lb", cores: 1 });
  if (config === null) throw new Error(JSON.stringify(problems));
  const listen = config.proxies.flatMap((proxy, index) =>
    proxy.listen.map((address): readonly [number, ListenAddress] => [index, address]),
  );
  return planThreads(config).map(
    ({ engine, takes }) => `${engine} ${listen.filter((one) => takes(...one)).map(([, { port }]) => port)}`,
  );
}

t.test("without TLS every thread takes every client", async (t) => {
  t.same(plan("auto", plain), ["auto 80", "auto 80"]);
});

t.test("TLS has threads of its own beside those of the direct engine", async (t) => {
  t.same(plan("auto", plain, tls), ["auto 80", "auto 80", "portable 443", "portable 443"]);
  t.same(plan("direct", tls, plain), ["direct 80", "direct 80", "portable 443", "portable 443"]);
});

t.test("where all is TLS, or all is portable, the same threads do both", async (t) => {
  t.same(plan("auto", tls), ["portable 443", "portable 443"]);
  t.same(plan("portable", plain, tls), ["portable 80,443", "portable 80,443"]);
});

t.test("who comes for servers with TLS is served where TLS is", async (t) => {
  const sides = `frontends:
  web: { bind: "*:8080", default_backend: app }
backends:
  app: { servers: { b: { address: "127.0.0.1:2", ssl: true } } }
`;
  t.same(planWith(sides, "auto", plain), ["auto 80", "auto 80", "portable 8080", "portable 8080"]);
});

t.test("so is who may come to them by a rule", async (t) => {
  const sides = `frontends:
  web:
    bind: "*:8080"
    default_backend: app
    rules: [{ if: { path_beg: /secure }, use_backend: secure }]
backends:
  app: { servers: { b: "127.0.0.1:2" } }
  secure: { servers: { c: { address: "127.0.0.1:3", ssl: true } } }
`;
  t.same(planWith(sides, "auto", plain), ["auto 80", "auto 80", "portable 8080", "portable 8080"]);
});
