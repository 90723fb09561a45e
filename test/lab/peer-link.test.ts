import { writeFileSync } from "node:fs";
import { join } from "node:path";
import t, { type Test } from "tap";
import { nowMs, sleep, waitFor } from "../../lab/clock.js";
import { type Network, virtualAddress } from "../../lab/network.js";
import type { Tandem } from "../../lab/tandem.js";
import { type Box, newNetwork, startTandemRouter } from "../interop/routers.js";

/** A node may start late, find the other as master, and take over from it. */
const electionMs = 2 * 3609 + 45_000;
/** VRRP alone needs 3.6 s less the time since the last advert: 2.6 s and more. */
const belowVrrpMs = 2400;
const farBelowVrrpMs = 1500;
const key = "a key for the lab, long enough";

t.jobs = 3;

test("a killed master's backup takes over at once, told by the kernel", async (t) => {
  const { network, box1, box2 } = await linkedPair(t);
  const startedMs = nowMs();
  await box1.kill();
  const line = await box2.process.waitForLine((text) => text.includes("→ MASTER"), belowVrrpMs, startedMs);
  t.comment(`${(line.atMs - startedMs).toFixed(1)} ms after kill -9, seen from outside`);
  t.match(line.text, "is dead");
  await waitFor("the end of the lease", 3000 + 2500, async () => {
    const holders = await network.holdersOf(virtualAddress);
    return holders.length === 1 && holders[0] === "lb-box2";
  });
});

test("a frozen master is no dead one: VRRP decides, and its kernel drops the address", async (t) => {
  const { network, box1, box2 } = await linkedPair(t);
  box1.process.signal("SIGSTOP");
  await sleep(farBelowVrrpMs);
  t.equal(box2.transitions().at(-1)?.to, "BACKUP", "a silent link moves nothing");
  await network.waitForHolder(virtualAddress, "lb-box2", electionMs);
  box1.process.signal("SIGCONT");
  await network.waitForHolder(virtualAddress, "lb-box1", electionMs);
});

test("a link that is cut while adverts come in moves nothing, and is made again", async (t) => {
  const { network, box1, box2 } = await linkedPair(t);
  const before = [box1.transitions().length, box2.transitions().length];
  // The master's kernel resets the link, its process lives: the backup's reconnect succeeds.
  await network.host("lb-box1").run("ss", "-K", "( sport = 3112 or dport = 3112 )");
  const again = await box2.process.waitForLine((text) => text.includes("its process lives"), 40_000);
  t.ok(again);
  // Every packet of the link is lost from now on.
  const host = network.host("lb-box2");
  const drop = "add table ip cut; add chain ip cut in { type filter hook input priority 0; }";
  await host.run(
    "nft",
    `${drop}; add rule ip cut in tcp sport 3112 drop; add rule ip cut in tcp dport 3112 drop`,
  );
  await box2.process.waitForLine((text) => /peer link to .* ended: it was silent/.test(text), 40_000);
  await sleep(3000);
  t.same([box1.transitions().length, box2.transitions().length], before, "no transition");
  t.same(await network.holdersOf(virtualAddress), ["lb-box1"]);
});

test("a partner with another key gets no link, and VRRP goes on by itself", async (t) => {
  const network = await newNetwork(t);
  const box1 = startTandemRouter(network, "lb-box1", { priority: 101, peerKey: key });
  const box2 = startTandemRouter(network, "lb-box2", { priority: 100, peerKey: `${key}?` });
  await network.waitForHolder(virtualAddress, "lb-box1", electionMs);
  await box2.process.waitForLine((text) => text.includes('"reason":"wrong-key"'), 40_000);
  await box1.kill();
  await network.waitForHolder(virtualAddress, "lb-box2", electionMs);
});

test("a key file with another content is another key after a reload", async (t) => {
  const network = await newNetwork(t);
  const file = join(network.scratch, "peer.key");
  writeFileSync(file, `${key}\n`);
  const boxes = [
    startTandemRouter(network, "lb-box1", { priority: 101, peerKeyFile: file }),
    startTandemRouter(network, "lb-box2", { priority: 100, peerKeyFile: file }),
  ];
  const opened = (box: Tandem): number =>
    box.process.lines.filter(({ text }) => /peer link to .* is open/.test(text)).length;
  await network.waitForHolder(virtualAddress, "lb-box1", electionMs);
  await waitFor("a link", electionMs, () => boxes.every((box) => opened(box) >= 1));
  const before = boxes.map((box) => ({ links: opened(box), moves: box.transitions().length }));
  boxes[0].process.signal("SIGHUP");
  await boxes[0].process.waitForLine((text) => text.includes("has not changed"), 40_000);
  writeFileSync(file, `${key} turned\n`);
  for (const box of boxes) {
    box.process.signal("SIGHUP");
    await box.process.waitForLine((text) => text.includes('"applied":["peerLink.key"]'), 40_000);
  }
  await waitFor("a link with the new key", 30_000, () =>
    boxes.every((box, at) => opened(box) > before[at].links),
  );
  t.same(await network.holdersOf(virtualAddress), ["lb-box1"]);
  t.same(
    boxes.map((box) => box.transitions().length),
    before.map(({ moves }) => moves),
    "nobody moved for it",
  );
});

async function linkedPair(t: Test): Promise<{ network: Network; box1: Tandem; box2: Tandem }> {
  const network = await newNetwork(t);
  const start = (box: Box, priority: number): Tandem =>
    startTandemRouter(network, box, { priority, peerKey: key });
  const box1 = start("lb-box1", 101);
  const box2 = start("lb-box2", 100);
  await network.waitForHolder(virtualAddress, "lb-box1", electionMs);
  await sleep(500);
  for (const box of [box1, box2]) {
    await box.process.waitForLine((text) => /peer link to .* is open/.test(text), 40_000);
  }
  return { network, box1, box2 };
}

/** Buffered, so that tap runs it beside others. */
function test(name: string, body: (t: Test) => Promise<void>): void {
  t.test(name, { buffered: true }, body);
}
