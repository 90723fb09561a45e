import type { HostProcess } from "../../lab/host-process.js";
import type { Host } from "../../lab/network.js";

/** From when to when a host held an address, ms since 1970 with fractions; `toMs` null: it still does. */
export interface Holding {
  readonly fromMs: number;
  readonly toMs: number | null;
}

/** When a host's eth1 has the address, by the kernel's own events. */
export class HolderWatch {
  readonly #address: string;
  readonly #process: HostProcess;
  #holdings: Holding[] = [];

  private constructor(process: HostProcess, address: string) {
    this.#process = process;
    this.#address = address;
    process.onLine(({ text }) => {
      this.#holdings = takeLine(this.#holdings, text, this.#address);
    });
  }

  /** Before the host has the address for the first time. */
  static start(host: Host, address: string): HolderWatch {
    const monitor = host.spawn("ip monitor", "ip", "-ts", "-o", "monitor", "address", "dev", "eth1");
    return new HolderWatch(monitor, address);
  }

  get holdings(): readonly Holding[] {
    return this.#holdings;
  }

  get holds(): boolean {
    return this.#holdings.at(-1)?.toMs === null;
  }

  stop(): void {
    this.#process.signal("SIGTERM");
  }
}

/** One line of `ip -ts -o monitor address dev eth1`, which prints the time of other interfaces' events too. A lease that is refreshed is told like an address that is new. */
export function takeLine(holdings: readonly Holding[], line: string, address: string): Holding[] {
  const [, stamp, deleted, which] =
    /^(?:\[\S+\] )*\[(\S+)\] (Deleted )?\d+: eth1 +inet6? ([\da-f.:]+)\/\d+ /.exec(line) ?? [];
  if (stamp === undefined || which !== address) return [...holdings];
  const [whole, fraction = "0"] = stamp.split(".");
  const atMs = Date.parse(whole) + Number(`0.${fraction}`) * 1000;
  const last = holdings.at(-1);
  const isHeld = last?.toMs === null;
  if (deleted === undefined) return isHeld ? [...holdings] : [...holdings, { fromMs: atMs, toMs: null }];
  return last !== undefined && isHeld ? [...holdings.slice(0, -1), { ...last, toMs: atMs }] : [...holdings];
}

/** For how many ms between two moments both held it. */
export function bothHeldMs(
  one: readonly Holding[],
  other: readonly Holding[],
  fromMs: number,
  toMs: number,
): number {
  let sum = 0;
  for (const a of one) {
    for (const b of other) {
      const from = Math.max(a.fromMs, b.fromMs, fromMs);
      const to = Math.min(a.toMs ?? toMs, b.toMs ?? toMs, toMs);
      sum += Math.max(0, to - from);
    }
  }
  return sum;
}
