import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t, { type Test } from "tap";
import { sleep, waitFor } from "../../lab/clock.js";
import type { HostProcess } from "../../lab/host-process.js";
import { type Network, virtualAddress } from "../../lab/network.js";
import { startTandem, writeConfiguration } from "../../lab/tandem.js";
import { newNetwork } from "../interop/routers.js";

/**
 * keepalived is the judge of what scripts and the FIFO hear: the same story with both, on networks of their own. It
 * starts its scripts without waiting for the one before, so only their set is compared, and the order by the FIFO.
 */

interface Heard {
  /** Lines of the FIFO, in order. */
  readonly fifo: string[];
  /** Arguments of every run of a script, sorted. */
  readonly scripts: string[];
}

t.jobs = 2;

t.test("one instance: scripts and FIFO hear what keepalived tells them", { buffered: true }, async (t) => {
  const [ours, theirs] = await Promise.all([tell(t, "tandem", false), tell(t, "keepalived", false)]);
  t.same(ours.fifo, theirs.fifo, "the FIFO, in order");
  t.same(ours.scripts, theirs.scripts, "every run of a script with its arguments");
  t.same(theirs.fifo.slice(0, 2), ['INSTANCE "VI_1" BACKUP 100', 'INSTANCE "VI_1" MASTER 100']);
  t.equal(theirs.fifo.at(-1), 'INSTANCE "VI_1" STOP 100');
});

t.test(
  "a sync group: the members first, then the group, as keepalived tells it",
  { buffered: true },
  async (t) => {
    const [ours, theirs] = await Promise.all([tell(t, "tandem", true), tell(t, "keepalived", true)]);
    t.same(inSections(ours.fifo), inSections(theirs.fifo), "the FIFO, in order");
    t.same(ours.scripts, theirs.scripts, "every run of a script with its arguments");
    t.ok(theirs.fifo.includes('GROUP "VG_1" MASTER 0'));
  },
);

/** The members' order among themselves is chance with keepalived: whose timer ends first. The group's line ends a section. */
function inSections(lines: readonly string[]): string[][] {
  const sections: string[][] = [[]];
  for (const line of lines) {
    if (line.startsWith("GROUP")) sections.push([line], []);
    else sections.at(-1)?.push(line);
  }
  return sections.map((section) => section.sort());
}

/** Alone: it becomes master; its cable is pulled and put back; it becomes master again, and is stopped. */
async function tell(t: Test, who: "tandem" | "keepalived", isGroup: boolean): Promise<Heard> {
  const network = await newNetwork(t);
  const host = network.host("lb-box1");
  const home = join(network.scratch, "notify");
  mkdirSync(home);
  const record = join(home, "record.sh");
  const runs = join(home, "runs");
  const fifo = join(home, "fifo");
  writeFileSync(record, `#!/bin/sh\necho "$*" >> ${runs}\n`);
  chmodSync(record, 0o755);
  await host.run("mkfifo", fifo);
  const reader = host.spawn(
    "reader",
    "sh",
    "-c",
    `exec 3<>${fifo}; while read line <&3; do echo "$line"; done`,
  );
  const router =
    who === "tandem"
      ? startOurs(network, record, fifo, isGroup)
      : startTheirs(network, home, record, fifo, isGroup);
  const last = (state: string) => (isGroup ? `GROUP "VG_1" ${state} 0` : `INSTANCE "VI_1" ${state} 100`);
  const heard = (line: string, times: number) =>
    waitFor(
      `${who}: ${line}`,
      45_000,
      () => reader.lines.filter(({ text }) => text === line).length >= times,
    );
  await heard(last("MASTER"), 1);
  await network.cutLink("lb-box1");
  await heard(last("FAULT"), 1);
  await network.restoreLink("lb-box1");
  await heard(last("MASTER"), 2);
  await router.stop("SIGTERM");
  await heard(last("STOP"), 1);
  // Nobody says when the last script has ended: when for a second none has written.
  const heardOf = () => (existsSync(runs) ? readFileSync(runs, "utf8").trim().split("\n").sort() : []);
  let scripts = heardOf();
  await waitFor(`${who}'s scripts to end`, 30_000, async () => {
    const before = scripts.length;
    await sleep(1_000);
    scripts = heardOf();
    return scripts.length === before;
  });
  return { fifo: reader.lines.map(({ text }) => text), scripts };
}

const states = ["master", "backup", "fault", "stop"] as const;

function startOurs(network: Network, record: string, fifo: string, isGroup: boolean): HostProcess {
  const words = (name: string): string =>
    [...states.map((state) => `notify_${state}: ${record} ${name} ${state}`), `notify: ${record} ${name}`]
      .map((line) => `    ${line}\n`)
      .join("");
  const instance = (name: string, vrid: number, address: string): string =>
    `  ${name}:\n    interface: eth1\n    virtual_router_id: ${vrid}\n    priority: 100\n    virtual_ipaddress: ${address}/24\n${words(name)}`;
  const group = `vrrp_sync_group:\n  VG_1:\n    group: [VI_1, VI_2]\n${words("VG_1")}`;
  const yaml = `global_defs: { notify_fifo: ${fifo} }
vrrp:
${instance("VI_1", 51, virtualAddress)}${isGroup ? instance("VI_2", 52, "192.168.33.85") : ""}${isGroup ? group : ""}`;
  const host = network.host("lb-box1");
  return startTandem(network, host, "--config", writeConfiguration(network, host, yaml)).process;
}

function startTheirs(
  network: Network,
  home: string,
  record: string,
  fifo: string,
  isGroup: boolean,
): HostProcess {
  const words = (name: string): string =>
    [...states.map((state) => `notify_${state} "${record} ${name} ${state}"`), `notify "${record} ${name}"`]
      .map((line) => `  ${line}\n`)
      .join("");
  const instance = (name: string, vrid: number, address: string): string =>
    `vrrp_instance ${name} {\n  state BACKUP\n  interface eth1\n  virtual_router_id ${vrid}\n  priority 100\n  advert_int 1\n  virtual_ipaddress {\n    ${address}/24\n  }\n${words(name)}}\n`;
  const group = `vrrp_sync_group VG_1 {\n  group {\n    VI_1\n    VI_2\n  }\n${words("VG_1")}}\n`;
  const file = join(home, "keepalived.conf");
  writeFileSync(
    file,
    `global_defs {\n  vrrp_notify_fifo ${fifo}\n  script_user root\n}\n${isGroup ? group : ""}${instance("VI_1", 51, virtualAddress)}${isGroup ? instance("VI_2", 52, "192.168.33.85") : ""}`,
  );
  const pidFiles = ["-p", join(home, "main.pid"), "-r", join(home, "vrrp.pid")];
  const host = network.host("lb-box1");
  return host.spawn("keepalived", "keepalived", "-P", "-n", "-l", "-D", "-f", file, ...pidFiles);
}
