import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { waitFor } from "../clock.js";
import type { HostProcess } from "../host-process.js";
import type { KeepalivedOptions } from "../keepalived.js";
import { type Host, type Network, virtualAddress } from "../network.js";

/** Where Debian puts FRR's daemons. */
const frrFolder = "/usr/lib/frr";

/**
 * FRR's vrrpd, with the zebra that it needs, on one of the lab's hosts. It speaks through a macvlan that carries the
 * virtual router's MAC and addresses, and takes that up and down instead of the addresses.
 */
export class Frr {
  readonly #zebra: HostProcess;
  readonly #vrrpd: HostProcess;
  readonly #host: Host;
  readonly #macvlan: string;

  constructor(zebra: HostProcess, vrrpd: HostProcess, host: Host, macvlan: string) {
    this.#zebra = zebra;
    this.#vrrpd = vrrpd;
    this.#host = host;
    this.#macvlan = macvlan;
  }

  /** A planned stop: vrrpd says goodbye. */
  async stop(): Promise<void> {
    await this.#vrrpd.stop("SIGTERM");
    await this.#zebra.stop("SIGTERM");
    await this.#removeMacvlan();
  }

  /** kill -9 */
  async kill(): Promise<void> {
    await this.#vrrpd.stop("SIGKILL");
    await this.#zebra.stop("SIGKILL");
    await this.#removeMacvlan();
  }

  async #removeMacvlan(): Promise<void> {
    await this.#host.run("ip", "link", "delete", this.#macvlan);
  }
}

export async function startFrr(network: Network, host: Host, options: KeepalivedOptions): Promise<Frr> {
  starts += 1;
  const home = join(network.scratch, host.name, `frr-${starts}`);
  mkdirSync(home, { recursive: true });
  // FRR's daemons give up root and write into it as user frr.
  chmodSync(network.scratch, 0o755);
  chmodSync(home, 0o777);
  const virtualRouterId = options.virtualRouterId ?? 51;
  const addresses = options.addresses ?? [`${virtualAddress}/24`];
  const isV6 = addresses.some((address) => address.includes(":"));
  const macvlan = `vrrp${isV6 ? 6 : 4}-${virtualRouterId}`;
  await makeMacvlan(host, macvlan, virtualRouterId, isV6, addresses);

  const file = join(home, "vrrpd.conf");
  writeFileSync(file, frrConfiguration(options, virtualRouterId, isV6, addresses));
  const socket = join(home, "zserv.api");
  const common = (name: string) => [
    "-i",
    join(home, `${name}.pid`),
    "--vty_socket",
    home,
    "-z",
    socket,
    "--log",
    "stdout",
  ];
  const zebra = host.spawn("zebra", join(frrFolder, "zebra"), ...common("zebra"));
  await waitFor("zebra's socket", 10_000, async () => (await host.tryRun("test", "-S", socket)).code === 0);
  const vrrpd = host.spawn("vrrpd", join(frrFolder, "vrrpd"), ...common("vrrpd"), "-f", file);
  return new Frr(zebra, vrrpd, host, macvlan);
}

async function makeMacvlan(
  host: Host,
  name: string,
  virtualRouterId: number,
  isV6: boolean,
  addresses: readonly string[],
): Promise<void> {
  const mac = `00:00:5e:00:0${isV6 ? 2 : 1}:${virtualRouterId.toString(16).padStart(2, "0")}`;
  await host.run("ip", "link", "add", name, "link", "eth1", "type", "macvlan", "mode", "bridge");
  await host.run("ip", "link", "set", "dev", name, "address", mac);
  // A link-local address of its own over IPv6 and none over IPv4, as FRR's documentation has it.
  await host.run("sysctl", "-q", "-w", `net.ipv6.conf.${name}.addr_gen_mode=${isV6 ? 3 : 1}`);
  for (const address of addresses) {
    await host.run("ip", "address", "add", address, "dev", name, ...(isV6 ? ["nodad"] : []));
  }
  await host.run("ip", "link", "set", "dev", name, "up");
}

function frrConfiguration(
  options: KeepalivedOptions,
  virtualRouterId: number,
  isV6: boolean,
  addresses: readonly string[],
): string {
  const lines = [
    `vrrp ${virtualRouterId} version 3`,
    `vrrp ${virtualRouterId} priority ${options.priority}`,
    `vrrp ${virtualRouterId} advertisement-interval ${(options.advertInterval ?? 1) * 1000}`,
    ...(options.preempt === false ? [`no vrrp ${virtualRouterId} preempt`] : []),
    ...addresses.map((address) => `vrrp ${virtualRouterId} ${isV6 ? "ipv6" : "ip"} ${address.split("/")[0]}`),
  ];
  return `interface eth1\n${lines.map((line) => ` ${line}\n`).join("")}`;
}

let starts = 0;
