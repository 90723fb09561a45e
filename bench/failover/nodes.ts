import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { HostProcess } from "../../lab/host-process.js";
import { type Keepalived, startKeepalived } from "../../lab/keepalived.js";
import { type Host, type Network, virtualAddress } from "../../lab/network.js";
import { startTandem, type Tandem, writeConfiguration } from "../../lab/tandem.js";
import type { ProgramName, Setting } from "./plan.js";

/** One balancer, whatever it runs. */
export interface Node {
  /** SIGTERM to what holds the address; resolves when it has exited. */
  terminate(): Promise<unknown>;
  /** kill -9 of everything that runs for it. */
  kill(): Promise<unknown>;
  /** SIGSTOP and SIGCONT, likewise. */
  signal(signal: "SIGSTOP" | "SIGCONT"): void;
}

/** Long connections never end by themselves: so long does a node that stops serve them. */
export const drainMs = 4000;

/**
 * Starts the program on a host, with the priority 101 on lb-box1 and 100 on lb-box2. `checked` is a file: without it the
 * node's check fails, which is a fault for both programs, looked at once a second.
 */
export function startNode(
  program: ProgramName,
  network: Network,
  host: Host,
  setting: Setting,
  checked: string,
): Node {
  const priority = host.name === "lb-box1" ? 101 : 100;
  if (program === "tandem") {
    const file = writeConfiguration(network, host, tandemConfiguration(setting, priority, checked));
    return new TandemNode(startTandem(network, host, "--config", file));
  }
  const keepalived = startKeepalived(network, host, {
    priority,
    version: setting.version,
    advertInterval: setting.advertIntervalMs / 1000,
    script: `/usr/bin/test -e ${checked}`,
  });
  return new KeepalivedNode(network, host, keepalived);
}

/** keepalived leaves the address where it was killed. */
export async function removeLeftAddress(host: Host): Promise<void> {
  await host.tryRun("ip", "address", "del", `${virtualAddress}/24`, "dev", "eth1");
}

class TandemNode implements Node {
  readonly #tandem: Tandem;

  constructor(tandem: Tandem) {
    this.#tandem = tandem;
  }

  terminate(): Promise<unknown> {
    return this.#tandem.stop(30_000);
  }

  kill(): Promise<unknown> {
    return this.#tandem.kill();
  }

  signal(signal: NodeJS.Signals): void {
    this.#tandem.process.signal(signal);
  }
}

/** keepalived holds the address, HAProxy serves; a stop is keepalived's alone, as `systemctl stop keepalived` is. */
class KeepalivedNode implements Node {
  readonly #keepalived: Keepalived;
  readonly #haproxy: HostProcess;

  constructor(network: Network, host: Host, keepalived: Keepalived) {
    this.#keepalived = keepalived;
    this.#haproxy = haproxyOf(network, host);
  }

  terminate(): Promise<unknown> {
    return this.#keepalived.stop();
  }

  kill(): Promise<unknown> {
    return Promise.all([this.#keepalived.kill(), this.#haproxy.stop("SIGKILL")]);
  }

  signal(signal: NodeJS.Signals): void {
    this.#keepalived.signal(signal);
    this.#haproxy.signal(signal);
  }
}

/** The one that runs on this host, or a new one. */
function haproxyOf(network: Network, host: Host): HostProcess {
  const running = haproxies.get(host);
  if (running !== undefined && running.exit === null) return running;
  const file = join(network.scratch, `${host.name}-haproxy.cfg`);
  writeFileSync(file, haproxyConfiguration);
  const started = host.spawn("haproxy", "haproxy", "-db", "-f", file);
  haproxies.set(host, started);
  return started;
}

const haproxies = new WeakMap<Host, HostProcess>();

const haproxyConfiguration = `global
  nbthread 2
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  timeout tunnel 600s
listen http
  bind :80
  server web01 192.168.33.68:80
  server web02 192.168.33.69:80
`;

function tandemConfiguration(setting: Setting, priority: number, checked: string): string {
  return `vrrp_script:
  check: { script: "/usr/bin/test -e ${checked}", interval: 1s, timeout: 1s, rise: 1, fall: 1 }
vrrp:
  VI_1:
    interface: eth1
    virtual_router_id: 51
    version: ${setting.version}
    advert_int: ${setting.advertIntervalMs}ms
    priority: ${priority}
    virtual_ipaddress: ${virtualAddress}/24
    track_script: check
peer_link: { key: "a key for the bench, long enough" }
proxies:
  http:
    bind: ${virtualAddress}:80
    servers: { web01: 192.168.33.68:80, web02: 192.168.33.69:80 }
drain_timeout: ${drainMs}ms
`;
}
