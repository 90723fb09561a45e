import type { HostProcess } from "./host-process.js";
import type { Host } from "./network.js";

export interface SeenAdvert {
  /** The kernel's capture time, ms since 1970, with fractions. */
  readonly epochMs: number;
  readonly source: string;
  readonly virtualRouterId: number;
  readonly priority: number;
}

/** VRRP adverts as a host on the bridge sees them, by tcpdump. */
export class AdvertWatch {
  readonly adverts: SeenAdvert[] = [];
  readonly #process: HostProcess;

  private constructor(process: HostProcess) {
    this.#process = process;
    process.onLine((line) => {
      const advert = parseAdvertLine(line.text);
      if (advert !== null) this.adverts.push(advert);
    });
  }

  static async start(host: Host, iface = "eth1"): Promise<AdvertWatch> {
    // Immediate mode: a line for every packet at once, and not when a buffer is full.
    const options = [
      "-i",
      iface,
      "-n",
      "-l",
      "-tt",
      "--immediate-mode",
      "-Z",
      "root",
      "ip proto 112 or ip proto 51 or ip6 proto 112",
    ];
    const process = host.spawn("tcpdump", "tcpdump", ...options);
    const watch = new AdvertWatch(process);
    await process.waitForLine((text) => text.startsWith("listening on"), 30_000);
    return watch;
  }

  from(source: string, sinceEpochMs = 0): SeenAdvert[] {
    return this.adverts.filter((advert) => advert.source === source && advert.epochMs >= sinceEpochMs);
  }

  async stop(): Promise<void> {
    await this.#process.stop("SIGTERM");
  }
}

/** One line of `tcpdump -tt -n`, or null. */
export function parseAdvertLine(text: string): SeenAdvert | null {
  const found =
    /^(\d+\.\d+) IP6? ([\da-f.:]+) > [\da-f.:]+: .*VRRPv[23], Advertisement,.* vrid (\d+), prio (\d+)/.exec(
      text,
    );
  if (found === null) return null;
  return {
    epochMs: Number(found[1]) * 1000,
    source: found[2],
    virtualRouterId: Number(found[3]),
    priority: Number(found[4]),
  };
}
