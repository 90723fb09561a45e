import type { Test } from "tap";
import { startTandemRouter, type TandemRouterOptions } from "../../lab/interop/tandem-router.js";
import { startKeepalived } from "../../lab/keepalived.js";
import { demoPlan, type HostPlan, Network } from "../../lab/network.js";

export { startTandemRouter } from "../../lab/interop/tandem-router.js";

/** Two balancers and a client that listens: enough for VRRP. */
export const vrrpPlan = demoPlan.filter((host) => !host.name.startsWith("web"));

export type Implementation = "tandem" | "keepalived";
export type Box = "lb-box1" | "lb-box2";

export type RouterOptions = TandemRouterOptions;

export interface Router {
  stop(): Promise<unknown>;
  /** kill -9 */
  kill(): Promise<unknown>;
}

/** In a test, a network that is gone after it. */
export async function newNetwork(t: Test, plan: readonly HostPlan[] = vrrpPlan): Promise<Network> {
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
