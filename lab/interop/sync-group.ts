import { AdvertWatch, type SeenAdvert } from "../adverts.js";
import { sleep, waitFor } from "../clock.js";
import { groupedRouterId, type KeepalivedOptions } from "../keepalived.js";
import { Network, virtualAddress } from "../network.js";
import {
  attempt,
  type Box,
  type Event,
  lateMs,
  type Outcome,
  priorities,
  type Role,
  type Router,
  startedPeer,
  startedTandem,
  type Variant,
  vrrpHosts,
} from "./scenario.js";

/** `checksums` is not among them: the adverts are those of the plain variants. */
const groupEvents: readonly Event[] = [
  "election",
  "priority 0",
  "preemption",
  "silent death",
  "return",
  "member down",
  "member up",
];
const limitMs = 25_000;
const secondNetwork = { "lb-box1": "192.168.34.80", "lb-box2": "192.168.34.81" } as const;

/** Two instances on two interfaces, which must always be master on the same node. */
export async function runSyncGroup(variant: Variant, role: Role): Promise<Outcome[]> {
  const network = await Network.create(vrrpHosts);
  try {
    const group = await SyncGroup.open(network, variant, role);
    const outcomes: Outcome[] = [];
    for (const event of groupEvents) outcomes.push(await attempt(event, () => group.run(event)));
    return outcomes;
  } finally {
    await network.close();
  }
}

class SyncGroup {
  readonly #network: Network;
  readonly #variant: Variant;
  readonly #tandemBox: Box;
  /** On either interface; a router's adverts on eth2 come from its address there. */
  readonly #watches: readonly AdvertWatch[];
  #high: Router | null = null;

  private constructor(network: Network, variant: Variant, role: Role, watches: readonly AdvertWatch[]) {
    this.#network = network;
    this.#variant = variant;
    this.#tandemBox = role === "Tandem first" ? "lb-box1" : "lb-box2";
    this.#watches = watches;
  }

  static async open(network: Network, variant: Variant, role: Role): Promise<SyncGroup> {
    const [one, other] = [network.host("lb-box1"), network.host("lb-box2")];
    const veth = ["link", "add", "eth2", "type", "veth", "peer", "name", "eth2", "netns", other.namespace];
    await one.run("ip", ...veth);
    for (const host of [one, other]) {
      const address = secondNetwork[host === one ? "lb-box1" : "lb-box2"];
      await host.run("ip", "address", "add", `${address}/24`, "dev", "eth2");
      await host.run("ip", "link", "set", "eth2", "up");
    }
    const watches = [await AdvertWatch.start(network.host("client")), await AdvertWatch.start(other, "eth2")];
    return new SyncGroup(network, variant, role, watches);
  }

  async run(event: Event): Promise<string> {
    const sinceMs = Date.now();
    switch (event) {
      case "election":
        [this.#high] = await Promise.all([this.#start("lb-box1"), this.#start("lb-box2")]);
        return await this.#bothOn("lb-box1", sinceMs);
      case "priority 0":
        await this.#high?.stop();
        for (const which of [0, 1] as const) {
          const said = this.#from("lb-box1", which, sinceMs).some(({ priority }) => priority === 0);
          if (!said) throw new Error(`no advert with priority 0 on eth${which + 1}`);
        }
        return await this.#bothOn("lb-box2", sinceMs);
      case "silent death":
        await this.#high?.kill();
        return await this.#bothOn("lb-box2", sinceMs);
      case "preemption":
      case "return":
        this.#high = await this.#start("lb-box1");
        return await this.#bothOn("lb-box1", sinceMs);
      case "member down":
        await this.#network.cutLink("lb-box1");
        return await this.#bothOn("lb-box2", sinceMs);
      case "member up":
        await this.#network.restoreLink("lb-box1");
        return await this.#bothOn("lb-box1", sinceMs);
      case "checksums":
        throw new Error("the adverts of a group are no others");
    }
  }

  /** Both instances are master there and nowhere else, and Tandem holds both addresses or none. */
  async #bothOn(box: Box, sinceMs: number): Promise<string> {
    const other = box === "lb-box1" ? "lb-box2" : "lb-box1";
    const firsts = await Promise.all(
      ([0, 1] as const).map((which) =>
        waitFor(`an advert from ${box} on eth${which + 1}`, limitMs, () =>
          this.#from(box, which, sinceMs).find(({ priority }) => priority > 0),
        ),
      ),
    );
    const fromMs = Math.max(...firsts.map(({ epochMs }) => epochMs)) + lateMs;
    await sleep(2 * lateMs);
    for (const which of [0, 1] as const) {
      const late = this.#from(other, which, fromMs);
      if (late.length > 0) throw new Error(`${other} sent ${late.length} adverts on eth${which + 1} as well`);
      if (this.#from(box, which, fromMs).length < 2) throw new Error(`${box} fell silent on eth${which + 1}`);
    }
    const held = await this.#network.host(this.#tandemBox).everyAddress();
    for (const address of [virtualAddress, "192.168.34.84"]) {
      if (held.includes(address) !== (this.#tandemBox === box)) {
        throw new Error(`Tandem ${held.includes(address) ? "holds" : "does not hold"} ${address}`);
      }
    }
    const apartMs = Math.abs(firsts[0].epochMs - firsts[1].epochMs);
    return `both on ${box}, ${apartMs.toFixed(0)} ms apart`;
  }

  #from(box: Box, which: 0 | 1, sinceMs: number): SeenAdvert[] {
    const source = which === 0 ? this.#network.host(box).address : secondNetwork[box];
    const virtualRouterId = which === 0 ? 51 : groupedRouterId;
    return this.#watches[which]
      .from(source, sinceMs)
      .filter((advert) => advert.virtualRouterId === virtualRouterId);
  }

  async #start(box: Box): Promise<Router> {
    const { peer, options } = this.#variant;
    const all: KeepalivedOptions = { ...options, priority: priorities[box] };
    return box === this.#tandemBox
      ? await startedTandem(this.#network, box, all)
      : await startedPeer(this.#network, peer, box, all);
  }
}
