import type { Test } from "tap";
import { type KeepalivedOptions, startKeepalived } from "../../lab/keepalived.js";
import { demoPlan, Network, virtualAddress } from "../../lab/network.js";
import { startTandem, type Tandem, writeConfiguration } from "../../lab/tandem.js";

/** Two balancers and a client that listens: enough for VRRP. */
export const vrrpPlan = demoPlan.filter((host) => !host.name.startsWith("web"));

export type Implementation = "tandem" | "keepalived";
export type Box = "lb-box1" | "lb-box2";

export interface RouterOptions extends KeepalivedOptions {
  /** Tandem only. */
  readonly peerKey?: string;
}

export interface Router {
  stop(): Promise<unknown>;
  /** kill -9 */
  kill(): Promise<unknown>;
}

/** In a test, a network that is gone after it. */
export async function newNetwork(t: Test, plan = vrrpPlan): Promise<Network> {
  const network = await Network.create(plan);
  t.teardown(() => network.close());
  return network;
}

export function startRouter(
  network: Network,
  implementation: Implementation,
  box: Box,
  options: RouterOptions,
): Router {
  return implementation === "tandem"
    ? startTandemRouter(network, box, options)
    : startKeepalived(network, network.host(box), options);
}

/** Tandem as a VRRP daemon alone, from a configuration file that says what keepalived's says. */
export function startTandemRouter(network: Network, box: Box, options: RouterOptions): Tandem {
  const host = network.host(box);
  return startTandem(
    network,
    host,
    "--config",
    writeConfiguration(network, host, vrrpConfiguration(options)),
  );
}

function vrrpConfiguration(options: RouterOptions): string {
  const authentication =
    options.password === undefined
      ? ""
      : `    authentication: { auth_type: PASS, auth_pass: ${JSON.stringify(options.password)} }\n`;
  const addresses = options.addresses ?? [`${virtualAddress}/24`];
  const peerLink =
    options.peerKey === undefined ? "" : `peer_link: { key: ${JSON.stringify(options.peerKey)} }\n`;
  return `${peerLink}vrrp:
  VI_1:
    interface: eth1
    virtual_router_id: ${options.virtualRouterId ?? 51}
    version: ${options.version ?? 2}
    advert_int: ${options.advertInterval ?? 1}
    priority: ${options.priority}
    preempt: ${options.preempt ?? true}
${authentication}    virtual_ipaddress: ${JSON.stringify(addresses)}
`;
}
