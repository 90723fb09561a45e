import { writeFileSync } from "node:fs";
import { join } from "node:path";
import t, { type Test } from "tap";
import { startNginx } from "../../lab/backend.js";
import { waitFor } from "../../lab/clock.js";
import { type Host, Network } from "../../lab/network.js";
import { startTandem, writeConfiguration } from "../../lab/tandem.js";

/** nginx says whom the header names, and whom X-Forwarded-For. */
const nginxWords = `listen 81 proxy_protocol;
    location /who { return 200 "$proxy_protocol_addr $proxy_protocol_server_port $http_x_forwarded_for\\n"; }`;

async function startHaproxy(network: Network, host: Host, words: string): Promise<void> {
  const file = join(network.scratch, `${host.name}-haproxy.cfg`);
  writeFileSync(
    file,
    `defaults
  mode http
  timeout connect 2s
  timeout client 5s
  timeout server 5s
${words}`,
  );
  const child = host.spawn("haproxy", "haproxy", "-db", "-f", file);
  const [, port] = /bind \S+:(\d+)/.exec(words) ?? [];
  await waitFor("HAProxy", 30_000, async () => {
    if (child.exit !== null) throw new Error(child.tail());
    return (await host.run("ss", "-Hltn", `sport = ${port}`)) !== "";
  });
}

async function lab(t: Test) {
  const network = await Network.create();
  t.teardown(() => network.close());
  const [web1, balancer, other, client] = ["web-box1", "lb-box1", "lb-box2", "client"].map((name) =>
    network.host(name),
  );
  await startNginx(network, web1, nginxWords);
  const ask = async (host: Host, port: number, ...flags: string[]): Promise<string> =>
    (
      await client.run("curl", "-sS", "--fail", "-m", "20", ...flags, `http://${host.address}:${port}/who`)
    ).trim();
  return { network, web1, balancer, other, client, ask };
}

for (const engine of ["direct", "portable"]) {
  t.test(`curl, HAProxy and nginx agree with the ${engine} engine on both versions, both ways`, async (t) => {
    const { network, web1, balancer, other, client, ask } = await lab(t);
    // HAProxy as the receiver, over IPv6, and as the sender to Tandem.
    await startHaproxy(
      network,
      balancer,
      `frontend receiver
  bind [::1]:9000 accept-proxy
  http-request return status 200 content-type text/plain lf-string "%[src]:%[dst_port]"
`,
    );
    const senders = [1, 2].map(
      (version) => `listen sender${version}
  bind *:${9000 + version}
  server tandem ${balancer.address}:8081 send-proxy${version === 2 ? "-v2" : ""} check inter 200
`,
    );
    await startHaproxy(network, other, senders.join(""));
    const server = (address: string, word: string): string =>
      `servers: { web: { address: "${address}", ${word}: true, check: { inter: 200ms } } }`;
    const file = writeConfiguration(
      network,
      balancer,
      `engine: ${engine}
threads: 1
proxies:
  in: { bind: { address: "*:8081", accept_proxy: true }, servers: { web: "${web1.address}:80" } }
  v1: { bind: "*:8001", http_check: { uri: /who }, ${server(`${web1.address}:81`, "send_proxy")} }
  v2: { bind: "*:8002", http_check: { uri: /who }, ${server(`${web1.address}:81`, "send_proxy_v2")} }
  tcp: { bind: "*:8003", mode: tcp, ${server(`${web1.address}:81`, "send_proxy_v2")} }
  haproxy1: { bind: "*:8004", http_check: { uri: / }, ${server("[::1]:9000", "send_proxy")} }
  haproxy2: { bind: "*:8005", http_check: { uri: / }, ${server("[::1]:9000", "send_proxy_v2")} }
  chain:
    bind: { address: "*:8006", accept_proxy: true }
    mode: tcp
    ${server(`${web1.address}:81`, "send_proxy")}
`,
    );
    const tandem = startTandem(network, balancer, "--config", file);
    await waitFor("the stats socket", 30_000, () => tandem.ask("show info").catch(() => null), 100);

    const { address } = client;
    t.equal(await ask(balancer, 8081, "--haproxy-protocol"), address, "curl names itself");
    t.equal(
      (await client.tryRun("curl", "-sS", "-m", "20", `http://${balancer.address}:8081/`)).code,
      52,
      "none",
    );
    // Its checks have seen nobody there until now.
    for (const port of [9001, 9002])
      await waitFor(`HAProxy's check of ${port}`, 30_000, () => ask(other, port).catch(() => null), 100);
    for (const port of [9001, 9002]) t.equal(await ask(other, port), address, "HAProxy names its client");
    // HAProxy adds no X-Forwarded-For here: what nginx saw was Tandem's, made of the header.
    for (const port of [8001, 8002])
      t.equal(
        await ask(balancer, port),
        `${address} ${port} ${address}`,
        "nginx is told, and so is the request",
      );
    t.equal(await ask(balancer, 8003), `${address} 8003`, "mode tcp");
    for (const port of [8004, 8005])
      t.equal(await ask(balancer, port), `${address}:${port}`, "HAProxy is told");
    t.equal(await ask(balancer, 8006, "--haproxy-protocol"), `${address} 8006`, "what was told is told on");
    for (const proxy of ["v1", "v2", "tcp", "haproxy1", "haproxy2"])
      t.match(await tandem.statRow(proxy, "web"), { status: "UP" }, `${proxy}'s checks pass`);
    t.equal((await tandem.stop()).code, 0);
  });
}
