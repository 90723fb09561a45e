import { copyFileSync, mkdirSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t, { type Test } from "tap";
import { pageOf, startNginx } from "../../lab/backend.js";
import { makeCertificate } from "../../lab/certificate.js";
import { waitFor } from "../../lab/clock.js";
import { Network } from "../../lab/network.js";
import { projectRoot } from "../../lab/project-root.js";
import { startTandem, writeConfiguration } from "../../lab/tandem.js";

/** A certificate and its key in one file of `folder`, as HAProxy has it. */
function writePem(folder: string, scratch: string, name: string, words = {}): string {
  const { certificate, key } = makeCertificate(scratch, name, words);
  const file = join(folder, `${name}.pem`);
  writeFileSync(file, readFileSync(certificate, "utf8") + readFileSync(key, "utf8"));
  return file;
}

async function lab(t: Test) {
  const network = await Network.create();
  t.teardown(() => network.close());
  const [web1, balancer, client] = ["web-box1", "lb-box1", "client"].map((name) => network.host(name));
  const nginx = await startNginx(
    network,
    web1,
    'location /proto { return 200 "$http_x_forwarded_proto\\n"; }',
  );
  const folder = join(network.scratch, "certs");
  mkdirSync(folder);
  const site = writePem(folder, network.scratch, "a-site.example", { names: ["*.site.example"] });
  writePem(folder, network.scratch, "shop.example", { key: "rsa" });
  return { network, web1, balancer, client, nginx, folder, site };
}

for (const engine of ["auto", "portable"]) {
  t.test(`engine ${engine}: curl and openssl over TLS, beside an address without`, async (t) => {
    const { network, web1, balancer, client, nginx, folder, site } = await lab(t);
    const file = writeConfiguration(
      network,
      balancer,
      `engine: ${engine}
threads: 1
proxies:
  web:
    bind: ["*:80", { address: "*:443", tls: { crt: ${folder}/ } }]
    servers: { web01: "${web1.address}:80" }
    rules:
      - { unless: { ssl_fc: true }, if: { path: / }, redirect: { location: "https://%[host]%[url]", code: 301 } }
`,
    );
    const tandem = startTandem(network, balancer, "--config", file);
    await waitFor("the stats socket", 30_000, () => tandem.ask("show info").catch(() => null), 100);
    const curl = (url: string, ...flags: string[]) =>
      client.tryRun(
        "curl",
        ...["-sS", "-m", "20", "--cacert", site],
        ...["a-site.example", "shop.example"].flatMap((name) =>
          [80, 443].flatMap((port) => ["--resolve", `${name}:${port}:${balancer.address}`]),
        ),
        ...flags,
        url,
      );
    const followed = await curl("http://a-site.example/", "-L", "-w", "%{num_redirects} %{url_effective}");
    t.equal(followed.stdout, `${pageOf(web1)}1 https://a-site.example/`);
    t.equal((await curl("https://a-site.example/proto")).stdout, "https\n");
    t.equal((await curl("http://a-site.example/proto")).stdout, "http\n");
    t.equal((await curl("https://a-site.example/", "--tls-max", "1.2")).stdout, pageOf(web1));
    t.not((await curl("https://a-site.example/", "--tls-max", "1.1")).code, 0);
    t.equal((await curl("https://a-site.example/", "--http2")).stdout, pageOf(web1));

    const subject = async (name: string): Promise<string> => {
      const seen = await client.tryRun(
        "sh",
        "-c",
        `echo Q | openssl s_client -connect ${balancer.address}:443 -servername ${name} 2>&1 | openssl x509 -noout -subject -serial`,
      );
      return seen.stdout;
    };
    t.match(await subject("shop.example"), /CN = shop\.example\n/);
    t.match(await subject("www.site.example"), /CN = a-site\.example\n/);
    t.match(await subject("elsewhere.example"), /CN = a-site\.example\n/);

    // A download goes on while its certificate is renewed, and the next client sees the new one.
    const large = join(nginx.folder, "large");
    writeFileSync(large, "");
    truncateSync(large, 12_000_000);
    const before = await subject("a-site.example");
    const old = join(network.scratch, "old.pem");
    copyFileSync(site, old);
    const download = client.tryRun(
      "curl",
      ...[
        "-sS",
        "-m",
        "20",
        "--limit-rate",
        "4M",
        "--cacert",
        old,
        "-o",
        "/dev/null",
        "-w",
        "%{size_download}",
      ],
      ...["--resolve", `a-site.example:443:${balancer.address}`, "https://a-site.example/large"],
    );
    await waitFor(
      "the download",
      30_000,
      async () => Number((await tandem.statRow("web", "FRONTEND")).scur) > 0,
    );
    writePem(folder, network.scratch, "a-site.example");
    tandem.process.signal("SIGHUP");
    await tandem.process.waitForLine((text) => /"msg":"reloaded"/.test(text), 40_000);
    await waitFor(
      "the new certificate",
      30_000,
      async () => (await subject("a-site.example")) !== before,
      50,
    );
    const downloaded = await download;
    t.equal(downloaded.stdout, "12000000", downloaded.stderr);

    // A bad one changes nothing.
    const renewed = await subject("a-site.example");
    writeFileSync(site, "not PEM");
    tandem.process.signal("SIGHUP");
    await tandem.process.waitForLine((text) => text.includes("nothing was changed"), 40_000);
    t.equal(await subject("a-site.example"), renewed);
    const check = await client.tryRun(
      process.execPath,
      join(projectRoot, "bin", "lb.js"),
      "check",
      "--config",
      file,
    );
    t.equal(check.code, 2);
    t.match(check.stderr, /a-site\.example\.pem: there is no certificate in it\. /);
    t.equal((await tandem.stop()).code, 0);
  });
}

t.test(
  "TLS to servers: nginx is verified, HAProxy gets a PROXY header in front of it, and so do the checks",
  async (t) => {
    const network = await Network.create();
    t.teardown(() => network.close());
    const [web1, balancer, client] = ["web-box1", "lb-box1", "client"].map((name) => network.host(name));
    const { certificate, key } = makeCertificate(network.scratch, "site.example");
    const other = makeCertificate(network.scratch, "other.example");
    await startNginx(
      network,
      web1,
      `listen 443 ssl; ssl_certificate ${certificate}; ssl_certificate_key ${key};
    location /name { return 200 "$ssl_server_name $http_x_forwarded_for\\n"; }`,
    );
    const pem = join(network.scratch, "haproxy.pem");
    writeFileSync(pem, readFileSync(certificate, "utf8") + readFileSync(key, "utf8"));
    const haproxy = join(network.scratch, "haproxy.cfg");
    writeFileSync(
      haproxy,
      `defaults
  mode http
  timeout connect 2s
  timeout client 5s
  timeout server 5s
frontend receiver
  bind [::1]:9443 accept-proxy ssl crt ${pem}
  http-request return status 200 content-type text/plain lf-string "%[src] %[ssl_fc_sni]\\n"
`,
    );
    balancer.spawn("haproxy", "haproxy", "-db", "-f", haproxy);
    const words = "ssl: true, sni: site.example, check: { inter: 200ms }";
    const file = writeConfiguration(
      network,
      balancer,
      `threads: 1
proxies:
  web:
    bind: "*:80"
    http_check: { uri: /name }
    servers: { web01: { address: "${web1.address}:443", ca_file: ${certificate}, ${words} } }
  wary:
    bind: "*:81"
    servers: { web01: { address: "${web1.address}:443", ca_file: ${other.certificate}, ${words} } }
  chain:
    bind: "*:82"
    http_check: { uri: / }
    servers: { web01: { address: "[::1]:9443", verify: none, send_proxy_v2: true, ${words} } }
  tcp:
    mode: tcp
    bind: "*:83"
    servers: { web01: { address: "${web1.address}:443", ca_file: ${certificate}, ${words} } }
  plain:
    bind: "*:84"
    servers: { web01: "${web1.address}:80" }
`,
    );
    const tandem = startTandem(network, balancer, "--config", file);
    await waitFor("the stats socket", 30_000, () => tandem.ask("show info").catch(() => null), 100);
    const found = { web: "L7OK", chain: "L7OK", tcp: "L6OK", wary: "L6RSP" };
    await waitFor("the checks", 30_000, async () => {
      const rows = Object.entries(found).map(async ([proxy, status]) => {
        const row = await tandem.statRow(proxy, "web01");
        return row.status === (proxy === "wary" ? "DOWN" : "UP") && row.check_status.endsWith(status);
      });
      return (await Promise.all(rows)).every((holds) => holds);
    });
    const ask = async (port: number, path = "/name") =>
      (await client.tryRun("curl", "-sS", "-m", "20", `http://${balancer.address}:${port}${path}`)).stdout;
    t.equal(await ask(80), `site.example ${client.address}\n`);
    t.match(await ask(81), /503 Service Unavailable/);
    t.equal(await ask(82), `${client.address} site.example\n`);
    t.equal(await ask(83), "site.example \n");
    t.equal(await ask(84, "/"), pageOf(web1));

    // Another authority in the same file: the checks, too, trust it from now on.
    writeFileSync(other.certificate, readFileSync(certificate));
    tandem.process.signal("SIGHUP");
    await waitFor(
      "the renewed trust",
      30_000,
      async () => (await ask(81)) === `site.example ${client.address}\n`,
      200,
    );
    await waitFor(
      "the check",
      30_000,
      async () => (await tandem.statRow("wary", "web01").catch(() => ({ status: "" }))).status === "UP",
    );
    t.equal((await tandem.stop()).code, 0);
  },
);
