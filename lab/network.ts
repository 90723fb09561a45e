import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { nowMs, waitFor } from "./clock.js";
import { type CommandResult, run, runSyncQuietly, tryRun } from "./command.js";
import { HostProcess } from "./host-process.js";

export interface HostPlan {
  readonly name: string;
  /** IPv4 address in 192.168.33.0/24. */
  readonly address: string;
}

/** The four machines of the demo, and a client, with the addresses that the built-in configuration knows. */
export const demoPlan = [
  { name: "lb-box1", address: "192.168.33.80" },
  { name: "lb-box2", address: "192.168.33.81" },
  { name: "web-box1", address: "192.168.33.68" },
  { name: "web-box2", address: "192.168.33.69" },
  { name: "client", address: "192.168.33.10" },
] as const satisfies readonly HostPlan[];

export const virtualAddress = "192.168.33.84";

/** One host: a network namespace with an interface eth1 on the lab's bridge. */
export class Host {
  readonly name: string;
  readonly address: string;
  readonly namespace: string;
  readonly #network: Network;

  constructor(network: Network, plan: HostPlan, namespace: string) {
    this.#network = network;
    this.name = plan.name;
    this.address = plan.address;
    this.namespace = namespace;
  }

  /** Runs a command to its end. */
  tryRun(command: string, ...parameters: string[]): Promise<CommandResult> {
    return tryRun("ip", ["netns", "exec", this.namespace, command, ...parameters]);
  }

  /** Runs a command that must succeed; gives its standard output. */
  run(command: string, ...parameters: string[]): Promise<string> {
    return run("ip", ["netns", "exec", this.namespace, command, ...parameters]);
  }

  /** Starts a program that runs until it is stopped, or the lab is closed. */
  spawn(name: string, command: string, ...parameters: string[]): HostProcess {
    const child = new HostProcess(`${name} on ${this.name}`, this.namespace, command, parameters);
    this.#network.adopt(child);
    return child;
  }

  /** IPv4 addresses of eth1, without the prefix length, in the kernel's order. */
  addresses(): Promise<string[]> {
    return this.#addresses("-4", "dev", "eth1");
  }

  /** Addresses of both families on every interface but lo: there an old master serves what is still open. */
  everyAddress(): Promise<string[]> {
    return this.#addresses();
  }

  /** The link-local IPv6 address of eth1, once duplicate detection has let it pass. */
  async linkLocalAddress(): Promise<string> {
    return await waitFor(`${this.name}'s link-local address`, 30_000, async () => {
      const out = await this.run("ip", "-6", "-o", "address", "show", "dev", "eth1", "scope", "link");
      return out.includes("tentative") ? null : /inet6 (fe80[\da-f:]+)/.exec(out)?.[1];
    });
  }

  async #addresses(...filter: string[]): Promise<string[]> {
    const family = filter[0]?.startsWith("-") ? filter.slice(0, 1) : [];
    const which = filter.slice(family.length);
    const out = await run("ip", ["-n", this.namespace, "-j", ...family, "address", "show", ...which]);
    const links = JSON.parse(out) as { ifname: string; addr_info?: { local: string }[] }[];
    const visible = links.filter(({ ifname }) => ifname !== "lo");
    return visible.flatMap((link) => (link.addr_info ?? []).map((info) => info.local));
  }
}

/**
 * Hosts on one bridge, each a network namespace, the bridge in one of its own: nothing of it touches this
 * machine's network. Namespace names carry this process's id, so that runs can go in parallel, and a later run
 * removes what a killed one left.
 */
export class Network {
  /** A folder for configurations, pid files, sockets and captures; gone after `close`. */
  readonly scratch: string;
  readonly #prefix: string;
  readonly #hosts = new Map<string, Host>();
  readonly #children = new Set<HostProcess>();
  #closed = false;

  private constructor(prefix: string) {
    this.#prefix = prefix;
    this.scratch = mkdtempSync(join(tmpdir(), `${prefix}-`));
  }

  /** Needs root, or a user namespace with a /run of its own. */
  static async create(plan: readonly HostPlan[] = demoPlan): Promise<Network> {
    removeLeftovers();
    installExitHandlers();
    count += 1;
    const network = new Network(`${namePrefix}-${process.pid}-${count}`);
    openNetworks.add(network);
    await network.#build(plan);
    return network;
  }

  host(name: string): Host {
    const host = this.#hosts.get(name);
    if (host === undefined) throw new Error(`this network has no host ${name}`);
    return host;
  }

  /** Takes the carrier from a host's eth1, as pulling its cable does. */
  async cutLink(name: string): Promise<void> {
    await run("ip", ["-n", this.#switch, "link", "set", name, "down"]);
  }

  async restoreLink(name: string): Promise<void> {
    await run("ip", ["-n", this.#switch, "link", "set", name, "up"]);
  }

  /** Deletes a host's eth1 and makes it anew: another index, another MAC, the same address. */
  async recreateLink(name: string): Promise<void> {
    await run("ip", ["-n", this.#switch, "link", "delete", name]);
    await this.#attach(this.host(name));
  }

  /** Drops every frame to and from a host while its link stays up: a partition that nobody is told of. */
  async partition(name: string): Promise<void> {
    const rules = ["iifname", "oifname"].map((side) => `add rule bridge lab forward ${side} "${name}" drop`);
    const table =
      "add table bridge lab; add chain bridge lab forward { type filter hook forward priority 0; }";
    await this.#nft(`${table}; ${rules.join("; ")}`);
  }

  /** Ends every partition. */
  async heal(): Promise<void> {
    await this.#nft("delete table bridge lab");
  }

  /** Names of the hosts that hold an address at this moment. */
  async holdersOf(address: string): Promise<string[]> {
    const hosts = [...this.#hosts.values()];
    const lists = await Promise.all(hosts.map((host) => host.everyAddress()));
    return hosts.filter((_, index) => lists[index].includes(address)).map((host) => host.name);
  }

  /** Waits until exactly one host holds the address, and it is that one. Gives the ms it took. */
  async waitForHolder(address: string, name: string, timeoutMs: number): Promise<number> {
    const started = nowMs();
    let last: string[] = [];
    try {
      await waitFor("holder", timeoutMs, async () => {
        last = await this.holdersOf(address);
        return last.length === 1 && last[0] === name;
      });
    } catch {
      throw new Error(`${address} is on [${last.join(", ")}] and not on ${name} alone after ${timeoutMs} ms`);
    }
    return nowMs() - started;
  }

  /** Called by Host. */
  adopt(child: HostProcess): void {
    this.#children.add(child);
    void child.exited.then(
      () => this.#children.delete(child),
      () => this.#children.delete(child),
    );
  }

  /** Kills every program and removes every namespace and file. */
  async close(): Promise<void> {
    if (this.#closed) return;
    for (const child of this.#children) child.signal("SIGKILL");
    await Promise.allSettled([...this.#children].map((child) => child.exited));
    this.destroy();
  }

  /** `close` for exit handlers: synchronous, and never throws. */
  destroy(): void {
    if (this.#closed) return;
    this.#closed = true;
    openNetworks.delete(this);
    for (const name of namespaces()) if (name.startsWith(`${this.#prefix}-`)) removeNamespace(name);
    rmSync(this.scratch, { recursive: true, force: true });
  }

  get #switch(): string {
    return `${this.#prefix}-switch`;
  }

  async #nft(script: string): Promise<void> {
    await run("ip", ["netns", "exec", this.#switch, "nft", script]);
  }

  async #build(plans: readonly HostPlan[]): Promise<void> {
    const lan = this.#switch;
    await run("ip", ["netns", "add", lan]);
    // Without snooping the bridge floods multicast like a plain switch, and no querier is needed.
    await run("ip", ["-n", lan, "link", "add", "br0", "type", "bridge", "mcast_snooping", "0"]);
    await run("ip", ["-n", lan, "link", "set", "br0", "up"]);
    for (const plan of plans) {
      const namespace = `${this.#prefix}-${plan.name}`;
      const host = new Host(this, plan, namespace);
      this.#hosts.set(plan.name, host);
      await run("ip", ["netns", "add", namespace]);
      await run("ip", ["-n", namespace, "link", "set", "lo", "up"]);
      await this.#attach(host);
    }
  }

  /** A veth pair: eth1 in the host, a bridge port of the host's name in the switch. */
  async #attach({ name, address, namespace }: Host): Promise<void> {
    const lan = this.#switch;
    const peer = ["peer", "name", "eth1", "netns", namespace];
    await run("ip", ["-n", lan, "link", "add", name, "type", "veth", ...peer]);
    await run("ip", ["-n", lan, "link", "set", name, "master", "br0", "up"]);
    await run("ip", ["-n", namespace, "address", "add", `${address}/24`, "brd", "+", "dev", "eth1"]);
    await run("ip", ["-n", namespace, "link", "set", "eth1", "up"]);
  }
}

const namePrefix = "tandem-lab";
const openNetworks = new Set<Network>();
let count = 0;
let handlersInstalled = false;

function installExitHandlers(): void {
  if (handlersInstalled) return;
  handlersInstalled = true;
  process.on("exit", () => {
    for (const network of openNetworks) network.destroy();
  });
  // process.exit runs the handler above; an uncaught exception does as well.
  process.on("SIGINT", () => process.exit(130));
  process.on("SIGTERM", () => process.exit(143));
  process.on("SIGHUP", () => process.exit(129));
}

/** Removes what labs left whose process is gone. */
function removeLeftovers(): void {
  for (const name of namespaces()) if (isLeftover(name)) removeNamespace(name);
  for (const name of readdirSync(tmpdir())) {
    if (!isLeftover(name)) continue;
    try {
      rmSync(join(tmpdir(), name), { recursive: true, force: true });
    } catch {
      // Another user's.
    }
  }
}

function isLeftover(name: string): boolean {
  const owner = new RegExp(`^${namePrefix}-(\\d+)-`).exec(name)?.[1];
  if (owner === undefined || Number(owner) === process.pid) return false;
  try {
    process.kill(Number(owner), 0);
    return false;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "ESRCH";
  }
}

function namespaces(): string[] {
  try {
    return readdirSync("/run/netns");
  } catch {
    return [];
  }
}

function removeNamespace(name: string): void {
  // A namespace lives on while a process is in it.
  for (const pid of runSyncQuietly("ip", ["netns", "pids", name]).split("\n")) {
    if (pid === "") continue;
    try {
      process.kill(Number(pid), "SIGKILL");
    } catch {
      // It has exited by itself.
    }
  }
  runSyncQuietly("ip", ["netns", "delete", name]);
}
