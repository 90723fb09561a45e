import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { AdvertWatch } from "../../lab/adverts.js";
import { sleep, waitFor } from "../../lab/clock.js";
import type { CommandResult } from "../../lab/command.js";
import { PlannedMoves } from "../../lab/planned-moves.js";
import { projectRoot } from "../../lab/project-root.js";
import { type Tandem, writeConfiguration } from "../../lab/tandem.js";

const box1 = { name: "lb-box1", priority: 102 };
const box2 = { name: "lb-box2", priority: 101 };

/** Longer than everything here: what began in the first process must not be cut. */
const drainMs = 120_000;
/** As VRRP has it by default. */
const intervalMs = 1000;
/** RFC 3768 §5.3.4: three intervals and a skew of 0.6 s. */
const masterDownMs = 3601;

t.test("upgrades of the program under load: nobody notices", async (t) => {
  const moves = await PlannedMoves.start(t, { family: 4, balancers: [box1, box2], drainMs });
  const { network, address } = moves;
  const [first, second] = moves.nodes;
  const pids: number[] = [await pidOf(first)];
  const client = network.host("client");
  const host = network.host("lb-box1");
  const linked = async (node: Tandem): Promise<boolean> =>
    /peer link .*: up for/.test(await node.ask("show vrrp"));
  await waitFor("the peer link", 30_000, async () => (await linked(first)) && (await linked(second)));

  const adverts = await AdvertWatch.start(client);
  const addresses = host.spawn("ip monitor", "ip", "monitor", "address", "dev", "eth1");
  const download = client.run("curl", "-sS", `http://${address}/long`);
  // Of two that start together on a busy machine the other one may have been master before.
  const before = [first, second].map((node) => node.transitions().length);
  moves.nothingFailed(
    await moves.during("lb-box1", async () => {
      for (let round = 1; round <= 3; round++) {
        const { stdout } = await upgrade(first);
        t.match(stdout, /^upgraded: version \S+ serves as process \d+; the one before finishes/);
        const pid = await pidOf(first);
        t.notOk(pids.includes(pid), `process ${pid} is another one`);
        pids.push(pid);
        await sleep(1500);
      }
    }),
  );

  const seen = adverts.from(host.address);
  await adverts.stop();
  const gaps = seen.slice(1).map(({ epochMs }, i) => epochMs - seen[i].epochMs);
  t.ok(seen.length >= 6, `${seen.length} adverts`);
  t.ok(Math.max(...gaps) < masterDownMs, `the longest pause between two adverts: ${Math.max(...gaps)} ms`);
  t.comment(`longest pause ${Math.round(Math.max(...gaps))} ms at an interval of ${intervalMs} ms`);
  t.ok(
    seen.every(({ priority }) => priority === box1.priority),
    "with the same priority all the time",
  );
  t.same(
    addresses.lines.filter(({ text }) => text.startsWith("Deleted")),
    [],
    "the address has never been gone",
  );
  t.same(
    [first, second].map((node) => node.transitions().length),
    before,
    "no process of either node made a transition",
  );
  t.notOk(second.log.some(({ msg }) => /its process is dead|is not to be had again/.test(String(msg))));
  await waitFor("the peer link", 30_000, async () => (await linked(first)) && (await linked(second)));
  const { state, becameMaster, sinceEpochMs } = await instanceOf(first);
  t.match({ state, becameMaster }, { state: "MASTER", becameMaster: 1 });
  const became = first.transitions().find(({ to }) => to === "MASTER");
  t.ok(Math.abs(Number(sinceEpochMs) - Date.parse(String(became?.time))) < 1000, "master since then");

  t.equal(await download, `${Array.from({ length: 300 }, (_, i) => i + 1).join("\n")}\n`);
  const requests = Number((await first.statRow("http", "FRONTEND")).req_tot);
  t.ok(requests > 500, `${requests} requests are counted over all processes`);

  await t.test("a configuration that is not valid is refused before anything is started", async (t) => {
    const [pid] = pids.slice(-1);
    const command = readFileSync(join(projectRoot, "bin", "lb.js"), "utf8");
    t.ok(command.length > 0);
    // Another node takes a breaking configuration: the running process has read the old one.
    const good = readFileSync(join(network.scratch, "lb-box1", "lb.yaml"), "utf8");
    writeConfiguration(network, host, good.replace("virtual_router_id: 51", "virtual_router_id: 999"));
    const refused = await tryUpgrade(first);
    t.equal(refused.code, 2);
    t.match(refused.stderr, /virtual_router_id/);
    t.match(refused.stderr, /the running one goes on/);
    writeFileSync(join(network.scratch, "lb-box1", "lb.yaml"), good);
    t.equal(await pidOf(first), pid);
  });

  await t.test("the successor dies in the middle: the one before goes on", async (t) => {
    const [pid] = pids.slice(-1);
    const startsBefore = starts(first);
    const trying = tryUpgrade(first);
    await waitFor("its start", 30_000, () => starts(first) > startsBefore);
    process.kill(Number(lastStart(first)), "SIGKILL");
    const { code, stderr } = await trying;
    t.equal(code, 1);
    t.match(stderr, /LB_UPGRADE: the new program ended before it was ready/);
    t.equal(await pidOf(first), pid);
    await moves.serves();
    t.same(await network.holdersOf(address), ["lb-box1"]);
  });

  await t.test("SIGTERM to the last process: the partner takes over", async (t) => {
    moves.nothingFailed(
      await moves.during("lb-box2", async () => {
        process.kill(pids[pids.length - 1], "SIGTERM");
      }),
    );
    t.equal(second.transitions().at(-1)?.to, "MASTER");
  });
  for (const pid of pids) endNow(pid);
  await moves.stop();
});

function tryUpgrade(node: Tandem): Promise<CommandResult> {
  const script = join(projectRoot, "bin", "lb.js");
  return node.host.tryRun(process.execPath, script, "upgrade", "--stats-socket", node.statsSocket);
}

async function upgrade(node: Tandem): Promise<CommandResult> {
  const result = await tryUpgrade(node);
  if (result.code !== 0)
    throw new Error(`lb upgrade: ${result.stdout}${result.stderr}\n${node.process.tail(40)}`);
  return result;
}

async function pidOf(node: Tandem): Promise<number> {
  return Number(/^Pid: (\d+)$/m.exec(await node.ask("show info"))?.[1]);
}

async function instanceOf(node: Tandem): Promise<Record<string, unknown>> {
  const { vrrp } = JSON.parse(await node.ask("show vrrp json"));
  return vrrp[0];
}

function starts(node: Tandem): number {
  return node.log.filter(({ msg }) => msg === "starting").length;
}

function lastStart(node: Tandem): unknown {
  return node.log.filter(({ msg }) => msg === "starting").at(-1)?.pid;
}

function endNow(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended.
  }
}
