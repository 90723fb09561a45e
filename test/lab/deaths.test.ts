import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t, { type Test } from "tap";
import { AdvertWatch } from "../../lab/adverts.js";
import { sleep, waitFor } from "../../lab/clock.js";
import { type Network, virtualAddress } from "../../lab/network.js";
import { projectRoot } from "../../lab/project-root.js";
import { startTandem, startTandemBy, type Tandem, writeConfiguration } from "../../lab/tandem.js";
import { newNetwork } from "../interop/routers.js";

/** A node may start late, find the other as master, and take over from it. */
const electionMs = 2 * 3609 + 45_000;
const leaseMs = 3000;
/** The kernel counts leases in whole seconds, and a busy machine looks late. */
const lateMs = 2500;

t.jobs = 3;

test("a main thread that blocks loses the address by the kernel's hand, and asserts nothing when it wakes up", async (t) => {
  const { network, box1, box2, sabotage } = await pair(t, ["preempt: false"]);
  const adverts = await AdvertWatch.start(network.host("client"));
  writeFileSync(`${sabotage}.main`, "spin 12000");
  let both = 0;
  const look = async (): Promise<readonly string[]> => {
    const holders = await network.holdersOf(virtualAddress);
    both += holders.length > 1 ? 1 : 0;
    return holders;
  };
  await waitFor("the end of the lease", leaseMs + lateMs, async () => !(await look()).includes("lb-box1"));
  await waitFor("the partner", electionMs, async () => (await look()).join() === "lb-box2");
  const blockedMs = Date.now();
  await box1.process.waitForLine((text) => text.includes("took over while this process did not run"), 40_000);
  t.match(
    box1.log.find(({ msg }) => String(msg).includes("listening before asserting")),
    { level: "warn" },
  );
  for (let looks = 0; looks < 10; looks++) {
    await look();
    await sleep(200);
  }
  t.equal(both, 0, "never on both");
  t.same(await network.holdersOf(virtualAddress), ["lb-box2"]);
  t.same(adverts.from(box1.host.address, blockedMs), [], "it said nothing since");
  t.equal(box2.transitions().at(-1)?.to, "MASTER");
});

test("an error that nobody foresaw in the main thread gives the address away at once", async (t) => {
  const { network, box1, box2, sabotage } = await pair(t);
  writeFileSync(`${sabotage}.main`, "throw");
  await network.waitForHolder(virtualAddress, "lb-box2", electionMs);
  t.equal((await box1.process.exited).code, 70);
  t.match(box2.transitions().at(-1), { to: "MASTER", reason: /gave mastership up/ });
  t.same(await network.holdersOf(virtualAddress), ["lb-box2"]);
});

test("a control thread that dies once is replaced without a move; one that keeps dying costs the mastership until it lives", async (t) => {
  const { network, box1, sabotage } = await pair(t);
  const before = box1.transitions().length;
  const control = `${sabotage}.control`;
  writeFileSync(control, "throw");
  await box1.process.waitForLine((text) => text.includes("control thread works again"), 40_000);
  t.equal(box1.transitions().length, before, "no transition");
  writeFileSync(`${control}.always`, "");
  writeFileSync(control, "throw");
  await network.waitForHolder(virtualAddress, "lb-box2", electionMs);
  t.match(
    box1.log.findLast(({ event }) => event === "vrrp-priority"),
    { to: 96, reason: /the control thread/ },
  );
  rmSync(`${control}.always`);
  await network.waitForHolder(virtualAddress, "lb-box1", electionMs);
  t.equal(box1.process.exit, null, "the same process all the while");
});

interface Pair {
  readonly network: Network;
  readonly box1: Tandem;
  readonly box2: Tandem;
  /** What makes lb-box1's threads obey: see sabotage.mjs. */
  readonly sabotage: string;
}

/** VRRP alone; the first one is master. */
async function pair(t: Test, lines: readonly string[] = []): Promise<Pair> {
  const network = await newNetwork(t);
  const sabotage = join(network.scratch, "sabotage");
  const hook = join(projectRoot, "test", "unit", "process", "sabotage.mjs");
  const environment = ["env", `NODE_OPTIONS=--import=${hook}`, `SABOTAGE=${sabotage}`];
  const [one, other] = [network.host("lb-box1"), network.host("lb-box2")];
  const flags = (host: typeof one, priority: number): string[] => [
    "--config",
    writeConfiguration(network, host, configuration(priority, lines)),
  ];
  const box1 = startTandemBy(environment, network, one, ...flags(one, 101));
  await network.waitForHolder(virtualAddress, "lb-box1", electionMs);
  const box2 = startTandem(network, other, ...flags(other, 100));
  await box2.waitForTransition("BACKUP", 40_000);
  await sleep(1500);
  return { network, box1, box2, sabotage };
}

function configuration(priority: number, lines: readonly string[]): string {
  return `vrrp:
  VI_1:
    interface: eth1
    virtual_router_id: 51
    priority: ${priority}
    virtual_ipaddress: ${virtualAddress}/24
${lines.map((line) => `    ${line}\n`).join("")}`;
}

/** Buffered, so that tap runs it beside others. */
function test(name: string, body: (t: Test) => Promise<void>): void {
  t.test(name, { buffered: true }, body);
}
