import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Exit, HostProcess } from "./host-process.js";
import { type Host, type Network, virtualAddress } from "./network.js";

export interface KeepalivedOptions {
  readonly priority: number;
  readonly virtualRouterId?: number;
  /** 2 if left out. */
  readonly version?: 2 | 3;
  /** Seconds; 1 if left out. */
  readonly advertInterval?: number;
  readonly password?: string;
  /** PASS if left out; counts with a password only. */
  readonly authType?: "PASS" | "AH";
  /** Adverts go to this address, and not to the group. */
  readonly unicastPeer?: string;
  readonly preempt?: boolean;
  readonly useVmac?: boolean;
  readonly addresses?: readonly string[];
  /** A second instance, VI_2 on eth2 with another router id and this address, and a sync group of both. */
  readonly groupedWith?: string;
  /** More lines of the instance. */
  readonly extra?: readonly string[];
  /** A command that is run every second: the instance is in FAULT as long as it fails. */
  readonly script?: string;
}

/** Of VI_2. */
export const groupedRouterId = 52;

/** keepalived running on one of the lab's hosts. */
export class Keepalived {
  readonly process: HostProcess;
  readonly #vrrpPidFile: string;

  constructor(process: HostProcess, vrrpPidFile: string) {
    this.process = process;
    this.#vrrpPidFile = vrrpPidFile;
  }

  stop(): Promise<Exit> {
    return this.process.stop("SIGTERM");
  }

  /** kill -9 of both of its processes: the one that speaks VRRP would otherwise notice and say goodbye. */
  kill(): Promise<Exit> {
    this.#signalSpeaker("SIGKILL");
    return this.process.stop("SIGKILL");
  }

  /** SIGSTOP and SIGCONT for both of its processes. */
  signal(signal: NodeJS.Signals): void {
    this.#signalSpeaker(signal);
    this.process.signal(signal);
  }

  #signalSpeaker(signal: NodeJS.Signals): void {
    process.kill(Number(readFileSync(this.#vrrpPidFile, "utf8")), signal);
  }
}

/** keepalived's VRRP part alone, logging to its standard error. */
export function startKeepalived(network: Network, host: Host, options: KeepalivedOptions): Keepalived {
  starts += 1;
  const home = join(network.scratch, host.name, `keepalived-${starts}`);
  mkdirSync(home, { recursive: true });
  const file = join(home, "keepalived.conf");
  writeFileSync(file, keepalivedConfiguration(host, options));
  // -P VRRP only, -n foreground, -l and -D log everything to the console; pid files of its own.
  const vrrpPidFile = join(home, "vrrp.pid");
  const pidFiles = ["-p", join(home, "main.pid"), "-r", vrrpPidFile];
  const child = host.spawn("keepalived", "keepalived", "-P", "-n", "-l", "-D", "-f", file, ...pidFiles);
  return new Keepalived(child, vrrpPidFile);
}

function keepalivedConfiguration(host: Host, options: KeepalivedOptions): string {
  const { groupedWith } = options;
  if (groupedWith !== undefined) {
    const { groupedWith: _, ...one } = options;
    const group = "vrrp_sync_group VG {\n  group {\n    VI_1\n    VI_2\n  }\n}\n";
    const second = { ...one, virtualRouterId: groupedRouterId, addresses: [`${groupedWith} dev eth2`] };
    const other = instance(second).replace("VI_1", "VI_2").replace("interface eth1", "interface eth2");
    return `${globals(host, options)}${instance(one)}${other}${group}`;
  }
  return `${globals(host, options)}${instance(options)}`;
}

function globals(host: Host, { version = 2, script }: KeepalivedOptions): string {
  return `global_defs {
  router_id ${host.name}
  vrrp_version ${version}
  script_user root
}
${script === undefined ? "" : scriptSection(script)}`;
}

function instance(options: KeepalivedOptions): string {
  const { password, authType = "PASS", unicastPeer, script } = options;
  const addresses = options.addresses ?? [`${virtualAddress}/24`];
  const lines = [
    "state BACKUP",
    "interface eth1",
    `virtual_router_id ${options.virtualRouterId ?? 51}`,
    `priority ${options.priority}`,
    `advert_int ${options.advertInterval ?? 1}`,
    ...(options.preempt === false ? ["nopreempt"] : []),
    ...(options.useVmac === true ? ["use_vmac"] : []),
    ...(options.extra ?? []),
    ...(password === undefined
      ? []
      : ["authentication {", `  auth_type ${authType}`, `  auth_pass ${password}`, "}"]),
    ...(unicastPeer === undefined ? [] : [`unicast_peer {`, `  ${unicastPeer}`, "}"]),
    ...(script === undefined ? [] : ["track_script {", "  check", "}"]),
    "virtual_ipaddress {",
    ...addresses.map((address) =>
      address.includes(" dev ") || options.useVmac === true ? `  ${address}` : `  ${address} dev eth1`,
    ),
    "}",
  ];
  return `vrrp_instance VI_1 {
${lines.map((line) => `  ${line}`).join("\n")}
}
`;
}

function scriptSection(script: string): string {
  return `vrrp_script check {
  script "${script}"
  interval 1
  timeout 1
  rise 1
  fall 1
}
`;
}

let starts = 0;
