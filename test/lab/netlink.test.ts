/**
 * `src/netlink` against the kernel itself, in a network namespace of its own.
 *
 * The file runs twice: once as tap starts it, and inside the namespace, where it is the test. The namespace has no
 * name and goes with its last process, so there is nothing to clean up.
 */
import { type ChildProcess, execFile, execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, readlinkSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import t, { type Test } from "tap";
import { LbError } from "../../src/errors.js";
import { encodeAddressChange } from "../../src/netlink/address-message.js";
import { ArpSocket } from "../../src/netlink/gratuitous-arp.js";
import { ownIpv4Address } from "../../src/netlink/interface-address.js";
import { openListeningSocket } from "../../src/netlink/listening-socket.js";
import { type LinkEvent, type Monitor, openMonitor } from "../../src/netlink/monitor.js";
import { type InterfaceInfo, RouteSocket } from "../../src/netlink/route-socket.js";
import { encodeMessage, MessageFlag, MessageType } from "../../src/netlink/rtnetlink-message.js";
import { closeDescriptor, Family, openSocket, SocketType, sendTo } from "../../src/netlink/system-calls.js";

/** What iproute2 prints as the lifetime of an address that has none. */
const FOR_EVER = 0xffff_ffff;
const ROLE = process.env.TANDEM_NETLINK_LAB;
const missing = whatIsMissing();

if (ROLE === "exit") {
  await exitWithOpenSockets();
} else if (ROLE === "unprivileged") {
  await reportRefusals();
} else if (missing !== null) {
  t.plan(0, missing);
} else if (ROLE === "inside") {
  await runTests();
} else {
  const { status, signal } = spawnSync("unshare", ["--net", ...sameCommand()], {
    stdio: "inherit",
    env: { ...process.env, TANDEM_NETLINK_LAB: "inside" },
  });
  process.exit(status ?? (signal === null ? 0 : 1));
}

function whatIsMissing(): string | null {
  if (process.getuid?.() !== 0) return "needs root: it makes network namespaces";
  const tools = ["ip", "unshare", "nsenter", "setpriv"];
  const folders = (process.env.PATH ?? "").split(":");
  const absent = tools.filter((tool) => !folders.some((folder) => existsSync(`${folder}/${tool}`)));
  return absent.length === 0 ? null : `needs ${absent.join(", ")} (Debian: iproute2 util-linux)`;
}

/** The command that runs this very file. */
function sameCommand(): string[] {
  return [process.execPath, ...process.execArgv, ...process.argv.slice(1)];
}

/** Role of a child: every kind of socket is open and waiting, and the process ends nonetheless. */
async function exitWithOpenSockets(): Promise<never> {
  openMonitor(
    () => undefined,
    () => undefined,
  );
  await RouteSocket.open();
  ArpSocket.open(1);
  await sleep(50);
  process.exit(7);
}

/** Role of a child without capabilities: says as JSON what it was refused and what it was not. */
async function reportRefusals(): Promise<void> {
  const outcome = async (attempt: () => unknown): Promise<unknown> => {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof LbError)) throw error;
      return `${error.code} ${/CAP_[A-Z_]+/.exec(error.advice)?.[0]}`;
    }
  };
  const listen = (port: number): string => {
    closeDescriptor(openListeningSocket({ address: "10.77.0.100", port }));
    return "listens";
  };
  const route = await RouteSocket.open();
  const index = (await route.interface("v0"))?.index ?? 0;
  const report = {
    look: await outcome(async () => ((await route.interface("v0"))?.up ? "up" : "down")),
    watch: await outcome(async () => {
      const heard = new Promise<LinkEvent>((resolve, reject) => {
        const monitor = openMonitor((event) => {
          monitor.close();
          resolve(event);
        }, reject);
      });
      return heard.then(() => "an event");
    }),
    put: await outcome(() =>
      route.putAddress({ index, address: "10.77.0.100", prefixLength: 24, leaseMs: 3000 }),
    ),
    announce: await outcome(() => ArpSocket.open(index)),
    listenLow: await outcome(() => listen(80)),
    listenHigh: await outcome(() => listen(8080)),
  };
  await route.close();
  process.stdout.write(JSON.stringify(report));
}

function ip(command: string): string {
  return execFileSync("ip", command.split(" "), { encoding: "utf8" });
}

interface KernelAddress {
  readonly local: string;
  readonly prefixlen: number;
  readonly secondary?: boolean;
  readonly valid_life_time: number;
}

/** What iproute2 says of an IPv4 address; its forms with different prefix lengths are several. */
function kernelAddresses(address: string): KernelAddress[] {
  const links = JSON.parse(ip("-j -4 address show")) as { addr_info: KernelAddress[] }[];
  return links.flatMap(({ addr_info }) => addr_info).filter(({ local }) => local === address);
}

async function until(what: string, condition: () => boolean, limitMs = 5000): Promise<void> {
  const deadline = performance.now() + limitMs;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`waited ${limitMs} ms in vain: ${what}`);
    await sleep(5);
  }
}

async function runTests(): Promise<void> {
  const OWN = "10.77.0.1";
  const PEER = "10.77.0.2";
  const VIP = "10.77.0.100";
  ip("link set lo up");
  ip("link add v0 type veth peer name v1");
  ip("link set v0 up");
  ip("link set v1 up");
  ip(`address add ${OWN}/24 dev v0`);

  const route = await RouteSocket.open();
  t.teardown(() => route.close());

  async function v0(): Promise<InterfaceInfo> {
    const info = await route.interface("v0");
    if (info === null) throw new Error("no v0");
    return info;
  }
  const { index } = await v0();
  const vip = { index, address: VIP, prefixLength: 24 };

  /** A monitor that writes down what it hears, closed with the test. */
  function listen(t: Test, receiveBufferBytes?: number): { events: LinkEvent[]; monitor: Monitor } {
    const events: LinkEvent[] = [];
    const monitor = openMonitor(
      (event) => events.push(event),
      (error) => t.fail(error.message),
      receiveBufferBytes,
    );
    t.teardown(() => monitor.close());
    return { events, monitor };
  }

  await t.test("an interface is told as the kernel knows it, and none is null", async (t) => {
    const info = await v0();
    const [expected] = JSON.parse(ip("-j link show v0")) as [{ address: string; ifindex: number }];
    t.equal(info.index, expected.ifindex);
    t.equal(Buffer.from(info.mac).toString("hex"), expected.address.replaceAll(":", ""));
    t.match(info, { name: "v0", up: true });
    t.same(info.addresses[0], {
      address: OWN,
      prefixLength: 24,
      family: 4,
      leased: false,
      secondary: false,
      tentative: false,
    });
    t.equal(await route.interface("absent0"), null);
    t.equal(await route.interface("a-name-of-more-than-15-bytes"), null);
  });

  await t.test("a virtual address is leased, and the host goes on speaking from its own", async (t) => {
    await route.putAddress({ ...vip, leaseMs: 3000 });
    const [address] = kernelAddresses(VIP);
    t.match(address, { prefixlen: 24, secondary: true });
    t.ok(address.valid_life_time <= 3, `lifetime ${address.valid_life_time} s`);
    t.match(ip(`route get ${PEER}`), `src ${OWN}`);
    const info = await v0();
    t.match(
      info.addresses.find(({ address }) => address === VIP),
      { leased: true, secondary: true },
    );
    t.equal(ownIpv4Address(info, [VIP]), OWN);
    t.equal(await route.removeAddress(vip), true);
    t.same(kernelAddresses(VIP), []);
  });

  await t.test("a /32 leaves the host's own source address alone as well", async (t) => {
    const host = { ...vip, prefixLength: 32 };
    await route.putAddress({ ...host, leaseMs: 3000 });
    t.match(ip(`route get ${PEER}`), `src ${OWN}`);
    t.equal(await route.removeAddress(host), true);
  });

  await t.test("a refreshed lease outlives itself without a moment's absence", async (t) => {
    const { events } = listen(t);
    for (let i = 0; i < 7; i++) {
      await route.putAddress({ ...vip, leaseMs: 1000 });
      await sleep(400);
    }
    t.equal(kernelAddresses(VIP).length, 1);
    const told = events.filter((event) => event.kind === "address" && event.address === VIP);
    t.equal(told.length, 7);
    t.ok(told.every((event) => event.kind === "address" && event.added));
  });

  await t.test("a lease that nobody refreshes ends, and the kernel tells it", async (t) => {
    const { events } = listen(t);
    await route.putAddress({ ...vip, leaseMs: 1000 });
    await until("the address vanishes", () => kernelAddresses(VIP).length === 0);
    await until("the event", () => events.some((event) => event.kind === "address" && !event.added));
    t.equal(await route.removeAddress(vip), false);
  });

  await t.test("an address that a dead keepalived left becomes a leased one", async (t) => {
    const { events } = listen(t);
    ip(`address add ${VIP}/24 dev v0`);
    t.match(kernelAddresses(VIP), [{ valid_life_time: FOR_EVER }]);
    await route.putAddress({ ...vip, leaseMs: 3000 });
    const [address] = kernelAddresses(VIP);
    t.ok(address.valid_life_time <= 3);
    t.notOk(events.some((event) => event.kind === "address" && !event.added));
    await route.removeAddress(vip);
  });

  await t.test("one left with another prefix length goes, after ours has come", async (t) => {
    const { events } = listen(t);
    ip(`address add ${VIP}/32 dev v0`);
    await route.putAddress({ ...vip, leaseMs: 3000 });
    t.ok(
      kernelAddresses(VIP).some(({ prefixlen }) => prefixlen === 24),
      "ours is there when the call resolves",
    );
    await until("three events", () => events.filter(({ kind }) => kind === "address").length >= 3);
    t.match(
      events.filter(({ kind }) => kind === "address"),
      [
        { prefixLength: 32, added: true },
        { prefixLength: 24, added: true },
        { prefixLength: 32, added: false },
      ],
    );
    t.match(kernelAddresses(VIP), [{ prefixlen: 24 }]);
    t.equal(kernelAddresses(VIP).length, 1);
    t.match(ip(`route get ${VIP}`), /^local /);
    await route.removeAddress(vip);
  });

  await t.test("a removal takes every prefix length, also of an address that was never put", async (t) => {
    ip(`address add ${VIP}/32 dev v0`);
    ip(`address add ${VIP}/25 dev v0`);
    t.equal(await route.removeAddress(vip), true);
    t.same(kernelAddresses(VIP), []);
    t.equal(kernelAddresses(OWN).length, 1, "the host's own address stays");
    t.equal(await route.removeAddress(vip), false);
  });

  await t.test("an IPv6 address is leased, refreshed and removed, and is no source", async (t) => {
    const ipv6 = { index, address: "2001:db8:77::100", prefixLength: 64 };
    ip("address add 2001:db8:77::1/64 dev v0 nodad");
    await route.putAddress({ ...ipv6, leaseMs: 3000 });
    await route.putAddress({ ...ipv6, leaseMs: 3000 });
    const info = await v0();
    t.match(
      info.addresses.filter(({ address }) => address === ipv6.address),
      [{ family: 6, leased: true }],
    );
    t.match(ip("route get 2001:db8:77::2"), "src 2001:db8:77::1");
    t.equal(await route.removeAddress(ipv6), true);
    t.equal(await route.removeAddress(ipv6), false);
  });

  await t.test("calls that overlap take effect in the order in which they were made", async (t) => {
    for (let round = 0; round < 20; round++) {
      const calls = [
        route.putAddress({ ...vip, leaseMs: 3000 }),
        route.interface("v0"),
        route.interface("lo"),
        route.removeAddress(vip),
        route.putAddress({ ...vip, leaseMs: 3000 }),
        route.removeAddress(vip),
      ];
      const answers = await Promise.all(calls);
      t.match(answers, [undefined, { name: "v0" }, { name: "lo" }, true, undefined, true]);
    }
    t.same(kernelAddresses(VIP), []);
  });

  await t.test("an interface that is gone is an error to add to and nothing to remove from", async (t) => {
    const gone = { ...vip, index: 4242 };
    await t.rejects(route.putAddress({ ...gone, leaseMs: 3000 }), {
      code: "LB_NETLINK_ENODEV",
      message: `adding ${VIP}/24 on interface 4242: ENODEV`,
      advice: /ip link/,
    });
    t.equal(await route.removeAddress(gone), false);
  });

  await t.test("without privileges, each refusal names the capability that is missing", async (t) => {
    const capabilities = "-net_admin,-net_raw,-net_bind_service";
    const [program, ...args] = sameCommand();
    // Something to watch, as long as the child runs.
    const refreshing = setInterval(() => void route.putAddress({ ...vip, leaseMs: 3000 }), 50);
    const { stdout } = await promisify(execFile)(
      "setpriv",
      [`--bounding-set=${capabilities}`, `--inh-caps=${capabilities}`, program, ...args],
      { env: { ...process.env, TANDEM_NETLINK_LAB: "unprivileged" } },
    ).finally(() => clearInterval(refreshing));
    await route.removeAddress(vip);
    t.same(JSON.parse(stdout), {
      look: "up",
      watch: "an event",
      listenHigh: "listens",
      put: "LB_PERMISSION CAP_NET_ADMIN",
      announce: "LB_PERMISSION CAP_NET_RAW",
      listenLow: "LB_PERMISSION CAP_NET_BIND_SERVICE",
    });
  });

  await t.test(
    "a reader of node-netlink that dies is replaced, and the caller gets its answer",
    { skip: whyNoSeteuid() },
    async (t) => {
      // Changing the user id interrupts the system call of every thread of the C library: here, the reader's ppoll.
      const complaints = t.capture(console, "error");
      process.seteuid?.(65534);
      process.seteuid?.(0);
      await sleep(50);
      await route.putAddress({ ...vip, leaseMs: 3000 });
      t.equal(kernelAddresses(VIP).length, 1);
      t.equal(await route.removeAddress(vip), true);
      t.match(
        complaints(),
        [{ args: [{ message: "Interrupted system call" }] }],
        "node-netlink's only word of it",
      );
    },
  );

  await t.test("a closed socket refuses calls instead of hanging", async (t) => {
    const other = await RouteSocket.open();
    await other.close();
    await other.close();
    await t.rejects(other.interface("v0"), { code: "LB_NETLINK_CLOSED" });
  });

  await t.test("an address taken away by an operator is told at once", async (t) => {
    const { events } = listen(t);
    const fd = openSocket(Family.netlink, SocketType.raw, 0);
    t.teardown(() => closeDescriptor(fd));
    const delays: number[] = [];
    for (let i = 0; i < 50; i++) {
      await route.putAddress({ ...vip, leaseMs: 3000 });
      await until("told as added", () => events.some(isAddress(VIP, true)));
      events.length = 0;
      // Sent by hand and synchronously: when this returns, the address has just gone.
      removeAtOnce(fd, vip);
      const gone = performance.now();
      while (!events.some(isAddress(VIP, false))) await new Promise(setImmediate);
      delays.push(performance.now() - gone);
    }
    delays.sort((a, b) => a - b);
    t.comment(
      `removal to event: median ${delays[25].toFixed(2)} ms, worst ${delays[49].toFixed(2)} ms of 50`,
    );
    t.ok(delays[25] < 10, "the median is below 10 ms");
  });

  await t.test("a burst of 400 addresses is heard to the last one", async (t) => {
    const { events } = listen(t);
    await batch(addresses(400).map((address) => `address add ${address}/32 dev v0`));
    await until("400 added", () => events.filter(isAddress(null, true)).length === 400);
    t.equal((await v0()).addresses.filter(({ address }) => address.startsWith("10.99.")).length, 400);
    await batch(addresses(400).map((address) => `address del ${address}/32 dev v0`));
    await until("400 removed", () => events.filter(isAddress(null, false)).length === 400);
    t.notOk(events.some(({ kind }) => kind === "resync"));
  });

  await t.test("when the kernel loses events, the monitor says so and goes on", async (t) => {
    const { events } = listen(t, 4096);
    // This thread is busy meanwhile, as it might be in a stall of the machine.
    for (const verb of ["add", "del"]) {
      execFileSync("ip", ["-batch", "-"], {
        input: addresses(200)
          .map((address) => `address ${verb} ${address}/32 dev v0\n`)
          .join(""),
      });
    }
    await until("resync", () => events.some(({ kind }) => kind === "resync"));
    const before = events.length;
    t.ok(events.filter(({ kind }) => kind === "address").length < 400, "some of the 400 were lost indeed");
    await route.putAddress({ ...vip, leaseMs: 3000 });
    await until("events again", () => events.slice(before).some(isAddress(VIP, true)));
    await route.removeAddress(vip);
  });

  await t.test(
    "loss of carrier, a bridge, deletion and a new interface are each told as what they are",
    async (t) => {
      const { events } = listen(t);
      const links = (name: string): LinkEvent[] =>
        events.filter((event) => event.kind === "link" && event.name === name);
      ip("link add w0 type veth peer name w1");
      ip("link set w0 up");
      ip("link set w1 up");
      await until("up", () => links("w0").some((event) => event.kind === "link" && event.up));
      t.equal((await route.interface("w0"))?.up, true);

      events.length = 0;
      ip("link set w1 down");
      await until("carrier lost", () => links("w0").some((event) => event.kind === "link" && !event.up));
      t.match(links("w0").at(-1), { up: false, present: true });
      t.equal((await route.interface("w0"))?.up, false);

      ip("link set w1 up");
      await until("carrier back", () => links("w0").some((event) => event.kind === "link" && event.up));

      ip("link add b0 type bridge mcast_snooping 0");
      ip("link set w0 master b0");
      ip("link set w0 nomaster");
      const first = (await route.interface("w0"))?.index;
      events.length = 0;
      ip("link del w0");
      await until("deleted", () => links("w0").some((event) => event.kind === "link" && !event.present));
      t.match(links("w0").at(-1), { index: first, up: false, present: false });
      t.equal(await route.interface("w0"), null);

      events.length = 0;
      ip("link add w0 type veth peer name w1");
      await until("made anew", () => links("w0").some((event) => event.kind === "link" && event.present));
      t.not((await route.interface("w0"))?.index, first, "with another index");
      ip("link del w0");
      ip("link del b0");
    },
  );

  await t.test("an interface that leaves its bridge is not told as deleted", async (t) => {
    const { events } = listen(t);
    ip("link add b0 type bridge mcast_snooping 0");
    ip("link set v0 master b0");
    ip("link set v0 nomaster");
    ip("link del b0");
    await until("the bridge is gone", () => events.some((event) => event.kind === "link" && !event.present));
    t.notOk(events.some((event) => event.kind === "link" && event.name === "v0" && !event.present));
  });

  await t.test("a closed monitor tells nothing more", async (t) => {
    const { events, monitor } = listen(t);
    monitor.close();
    monitor.close();
    const other = listen(t);
    await route.putAddress({ ...vip, leaseMs: 3000 });
    await until("the other one hears it", () => other.events.some(isAddress(VIP, true)));
    t.same(events, []);
    await route.removeAddress(vip);
  });

  await t.test("process.exit ends a process whose sockets are open", async (t) => {
    const [program, ...args] = sameCommand();
    const child = spawn(program, args, {
      stdio: ["ignore", "ignore", "inherit"],
      env: { ...process.env, TANDEM_NETLINK_LAB: "exit" },
      timeout: 20_000,
    });
    t.same(await once(child, "exit"), [7, null]);
  });

  await t.test("a gratuitous ARP moves the address in a neighbour's table", async (t) => {
    const neighbour = await hostBehind("v1");
    t.teardown(() => neighbour.leave());
    neighbour.run("ip link set v1 up");
    neighbour.run(`ip address add ${PEER}/24 dev v1`);
    await until("the link is back", () => neighbour.run("ip -j link show v1").includes('"LOWER_UP"'));
    await route.putAddress({ ...vip, leaseMs: 60_000 });
    const { mac } = await v0();
    const entry = (): string => neighbour.run(`ip neigh show ${VIP}`);
    neighbour.run(`ip neigh add ${VIP} dev v1 lladdr ${macText(mac)} nud stale`);
    t.match(entry(), macText(mac));

    const newMac = Uint8Array.of(0x02, 0, 0x5e, 0, 0, 0x99);
    const arp = ArpSocket.open(index);
    t.teardown(() => arp.close());
    arp.announce(newMac, VIP);
    await until("the entry moves", () => entry().includes(macText(newMac)));
    arp.announce(mac, VIP);
    await until("and back", () => entry().includes(macText(mac)));

    const cost = performance.now();
    for (let i = 0; i < 100; i++) arp.announce(mac, VIP);
    t.comment(`one announcement: ${((performance.now() - cost) * 10).toFixed(0)} µs`);
    await route.removeAddress(vip);
  });

  await t.test(
    "an announcement on an interface that is down or gone is an error and no exception of another kind",
    async (t) => {
      ip("link add x0 type veth peer name x1");
      const info = await route.interface("x0");
      const arp = ArpSocket.open(info?.index ?? 0);
      t.throws(() => arp.announce(new Uint8Array(6), VIP), { code: "LB_ARP", message: /ENETDOWN/ });
      ip("link del x0");
      t.throws(() => arp.announce(new Uint8Array(6), VIP), { code: "LB_ARP", message: /ENXIO|ENODEV/ });
      arp.close();
      t.throws(() => arp.announce(new Uint8Array(6), VIP), { code: "LB_ARP", message: /closed/ });
    },
  );

  function addresses(count: number): string[] {
    return Array.from({ length: count }, (_, i) => `10.99.${i >> 8}.${i & 255}`);
  }
}

function isAddress(address: string | null, added: boolean): (event: LinkEvent) => boolean {
  return (event) =>
    event.kind === "address" && (address === null || event.address === address) && event.added === added;
}

/** Many commands in one `ip`, while this thread turns its event loop. */
async function batch(commands: readonly string[]): Promise<void> {
  const running = promisify(execFile)("ip", ["-batch", "-"]);
  running.child.stdin?.end(commands.join("\n"));
  await running;
}

function removeAtOnce(fd: number, entry: { index: number; address: string; prefixLength: number }): void {
  const request = encodeMessage({
    type: MessageType.deleteAddress,
    flags: MessageFlag.request,
    sequence: 1,
    payload: encodeAddressChange(entry),
  });
  const kernel = new Uint8Array(12);
  kernel[0] = Family.netlink;
  sendTo(fd, request, kernel);
}

function macText(mac: Uint8Array): string {
  return Array.from(mac, (byte) => byte.toString(16).padStart(2, "0")).join(":");
}

interface Host {
  run(command: string): string;
  leave(): void;
}

/** Moves an interface into another unnamed namespace, which lives as long as a process that sleeps in it. */
async function hostBehind(interfaceName: string): Promise<Host> {
  const sleeper: ChildProcess = spawn("unshare", ["--net", "sleep", "600"], { stdio: "ignore" });
  const own = readlinkSync("/proc/self/ns/net");
  await until("the namespace", () => readlinkSync(`/proc/${sleeper.pid}/ns/net`) !== own);
  ip(`link set ${interfaceName} netns ${sleeper.pid}`);
  return {
    run: (command) =>
      execFileSync("nsenter", ["-t", String(sleeper.pid), "-n", ...command.split(" ")], { encoding: "utf8" }),
    leave: () => {
      sleeper.kill();
    },
  };
}

/** A Node that may use io_uring (Debian 13's) refuses to change the user id. */
function whyNoSeteuid(): string | false {
  try {
    process.seteuid?.(process.geteuid?.() ?? 0);
    return false;
  } catch (error) {
    return `this Node refuses seteuid: ${String(error)}`;
  }
}
