import { writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { startNginx } from "../../lab/backend.js";
import { nowMs, sleep, waitFor } from "../../lab/clock.js";
import { demoPlan, type Network, virtualAddress } from "../../lab/network.js";
import { Probe } from "../../lab/probe.js";
import { startTandem, type Tandem, writeConfiguration } from "../../lab/tandem.js";
import { newNetwork } from "../interop/routers.js";

/** A node may start late, find the other as master, and take over from it. */
const electionMs = 2 * 3609 + 45_000;

/** What a file says besides the proxy and the two instances that are always there. */
interface Words {
  /** On top of VI_1's priority on lb-box1; half of it on lb-box2. */
  readonly more: number;
  /** Of VI_1. */
  readonly lines: readonly string[];
  readonly sections: string;
  /** A third instance. */
  readonly added: boolean;
}

t.test("twenty reloads of VRRP under load: no request fails, and nobody moves that need not", async (t) => {
  const network = await newNetwork(t, demoPlan);
  for (const name of ["web-box1", "web-box2"]) await startNginx(network, network.host(name));
  const box1 = startFile(network, "lb-box1");
  const box2 = startFile(network, "lb-box2");
  await network.waitForHolder(virtualAddress, "lb-box1", electionMs);
  await network.waitForHolder("192.168.33.86", "lb-box2", electionMs);
  const probe = Probe.start(network.host("client"));
  await probe.waitForService(30_000);
  const startMs = nowMs();
  const movesBefore = [box1, box2].map(moves);
  const flag = join(network.scratch, "flag");
  writeFileSync(flag, "");
  const script = `vrrp_script: { check: { script: "/usr/bin/test -e ${flag}", interval: 100ms, timeout: 5s } }\n`;
  const rounds: readonly { readonly what: string; readonly words: Partial<Words> }[] = [
    { what: "other priorities", words: { more: 20 } },
    { what: "an address more", words: { lines: ["virtual_ipaddress_excluded: 192.168.33.85/24"] } },
    {
      what: "a script that counts as a fault",
      words: { lines: ["track_script: check", "garp_master_refresh: 30s"], sections: script },
    },
    {
      what: "other words of one instance",
      words: { lines: ["preempt: false", "lease: 2s", "notify: /bin/true"] },
    },
    { what: "an instance more", words: { added: true } },
  ];
  let reloads = 0;
  for (let round = 0; round < 2; round++) {
    for (const { what, words } of rounds) {
      t.comment(what);
      // The backup first: it goes on hearing a master that has not been reloaded yet.
      await reload(network, box2, words);
      await reload(network, box1, words);
      reloads += 2;
      const holds = (address: string, name: string | null): Promise<unknown> =>
        waitFor(`${address} on ${name}`, electionMs, async () => {
          return (await network.holdersOf(address)).join() === (name ?? "");
        });
      await holds("192.168.33.85", what === "an address more" ? "lb-box1" : null);
      await holds("192.168.33.87", what === "an instance more" ? "lb-box1" : null);
    }
  }
  const seen = await probe.summary(startMs, nowMs());
  await probe.stop();
  t.comment(JSON.stringify(seen));
  t.equal(reloads, 20);
  for (const stream of [seen.new, seen.kept]) {
    t.ok(stream.requests > 100, `${stream.requests} requests`);
    t.same(stream.failures, {});
  }
  t.same([box1, box2].map(moves), movesBefore, "the two instances that stayed made no transition");
  if (!t.passing()) {
    for (const { host, process } of [box1, box2])
      for (const { atMs, text } of process.lines) console.error(host.name, atMs.toFixed(1), text);
  }
  t.same(await network.holdersOf(virtualAddress), ["lb-box1"]);
  t.same(await network.holdersOf("192.168.33.86"), ["lb-box2"]);

  await t.test("an instance that is taken out goes with priority 0", async (t) => {
    await reload(network, box1, {});
    await network.waitForHolder("192.168.33.87", "lb-box2", electionMs);
    const gone = box1.log.filter(({ instance, to }) => instance === "VI_3" && to === "INIT");
    t.match(gone.at(-1), { reason: "taken out by a reload" });
    const taken = box2.log.filter(({ instance, to }) => instance === "VI_3" && to === "MASTER");
    t.match(taken.at(-1), { reason: /gave mastership up/ });
  });

  await t.test("a priority that is below the partner's now is a takeover", async () => {
    await reload(network, box1, { more: -60 });
    await network.waitForHolder(virtualAddress, "lb-box2", electionMs);
  });

  await t.test("a file that is not valid changes nothing", async (t) => {
    const before = moves(box2);
    writeConfiguration(network, box2.host, "vrrp: { VI_1: { interface: eth1, virtual_router_id: 999 } }\n");
    box2.process.signal("SIGHUP");
    await box2.process.waitForLine((text) => text.includes("nothing was changed"), 40_000);
    t.same(await network.holdersOf(virtualAddress), ["lb-box2"]);
    t.equal(moves(box2), before);
  });
});

t.test(
  "twenty reloads of proxies, servers, listeners and addresses: of 10,000 requests none fails",
  async (t) => {
    const network = await newNetwork(t, demoPlan);
    for (const name of ["web-box1", "web-box2"]) await startNginx(network, network.host(name));
    const host = network.host("lb-box1");
    const write = (more: readonly string[], servers: string, address: string): string =>
      writeConfiguration(
        network,
        host,
        `vrrp:
  VI_1:
    interface: eth1
    virtual_router_id: 51
    virtual_ipaddress: ${virtualAddress}/24
    virtual_ipaddress_excluded: ${address}
proxies:
  http:
    bind: ["${virtualAddress}:80"${more.map((bind) => `, "${bind}"`).join("")}]
    default_server: { check: { inter: 500ms } }
    servers: { ${servers} }
  ${more.length > 0 ? `other: { bind: "${virtualAddress}:9090", servers: { web02: "192.168.33.69:80" } }` : ""}
threads: 2
`,
      );
    const web01 = 'web01: "192.168.33.68:80"';
    const both = `${web01}, web02: "192.168.33.69:80"`;
    const box = startTandem(network, host, "--config", write([], both, "192.168.33.85/24"));
    await network.waitForHolder(virtualAddress, "lb-box1", electionMs);
    const probe = Probe.start(network.host("client"), { everyMs: 2 });
    await probe.waitForService(30_000);
    const startMs = nowMs();
    const reloads = (): number => box.log.filter(({ msg }) => msg === "reloaded").length;
    for (let reload = 1; reload <= 20; reload++) {
      const isOdd = reload % 2 === 1;
      write(
        isOdd ? [`${virtualAddress}:8080`, "192.168.33.85:80"] : [],
        reload % 4 < 2 ? web01 : both,
        isOdd ? "192.168.33.86/24" : "192.168.33.85/24",
      );
      box.process.signal("SIGHUP");
      await waitFor(`reload ${reload}`, 30_000, () => reloads() >= reload);
      await sleep(300);
    }
    await waitFor("10,000 requests", 120_000, async () => {
      const seen = await probe.summary(startMs, nowMs());
      return seen.new.requests + seen.kept.requests >= 10_000;
    });
    const seen = await probe.summary(startMs, nowMs());
    await probe.stop();
    t.comment(`${seen.new.requests} + ${seen.kept.requests} requests`);
    for (const stream of [seen.new, seen.kept]) t.same(stream.failures, {});
    t.same(
      box.transitions().map(({ to }) => to),
      ["BACKUP", "MASTER"],
      "and mastership was not touched",
    );
  },
);

function configuration(name: string, { more = 0, lines = [], sections = "", added }: Partial<Words>): string {
  const isFirst = name === "lb-box1";
  const instance = (called: string, id: number, priority: number, last: number): string => `  ${called}:
    interface: eth1
    virtual_router_id: ${id}
    priority: ${priority}
    virtual_ipaddress: 192.168.33.${last}/24
`;
  return `vrrp:
${instance("VI_2", 52, isFirst ? 100 : 110, 86)}${added === true ? instance("VI_3", 53, isFirst ? 110 : 100, 87) : ""}${instance("VI_1", 51, isFirst ? 110 + more : 100 + more / 2, 84)}${lines.map((line) => `    ${line}\n`).join("")}${sections}proxies:
  http:
    bind: "${virtualAddress}:80"
    servers: { web01: "192.168.33.68:80", web02: "192.168.33.69:80" }
`;
}

function startFile(network: Network, name: "lb-box1" | "lb-box2"): Tandem {
  const host = network.host(name);
  return startTandem(network, host, "--config", writeConfiguration(network, host, configuration(name, {})));
}

async function reload(network: Network, box: Tandem, words: Partial<Words>): Promise<void> {
  writeConfiguration(network, box.host, configuration(box.host.name, words));
  const isDone = (): number => box.log.filter(({ msg }) => msg === "reloaded").length;
  const before = isDone();
  box.process.signal("SIGHUP");
  await waitFor(`${box.host.name} reloaded`, 30_000, () => isDone() > before);
}

/** How often the two that stay have moved. */
function moves(box: Tandem): number {
  return box.transitions().filter(({ instance }) => instance === "VI_1" || instance === "VI_2").length;
}
