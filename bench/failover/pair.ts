import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { startSmallBackend } from "../../lab/backend.js";
import { nowMs, sleep, waitFor } from "../../lab/clock.js";
import { Network, virtualAddress } from "../../lab/network.js";
import { Probe } from "../../lab/probe.js";
import { bothHeldMs, HolderWatch } from "./holders.js";
import { drainMs, type Node, removeLeftAddress, startNode } from "./nodes.js";
import type { FailoverEvent, ProgramName, Setting } from "./plan.js";
import type { Run } from "./results.js";

type Name = "lb-box1" | "lb-box2";

/** The client asks so often on each of its three streams. */
export const probeEveryMs = 2;
const electionMs = 40_000;
const serviceMs = 15_000;

/** Two balancers of one program at one setting, two web servers, and a client that never stops asking. */
export class BenchPair {
  readonly #network: Network;
  readonly #program: ProgramName;
  readonly #setting: Setting;
  readonly #watches: Readonly<Record<Name, HolderWatch>>;
  readonly #nodes: Record<Name, Node>;
  readonly #probe: Probe;

  private constructor(network: Network, program: ProgramName, setting: Setting) {
    this.#network = network;
    this.#program = program;
    this.#setting = setting;
    this.#watches = {
      "lb-box1": HolderWatch.start(network.host("lb-box1"), virtualAddress),
      "lb-box2": HolderWatch.start(network.host("lb-box2"), virtualAddress),
    };
    for (const name of ["lb-box1", "lb-box2"] as const) writeFileSync(this.#checked(name), "");
    this.#nodes = { "lb-box1": this.#start("lb-box1"), "lb-box2": this.#start("lb-box2") };
    this.#probe = Probe.start(network.host("client"), { everyMs: probeEveryMs, long: true });
  }

  /** @throws Error when lb-box1 does not become the only holder. */
  static async create(program: ProgramName, setting: Setting): Promise<BenchPair> {
    const network = await Network.create();
    try {
      for (const name of ["web-box1", "web-box2"]) await startSmallBackend(network, network.host(name));
      const pair = new BenchPair(network, program, setting);
      await pair.#settle("lb-box1");
      // A node that came first and gave up serves what it had until its drain time is over.
      await sleep(drainMs + 1000);
      return pair;
    } catch (error) {
      await network.close();
      throw error;
    }
  }

  close(): Promise<void> {
    return this.#network.close();
  }

  /** Lets it happen, watches, and makes lb-box1 the master again; but for SIGTERM, after which `preempt` does that. */
  async measure(event: FailoverEvent): Promise<Run> {
    // Another phase of the advert interval each time.
    await sleep(500 + Math.random() * this.#setting.advertIntervalMs);
    const startMs = nowMs();
    const startEpochMs = Date.now();
    const happened = this.#happen(event);
    await waitFor(`${event.master} with the address`, electionMs, () => this.#watches[event.master].holds, 5);
    await this.#probe.waitForService(serviceMs);
    await sleep(Math.max(0, startMs + event.watchMs - nowMs()));
    const endEpochMs = Date.now();
    const seen = await this.#probe.summary(startMs, nowMs());
    const { "lb-box1": one, "lb-box2": two } = this.#watches;
    const bothMs = bothHeldMs(one.holdings, two.holdings, startEpochMs, endEpochMs);
    const stillBoth = one.holds && two.holds;
    await happened;
    await this.#undo(event);
    const streams = [seen.new, seen.kept, seen.long] as const;
    return {
      gapMs: round(seen.new.gapMs),
      requests: streams.map(({ requests }) => requests),
      failed: streams.map(({ failed }) => failed),
      failures: streams.map(({ failures }) => failures),
      bothHeldMs: round(bothMs),
      stillBoth,
    };
  }

  async #happen({ name }: FailoverEvent): Promise<unknown> {
    const node = this.#nodes["lb-box1"];
    switch (name) {
      case "none":
        return;
      case "sigterm":
        return await node.terminate();
      case "preempt":
        this.#nodes["lb-box1"] = this.#start("lb-box1");
        return;
      case "kill":
        return await node.kill();
      case "stop":
        node.signal("SIGSTOP");
        return;
      case "link":
        return await this.#network.cutLink("lb-box1");
      case "check":
        rmSync(this.#checked("lb-box1"));
        return;
    }
  }

  async #undo({ name }: FailoverEvent): Promise<void> {
    if (name === "sigterm") return;
    if (name === "kill") {
      await removeLeftAddress(this.#network.host("lb-box1"));
      this.#nodes["lb-box1"] = this.#start("lb-box1");
    }
    if (name === "stop") this.#nodes["lb-box1"].signal("SIGCONT");
    if (name === "link") await this.#network.restoreLink("lb-box1");
    if (name === "check") writeFileSync(this.#checked("lb-box1"), "");
    await this.#settle("lb-box1");
  }

  async #settle(master: Name): Promise<void> {
    await this.#network.waitForHolder(virtualAddress, master, electionMs);
    await this.#probe.waitForService(serviceMs, 1000);
  }

  #start(name: Name): Node {
    const host = this.#network.host(name);
    return startNode(this.#program, this.#network, host, this.#setting, this.#checked(name));
  }

  #checked(name: Name): string {
    return join(this.#network.scratch, `${name}-is-well`);
  }
}

function round(ms: number): number {
  return Math.round(ms * 10) / 10;
}
