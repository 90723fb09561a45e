import { AdvertWatch, type SeenAdvert } from "../adverts.js";
import { Capture } from "../capture.js";
import { sleep, waitFor } from "../clock.js";
import { type KeepalivedOptions, startKeepalived } from "../keepalived.js";
import { demoPlan, Network, virtualAddress } from "../network.js";
import { startFrr } from "./frr.js";
import { runSyncGroup } from "./sync-group.js";
import { startTandemRouter } from "./tandem-router.js";

export type Peer = "keepalived" | "FRR";
/** Who has the higher priority. */
export type Role = "Tandem first" | "peer first";

/** One way of speaking VRRP, which both sides are set to. */
export interface Variant {
  readonly name: string;
  readonly peer: Peer;
  readonly options: Omit<KeepalivedOptions, "priority" | "unicastPeer">;
  readonly unicast?: boolean;
  /** Two instances on two interfaces, in a sync group on both sides. */
  readonly syncGroup?: boolean;
}

/** What a run goes through, in this order; each is a column of the table. */
export const events = [
  /** Both start together: the higher priority is master, and the other never speaks. */
  "election",
  /** The master is stopped: priority 0, and the other takes over after its skew time. */
  "priority 0",
  /** The higher priority comes back and takes over from a living master, which falls silent. */
  "preemption",
  /** kill -9: the other takes over after the master-down interval. */
  "silent death",
  /** It starts again and is master again, alone. */
  "return",
  /** Of a sync group: the master's first interface loses its carrier, and both addresses move; it is back, and so are they. */
  "member down",
  "member up",
  /** Every advert of both: tshark finds the checksum good and the packet well-formed. */
  "checksums",
] as const;
const ofGroups: readonly Event[] = ["member down", "member up"];
export type Event = (typeof events)[number];

export interface Outcome {
  readonly event: Event;
  readonly passed: boolean;
  /** A figure, or what went wrong. */
  readonly detail: string;
}

export interface Router {
  stop(): Promise<unknown>;
  kill(): Promise<unknown>;
}

export type Box = "lb-box1" | "lb-box2";

export const priorities = { "lb-box1": 101, "lb-box2": 100 } as const;
/** What a busy machine may add to a timer, on either side. */
export const lateMs = 1000;
/** A clock that reads early by its resolution, and FRR's timers, which count whole ms. */
const earlyMs = 25;
const startMs = 45_000;
export const vrrpHosts = demoPlan.filter((host) => !host.name.startsWith("web"));

/** Runs every event of one variant in one role, on a network of its own. An event that fails does not end the run. */
export async function runScenario(variant: Variant, role: Role): Promise<Outcome[]> {
  if (variant.syncGroup === true) return await runSyncGroup(variant, role);
  const network = await Network.create(vrrpHosts);
  try {
    const scenario = await Scenario.open(network, variant, role);
    const outcomes: Outcome[] = [];
    for (const event of events.filter((event) => !ofGroups.includes(event))) {
      outcomes.push(await attempt(event, () => scenario.run(event)));
    }
    return outcomes;
  } finally {
    await network.close();
  }
}

export async function attempt(event: Event, run: () => Promise<string>): Promise<Outcome> {
  try {
    return { event, passed: true, detail: await run() };
  } catch (error) {
    return { event, passed: false, detail: error instanceof Error ? error.message : String(error) };
  }
}

class Scenario {
  readonly #network: Network;
  readonly #variant: Variant;
  readonly #role: Role;
  readonly #watch: AdvertWatch;
  readonly #capture: Capture;
  /** Where adverts of a box come from. */
  readonly #sources: Readonly<Record<Box, string>>;
  #high: Router | null = null;

  private constructor(
    network: Network,
    variant: Variant,
    role: Role,
    watch: AdvertWatch,
    capture: Capture,
    sources: Readonly<Record<Box, string>>,
  ) {
    this.#network = network;
    this.#variant = variant;
    this.#role = role;
    this.#watch = watch;
    this.#capture = capture;
    this.#sources = sources;
  }

  static async open(network: Network, variant: Variant, role: Role): Promise<Scenario> {
    const boxes = [network.host("lb-box1"), network.host("lb-box2")];
    const sources = variant.options.addresses?.some((address) => address.includes(":"))
      ? await Promise.all(boxes.map((host) => host.linkLocalAddress()))
      : boxes.map((host) => host.address);
    // Unicast does not reach a third host: a box that hears and says all of it is watched instead.
    const where = network.host(variant.unicast === true ? "lb-box2" : "client");
    const filter = "ip proto 112 or ip proto 51 or ip6 proto 112";
    return new Scenario(
      network,
      variant,
      role,
      await AdvertWatch.start(where),
      await Capture.start(network, where, filter),
      { "lb-box1": sources[0], "lb-box2": sources[1] },
    );
  }

  run(event: Event): Promise<string> {
    switch (event) {
      case "member down":
      case "member up":
        return Promise.reject(new Error("there is no group"));
      case "election":
        return this.#election();
      case "priority 0":
        return this.#priorityZero();
      case "preemption":
      case "return":
        return this.#comeBack();
      case "silent death":
        return this.#silentDeath();
      case "checksums":
        return this.#checksums();
    }
  }

  get #intervalMs(): number {
    return (this.#variant.options.advertInterval ?? 1) * 1000;
  }

  /** RFC 3768 §6.1, RFC 9568 §6.1: of the lower priority, 100. */
  get #skewMs(): number {
    return (
      ((256 - priorities["lb-box2"]) / 256) * (this.#variant.options.version === 3 ? this.#intervalMs : 1000)
    );
  }

  get #masterDownMs(): number {
    return 3 * this.#intervalMs + this.#skewMs;
  }

  async #election(): Promise<string> {
    const [high] = await Promise.all([this.#start("lb-box1"), this.#start("lb-box2")]);
    this.#high = high;
    const first = await this.#firstAdvert("lb-box1", 0, 20_000);
    await this.#oneMaster("lb-box1", first.epochMs);
    return "the higher priority";
  }

  async #priorityZero(): Promise<string> {
    const sinceMs = Date.now();
    await this.#high?.stop();
    const goodbye = this.#from("lb-box1", sinceMs).findLast(({ priority }) => priority === 0);
    if (goodbye === undefined) throw new Error("no advert with priority 0");
    const next = await this.#firstAdvert("lb-box2", goodbye.epochMs, this.#masterDownMs + 3000);
    return within(next.epochMs - goodbye.epochMs, this.#skewMs);
  }

  async #comeBack(): Promise<string> {
    const sinceMs = Date.now();
    this.#high = await this.#start("lb-box1");
    const first = await this.#firstAdvert("lb-box1", sinceMs, this.#masterDownMs + 20_000);
    await this.#oneMaster("lb-box1", first.epochMs);
    return `${((first.epochMs - sinceMs) / 1000).toFixed(1)} s after the start`;
  }

  async #silentDeath(): Promise<string> {
    const atMs = Date.now();
    await this.#high?.kill();
    const next = await this.#firstAdvert("lb-box2", atMs, this.#masterDownMs + 10_000);
    // By now the capture has told of it.
    const last = this.#from("lb-box1").findLast(({ epochMs }) => epochMs <= atMs + lateMs);
    if (last === undefined) throw new Error("no advert before the death");
    return within(next.epochMs - last.epochMs, this.#masterDownMs);
  }

  async #checksums(): Promise<string> {
    const packets = await this.#capture.fields(["vrrp.checksum.status", "vrrp.type", "_ws.malformed"]);
    const bad = packets.filter(
      (packet) =>
        packet["vrrp.checksum.status"] !== "1" ||
        packet["vrrp.type"] !== "1" ||
        packet["_ws.malformed"] !== "",
    );
    if (packets.length < 10) throw new Error(`only ${packets.length} adverts were captured`);
    if (bad.length > 0) throw new Error(`${bad.length} of ${packets.length} adverts are bad`);
    return `${packets.length} good`;
  }

  /** FRR's adverts over IPv6 come from its macvlan's own random address: all that is not Tandem's is its. */
  #from(box: Box, sinceMs = 0): SeenAdvert[] {
    const isTandem = box === this.#tandemBox;
    if (isTandem || this.#variant.peer !== "FRR") return this.#watch.from(this.#sources[box], sinceMs);
    const tandem = this.#sources[this.#tandemBox];
    return this.#watch.adverts.filter(({ source, epochMs }) => source !== tandem && epochMs >= sinceMs);
  }

  get #tandemBox(): Box {
    return this.#role === "Tandem first" ? "lb-box1" : "lb-box2";
  }

  #firstAdvert(box: Box, afterMs: number, timeoutMs: number): Promise<SeenAdvert> {
    return waitFor(`an advert from ${box}`, timeoutMs, () =>
      this.#from(box, afterMs).find((advert) => advert.priority > 0),
    );
  }

  /** After an advert of the better one, it alone advertises, and Tandem holds the address if and only if it is that one. */
  async #oneMaster(box: Box, sinceMs: number): Promise<void> {
    await sleep(Math.max(2.5 * this.#intervalMs, 700) + lateMs);
    const other = box === "lb-box1" ? "lb-box2" : "lb-box1";
    const late = this.#from(other, sinceMs + lateMs);
    if (late.length > 0) throw new Error(`${other} sent ${late.length} adverts after ${box} was master`);
    if (this.#from(box, sinceMs).length < 2) throw new Error(`${box} fell silent`);
    const tandem = this.#tandemBox;
    const holds = (await this.#network.host(tandem).everyAddress()).includes(this.#address);
    if (holds !== (tandem === box))
      throw new Error(`Tandem ${holds ? "holds" : "does not hold"} the address`);
  }

  get #address(): string {
    return this.#variant.options.addresses?.at(-1)?.split("/")[0] ?? virtualAddress;
  }

  async #start(box: Box): Promise<Router> {
    const { peer, options, unicast } = this.#variant;
    const isTandem = box === this.#tandemBox;
    const other = box === "lb-box1" ? "lb-box2" : "lb-box1";
    const all: KeepalivedOptions = {
      ...options,
      priority: priorities[box],
      ...(unicast === true && { unicastPeer: this.#sources[other] }),
    };
    return isTandem
      ? await startedTandem(this.#network, box, all)
      : await startedPeer(this.#network, peer, box, all);
  }
}

/** Each waits until the router listens as a backup, so that what comes next finds it so. */
export async function startedTandem(network: Network, box: Box, options: KeepalivedOptions): Promise<Router> {
  const tandem = startTandemRouter(network, box, options);
  await tandem.waitForTransition("BACKUP", startMs);
  return tandem;
}

export async function startedPeer(
  network: Network,
  peer: Peer,
  box: Box,
  options: KeepalivedOptions,
): Promise<Router> {
  const host = network.host(box);
  if (peer === "FRR") {
    return await startFrr(network, host, options);
  }
  const keepalived = startKeepalived(network, host, options);
  await keepalived.process.waitForLine((text) => text.includes("BACKUP STATE"), startMs);
  return keepalived;
}

function within(ms: number, expectedMs: number): string {
  const text = `${ms.toFixed(0)} ms (theory ${expectedMs.toFixed(0)})`;
  if (ms < expectedMs - earlyMs || ms > expectedMs + lateMs) throw new Error(text);
  return text;
}
