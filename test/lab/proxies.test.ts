import t, { type Test } from "tap";
import { pageOf, startNginx } from "../../lab/backend.js";
import { makeCertificate } from "../../lab/certificate.js";
import { waitFor } from "../../lab/clock.js";
import { type Host, Network } from "../../lab/network.js";
import { startTandem, type Tandem, writeConfiguration } from "../../lab/tandem.js";

/** Two nginx with TLS of their own, and a client that trusts the certificate of `site.example`. */
async function lab(t: Test) {
  const network = await Network.create();
  t.teardown(() => network.close());
  const { certificate, key } = makeCertificate(network.scratch, "site.example");
  const web1 = network.host("web-box1");
  const web2 = network.host("web-box2");
  for (const host of [web1, web2])
    await startNginx(
      network,
      host,
      `listen 443 ssl; ssl_certificate ${certificate}; ssl_certificate_key ${key};`,
    );
  return {
    network,
    balancer: network.host("lb-box1"),
    client: network.host("client"),
    web1,
    web2,
    certificate,
  };
}

async function start(network: Network, host: Host, configuration: string): Promise<Tandem> {
  const file = writeConfiguration(network, host, configuration);
  const tandem = startTandem(network, host, "--config", file);
  await waitFor("the stats socket", 30_000, () => tandem.ask("show info").catch(() => null), 100);
  return tandem;
}

/** The cells of a row of `show stat`, by name. */
async function row(tandem: Tandem, proxy: string, server: string): Promise<Readonly<Record<string, string>>> {
  const [header, ...lines] = (await tandem.ask("show stat")).trim().split("\n");
  const names = header.replace(/^# /, "").split(",");
  const found = lines.map((line) => line.split(",")).find(([a, b]) => a === proxy && b === server) ?? [];
  return Object.fromEntries(names.map((name, i) => [name, found[i] ?? ""]));
}

t.test("TLS goes through a proxy of mode tcp to nginx, whose certificate the client verifies", async (t) => {
  const { network, balancer, client, web1, web2, certificate } = await lab(t);
  const tandem = await start(
    network,
    balancer,
    `threads: 1
proxies:
  https:
    mode: tcp
    bind: "*:443"
    default_server: { check: { inter: 200ms } }
    servers: { web01: "${web1.address}:443", web02: "${web2.address}:443" }
frontends:
  names:
    mode: tcp
    bind: "*:8443"
    rules: [{ if: { req_ssl_sni: site.example }, use_backend: second }]
    default_backend: https
backends:
  second: { mode: tcp, servers: { web02: "${web2.address}:443" } }
`,
  );
  const resolve = ["--resolve", `site.example:443:${balancer.address}`];
  const ask = () =>
    client.tryRun("curl", "-sS", "--fail", "--cacert", certificate, ...resolve, "https://site.example/");
  await waitFor("an answer", 30_000, async () => (await ask()).code === 0, 100);
  const pages = [(await ask()).stdout, (await ask()).stdout].sort();
  t.same(pages, [pageOf(web1), pageOf(web2)]);
  const seen = await client.tryRun(
    "sh",
    "-c",
    `echo Q | openssl s_client -connect ${balancer.address}:443 -servername site.example -CAfile ${certificate}`,
  );
  t.match(seen.stdout, /Verify return code: 0 \(ok\)/);
  const frontend = await row(tandem, "https", "FRONTEND");
  t.match(frontend, { mode: "tcp", status: "OPEN", hrsp_2xx: "" });
  t.ok(Number(frontend.stot) >= 4 && Number(frontend.bout) > 1_000, JSON.stringify(frontend));
  t.match(await row(tandem, "https", "web01"), { status: "UP", econ: "0" });

  const byName = () =>
    client.tryRun(
      "curl",
      ...["-sS", "--fail", "--cacert", certificate],
      ...["--resolve", `site.example:8443:${balancer.address}`, "https://site.example:8443/"],
    );
  t.same(
    [(await byName()).stdout, (await byName()).stdout],
    [pageOf(web2), pageOf(web2)],
    "servers by the name",
  );
  const unnamed = await client.tryRun("curl", "-sSk", "--fail", `https://${balancer.address}:8443/`);
  t.equal(unnamed.code, 0, unnamed.stderr);
  t.match(await row(tandem, "names", "FRONTEND"), { stot: "3" });
  t.match(await row(tandem, "second", "BACKEND"), { stot: "2" });
  t.equal((await tandem.stop()).code, 0);
});

t.test("two frontends share a backend: its servers take turns over both, and are counted once", async (t) => {
  const { network, balancer, client, web1, web2 } = await lab(t);
  const tandem = await start(
    network,
    balancer,
    `threads: 1
frontends:
  web: { bind: "*:80", default_backend: app }
  more: { bind: "*:8000-8001", default_backend: app }
backends:
  app:
    servers: { web01: "${web1.address}:80", web02: "${web2.address}:80" }
`,
  );
  const ask = (port: number) => client.tryRun("curl", "-sS", "--fail", `http://${balancer.address}:${port}/`);
  const pages: string[] = [];
  for (const port of [80, 8000, 80, 8001]) pages.push((await ask(port)).stdout);
  t.same(pages.toSorted(), [pageOf(web1), pageOf(web1), pageOf(web2), pageOf(web2)]);
  // A client has its answer a moment before it is counted.
  await waitFor("the count", 20_000, async () => (await row(tandem, "app", "BACKEND")).hrsp_2xx === "4");
  t.match(await row(tandem, "web", "FRONTEND"), { stot: "2", hrsp_2xx: "2" });
  t.match(await row(tandem, "more", "FRONTEND"), { stot: "2", hrsp_2xx: "2" });
  t.match(await row(tandem, "app", "BACKEND"), { stot: "4", hrsp_2xx: "4", status: "UP" });
  t.match(await row(tandem, "app", "web01"), { stot: "2", lbtot: "2" });
  t.same(await row(tandem, "web", "BACKEND"), await row(tandem, "app", "FRONTEND"), "neither row is there");
  t.equal((await tandem.stop()).code, 0);
});
