import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { startNginx } from "../../lab/backend.js";
import { nowMs, sleep } from "../../lab/clock.js";
import { tryRun } from "../../lab/command.js";
import { demoPlan, Network, virtualAddress } from "../../lab/network.js";
import { Probe } from "../../lab/probe.js";
import { projectRoot } from "../../lab/project-root.js";
import { startTandemBy, type Tandem, writeConfiguration } from "../../lab/tandem.js";

const electionMs = 2 * 3609 + 40_000;
/** Longer than a master may be silent, than a check may take, and than a peer link may. */
const settledMs = 6000;
const hourMs = 3_600_000;

t.test("the wall clock jumps: times of the log jump with it, and nothing else happens", async (t) => {
  const network = await Network.create(demoPlan);
  t.teardown(() => network.close());
  for (const name of ["web-box1", "web-box2"]) await startNginx(network, network.host(name));
  const clock = join(network.scratch, "clock");
  writeFileSync(clock, "+0");
  const [box1, box2] = (["lb-box1", "lb-box2"] as const).map((name, i) =>
    startBalancer(network, name, 101 - i, clock),
  );
  await network.waitForHolder(virtualAddress, "lb-box1", electionMs);
  await box2.waitForTransition("BACKUP", electionMs);
  for (const box of [box1, box2])
    await box.process.waitForLine((text) => /peer link to .* is open/.test(text), 20_000);
  const probe = Probe.start(network.host("client"));
  await probe.waitForService(10_000);
  const happened = (): unknown[] => [box1, box2].map(happenings);
  const [before, startedMs] = [happened(), nowMs()];

  for (const [words, offsetMs] of [
    ["+3600", hourMs],
    ["-7200", -2 * hourMs],
  ] as const) {
    writeFileSync(clock, words);
    await sleep(settledMs);
    t.same(happened(), before, `${words}: no transition, no server that went, no link that ended`);
    t.same(await network.holdersOf(virtualAddress), ["lb-box1"]);
    const askedMs = nowMs();
    await box1.ask(`set weight http/web01 ${offsetMs > 0 ? 7 : 1}`);
    const asked = (text: string): boolean => text.includes("as an operator asked");
    const line = await box1.process.waitForLine(asked, 5000, askedMs);
    const epochMs = Date.parse(String(box1.parse(line)?.time));
    t.ok(Math.abs(epochMs - Date.now() - offsetMs) < 60_000, line.text);
  }
  const { new: fresh, kept } = await probe.summary(startedMs, nowMs());
  t.same([fresh.failures, kept.failures], [{}, {}], "no request failed");
  const status = await tryRun(process.execPath, [
    join(projectRoot, "bin/lb.js"),
    "status",
    "--stats-socket",
    box1.statsSocket,
  ]);
  t.match(status.stdout, /: MASTER for .*\n(?:.*\n)*Servers at .*, as it says itself\n.*2 of 2 up; /);
  await probe.stop();
});

/** What would be told of a master, a server or a link that was given up. */
function happenings(box: Tandem): unknown[] {
  const kinds = ["vrrp", "backend", "peer-link", "fitness", "split-brain"];
  return box.log.filter(
    ({ event, status }) => kinds.includes(String(event)) || (event === "server" && status !== undefined),
  );
}

function startBalancer(
  network: Network,
  name: "lb-box1" | "lb-box2",
  priority: number,
  clock: string,
): Tandem {
  const host = network.host(name);
  const yaml = `vrrp:
  VI_1:
    interface: eth1
    virtual_router_id: 51
    priority: ${priority}
    virtual_ipaddress: ${virtualAddress}/24
peer_link: { key: "a key for the lab, long enough" }
proxies:
  http:
    bind: ${virtualAddress}:80
    default_server: { check: { inter: 500ms } }
    servers: { web01: 192.168.33.68:80, web02: 192.168.33.69:80 }
admin: false
`;
  // The kernel's clock is this whole machine's; libfaketime gives the process another wall clock, and leaves it the monotonic one.
  const environment = [
    `LD_PRELOAD=${fakeTime()}`,
    `FAKETIME_TIMESTAMP_FILE=${clock}`,
    "FAKETIME_NO_CACHE=1",
    "FAKETIME_DONT_FAKE_MONOTONIC=1",
  ];
  return startTandemBy(
    ["env", ...environment],
    network,
    host,
    "--config",
    writeConfiguration(network, host, yaml),
  );
}

function fakeTime(): string {
  const found = readdirSync("/usr/lib")
    .map((folder) => `/usr/lib/${folder}/faketime/libfaketimeMT.so.1`)
    .find((file) => existsSync(file));
  if (found === undefined) throw new Error("libfaketime is missing: apt-get install faketime");
  return found;
}
