import { type Backend, startNginx } from "./backend.js";
import { Network, virtualAddress } from "./network.js";
import { startTandem, type Tandem } from "./tandem.js";

/** The demo's four machines at work: two nginx, and two Tandem of which lb-box1 is the master. */
export interface Pair {
  readonly network: Network;
  readonly webs: readonly Backend[];
  readonly box1: Tandem;
  readonly box2: Tandem;
}

/** Close the network when done. */
export async function startPair(): Promise<Pair> {
  const network = await Network.create();
  try {
    const webs = [
      await startNginx(network, network.host("web-box1")),
      await startNginx(network, network.host("web-box2")),
    ];
    const box1 = startBalancer(network, "lb-box1", 101);
    const box2 = startBalancer(network, "lb-box2", 100);
    await network.waitForHolder(virtualAddress, "lb-box1", 45_000);
    return { network, webs, box1, box2 };
  } catch (error) {
    await network.close();
    throw error;
  }
}

/** The key of the peer link, the same on both. */
export const peerKey = "the demo's two balancers";

/** With the built-in configuration, as a user's first command does it, and a peer link. */
export function startBalancer(network: Network, name: "lb-box1" | "lb-box2", priority: number): Tandem {
  return startTandem(network, network.host(name), "--priority", String(priority), "--peer-key", peerKey);
}
