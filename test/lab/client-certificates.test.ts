import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { Authority } from "../../lab/authority.js";
import { startNginx } from "../../lab/backend.js";
import { type Certificate, makeCertificate } from "../../lab/certificate.js";
import { waitFor } from "../../lab/clock.js";
import { Network } from "../../lab/network.js";
import { startTandem, writeConfiguration } from "../../lab/tandem.js";

/** What HAProxy and Tandem say of a handshake in their logs. */
const phrase = /: (SSL [a-z ]+)$/i;

t.test(
  "client certificates: who comes in, who is told of, and what servers hear, as with HAProxy",
  async (t) => {
    const network = await Network.create();
    t.teardown(() => network.close());
    const [web1, balancer, client] = ["web-box1", "lb-box1", "client"].map((name) => network.host(name));
    const who = 'location / { return 200 "$http_x_subject|$http_x_name|$http_x_used\\n"; }';
    const tlsPage = 'location /tls { return 200 "$http_x_tls\\n"; }';
    await startNginx(network, web1, `listen 8080; ${tlsPage} ${who}`);
    const samples = (
      "ssl_c_i_dn ssl_c_i_dn(cn) ssl_c_serial,hex ssl_c_sha1,hex ssl_c_notbefore ssl_c_notafter ssl_c_der,base64 " +
      "ssl_c_verify ssl_c_used ssl_fc ssl_fc_sni ssl_fc_protocol ssl_fc_cipher"
    )
      .split(" ")
      .map((word) => `%[${word}]`)
      .join("|");

    const authority = new Authority(network.scratch, "clients-ca");
    const ann = authority.sign("ann", "/O=Org/CN=ann");
    const bob = authority.sign("bob", "/O=Org/CN=bob");
    const stranger = makeCertificate(network.scratch, "stranger.example");
    authority.revoke(bob);
    const [ca, crl] = [authority.certificate, authority.revocations()];
    const site = makeCertificate(network.scratch, "site.example");
    const pem = join(network.scratch, "site.pem");
    writeFileSync(pem, readFileSync(site.certificate, "utf8") + readFileSync(site.key, "utf8"));

    const haproxyFile = join(network.scratch, "haproxy.cfg");
    writeFileSync(
      haproxyFile,
      `global
  log stdout format raw local0
defaults
  mode http
  log global
  timeout connect 2s
  timeout client 5s
  timeout server 5s
listen web
  bind *:7001 ssl crt ${pem} ca-file ${ca} verify required crl-file ${crl}
  bind *:7002 ssl crt ${pem} ca-file ${ca} verify optional
  bind *:7003 ssl crt ${pem} strict-sni
  http-request set-header X-Subject %[ssl_c_s_dn]
  http-request set-header X-Name %[ssl_c_s_dn(cn)]
  http-request set-header X-Used yes if { ssl_c_used }
  http-request set-header X-Tls "${samples}"
  server web1 ${web1.address}:8080
`,
    );
    const haproxy = balancer.spawn("haproxy", "haproxy", "-db", "-f", haproxyFile);
    const logFile = join(network.scratch, "access.log");
    const file = writeConfiguration(
      network,
      balancer,
      `threads: 1
proxies:
  web:
    bind:
      - { address: "*:8001", tls: { crt: ${pem}, verify: required, ca_file: ${ca}, crl_file: ${crl} } }
      - { address: "*:8002", tls: { crt: ${pem}, verify: optional, ca_file: ${ca}, alpn: [h2, http/1.1] } }
      - { address: "*:8003", tls: { crt: ${pem}, strict_sni: true } }
    rules:
      - { set_header: { X-Subject: "%[ssl_c_s_dn]", X-Name: "%[ssl_c_s_dn(cn)]" } }
      - { if: { ssl_c_used: true }, set_header: { X-Used: "yes" } }
      - { set_header: { X-Tls: "${samples}" } }
    log: { to: "file:${logFile}", format: httplog }
    servers: { web1: "${web1.address}:8080" }
`,
    );
    const tandem = startTandem(network, balancer, "--config", file);
    await waitFor("the stats socket", 30_000, () => tandem.ask("show info").catch(() => null), 100);

    const askFor = async (
      path: string,
      port: number,
      shown: Certificate | null,
      name: string,
      ...flags: string[]
    ) => {
      const own = shown === null ? [] : ["--cert", shown.certificate, "--key", shown.key];
      const at = name === "" ? balancer.address : name;
      const { code, stdout } = await client.tryRun(
        "curl",
        ...["-sSk", "-m", "20", ...own, ...flags, "--resolve", `site.example:${port}:${balancer.address}`],
        ...["--resolve", `other.example:${port}:${balancer.address}`, `https://${at}:${port}${path}`],
      );
      return code === 0 ? stdout.trim() : "refused";
    };
    const ask = (port: number, shown: Certificate | null, name: string, ...flags: string[]) =>
      askFor("/", port, shown, name, ...flags);
    const cases = [
      [1, ann, "site.example", "/O=Org/CN=ann|ann|yes"],
      [1, bob, "site.example", "refused"],
      [1, stranger, "site.example", "refused"],
      [1, null, "site.example", "refused"],
      [2, ann, "site.example", "/O=Org/CN=ann|ann|yes"],
      [2, bob, "site.example", "/O=Org/CN=bob|bob|yes"],
      [2, stranger, "site.example", "refused"],
      [2, null, "site.example", "||"],
      [3, null, "site.example", "||"],
      [3, null, "other.example", "refused"],
      [3, null, "", "refused"],
    ] as const;
    for (const [place, shown, name, expected] of cases) {
      const said = `${place}, ${shown?.certificate ?? "none"}, ${name}`;
      t.equal(await ask(7000 + place, shown, name), expected, `HAProxy: ${said}`);
      t.equal(await ask(8000 + place, shown, name), expected, `Tandem: ${said}`);
    }
    t.equal(
      await ask(8002, ann, "site.example", "--http1.1"),
      "/O=Org/CN=ann|ann|yes",
      "the same over HTTP/1.1",
    );
    for (const [place, shown, name, expected] of [
      [
        1,
        ann,
        "site.example",
        /^\/CN=clients-ca\|clients-ca\|01\|[0-9A-F]{40}\|\d{12}Z\|\d{12}Z\|MII[^|]+\|0\|1\|1\|site\.example\|TLSv1\.3\|TLS_/,
      ],
      [2, ann, "", /\|0\|1\|1\|\|TLSv1\.3\|TLS_/],
      [2, null, "site.example", /^\|\|\|\|\|\|\|0\|0\|1\|site\.example\|TLSv1\.3\|TLS_/],
    ] as const) {
      const theirs = await askFor("/tls", 7000 + place, shown, name);
      t.match(theirs, expected, `HAProxy's samples: ${place}, ${name}`);
      t.equal(await askFor("/tls", 8000 + place, shown, name), theirs, `Tandem's samples: ${place}, ${name}`);
    }
    const refused = cases.filter(([, , , expected]) => expected === "refused").length;
    const phrases = (lines: readonly string[]) =>
      lines.flatMap((line) => phrase.exec(line)?.[1].toLowerCase() ?? []);
    const whole = (what: string, lines: () => readonly string[]) =>
      waitFor(what, 30_000, () => {
        const said = phrases(lines());
        return said.length >= refused ? said : null;
      });
    const own = await whole("the log", () =>
      existsSync(logFile) ? readFileSync(logFile, "utf8").trim().split("\n") : [],
    );
    t.same(own, await whole("HAProxy's log", () => haproxy.lines.map(({ text }) => text)));

    // TLS 1.3 lets a client think that it is in before its certificate has been judged: nothing that it sends reaches a server.
    const before = Number((await tandem.statRow("web", "web1")).stot);
    t.equal(await ask(8001, stranger, "site.example", "--tlsv1.3"), "refused");
    t.equal(await ask(8001, stranger, "site.example", "--tls-max", "1.2"), "refused");
    t.equal(Number((await tandem.statRow("web", "web1")).stot), before);

    // A session of an address that asks for less is not gone on with where more is asked for.
    const session = join(network.scratch, "session");
    const connect = (port: number, way: "-sess_out" | "-sess_in") =>
      client.tryRun(
        "sh",
        "-c",
        `printf 'GET / HTTP/1.1\\r\\nHost: a\\r\\nConnection: close\\r\\n\\r\\n' | openssl s_client -connect ${balancer.address}:${port} -servername site.example -ign_eof -tls1_2 ${way} ${session}`,
      );
    t.match((await connect(8003, "-sess_out")).stdout, /HTTP\/1\.1 200/);
    const resumed = await connect(8001, "-sess_in");
    t.notMatch(resumed.stdout, /Reused|HTTP\/1\.1 200/);

    // Another list, and a reload: who has been revoked is out from then on.
    authority.revoke(ann);
    authority.revocations();
    tandem.process.signal("SIGHUP");
    await waitFor(
      "the new list",
      30_000,
      async () => (await ask(8001, ann, "site.example")) === "refused",
      100,
    );
    t.equal((await tandem.stop()).code, 0);
  },
);
