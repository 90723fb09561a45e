import t from "tap";
import { startSmallBackend } from "../../lab/backend.js";
import { nowMs, sleep, waitFor } from "../../lab/clock.js";
import { Network, virtualAddress } from "../../lab/network.js";
import { Probe, type ProbeSummary } from "../../lab/probe.js";
import { startTandem, type Tandem, writeConfiguration } from "../../lab/tandem.js";

/** The long connection never ends by itself: so long does a process that stops serve it. */
const drainMs = 15_000;
const electionMs = 2 * 3609 + 45_000;

t.test("planned moves between two linked nodes lose no connection", async (t) => {
  const network = await Network.create();
  t.teardown(() => network.close());
  for (const name of ["web-box1", "web-box2"]) await startSmallBackend(network, network.host(name));
  const startBalancer = (name: string, priority: number): Tandem => {
    const host = network.host(name);
    const file = writeConfiguration(network, host, configuration(priority));
    return startTandem(network, host, "--config", file);
  };
  let box1 = startBalancer("lb-box1", 101);
  const box2 = startBalancer("lb-box2", 100);
  await network.waitForHolder(virtualAddress, "lb-box1", electionMs);
  const probe = Probe.start(network.host("client"), { long: true });
  await probe.waitForService(10_000);

  const during = async (master: string, happen: () => Promise<unknown>): Promise<ProbeSummary> => {
    await sleep(1000);
    const startMs = nowMs();
    await happen();
    await network.waitForHolder(virtualAddress, master, electionMs);
    await probe.waitForService(5000);
    const seen = await probe.summary(startMs, nowMs());
    t.comment(JSON.stringify(seen));
    return seen;
  };
  const nothingFailed = (seen: ProbeSummary): void => {
    for (const stream of [seen.new, seen.kept, seen.long]) {
      t.ok(stream.requests > 0);
      t.same(stream.failures, {});
    }
  };
  const nftTables = async (name: "lb-box1" | "lb-box2"): Promise<string> =>
    (await network.host(name).run("nft", "list", "tables")).trim();
  const loAddresses = (name: "lb-box1" | "lb-box2"): Promise<string> =>
    network.host(name).run("ip", "-4", "-o", "address", "show", "dev", "lo", "to", virtualAddress);

  await t.test("lb drain: another one is master, and what is open goes on", async (t) => {
    nothingFailed(
      await during("lb-box2", async () => {
        t.match(await box1.ask("drain"), "draining");
      }),
    );
    t.equal(box1.transitions().at(-1)?.to, "BACKUP");
    t.match(await nftTables("lb-box2"), "table ip tandem_51");
  });

  await t.test("undrain: it preempts, and again what is open goes on", async () => {
    nothingFailed(
      await during("lb-box1", async () => {
        await box1.ask("undrain");
      }),
    );
  });

  await t.test("SIGTERM: the process serves its connections to the end, and exits with 0", async (t) => {
    let exit: Promise<{ code: number | null }> = Promise.resolve({ code: null });
    nothingFailed(
      await during("lb-box2", async () => {
        exit = box1.process.stop("SIGTERM", drainMs + 10_000);
      }),
    );
    const { code } = await exit;
    t.equal(code, 0);
    await waitFor("the end of the move", 3000, async () => (await nftTables("lb-box2")) === "");
    t.equal(await loAddresses("lb-box1"), "");
    await probe.waitForService(5000);
  });

  await t.test("a restarted node preempts, and what is open goes on", async () => {
    nothingFailed(
      await during("lb-box1", async () => {
        box1 = startBalancer("lb-box1", 101);
      }),
    );
  });

  await t.test("a crash in the middle of a move leaves nothing behind", async (t) => {
    nothingFailed(await during("lb-box2", () => box1.ask("drain")));
    await box1.kill();
    await waitFor("the kernel's clean-up", 4500, async () => {
      const left = [await nftTables("lb-box1"), await nftTables("lb-box2"), await loAddresses("lb-box1")];
      return left.every((text) => text === "");
    });
    t.same(await network.holdersOf(virtualAddress), ["lb-box2"]);
    await probe.waitForService(5000);
    box1 = startBalancer("lb-box1", 101);
    await network.waitForHolder(virtualAddress, "lb-box1", electionMs);
    await sleep(500);
    await box2.kill();
    await waitFor("the kernel's clean-up", 4500, async () => (await nftTables("lb-box2")) === "");
  });
  await probe.stop();
  for (const [name, b] of [
    ["box1", box1],
    ["box2", box2],
  ] as const)
    for (const l of b.process.lines) console.error(name, l.atMs.toFixed(1), l.text);
  for (const x of probe.samples) if (!x.good) console.error("FAIL", JSON.stringify(x));
});

function configuration(priority: number): string {
  return `vrrp:
  VI_1:
    interface: eth1
    virtual_router_id: 51
    priority: ${priority}
    virtual_ipaddress: ${virtualAddress}/24
peer_link: { key: "a key for the lab, long enough" }
proxies:
  http:
    bind: ${virtualAddress}:80
    servers: { web01: 192.168.33.68:80, web02: 192.168.33.69:80 }
drain_timeout: ${drainMs}ms
`;
}
