import t, { type Test } from "tap";
import { Capture } from "../../lab/capture.js";
import { sleep, waitFor } from "../../lab/clock.js";
import { startTandemRouter } from "../../lab/interop/tandem-router.js";
import { startKeepalived } from "../../lab/keepalived.js";
import { demoPlan, type Host, Network, virtualAddress } from "../../lab/network.js";

const plan = demoPlan.filter((host) => !host.name.startsWith("web"));
const fast = { version: 3, advertInterval: 0.1 } as const;

async function newNetwork(test: Test): Promise<Network> {
  const network = await Network.create(plan);
  test.teardown(() => network.close());
  return network;
}

/** Everything that a master has, as `ip` and `nft` show it. */
async function belongings(host: Host): Promise<string> {
  const shown = await Promise.all([
    host.run("ip", "-o", "address"),
    host.run("ip", "route", "show", "table", "all"),
    host.run("ip", "rule"),
    host.run("nft", "list", "tables"),
  ]);
  return shown.join("\n");
}

/** What a connection to a port of the address meets on which nobody listens. */
async function answer(client: Host): Promise<"refused" | "silence" | number> {
  const { code } = await client.tryRun("curl", "-s", "-m", "3", `http://${virtualAddress}:9/`);
  return code === 7 ? "refused" : code === 28 ? "silence" : code;
}

/** What an ARP request is answered with. */
function whoHas(client: Host): Promise<string> {
  return client.run("arping", "-c", "1", "-w", "3", "-I", "eth1", virtualAddress);
}

function neighbour(client: Host): Promise<string> {
  return client.run("ip", "neighbour", "show", virtualAddress);
}

t.test("addresses elsewhere, routes, rules and accept: false come and go with mastership", async (t) => {
  const network = await newNetwork(t);
  const host = network.host("lb-box1");
  await host.run("ip", "link", "add", "eth2", "type", "veth", "peer", "name", "eth2p");
  await host.run("ip", "link", "set", "eth2", "up");
  await host.run("ip", "link", "set", "eth2p", "up");
  const tandem = startTandemRouter(network, "lb-box1", {
    ...fast,
    priority: 101,
    addresses: [`${virtualAddress}/24 label eth1:vip`],
    extra: [
      'virtual_ipaddress_excluded: ["10.55.0.1/24 dev eth2 scope link", "fd00:33::84/64"]',
      'virtual_routes: ["10.66.0.0/16 via 192.168.33.10 dev eth1 metric 7", "blackhole 10.67.0.0/16 table 100"]',
      "virtual_rules: from 192.168.33.84 table 100 priority 99",
      "accept: false",
    ],
  });
  const ours = {
    "the address, with its label": /eth1\s+inet 192\.168\.33\.84\/24 .*eth1:vip/,
    "an address on another interface, with its scope": /eth2\s+inet 10\.55\.0\.1\/24 scope link/,
    "an excluded address of the other family": /eth1\s+inet6 fd00:33::84\/64/,
    "a route": /10\.66\.0\.0\/16 via 192\.168\.33\.10 dev eth1 proto (keepalived|18) metric 7/,
    "a blackhole in a table": /blackhole 10\.67\.0\.0\/16 table 100/,
    "a rule": /99:\s+from 192\.168\.33\.84 lookup 100/,
    "a packet filter": /table inet lb_no_accept_VI_1/,
  };
  await tandem.waitForTransition("MASTER", 40_000);
  await waitFor("everything", 30_000, async () => {
    const shown = await belongings(host);
    return Object.values(ours).every((pattern) => pattern.test(shown));
  }).catch(() => undefined);
  const asMaster = await belongings(host);
  for (const [what, pattern] of Object.entries(ours)) t.match(asMaster, pattern, what);

  t.equal(await answer(network.host("client")), "silence", "the address takes no packets");
  t.match(
    await neighbour(network.host("client")),
    /lladdr/,
    "and yet it answers ARP: it may be routed through",
  );

  await host.run("ip", "address", "delete", "10.55.0.1/24", "dev", "eth2");
  await host.run("ip", "route", "delete", "10.66.0.0/16");
  await waitFor("what somebody removed is put back", 30_000, async () => {
    const shown = await belongings(host);
    return shown.includes("10.55.0.1/24") && shown.includes("10.66.0.0/16");
  });

  await tandem.stop();
  const afterwards = await belongings(host);
  for (const [what, pattern] of Object.entries(ours)) t.notMatch(afterwards, pattern, `${what} is gone`);
});

t.test(
  "no_track leaves removed things alone until the next mastership, and brd is what it says",
  async (t) => {
    const network = await newNetwork(t);
    const host = network.host("lb-box1");
    const tandem = startTandemRouter(network, "lb-box1", {
      ...fast,
      priority: 101,
      addresses: [`${virtualAddress}/24 brd +`, "192.168.33.86/24 brd 192.168.33.127 no_track"],
      extra: [
        "virtual_routes: 10.66.0.0/16 via 192.168.33.10 dev eth1 no_track",
        "virtual_rules: from 192.168.33.84 table 100 priority 99 no_track",
      ],
    });
    await tandem.waitForTransition("MASTER", 40_000);
    const all = [
      /33\.84\/24 brd 192\.168\.33\.255/,
      /33\.86\/24 brd 192\.168\.33\.127/,
      /10\.66\.0\.0\/16/,
      /99:\s+from/,
    ];
    const hasAll = async (): Promise<boolean> => {
      const shown = await belongings(host);
      return all.every((pattern) => pattern.test(shown));
    };
    await waitFor("everything", 30_000, hasAll);

    await host.run("ip", "address", "delete", "192.168.33.86/24", "dev", "eth1");
    await host.run("ip", "route", "delete", "10.66.0.0/16");
    await host.run("ip", "rule", "delete", "priority", "99");
    await host.run("ip", "address", "delete", `${virtualAddress}/24`, "dev", "eth1");
    await network.waitForHolder(virtualAddress, "lb-box1", 40_000);
    // Two refreshes of the lease.
    await sleep(2500);
    const shown = await belongings(host);
    t.match(shown, all[0], "what is tracked is back");
    for (const pattern of all.slice(1)) t.notMatch(shown, pattern, "what is not tracked stays away");
    t.same(
      tandem.transitions().map(({ to }) => to),
      ["BACKUP", "MASTER"],
      "and nothing of it ends mastership",
    );

    await host.run("ip", "link", "set", "eth1", "down");
    await tandem.waitForTransition("FAULT", 40_000);
    await host.run("ip", "link", "set", "eth1", "up");
    await waitFor("everything, with the next mastership", 30_000, hasAll);
  },
);

t.test(
  "vmac_xmit_base: adverts have the interface's own MAC, the address the virtual router's",
  async (t) => {
    const network = await newNetwork(t);
    const host = network.host("lb-box1");
    const client = network.host("client");
    const capture = await Capture.start(network, client, "ip proto 112");
    const options = { ...fast, useVmac: true, addresses: [`${virtualAddress}/24`] };
    const keepalived = { ...options, priority: 100, extra: ["vmac_xmit_base"] };
    startKeepalived(network, network.host("lb-box2"), keepalived);
    const tandem = startTandemRouter(network, "lb-box1", {
      ...options,
      priority: 101,
      extra: ["vmac_xmit_base: true"],
    });
    await tandem.waitForTransition("MASTER", 40_000);
    await network.waitForHolder(virtualAddress, "lb-box1", 40_000);
    await sleep(1000);
    t.match(await whoHas(client), /00:00:5e:00:01:33/i);
    t.equal(await answer(client), "refused", "it answers");
    await tandem.stop();
    await network.waitForHolder(virtualAddress, "lb-box2", 40_000);
    t.match(await whoHas(client), /00:00:5e:00:01:33/i);

    const adverts = await capture.fields(["eth.src", "vrrp.prio"], "ip.src == 192.168.33.80");
    t.ok(adverts.length > 5, `${adverts.length} adverts`);
    const own = /link\/ether (\S+)/.exec(await host.run("ip", "link", "show", "dev", "eth1"))?.[1];
    t.same([...new Set(adverts.map((advert) => advert["eth.src"]))], [own]);
  },
);

t.test("unicast_ttl is what a peer with min_ttl and max_ttl meets, here and in keepalived", async (t) => {
  const network = await newNetwork(t);
  const capture = await Capture.start(network, network.host("lb-box2"), "ip proto 112");
  const keepalived = {
    priority: 100,
    unicastPeer: "192.168.33.80 min_ttl 60 max_ttl 64",
    extra: ["unicast_ttl 200"],
  };
  startKeepalived(network, network.host("lb-box2"), keepalived);
  const tandem = startTandemRouter(network, "lb-box1", {
    priority: 101,
    unicastPeer: "192.168.33.81 min_ttl 201",
    extra: ["unicast_ttl: 64"],
  });
  await tandem.waitForTransition("MASTER", 40_000);
  await network.waitForHolder(virtualAddress, "lb-box1", 40_000);
  await sleep(4500);
  t.same(await network.holdersOf(virtualAddress), ["lb-box1"], "keepalived takes adverts with TTL 64");
  await tandem.stop();
  await network.waitForHolder(virtualAddress, "lb-box2", 40_000);
  const again = startTandemRouter(network, "lb-box1", {
    priority: 99,
    unicastPeer: "192.168.33.81 min_ttl 201",
    extra: ["unicast_ttl: 64"],
  });
  await again.process.waitForLine((text) => text.includes("its TTL is 200, and 201 to 255 is taken"), 40_000);
  const ttls = await capture.fields(["ip.ttl"], "vrrp");
  t.same([...new Set(ttls.map((sent) => sent["ip.ttl"]))].sort(), ["200", "64"]);
});

t.test(
  "use_vmac: adverts and addresses have the virtual router's MAC, with keepalived on the other side",
  async (t) => {
    const network = await newNetwork(t);
    const host = network.host("lb-box1");
    const client = network.host("client");
    const capture = await Capture.start(network, client, "ip proto 112");
    const options = { ...fast, useVmac: true, addresses: [`${virtualAddress}/24`] };
    startKeepalived(network, network.host("lb-box2"), { ...options, priority: 100 });
    const tandem = startTandemRouter(network, "lb-box1", { ...options, priority: 101 });
    await tandem.waitForTransition("MASTER", 40_000);
    await network.waitForHolder(virtualAddress, "lb-box1", 40_000);
    await sleep(1000);

    t.match(
      await host.run("ip", "-d", "link", "show", "vrrp.51"),
      /00:00:5e:00:01:33[\s\S]*macvlan mode private/,
    );
    t.match(await host.run("ip", "address", "show", "dev", "vrrp.51"), /192\.168\.33\.84/);
    t.equal((await host.run("cat", "/proc/sys/net/ipv4/conf/eth1/arp_ignore")).trim(), "1");
    t.equal(await answer(client), "refused", "it answers");
    t.match(await whoHas(client), /00:00:5e:00:01:33/i);

    await tandem.stop();
    await network.waitForHolder(virtualAddress, "lb-box2", 40_000);
    t.equal(await answer(client), "refused", "keepalived answers");
    t.match(await whoHas(client), /00:00:5e:00:01:33/i);
    t.not((await host.tryRun("ip", "link", "show", "vrrp.51")).code, 0, "the macvlan is gone");
    t.equal(
      (await host.run("cat", "/proc/sys/net/ipv4/conf/eth1/arp_ignore")).trim(),
      "0",
      "as it was before",
    );

    const adverts = await capture.fields(["eth.src", "vrrp.prio"], "ip.src == 192.168.33.80");
    t.ok(adverts.length > 5, `${adverts.length} adverts`);
    t.same([...new Set(adverts.map((advert) => advert["eth.src"]))], ["00:00:5e:00:01:33"]);
    t.equal(adverts.at(-1)?.["vrrp.prio"], "0", "the last one says goodbye");
  },
);
