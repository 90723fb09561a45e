import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t, { type Test } from "tap";
import { type Backend, startNginx } from "../../lab/backend.js";
import { sleep, waitFor } from "../../lab/clock.js";
import { run } from "../../lab/command.js";
import { demoPlan, type Network, virtualAddress } from "../../lab/network.js";
import { projectRoot } from "../../lab/project-root.js";
import { startTandem, startTandemBy, type Tandem, writeConfiguration } from "../../lab/tandem.js";
import { newNetwork } from "../interop/routers.js";

/** A node may start late, find the other as master, and take over from it. */
const electionMs = 2 * 3609 + 45_000;

t.jobs = 3;

const preempts = "VI_1: BACKUP → MASTER, 192.168.33.81 advertises priority 100, lower than 101 here";
/** What lb explain tells of a check that takes the address away and gives it back. */
const ofPriority = [
  "VI_1: priority 101 → 81, script check is down −20",
  "VI_1: MASTER → BACKUP, 192.168.33.81 advertises priority 100, higher than 81 here",
  "VI_1: priority 81 → 101, nothing that is tracked changes it",
  preempts,
];
const ofFault = [
  "VI_1: MASTER → FAULT, script check is down",
  "VI_1: FAULT → BACKUP, everything that must be up is up",
  preempts,
];

test("a track_script that fails lowers the priority or is a fault: the partner takes over, and gives it back", async (t) => {
  for (const weight of [-20, 0]) {
    const network = await newNetwork(t);
    const flag = join(network.scratch, "flag");
    writeFileSync(flag, "");
    const sections = `vrrp_script: { check: { script: "/usr/bin/test -e ${flag}", interval: 100ms, fall: 2, weight: ${weight} } }\n`;
    const box1 = start(network, "lb-box1", 101, ["track_script: check"], sections);
    start(network, "lb-box2", 100);
    await network.waitForHolder(virtualAddress, "lb-box1", electionMs);
    rmSync(flag);
    await network.waitForHolder(virtualAddress, "lb-box2", electionMs);
    const { to, reason } = box1.transitions().at(-1) ?? {};
    t.equal(to, weight === 0 ? "FAULT" : "BACKUP");
    if (weight === 0) t.equal(reason, "script check is down");
    writeFileSync(flag, "");
    await network.waitForHolder(virtualAddress, "lb-box1", electionMs);
    const story = (await explain(box1)).replaceAll(/^ +\S+ +/gm, "");
    t.match(story, /^tracked script is down \(script check, reason exit code 1\)$/m);
    t.same(
      story
        .split("\n")
        .filter((line) => /^VI_1: (?!INIT)/.test(line))
        // Why it was master at first depends on who was started first.
        .slice(1),
      weight === 0 ? ofFault : ofPriority,
      "lb explain tells why it moved",
    );
  }
});

test("with a peer link a fault is followed at once, and not after the skew", async (t) => {
  const network = await newNetwork(t);
  const flag = join(network.scratch, "flag");
  writeFileSync(flag, "");
  const link = 'peer_link: { key: "a key for the lab, long enough" }\n';
  const sections = `vrrp_script: { check: { script: "/usr/bin/test -e ${flag}", interval: 100ms } }\n${link}`;
  const box1 = start(network, "lb-box1", 101, ["track_script: check"], sections);
  const box2 = start(network, "lb-box2", 100, [], link);
  await network.waitForHolder(virtualAddress, "lb-box1", electionMs);
  await box2.process.waitForLine((text) => /peer link to .* is open/.test(text), 40_000);
  rmSync(flag);
  await network.waitForHolder(virtualAddress, "lb-box2", electionMs);
  t.match(box2.transitions().at(-1), { to: "MASTER", reason: /is in FAULT, as it says over the peer link/ });
  t.match(box1.transitions().at(-1), { to: "FAULT", reason: "script check is down" });
  writeFileSync(flag, "");
  await network.waitForHolder(virtualAddress, "lb-box1", electionMs);
});

test("a sync group with an interface on either side: one cable takes both addresses to the partner, and back", async (t) => {
  const network = await newNetwork(t);
  const [one, other] = [network.host("lb-box1"), network.host("lb-box2")];
  const veth = ["link", "add", "eth2", "type", "veth", "peer", "name", "eth2", "netns", other.namespace];
  await one.run("ip", ...veth);
  for (const [i, host] of [one, other].entries()) {
    await host.run("ip", "address", "add", `192.168.34.8${i}/24`, "dev", "eth2");
    await host.run("ip", "link", "set", "eth2", "up");
  }
  const inner = `  inner:
    interface: eth2
    virtual_router_id: 52
    priority: PRIORITY
    virtual_ipaddress: 192.168.34.84/24
vrrp_sync_group: { VG: { group: [VI_1, inner] } }
`;
  start(network, "lb-box1", 101, [], inner.replace("PRIORITY", "101"));
  start(network, "lb-box2", 100, [], inner.replace("PRIORITY", "100"));
  const both = async (name: string): Promise<void> => {
    await network.waitForHolder(virtualAddress, name, electionMs);
    await waitFor(`192.168.34.84 on ${name}`, 30_000, async () => {
      const listed = await Promise.all(
        [one, other].map((host) => host.run("ip", "-4", "address", "show", "eth2")),
      );
      const holders = [one, other]
        .filter((_, i) => listed[i].includes("192.168.34.84"))
        .map((host) => host.name);
      return holders.length === 1 && holders[0] === name;
    });
  };
  await both("lb-box1");
  await network.cutLink("lb-box1");
  await both("lb-box2");
  await network.restoreLink("lb-box1");
  await both("lb-box1");
  t.pass("both sides together, each time");
});

test("a data thread that dies again and again: the partner takes over", async (t) => {
  const { network, box1, sabotage } = await pair(t);
  writeFileSync(`${sabotage}.always`, "");
  writeFileSync(sabotage, "throw");
  await network.waitForHolder(virtualAddress, "lb-box2", electionMs);
  t.match(box1.transitions().at(-1), { to: "FAULT", reason: /data-0 keeps dying|no data thread serves/ });
  t.equal(await get(network), "200");
  t.same(await network.holdersOf(virtualAddress), ["lb-box2"]);
  rmSync(`${sabotage}.always`);
  await network.waitForHolder(virtualAddress, "lb-box1", electionMs);
  t.equal(await get(network), "200");
});

test("every server down for both: exactly one master, which answers 503; and all is well again when they are", async (t) => {
  const { network, webs, box1, box2 } = await pair(t);
  t.equal(await get(network), "200");
  for (const web of webs) await web.process.stop("SIGKILL");
  t.equal(await get(network), "503");
  await lowered(box1, 51);
  // The partner may take over until it has seen for itself; then it is the lesser one again.
  await waitFor("the partner's own look", 60_000, async () => {
    await get(network);
    const holders = await network.holdersOf(virtualAddress);
    return (
      box2.log.some(({ event, to }) => event === "vrrp-priority" && to === 50) && holders.join() === "lb-box1"
    );
  });
  await sleep(5000);
  t.same(await network.holdersOf(virtualAddress), ["lb-box1"]);
  t.equal(await get(network), "503");
  for (const name of ["web-box1", "web-box2"]) await startNginx(network, network.host(name));
  await lowered(box1, 101);
  await lowered(box2, 100);
  t.equal(await get(network), "200");
  t.same(await network.holdersOf(virtualAddress), ["lb-box1"]);
});

function explain(node: Tandem): Promise<string> {
  const lb = join(projectRoot, "bin/lb.js");
  return run(process.execPath, [lb, "explain", "--since", "10m", "--stats-socket", node.statsSocket]);
}

function start(
  network: Network,
  name: "lb-box1" | "lb-box2",
  priority: number,
  lines: readonly string[] = [],
  sections = "",
): Tandem {
  const host = network.host(name);
  const yaml = `vrrp:
  VI_1:
    interface: eth1
    virtual_router_id: 51
    priority: ${priority}
    virtual_ipaddress: ${virtualAddress}/24
${lines.map((line) => `    ${line}\n`).join("")}${sections}`;
  return startTandem(network, host, "--config", writeConfiguration(network, host, yaml));
}

interface Pair {
  readonly network: Network;
  readonly webs: readonly Backend[];
  readonly box1: Tandem;
  readonly box2: Tandem;
  /** What makes lb-box1's data thread obey: see sabotage.mjs. */
  readonly sabotage: string;
}

async function pair(t: Test): Promise<Pair> {
  const network = await newNetwork(t, demoPlan);
  const webs = [
    await startNginx(network, network.host("web-box1")),
    await startNginx(network, network.host("web-box2")),
  ];
  const sabotage = join(network.scratch, "sabotage");
  const hook = join(projectRoot, "test", "unit", "process", "sabotage.mjs");
  const environment = ["env", `NODE_OPTIONS=--import=${hook}`, `SABOTAGE=${sabotage}`];
  const flags = ["--threads", "1", "--priority"];
  const box1 = startTandemBy(environment, network, network.host("lb-box1"), ...flags, "101");
  const box2 = startTandem(network, network.host("lb-box2"), ...flags, "100");
  await network.waitForHolder(virtualAddress, "lb-box1", electionMs);
  await box2.waitForTransition("BACKUP", electionMs);
  return { network, webs, box1, box2, sabotage };
}

/** Status of an answer at the virtual address. */
async function get(network: Network): Promise<string> {
  const { stdout } = await network
    .host("client")
    .tryRun(
      "curl",
      "-s",
      "-o",
      "/dev/null",
      "-w",
      "%{http_code}",
      "--max-time",
      "10",
      `http://${virtualAddress}/`,
    );
  return stdout;
}

async function lowered(box: Tandem, priority: number): Promise<void> {
  await waitFor(`priority ${priority}`, 40_000, () => {
    return box.log.filter(({ event }) => event === "vrrp-priority").at(-1)?.to === priority;
  });
}

/** Buffered, so that tap runs it beside others. */
function test(name: string, body: (t: Test) => Promise<void>): void {
  t.test(name, { buffered: true }, body);
}
