import type { Test } from "tap";
import { startSmallBackend } from "./backend.js";
import { nowMs, sleep } from "./clock.js";
import { demoPlan, type HostPlan, Network, virtualAddress } from "./network.js";
import { Probe, type ProbeSummary } from "./probe.js";
import { startTandem, type Tandem, writeConfiguration } from "./tandem.js";

export interface Balancer {
  readonly name: string;
  readonly priority: number;
}

/** Master-down interval of the lowest priority used here, twice, and a node that starts on a busy machine. */
export const electionMs = 2 * 3609 + 45_000;

const ipv6Address = "fd00:33::84";

/** Linked Tandem nodes in front of two web servers, and a client that never stops asking. */
export class PlannedMoves {
  readonly network: Network;
  readonly address: string;
  readonly drainMs: number;
  readonly #probe: Probe;
  readonly #test: Test;
  readonly #nodes: Tandem[];

  private constructor(test: Test, network: Network, address: string, drainMs: number, nodes: Tandem[]) {
    this.network = network;
    this.address = address;
    this.drainMs = drainMs;
    this.#test = test;
    this.#nodes = nodes;
    this.#probe = Probe.start(network.host("client"), { address, long: true });
  }

  /** The first balancer is master, and every stream is answered. `drainMs`: how long connections go on after a move. */
  static async start(
    test: Test,
    { family, balancers, drainMs }: { family: 4 | 6; balancers: readonly Balancer[]; drainMs: number },
  ): Promise<PlannedMoves> {
    const known: readonly HostPlan[] = demoPlan;
    const more = balancers
      .filter(({ name }) => !known.some((host) => host.name === name))
      .map(({ name }, at) => ({ name, address: `192.168.33.${82 + at}` }));
    const network = await Network.create([...known, ...more]);
    test.teardown(() => network.close());
    if (family === 6) {
      for (const name of ["client", ...balancers.map((balancer) => balancer.name)]) {
        const own = `fd00:33::${network.host(name).address.split(".")[3]}/64`;
        await network.host(name).run("ip", "-6", "address", "add", own, "dev", "eth1", "nodad");
      }
    }
    for (const name of ["web-box1", "web-box2"]) await startSmallBackend(network, network.host(name));
    const address = family === 4 ? virtualAddress : ipv6Address;
    const nodes = balancers.map((balancer) => startBalancer(network, balancer, address, drainMs));
    await network.waitForHolder(address, balancers[0].name, electionMs);
    const moves = new PlannedMoves(test, network, address, drainMs, nodes);
    await moves.#probe.waitForService(30_000);
    return moves;
  }

  /** In the order of the balancers, and behind them those that were started again. */
  get nodes(): readonly Tandem[] {
    return this.#nodes;
  }

  startAgain(balancer: Balancer): Tandem {
    const node = startBalancer(this.network, balancer, this.address, this.drainMs);
    this.#nodes.push(node);
    return node;
  }

  /** What the client sees while `happen` makes `master` the master. */
  async during(master: string, happen: () => Promise<unknown>): Promise<ProbeSummary> {
    await sleep(1000);
    const startMs = nowMs();
    await happen();
    await this.network.waitForHolder(this.address, master, electionMs);
    await this.#probe.waitForService(30_000);
    const seen = await this.#probe.summary(startMs, nowMs());
    this.#test.comment(JSON.stringify(seen));
    return seen;
  }

  /** Of no stream a single request. */
  nothingFailed(seen: ProbeSummary): void {
    for (const stream of [seen.new, seen.kept, seen.long]) {
      this.#test.ok(stream.requests > 0);
      this.#test.same(stream.failures, {});
    }
  }

  serves(): Promise<void> {
    return this.#probe.waitForService(30_000);
  }

  async nftTables(name: string): Promise<string> {
    return (await this.network.host(name).run("nft", "list", "tables")).trim();
  }

  /** What `lo` has of the virtual address. */
  loAddresses(name: string): Promise<string> {
    return this.network.host(name).run("ip", "-o", "address", "show", "dev", "lo", "to", this.address);
  }

  /** With the whole story on standard error when something failed. */
  async stop(): Promise<void> {
    await this.#probe.stop();
    if (this.#test.passing()) return;
    for (const { host, process } of this.#nodes)
      for (const { atMs, text } of process.lines) console.error(host.name, atMs.toFixed(1), text);
    for (const sample of this.#probe.samples) if (!sample.good) console.error(JSON.stringify(sample));
  }
}

function startBalancer(
  network: Network,
  { name, priority }: Balancer,
  address: string,
  drainMs: number,
): Tandem {
  const isV6 = address.includes(":");
  const configuration = `vrrp:
  VI_1:
    interface: eth1
    virtual_router_id: 51
    priority: ${priority}
    virtual_ipaddress: ${JSON.stringify(`${address}/${isV6 ? 64 : 24}`)}
peer_link: { key: "a key for the lab, long enough" }
proxies:
  http:
    bind: ${JSON.stringify(isV6 ? `[${address}]:80` : `${address}:80`)}
    servers: { web01: 192.168.33.68:80, web02: 192.168.33.69:80 }
drain_timeout: ${drainMs}ms
`;
  const host = network.host(name);
  return startTandem(network, host, "--config", writeConfiguration(network, host, configuration));
}
