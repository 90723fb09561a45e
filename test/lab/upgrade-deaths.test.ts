import { symlinkSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t, { type Test } from "tap";
import { AdvertWatch } from "../../lab/adverts.js";
import { startSmallBackend } from "../../lab/backend.js";
import { nowMs, sleep, waitFor } from "../../lab/clock.js";
import { demoPlan, type Host, type Network, virtualAddress } from "../../lab/network.js";
import { Probe } from "../../lab/probe.js";
import { projectRoot } from "../../lab/project-root.js";
import { Tandem, writeConfiguration } from "../../lab/tandem.js";
import { newNetwork } from "../interop/routers.js";

/** Half a second, so that the bounds are short; VRRP may stand still for two of them in an upgrade. */
const intervalMs = 500;
/** Three intervals and a skew of 0.3 s. */
const patienceMs = 1_800;
/** And a busy machine. */
const masterDownMs = patienceMs + 2_000;
/** The lease that a dead process leaves, and as much as a process may need to go. */
const leaseMs = 3_000 + 2_000;
const drainMs = 1_000;

/**
 * The program, but for what befalls it as a successor. `die` and `hang` name the message behind which it does; `take` and `go`
 * are those that it hears, and the moment is before it knows of them.
 */
function accident(how: "die" | "hang", message: string): string {
  const befall =
    how === "die"
      ? `process.kill(process.pid, "SIGKILL")`
      : "Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)";
  return `
import { Socket } from "node:net";
const isIt = (text) => typeof text === "string" && text.startsWith('{"kind":"${message}"');
if (process.env.LB_UPGRADE !== undefined) {
  const { write } = Socket.prototype;
  Socket.prototype.write = function (text, ...rest) {
    const sent = write.call(this, text, ...rest);
    if (isIt(text)) ${befall};
    return sent;
  };
  const { parse } = JSON;
  JSON.parse = (text, ...rest) => {
    if (isIt(text)) ${befall};
    return parse(text, ...rest);
  };
}
await import(${JSON.stringify(join(projectRoot, "bin", "lb.js"))});
`;
}

class Box {
  readonly tandem: Tandem;

  private constructor(
    readonly host: Host,
    private readonly program: string,
    config: string,
  ) {
    const socket = join(config, "..", "s");
    const words = [program, "--config", config, "--stats-socket", socket];
    this.tandem = new Tandem(host, host.spawn("tandem", process.execPath, ...words), socket);
  }

  static start(t: Test, network: Network, name: string, configuration: string): Box {
    const host = network.host(name);
    const config = writeConfiguration(network, host, configuration);
    const program = join(config, "..", "lb.mjs");
    try {
      unlinkSync(program);
    } catch {
      // The first start on this host.
    }
    symlinkSync(join(projectRoot, "bin", "lb.js"), program);
    const box = new Box(host, program, config);
    t.teardown(() => {
      for (const pid of box.pids()) endNow(pid);
    });
    return box;
  }

  /** All that have been started, in order. */
  pids(): number[] {
    return this.tandem.log.flatMap(({ msg, pid }) => (msg === "starting" ? [Number(pid)] : []));
  }

  /** What the next upgrade starts. */
  install(text: string | null): void {
    unlinkSync(this.program);
    if (text === null) symlinkSync(join(projectRoot, "bin", "lb.js"), this.program);
    else writeFileSync(this.program, text);
  }

  said(what: string | RegExp): number {
    return this.tandem.log.filter(({ msg }) => String(msg).match(what) !== null).length;
  }

  async says(what: string, times: number, limitMs: number): Promise<void> {
    try {
      await waitFor(what, limitMs, () => this.said(what) >= times);
    } catch (error) {
      throw new Error(`${String(error)}\n${this.tandem.process.tail(40)}`);
    }
  }
}

const pair = (priority: number): string => `vrrp:
  VI_1:
    interface: eth1
    virtual_router_id: 51
    version: 3
    advert_int: ${intervalMs}ms
    priority: ${priority}
    virtual_ipaddress: ${virtualAddress}/24
peer_link: { key: "a key for the lab, long enough" }
proxies: { http: { bind: "${virtualAddress}:80", servers: { web01: "192.168.33.68:80" } } }
drain_timeout: ${drainMs}ms
`;

t.test("a successor that dies around the take-over", async (t) => {
  const network = await newNetwork(t, demoPlan);
  await startSmallBackend(network, network.host("web-box1"));
  const start = (): Box => Box.start(t, network, "lb-box1", pair(102));
  let box = start();
  const partner = Box.start(t, network, "lb-box2", pair(101));
  await network.waitForHolder(virtualAddress, "lb-box1", 40_000);
  const client = network.host("client");
  const addresses = box.host.spawn("ip monitor", "ip", "monitor", "address", "dev", "eth1");
  const probe = Probe.start(client);
  await probe.waitForService(30_000);

  for (const how of ["die", "hang"] as const) {
    await t.test(`${how} before it takes over: the one before goes on, and no request is lost`, async (t) => {
      const startMs = nowMs();
      const adverts = await AdvertWatch.start(client);
      const changes = box.tandem.transitions().length + partner.tandem.transitions().length;
      const failures = box.said("nothing was upgraded");
      box.install(accident(how, "take"));
      process.kill(box.pids()[0], "SIGUSR2");
      // Such as begin while both processes have the listening socket, and last longer than the successor.
      const downloads: Promise<string>[] = [];
      if (how === "hang") {
        await box.says("it takes over", 2, 30_000);
        const words = [
          "-sS",
          "-m",
          "2",
          "-o",
          "/dev/null",
          "-w",
          "%{exitcode}",
          `http://${virtualAddress}/long`,
        ];
        for (let i = 0; i < 8; i++)
          downloads.push(client.tryRun("curl", ...words).then(({ stdout }) => stdout));
      }
      // It changes nothing, and the log tells when it was done.
      const undrained = box.said("undrained");
      if (how === "hang") await box.tandem.ask("undrain");
      await box.says("nothing was upgraded", failures + 1, 30_000);
      if (how === "hang") {
        await box.says("undrained", undrained + 1, 5_000);
        const [refused, done] = ["nothing was upgraded", "undrained"].map((what) =>
          box.tandem.log.findLastIndex(({ msg }) => String(msg).includes(what)),
        );
        t.ok(done > refused, "what an operator wants while nobody can do it is done afterwards");
      }
      const { msg } = box.tandem.log.filter(({ code }) => code === "LB_UPGRADE").at(-1) ?? {};
      t.match(msg, how === "die" ? "ended while it took over" : "has not taken over after 1 s");
      await probe.waitForService(30_000);
      // 28: it was still coming when curl's time was over.
      t.same(
        await Promise.all(downloads),
        downloads.map(() => "28"),
      );
      const seen = await probe.summary(startMs, nowMs());
      for (const stream of [seen.new, seen.kept]) t.same(stream.failures, {});
      const changed = box.tandem.transitions().length + partner.tandem.transitions().length;
      t.equal(changed, changes, "no node changed its state");
      t.notOk(
        addresses.lines.some(({ text }) => text.startsWith("Deleted")),
        "the address is there all the time",
      );
      const times = adverts.from(box.host.address).map(({ epochMs }) => epochMs);
      await adverts.stop();
      const pauseMs = Math.max(...times.slice(1).map((time, i) => time - times[i]));
      t.ok(times.length > 3 && pauseMs < patienceMs, `the longest pause between two adverts: ${pauseMs} ms`);
    });
  }

  for (const message of ["taken", "go"]) {
    await t.test(`at '${message}': the partner takes over, and nothing stays behind`, async (t) => {
      const before = box;
      before.install(accident("die", message));
      const masters = partner.tandem.transitions().filter(({ to }) => to === "MASTER").length;
      process.kill(before.pids()[0], "SIGUSR2");
      await before.says("upgraded: another process serves", 1, 30_000);
      const diedMs = nowMs();
      await waitFor("the partner to be master", masterDownMs, () => {
        return partner.tandem.transitions().filter(({ to }) => to === "MASTER").length > masters;
      });
      t.comment(`master after ${Math.round(nowMs() - diedMs)} ms`);
      await network.waitForHolder(virtualAddress, "lb-box2", leaseMs);
      await probe.waitForService(30_000);
      t.match(await before.tandem.process.exited, { code: 0 }, "the first process has drained and ended");
      t.notMatch(await before.host.run("nft", "list", "tables"), /lb|tandem/, "no table is left");
      box = start();
      await network.waitForHolder(virtualAddress, "lb-box1", 40_000);
      await probe.waitForService(30_000);
    });
  }

  box.install(null);
  t.match(await box.tandem.stop(), { code: 0 }, "and it can be stopped in good order");
  await probe.stop();
});

t.test("use_vmac over two upgrades: at the end the interface is as it was before the first", async (t) => {
  const network = await newNetwork(t);
  const vmac = (name: string, id: number): string =>
    `${name}: { interface: eth1, virtual_router_id: ${id}, priority: 255, use_vmac: true, virtual_ipaddress: 192.168.33.${id}/24 }`;
  const host = network.host("lb-box1");
  const arpIgnore = async (): Promise<string> =>
    (await host.run("cat", "/proc/sys/net/ipv4/conf/eth1/arp_ignore")).trim();
  await host.run("sysctl", "-qw", "net.ipv4.conf.eth1.arp_ignore=2");
  const configuration = `vrrp:\n  ${vmac("VI_1", 84)}\n  ${vmac("VI_2", 85)}\n`;
  const box = Box.start(t, network, "lb-box1", configuration);
  await network.waitForHolder("192.168.33.85", "lb-box1", 40_000);
  t.equal(await arpIgnore(), "1");
  for (const round of [1, 2]) {
    process.kill(box.pids()[round - 1], "SIGUSR2");
    await box.says("serving", round + 1, 30_000);
    await sleep(200);
  }
  process.kill(box.pids()[2], "SIGTERM");
  await box.says("stopped", 3, 20_000);
  t.equal(await arpIgnore(), "2");
  t.notMatch(await host.run("ip", "link"), /macvlan|vrrp/, "and without macvlans");
});

function endNow(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended.
  }
}
