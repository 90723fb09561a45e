import t, { type Test } from "tap";
import { sleep, waitFor } from "../../lab/clock.js";
import { type Network, virtualAddress } from "../../lab/network.js";
import type { Tandem } from "../../lab/tandem.js";
import { newNetwork, startTandemRouter } from "../interop/routers.js";

/** The kernel counts leases in whole seconds, and a busy machine looks late. */
const lateMs = 2500;
/** A node may start late, find the other as master, and take over from it. */
const electionMs = 2 * 3609 + 45_000;

t.jobs = 3;

test("the address is on exactly one node after every event, and the neighbours know where", async (t) => {
  const { network, box1 } = await pair(t);
  await onlyOn(t, network, "lb-box1");

  await box1.stop();
  await onlyOn(t, network, "lb-box2", 10_000);
  let again = startTandemRouter(network, "lb-box1", { priority: 101 });
  await onlyOn(t, network, "lb-box1", electionMs);
  await again.kill();
  await onlyOn(t, network, "lb-box2", electionMs);
  again = startTandemRouter(network, "lb-box1", { priority: 101 });
  await onlyOn(t, network, "lb-box1", electionMs);
  await network.cutLink("lb-box1");
  await onlyOn(t, network, "lb-box2", electionMs);
  await network.restoreLink("lb-box1");
  await onlyOn(t, network, "lb-box1", electionMs);
});

test("a killed master loses the address when its lease is over, partner or not", async (t) => {
  const network = await newNetwork(t);
  const alone = startTandemRouter(network, "lb-box1", { priority: 101 });
  await network.waitForHolder(virtualAddress, "lb-box1", electionMs);
  await alone.kill();
  const leaseMs = 3000;
  await waitFor("the end of the lease", leaseMs + lateMs, async () => {
    return (await network.holdersOf(virtualAddress)).length === 0;
  });
  t.pass("nobody holds it");
});

test("a frozen master loses the address to the kernel before the partner takes over, and stays out of the way when it thaws", async (t) => {
  const { network, box1, box2 } = await pair(t);
  box1.process.signal("SIGSTOP");
  let both = 0;
  await waitFor("the partner's turn", electionMs, async () => {
    const holders = await network.holdersOf(virtualAddress);
    both += holders.length === 2 ? 1 : 0;
    return holders.length === 1 && holders[0] === "lb-box2";
  });
  t.equal(both, 0, "never on both");
  await sleep(1500);
  box1.process.signal("SIGCONT");
  await network.waitForHolder(virtualAddress, "lb-box1", electionMs);
  await sleep(2500);
  t.same(await network.holdersOf(virtualAddress), ["lb-box1"]);
  t.match(last(box2.transitions()), { from: "MASTER", to: "BACKUP" });
});

test("an address that somebody deletes is put back at once, without a transition", async (t) => {
  const { network, box1, box2 } = await pair(t);
  const before = [box1.transitions().length, box2.transitions().length];
  // Of its own and not with the lease's next refresh, which says nothing.
  const putBack = () => box1.log.filter(({ msg }) => String(msg).endsWith(": put back")).length;
  for (let times = 1; times <= 3; times += 1) {
    await network.host("lb-box1").run("ip", "address", "del", `${virtualAddress}/24`, "dev", "eth1");
    await waitFor("it is put back", 10_000, () => putBack() >= times);
    const tookMs = await network.waitForHolder(virtualAddress, "lb-box1", 10_000);
    t.comment(`seen again ${tookMs.toFixed(0)} ms after it was`);
    await sleep(200);
  }
  t.equal(putBack(), 3);
  await sleep(1500);
  t.same([box1.transitions().length, box2.transitions().length], before);
});

test("an address that a dead process left behind is taken over, and given up in the end", async (t) => {
  const network = await newNetwork(t);
  await network.host("lb-box1").run("ip", "address", "add", `${virtualAddress}/24`, "dev", "eth1");
  const tandem = startTandemRouter(network, "lb-box1", { priority: 101 });
  await tandem.waitForTransition("MASTER", electionMs);
  await sleep(1200);
  t.same(await network.holdersOf(virtualAddress), ["lb-box1"]);
  t.equal((await tandem.stop()).code, 0);
  t.same(await network.holdersOf(virtualAddress), []);
});

test("a partition makes two masters, and its end makes one, who announces the address again", async (t) => {
  const { network, box2 } = await pair(t);
  await network.partition("lb-box2");
  await waitFor(
    "two masters",
    electionMs,
    async () => (await network.holdersOf(virtualAddress)).length === 2,
  );
  await network.heal();
  await onlyOn(t, network, "lb-box1", 10_000);
  t.match(last(box2.transitions()), { from: "MASTER", to: "BACKUP" });
});

test("the interface goes away and comes back under another index: fault, then backup, then master", async (t) => {
  const { network, box1 } = await pair(t);
  await network.recreateLink("lb-box1");
  await onlyOn(t, network, "lb-box1", electionMs + 2000);
  const states = box1.transitions().map((entry) => entry.to);
  t.same(states.slice(-3), ["FAULT", "BACKUP", "MASTER"]);
});

test("a node whose interface does not exist yet waits for it", async (t) => {
  const network = await newNetwork(t);
  const host = network.host("lb-box1");
  await host.run("ip", "link", "set", "eth1", "name", "later0", "down");
  const tandem = startTandemRouter(network, "lb-box1", { priority: 101 });
  await tandem.waitForTransition("FAULT", 40_000);
  await host.run("ip", "link", "set", "later0", "name", "eth1", "up");
  await network.waitForHolder(virtualAddress, "lb-box1", electionMs);
  t.equal(tandem.process.exit, null);
});

async function pair(t: Test): Promise<{ network: Network; box1: Tandem; box2: Tandem }> {
  const network = await newNetwork(t);
  const box1 = startTandemRouter(network, "lb-box1", { priority: 101 });
  const box2 = startTandemRouter(network, "lb-box2", { priority: 100 });
  await network.waitForHolder(virtualAddress, "lb-box1", electionMs);
  await box2.waitForTransition("BACKUP", 40_000);
  return { network, box1, box2 };
}

/** The address is there and nowhere else, arping finds one owner, and the client's neighbour table has its MAC. */
async function onlyOn(t: Test, network: Network, name: string, withinMs = 1000): Promise<void> {
  await network.waitForHolder(virtualAddress, name, withinMs);
  await sleep(100);
  const client = network.host("client");
  const mac = (await network.host(name).run("cat", "/sys/class/net/eth1/address")).trim();
  const neighbour = await client.run("ip", "neigh", "show", virtualAddress, "dev", "eth1");
  // Nothing but the announcement has told the client so far; a client that never asked has no entry.
  if (neighbour !== "") t.match(neighbour, mac, `the client's neighbour table says ${name}`);
  // Nobody listens there, but from now on the client has an entry.
  await client.tryRun("curl", "-s", "--max-time", "1", `http://${virtualAddress}:9/`);
  const asked = await client.run("arping", "-c", "2", "-I", "eth1", virtualAddress);
  const answers = [...asked.matchAll(/\[([0-9A-F:]+)\]/g)].map((found) => found[1].toLowerCase());
  t.same([...new Set(answers)], [mac], `arping is answered by ${name} alone`);
  t.same(await network.holdersOf(virtualAddress), [name]);
}

function last<T>(items: readonly T[]): T {
  return items[items.length - 1];
}

/** Buffered, so that tap runs it beside others. */
function test(name: string, body: (t: Test) => Promise<void>): void {
  t.test(name, { buffered: true }, body);
}
