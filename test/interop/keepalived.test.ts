import t, { type Test } from "tap";
import { AdvertWatch, type SeenAdvert } from "../../lab/adverts.js";
import { sleep, waitFor } from "../../lab/clock.js";
import { Keepalived } from "../../lab/keepalived.js";
import { type Network, virtualAddress } from "../../lab/network.js";
import { Tandem } from "../../lab/tandem.js";
import {
  type Implementation,
  newNetwork,
  type Router,
  type RouterOptions,
  startRouter,
  startTandemRouter,
} from "./routers.js";

/** RFC 3768 §6.1 for priority 100: (256 − 100) / 256 s. */
const skewMs = 609;
const masterDownMs = 3000 + skewMs;
/** What a busy machine may add to a timer, on either side. */
const lateMs = 1000;
/** A node starts late, finds another master, and takes over from it. */
const electionMs = 2 * masterDownMs + 45_000;

// The tests wait more than they work.
t.jobs = 3;

for (const [one, other] of [
  ["tandem", "keepalived"],
  ["keepalived", "tandem"],
] as const) {
  test(`${one} with the higher priority takes over from a living ${other}, which steps down`, async (t) => {
    const { network, watch, start, address } = await scene(t);
    start(other, "lb-box2", { priority: 100 });
    await network.waitForHolder(virtualAddress, "lb-box2", electionMs);

    start(one, "lb-box1", { priority: 101 });
    await network.waitForHolder(virtualAddress, "lb-box1", electionMs);

    // After the first advert of the higher priority there is one master, and it stays so.
    await sleep(2500);
    const first = watch.from(address("lb-box1"))[0];
    t.same(await network.holdersOf(virtualAddress), ["lb-box1"]);
    t.same(
      watch.from(address("lb-box2"), first.epochMs + lateMs),
      [],
      "the lower priority is silent afterwards",
    );
    t.ok(watch.from(address("lb-box1")).length >= 3);
  });

  test(`${one} says priority 0 when it is stopped, and ${other} takes over after its skew time`, async (t) => {
    const { network, watch, start, address } = await scene(t);
    const master = start(one, "lb-box1", { priority: 101 });
    await network.waitForHolder(virtualAddress, "lb-box1", electionMs);
    await listening(start(other, "lb-box2", { priority: 100 }));

    await master.stop();
    await network.waitForHolder(virtualAddress, "lb-box2", 10_000);

    const goodbye = watch.from(address("lb-box1")).at(-1);
    const next = await firstAfter(watch, address("lb-box2"), goodbye?.epochMs ?? 0);
    t.equal(goodbye?.priority, 0);
    between(t, next.epochMs - (goodbye?.epochMs ?? 0), skewMs - 20, skewMs + lateMs);
  });

  test(`${one} is killed, and ${other} takes over after the master-down interval`, async (t) => {
    const { network, watch, start, address } = await scene(t);
    const master = start(one, "lb-box1", { priority: 101 });
    await network.waitForHolder(virtualAddress, "lb-box1", electionMs);
    await listening(start(other, "lb-box2", { priority: 100 }));

    const killedMs = Date.now();
    await master.kill();
    const next = await firstAfter(watch, address("lb-box2"), killedMs);
    // By now the capture has told of it.
    const last = watch.from(address("lb-box1")).at(-1);

    between(t, next.epochMs - (last?.epochMs ?? 0), masterDownMs - 20, masterDownMs + lateMs);
    // keepalived leaves the address on the dead node; Tandem's lease has run out before the partner takes over.
    const expected = one === "tandem" ? ["lb-box2"] : ["lb-box1", "lb-box2"];
    const holders = () => network.holdersOf(virtualAddress);
    await waitFor("the address", 10_000, async () => (await holders()).includes("lb-box2"));
    t.same((await holders()).sort(), expected);
  });

  test(`${one} and ${other} understand each other's password`, async (t) => {
    const { network, watch, start, address } = await scene(t);
    start(one, "lb-box1", { priority: 101, password: "k@l" });
    await network.waitForHolder(virtualAddress, "lb-box1", electionMs);
    await listening(start(other, "lb-box2", { priority: 100, password: "k@l" }));
    await sleep(masterDownMs + lateMs);
    t.same(await network.holdersOf(virtualAddress), ["lb-box1"]);
    t.same(watch.from(address("lb-box2")), [], "the lower priority never became master");
  });

  test(`${one} that owns the address (priority 255) is master at once, over a living ${other}`, async (t) => {
    const { network, start } = await scene(t);
    start(other, "lb-box2", { priority: 254 });
    await network.waitForHolder(virtualAddress, "lb-box2", electionMs);

    const owner = start(one, "lb-box1", { priority: 255 });
    await network.waitForHolder(virtualAddress, "lb-box1", electionMs);
    if (owner instanceof Tandem)
      t.same(
        owner.transitions().map((entry) => entry.to),
        ["MASTER"],
        "it has never been a backup",
      );
    await sleep(1500);
    t.same(await network.holdersOf(virtualAddress), ["lb-box1"]);
  });

  test(`${one} without preemption leaves a living ${other} of lower priority in peace`, async (t) => {
    const { network, watch, start, address } = await scene(t);
    start(other, "lb-box2", { priority: 100 });
    await network.waitForHolder(virtualAddress, "lb-box2", electionMs);
    await listening(start(one, "lb-box1", { priority: 101, preempt: false }));
    await sleep(masterDownMs + lateMs);
    t.same(await network.holdersOf(virtualAddress), ["lb-box2"]);
    t.same(watch.from(address("lb-box1")), []);
  });
}

test("two masters because of different passwords: Tandem says so, with the other's address and what to do", async (t) => {
  const { network, start } = await scene(t);
  const tandem = startTandemRouter(network, "lb-box1", { priority: 101, password: "one" });
  start("keepalived", "lb-box2", { priority: 100, password: "other" });
  await waitFor("two masters", electionMs, async () => {
    return (await network.holdersOf(virtualAddress)).length === 2;
  });
  await sleep(2500);
  const drops = tandem.log.filter((entry) => entry.event === "vrrp-drop");
  t.equal(drops.length, 1, "one line for the same reason, however many adverts");
  t.match(drops[0], { reason: "auth-data", source: "192.168.33.81" });
  t.match(String(drops[0]?.msg), /password.*set the same auth_pass on both.*both routers may be master/);
});

// keepalived has the higher priority: since 2.3 it takes such adverts, and would give way as the lower one.
test("different address lists: two masters, and Tandem names both lists", async (t) => {
  const { network, start } = await scene(t);
  const tandem = startTandemRouter(network, "lb-box1", { priority: 100 });
  start("keepalived", "lb-box2", { priority: 101, addresses: [`${virtualAddress}/24`, "192.168.33.85/24"] });
  await waitFor("two masters", electionMs, async () => {
    return (await network.holdersOf(virtualAddress)).length === 2;
  });
  const line = await waitFor("the reason", 10_000, () => {
    return tandem.log.find((entry) => entry.event === "vrrp-drop");
  });
  t.match(line, { reason: "address-list", source: "192.168.33.81" });
  t.match(String(line.msg), /192\.168\.33\.84, 192\.168\.33\.85.*here is 192\.168\.33\.84/);
});

interface Scene {
  readonly network: Network;
  readonly watch: AdvertWatch;
  readonly start: (
    who: Implementation,
    box: "lb-box1" | "lb-box2",
    options: RouterOptions,
  ) => Router | Tandem;
  readonly address: (box: string) => string;
}

async function scene(t: Test): Promise<Scene> {
  const network = await newNetwork(t);
  return {
    network,
    watch: await AdvertWatch.start(network.host("client")),
    start: (who, box, options) => startRouter(network, who, box, options),
    address: (box) => network.host(box).address,
  };
}

/** Waits until a router has become a backup and heard an advert or two. */
async function listening(router: Router): Promise<void> {
  if (router instanceof Tandem) await router.waitForTransition("BACKUP", electionMs);
  if (router instanceof Keepalived)
    await router.process.waitForLine((text) => text.includes("BACKUP STATE"), electionMs);
  await sleep(1500);
}

/** Buffered, so that tap runs it beside others. */
function test(name: string, body: (t: Test) => Promise<void>): void {
  t.test(name, { buffered: true }, body);
}

function firstAfter(watch: AdvertWatch, source: string, afterMs: number): Promise<SeenAdvert> {
  return waitFor(`an advert from ${source}`, masterDownMs + 10_000, () => {
    return watch.from(source, afterMs).find((advert) => advert.priority > 0);
  });
}

function between(t: Test, ms: number, low: number, high: number): void {
  t.ok(ms >= low && ms <= high, `${ms.toFixed(1)} ms is between ${low} and ${high}`);
}
