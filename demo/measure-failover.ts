import { parseArgs } from "node:util";
import { AdvertWatch } from "../lab/adverts.js";
import { startNginx } from "../lab/backend.js";
import { nowMs, sleep } from "../lab/clock.js";
import { type Keepalived, startKeepalived } from "../lab/keepalived.js";
import { Network, virtualAddress } from "../lab/network.js";
import { Probe, type ProbeSummary } from "../lab/probe.js";
import { startTandem, type Tandem } from "../lab/tandem.js";
import { table } from "./report.js";
import { masterDownMs } from "./theory.js";

const usage = `node scripts/measure-failover.mjs [--repeat N] [--keepalived]

What a client sees when the master is stopped (SIGTERM), killed (kill -9), cut off, and when it comes back: N times
each, on a network of its own. With --keepalived, keepalived with nginx on both balancers instead of Tandem.
`;

type Balancer = Tandem | Keepalived;

interface Measured {
  readonly event: string;
  readonly seen: ProbeSummary;
  /** kill -9 and cut: time from the master's last advert to the event, and what the protocol asks for. */
  readonly allowedMs: number | null;
}

/** @returns exit code */
export async function measureFailover(parameters: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...parameters],
    options: {
      repeat: { type: "string", default: "3" },
      keepalived: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    process.stdout.write(usage);
    return 0;
  }
  const repeat = Number(values.repeat);
  if (!Number.isInteger(repeat) || repeat < 1) {
    process.stderr.write(`--repeat ${values.repeat}: a whole number from 1 on\n\n${usage}`);
    return 2;
  }
  const network = await Network.create();
  try {
    const bench = await Bench.create(network, values.keepalived);
    const measured: Measured[] = [];
    for (let round = 1; round <= repeat; round += 1) {
      for (const one of await bench.round()) {
        measured.push(one);
        process.stderr.write(`${round}/${repeat}  ${describe(one)}\n`);
      }
    }
    process.stdout.write(`${summarize(values.keepalived ? "keepalived and nginx" : "Tandem", measured)}\n`);
    return 0;
  } finally {
    await network.close();
  }
}

class Bench {
  readonly #network: Network;
  readonly #keepalived: boolean;
  readonly #probe: Probe;
  readonly #adverts: AdvertWatch;
  #master: Balancer;

  private constructor(network: Network, keepalived: boolean, adverts: AdvertWatch, master: Balancer) {
    this.#network = network;
    this.#keepalived = keepalived;
    this.#adverts = adverts;
    this.#master = master;
    this.#probe = Probe.start(network.host("client"));
  }

  static async create(network: Network, keepalived: boolean): Promise<Bench> {
    const hosts = keepalived ? ["lb-box1", "lb-box2"] : ["web-box1", "web-box2"];
    for (const name of hosts) await startNginx(network, network.host(name));
    const adverts = await AdvertWatch.start(network.host("client"));
    const master = startBalancer(network, keepalived, "lb-box1", 101);
    startBalancer(network, keepalived, "lb-box2", 100);
    return new Bench(network, keepalived, adverts, master);
  }

  /** Every event once; begins and ends with lb-box1 as the master. */
  async round(): Promise<Measured[]> {
    await this.#settle("lb-box1");
    const start = async (): Promise<void> => {
      this.#master = startBalancer(this.#network, this.#keepalived, "lb-box1", 101);
    };
    return [
      await this.#measure("master stopped (SIGTERM)", "lb-box2", async () => {
        await this.#master.stop();
      }),
      await this.#measure("started again, preempts", "lb-box1", start),
      await this.#measure("master killed (kill -9)", "lb-box2", async () => {
        await this.#master.kill();
        // keepalived leaves the address on the dead node; then two hosts answer for it.
        if (this.#keepalived) await this.#removeLeftAddress();
      }),
      await this.#measure("started again, preempts", "lb-box1", start),
      await this.#measure("link cut", "lb-box2", () => this.#network.cutLink("lb-box1")),
      await this.#measure("link back, preempts", "lb-box1", () => this.#network.restoreLink("lb-box1")),
    ];
  }

  async #measure(event: string, master: string, happen: () => Promise<void>): Promise<Measured> {
    // Another phase of the advert interval each time.
    await sleep(300 + Math.random() * 1000);
    const address = this.#network.host("lb-box1").address;
    const last = this.#adverts.from(address).at(-1);
    const silent = event.includes("kill") || event.includes("cut");
    const allowedMs = silent && last !== undefined ? masterDownMs - (Date.now() - last.epochMs) : null;
    const startMs = nowMs();
    await happen();
    await this.#settle(master);
    const seen = await this.#probe.summary(startMs, nowMs());
    return { event, seen, allowedMs };
  }

  async #settle(master: string): Promise<void> {
    await this.#network.waitForHolder(virtualAddress, master, 20_000);
    await this.#probe.waitForService(10_000);
  }

  async #removeLeftAddress(): Promise<void> {
    await this.#network.host("lb-box1").run("ip", "address", "del", `${virtualAddress}/24`, "dev", "eth1");
  }
}

function startBalancer(network: Network, keepalived: boolean, name: string, priority: number): Balancer {
  const host = network.host(name);
  if (keepalived) return startKeepalived(network, host, { priority });
  return startTandem(network, host, "--priority", String(priority));
}

function describe({ event, seen, allowedMs }: Measured): string {
  const allowed = allowedMs === null ? "" : ` (the protocol: ${allowedMs.toFixed(0)} ms)`;
  const failures = { ...seen.new.failures, ...seen.kept.failures };
  const why = Object.keys(failures).length === 0 ? "" : `  ${Object.keys(failures).join(", ")}`;
  return (
    `${event}: gap ${seen.new.gapMs.toFixed(1)} ms${allowed}, ${seen.new.failed} of ${seen.new.requests} failed; ` +
    `kept connection: ${seen.kept.gapMs.toFixed(1)} ms, ${seen.kept.failed} failed${why}`
  );
}

function summarize(title: string, measured: readonly Measured[]): string {
  const events = [...new Set(measured.map((one) => one.event))];
  const rows = events.map((event) => {
    const those = measured.filter((one) => one.event === event);
    const gaps = those.map((one) => one.seen.new.gapMs).sort((a, b) => a - b);
    const beyond = those.flatMap((one) =>
      one.allowedMs === null ? [] : [one.seen.new.gapMs - one.allowedMs],
    );
    const kept = those.map((one) => one.seen.kept.gapMs).sort((a, b) => a - b);
    return [
      event,
      String(those.length),
      ms(gaps[0]),
      ms(gaps[Math.floor(gaps.length / 2)]),
      ms(gaps.at(-1) ?? 0),
      beyond.length === 0 ? "" : ms(Math.max(...beyond)),
      ms(kept.at(-1) ?? 0),
      String(Math.max(...those.map((one) => one.seen.new.failed))),
      String(Math.max(...those.map((one) => one.seen.kept.failed))),
    ];
  });
  const header = [
    title,
    "times",
    "min",
    "median",
    "max",
    "max beyond protocol",
    "kept max",
    "failed",
    "kept failed",
  ];
  return `${table([header, ...rows])}
Gaps in ms: longest time between two good answers, requests every 5 ms; "failed" is the most of any repetition.
`;
}

function ms(value: number): string {
  return value.toFixed(1);
}
