import { existsSync } from "node:fs";
import t from "tap";
import { startNginx } from "../../lab/backend.js";
import { nowMs, waitFor } from "../../lab/clock.js";
import { startKeepalived } from "../../lab/keepalived.js";
import { Network, virtualAddress } from "../../lab/network.js";
import { longestGap, Probe } from "../../lab/probe.js";

t.test(
  "the lab measures what keepalived is known to do: 618 ms without an answer when its master stops",
  async (t) => {
    const network = await Network.create();
    t.teardown(() => network.close());
    const [box1, box2] = [network.host("lb-box1"), network.host("lb-box2")];
    for (const box of [box1, box2]) await startNginx(network, box);
    const master = startKeepalived(network, box1, { priority: 101 });
    startKeepalived(network, box2, { priority: 100 });
    await network.waitForHolder(virtualAddress, "lb-box1", 40_000);
    const probe = Probe.start(network.host("client"));
    await probe.waitForService(30_000);

    const startMs = nowMs();
    await master.stop();
    await probe.waitForService(30_000);
    const seen = await probe.summary(startMs, nowMs());

    t.same(await network.holdersOf(virtualAddress), ["lb-box2"]);
    // Skew of priority 100 is 609 ms. A client cannot see less; a busy machine may add some, up to what a death takes.
    t.ok(seen.new.gapMs >= 600 && seen.new.gapMs < 2400, `the gap was ${seen.new.gapMs} ms`);
    t.ok(seen.new.answeredBy["hello from lb-box2"] > 0);
  },
);

t.test("a cut link is seen by the host, a partition is not, and both end", async (t) => {
  const network = await Network.create();
  t.teardown(() => network.close());
  const [box, client] = [network.host("lb-box1"), network.host("client")];
  const reachable = async (): Promise<boolean> =>
    (await client.tryRun("arping", "-c", "1", "-w", "1", "-I", "eth1", box.address)).code === 0;
  const carrier = async (): Promise<string> => (await box.run("cat", "/sys/class/net/eth1/carrier")).trim();

  await waitFor("an answer", 20_000, reachable);
  await network.partition("lb-box1");
  t.notOk(await reachable());
  t.equal(await carrier(), "1");
  await network.heal();
  await waitFor("its end", 20_000, reachable);
  await network.cutLink("lb-box1");
  t.equal(await carrier(), "0");
  await network.restoreLink("lb-box1");
  await waitFor("it is back", 20_000, reachable);
});

t.test("a closed lab leaves nothing behind", async (t) => {
  const network = await Network.create([{ name: "one", address: "192.168.33.1" }]);
  const child = network.host("one").spawn("sleep", "sleep", "60");
  const namespace = network.host("one").namespace;
  t.ok(existsSync(`/run/netns/${namespace}`));
  await network.close();
  t.notOk(existsSync(`/run/netns/${namespace}`));
  t.notOk(existsSync(network.scratch));
  t.equal((await child.exited).signal, "SIGKILL");
});

t.test("the longest gap begins with the last good answer before the window and ends with it", async (t) => {
  t.equal(longestGap([10, 20, 90, 100], 15, 95), 70);
  t.equal(longestGap([10, 20], 15, 95), 75);
  t.equal(longestGap([], 15, 95), 80);
  t.equal(longestGap([10, 96], 15, 95), 85);
});
