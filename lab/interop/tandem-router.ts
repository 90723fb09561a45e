import { groupedRouterId, type KeepalivedOptions } from "../keepalived.js";
import { type Network, virtualAddress } from "../network.js";
import { startTandem, type Tandem, writeConfiguration } from "../tandem.js";

export interface TandemRouterOptions extends KeepalivedOptions {
  /** Of the peer link, which stays off without it. */
  readonly peerKey?: string;
  /** A file that holds it. */
  readonly peerKeyFile?: string;
  /** More lines of the instance. */
  readonly extra?: readonly string[];
}

/** Tandem as a VRRP daemon alone, from a configuration file that says what keepalived's says. */
export function startTandemRouter(network: Network, box: string, options: TandemRouterOptions): Tandem {
  const host = network.host(box);
  const file = writeConfiguration(network, host, vrrpConfiguration(options));
  return startTandem(network, host, "--config", file);
}

function vrrpConfiguration(options: TandemRouterOptions): string {
  const { password, authType = "PASS", unicastPeer } = options;
  const lines = [
    "interface: eth1",
    `virtual_router_id: ${options.virtualRouterId ?? 51}`,
    `version: ${options.version ?? 2}`,
    `advert_int: ${options.advertInterval ?? 1}`,
    `priority: ${options.priority}`,
    `preempt: ${options.preempt ?? true}`,
    ...(password === undefined
      ? []
      : [`authentication: { auth_type: ${authType}, auth_pass: ${JSON.stringify(password)} }`]),
    ...(options.useVmac === true ? ["use_vmac: true"] : []),
    ...(options.extra ?? []),
    ...(unicastPeer === undefined ? [] : [`unicast_peer: "${unicastPeer}"`]),
    `virtual_ipaddress: ${JSON.stringify(options.addresses ?? [`${virtualAddress}/24`])}`,
  ];
  const { peerKey, peerKeyFile } = options;
  const key = peerKeyFile === undefined ? ["key", peerKey] : ["key_file", peerKeyFile];
  const peerLink = key[1] === undefined ? "" : `peer_link: { ${key[0]}: ${JSON.stringify(key[1])} }\n`;
  return `${peerLink}vrrp:\n  VI_1:\n${lines.map((line) => `    ${line}\n`).join("")}${grouped(options)}`;
}

function grouped({ groupedWith, version = 2, advertInterval = 1, priority }: TandemRouterOptions): string {
  if (groupedWith === undefined) return "";
  return `  VI_2:
    interface: eth2
    virtual_router_id: ${groupedRouterId}
    version: ${version}
    advert_int: ${advertInterval}
    priority: ${priority}
    virtual_ipaddress: ${groupedWith}
vrrp_sync_group: { VG: { group: [VI_1, VI_2] } }
`;
}
