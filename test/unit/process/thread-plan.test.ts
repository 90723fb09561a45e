import t from "tap";
import type { Config, ListenAddress } from "../../../src/config/config.js";
import { loadConfig } from "../../../src/config/load.js";
import { planThreads } from "../../../src/process/thread-plan.js";

const plain = '"*:80"';
const tls = '{ address: "*:443", tls: { crt: /etc/lb/site.pem } }';

/** Engine of each thread, and which ports it takes. */
function plan(engine: Config["engine"], ...bind: readonly string[]): string[] {
  const text = `proxies:\n  http:\n    bind: [${bind.join(", ")}]\n    servers: { a: "127.0.0.1:1" }\nengine: ${engine}\nthreads: 2\n`;
  const { config, problems } = loadConfig(text, "lb.yaml", { hostname: "lb", cores: 1 });
  if (config === null) throw new Error(JSON.stringify(problems));
  const listen: readonly ListenAddress[] = config.proxies.flatMap((proxy) => proxy.listen);
  return planThreads(config).map(
    ({ engine, takes }) => `${engine} ${listen.filter(takes).map(({ port }) => port)}`,
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
