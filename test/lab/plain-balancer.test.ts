import t, { type Test } from "tap";
import { startSmallBackend } from "../../lab/backend.js";
import { waitFor } from "../../lab/clock.js";
import { type Host, Network } from "../../lab/network.js";
import { startTandem, startTandemBy, type Tandem, writeConfiguration } from "../../lab/tandem.js";

t.test(
  "--no-vrrp balances on unprivileged ports without any capability, and SIGTERM ends it with 0",
  async (t) => {
    const { network, host } = await lab(t);
    for (const name of ["web-box1", "web-box2"]) await startSmallBackend(network, network.host(name));
    const flags = ["--no-vrrp", "--threads", "1", "--listen", ":8080", "--admin", "127.0.0.1:8404"];
    const tandem = withoutCapabilities(network, host, ...flags);
    const client = network.host("client");
    const ask = (): ReturnType<Host["tryRun"]> =>
      client.tryRun("curl", "-sS", "--fail", `http://${host.address}:8080/`);
    await waitFor("an answer", 30_000, async () => (await ask()).code === 0, 100);
    const pages = [(await ask()).stdout, (await ask()).stdout].sort();
    t.same(pages, ["hello from web-box1\n", "hello from web-box2\n"]);
    const info = await waitFor(
      "the stats socket",
      30_000,
      () => tandem.ask("show info").catch(() => null),
      100,
    );
    t.match(info, /^Name: /);
    t.equal((await tandem.stop()).code, 0);
  },
);

t.test("VRRP without the capability for it ends with exit code 4 and says what is needed", async (t) => {
  const { network, host } = await lab(t);
  const tandem = withoutCapabilities(network, host, "--priority", "101", "--no-proxy");
  const exit = await tandem.process.exited;
  t.equal(exit.code, 4);
  t.match(tandem.process.tail(), /CAP_NET_RAW|CAP_NET_ADMIN|root/);
});

t.test("a configuration with an error ends with exit code 2 and names file, line and column", async (t) => {
  const { network, host } = await lab(t);
  const file = writeConfiguration(network, host, "vrrp:\n  VI_1:\n    interface: eth1\n    priority: 999\n");
  const tandem = startTandem(network, host, "--config", file);
  const exit = await tandem.process.exited;
  t.equal(exit.code, 2);
  t.ok(tandem.process.tail().includes(`${file}:4:15`), tandem.process.tail());
});

t.test("a configuration file that is not there ends with exit code 6", async (t) => {
  const { network, host } = await lab(t);
  const tandem = startTandem(network, host, "--config", "/nowhere/lb.yaml");
  t.equal((await tandem.process.exited).code, 6);
});

t.test("a port that is taken ends with exit code 1 and says which", async (t) => {
  const { network, host } = await lab(t);
  await startSmallBackend(network, host);
  const tandem = startTandem(network, host, "--no-vrrp", "--listen", ":80", "--admin", "127.0.0.1:8404");
  t.equal((await tandem.process.exited).code, 1);
  t.match(tandem.process.tail(), /:80\b/);
});

async function lab(t: Test): Promise<{ network: Network; host: Host }> {
  const network = await Network.create();
  t.teardown(() => network.close());
  return { network, host: network.host("lb-box1") };
}

/** root's name without root's powers: what a service of an ordinary user has, wherever this clone lies. */
function withoutCapabilities(network: Network, host: Host, ...flags: string[]): Tandem {
  const drop = ["--inh-caps=-all", "--ambient-caps=-all", "--bounding-set=-all"];
  return startTandemBy(["setpriv", ...drop], network, host, ...flags);
}
