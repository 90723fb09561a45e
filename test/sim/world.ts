import type { VrrpInstanceConfig } from "../../src/config/config.js";
import { stillstandLimitMs } from "../../src/vrrp/legacy.js";
import { routerConfig } from "../unit/vrrp/datagrams.js";
import { type ConfigChange, comeBackMs, type Disturbance, type Trouble, type Wake } from "./disturbance.js";
import type { Bounds } from "./laws/law.js";
import { Random } from "./random.js";

/** A world to simulate, whole and as a value: the machines, the network, and what will happen to them. */
export interface World {
  readonly seed: number;
  readonly bounds: Bounds;
  readonly latencyMs: number;
  readonly jitterMs: number;
  readonly machines: readonly MachinePlan[];
  /** Whether the nodes have a peer link, and learn of a dead process at once. */
  readonly peerLink: boolean;
  readonly disturbances: readonly Disturbance[];
  readonly lengthMs: number;
}

export interface MachinePlan {
  readonly address: string;
  /** One for each virtual router. */
  readonly configs: readonly VrrpInstanceConfig[];
  readonly clockRate: number;
  readonly clockStartMs: number;
  readonly startMs: number;
}

export interface WorldOptions {
  readonly nodes?: number;
  readonly intervalCs?: number;
  readonly version?: 2 | 3;
}

/** The one world of a seed. */
export function worldOf(seed: number, options: WorldOptions = {}): World {
  const random = new Random(seed);
  const version = options.version ?? anyVersion(random, options.intervalCs);
  const intervalCs = options.intervalCs ?? anyIntervalCs(random, version);
  const nodes = options.nodes ?? random.pick([2, 2, 2, 2, 2, 3, 3, 3, 4, 5]);
  const bounds = anyBounds(random, intervalCs * 10);
  const machines = anyMachines(random.fork(), nodes, version, intervalCs, bounds);
  const lengthMs = random.integer(400, 3600) * intervalCs * 10;
  const latencyMs = random.between(bounds.delayMs / 50, bounds.delayMs / 2);
  return {
    seed,
    bounds,
    latencyMs,
    jitterMs: random.chance(0.3) ? 0 : random.between(0, bounds.delayMs - latencyMs),
    machines,
    peerLink: random.chance(0.5),
    disturbances: anyDisturbances(random.fork(), machines, intervalCs * 10, lengthMs),
    lengthMs,
  };
}

/** One that can speak of the interval: VRRPv2 in whole seconds, VRRPv3 up to 40.95. */
function anyVersion(random: Random, intervalCs: number | undefined): 2 | 3 {
  const isForV2 = intervalCs === undefined || intervalCs % 100 === 0;
  const isForV3 = intervalCs === undefined || intervalCs <= 4095;
  return isForV3 && (!isForV2 || random.chance(0.5)) ? 3 : 2;
}

function anyIntervalCs(random: Random, version: 2 | 3): number {
  if (random.chance(0.6)) {
    return 100;
  }
  return random.pick(version === 2 ? [200, 300, 500, 1000, 6000, 25_500] : [1, 10, 10, 50, 300, 1000, 4095]);
}

/** A network and machines that are fast enough for the interval: 10 ms wants a timer that is served within two. */
function anyBounds(random: Random, intervalMs: number): Bounds {
  const most = intervalMs / 10;
  return {
    delayMs: Math.min(random.pick([1, 5, 15]), most),
    lateMs: Math.min(random.pick([1, 2, 10]), most),
    kernelMs: Math.min(random.pick([0.5, 2, 10]), most),
    leaseSlackMs: 250,
    drift: random.pick([0, 0.0001, 0.005]),
  };
}

function anyMachines(
  random: Random,
  nodes: number,
  version: 2 | 3,
  advertIntervalCs: number,
  bounds: Bounds,
): MachinePlan[] {
  const routers = random.chance(0.15) ? 2 : 1;
  const shared = {
    version,
    advertIntervalCs,
    v3ChecksumAsV2: random.chance(0.3),
    preemptDelayMs: random.chance(0.2) ? random.spread(0.5, 10) * advertIntervalCs * 10 : 0,
    startupDelayMs: random.chance(0.1) ? random.spread(0.5, 5) * advertIntervalCs * 10 : 0,
    leaseMs: anyLeaseMs(random, advertIntervalCs * 10),
    gratuitousArp: random.pick([
      { repeat: 5, delayMs: 5000, refreshMs: 60_000 },
      { repeat: 5, delayMs: 5000, refreshMs: 60_000 },
      { repeat: 1, delayMs: 0, refreshMs: 20_000 },
      { repeat: 0, delayMs: 0, refreshMs: 10_000 },
      { repeat: 5, delayMs: 1000, refreshMs: 0 },
    ]),
  };
  const preempt = random.pick(["all", "all", "none", "some"]);
  const addresses = [80, 81, 82, 200, 9];
  const plans: MachinePlan[] = [];
  for (let index = 0; index < nodes; index++) {
    const configs: VrrpInstanceConfig[] = [];
    for (let router = 0; router < routers; router++) {
      configs.push(
        routerConfig({
          ...shared,
          virtualRouterId: 51 + router,
          addresses: [{ address: `192.168.33.${84 + router}`, prefixLength: 24 }],
          priority: anyPriority(random),
          preempt: preempt === "some" ? random.chance(0.5) : preempt === "all",
        }),
      );
    }
    plans.push({
      address: `192.168.33.${addresses[index]}`,
      configs,
      clockRate: 1 + random.between(-bounds.drift, bounds.drift),
      clockStartMs: Math.floor(random.between(0, 1e7)),
      startMs: random.chance(0.5) ? 0 : random.between(0, 5) * advertIntervalCs * 10,
    });
  }
  return plans;
}

/** The default most of the time; in slow worlds rather longer ones. */
function anyLeaseMs(random: Random, intervalMs: number): number {
  return random.pick([3000, 3000, 1000, 10_000]) * (intervalMs > 2000 ? Math.ceil(intervalMs / 3000) : 1);
}

function anyPriority(random: Random): number {
  return random.chance(0.02) ? 255 : random.pick([1, 50, 99, 100, 100, 101, 101, 102, 150, 200, 254]);
}

/** Some follow close on each other, so that they overlap; after some the world has the time to settle. */
function anyDisturbances(
  random: Random,
  machines: readonly MachinePlan[],
  intervalMs: number,
  lengthMs: number,
): Disturbance[] {
  const disturbances: Disturbance[] = [];
  let atMs = 0;
  for (;;) {
    atMs += intervalMs * (random.chance(0.5) ? random.spread(0.01, 3) : random.spread(3, 40));
    if (atMs >= lengthMs) {
      return disturbances;
    }
    disturbances.push(...anyDisturbance(random, machines, intervalMs, atMs));
  }
}

const kinds = [
  ...many("crash", 5),
  ...many("power", 3),
  ...many("freeze", 8),
  ...many("pause", 5),
  ...many("stop", 6),
  ...many("quit", 3),
  ...many("reconfigure", 3),
  ...many("drain", 4),
  ...many("upgrade", 5),
  ...many("cable", 5),
  ...many("unfit", 4),
  ...many("weight", 4),
  ...many("refuse", 2),
  ...many("take", 3),
  ...many("drift", 2),
  ...many("cut", 6),
  ...many("split", 6),
  ...many("loss", 4),
  ...many("delay", 2),
  ...many("detours", 3),
  ...many("duplicates", 2),
];

function many<K extends Trouble["kind"]>(kind: K, times: number): K[] {
  return Array.from({ length: times }, () => kind);
}

function anyDisturbance(
  random: Random,
  machines: readonly MachinePlan[],
  intervalMs: number,
  atMs: number,
): Disturbance[] {
  const machine = random.integer(0, machines.length - 1);
  const forMs = intervalMs * random.pick([random.spread(0.01, 1), random.spread(1, 6), random.spread(6, 30)]);
  const wake = random.pick<Wake>(["socket", "address event", "timer"]);
  const one = (what: Trouble, lasts = forMs): Disturbance[] => [{ atMs, forMs: lasts, what }];
  const kind = random.pick(kinds);
  switch (kind) {
    case "freeze":
      return one({ kind, machine, wake });
    case "pause":
      return one({ kind, machine, clockStops: random.chance(0.5), wake });
    case "upgrade": {
      const succeeds = random.chance(0.8);
      const limitMs = stillstandLimitMs(machines[machine].configs);
      return one({ kind, machine, succeeds }, random.next() * (succeeds ? limitMs : limitMs + comeBackMs));
    }
    case "reconfigure":
      return anyReconfiguration(random, machines, intervalMs, atMs);
    case "take":
      return one({ kind, machine }, 0);
    case "weight":
      return one({ kind, machine, weight: random.pick([-100, -20, -2, -1, 1, 2, 20]) });
    case "drift":
      return one({ kind, machine, rate: 0 });
    case "cut":
      return one({
        kind,
        from: machine,
        to: (machine + random.integer(1, machines.length - 1)) % machines.length,
      });
    case "split": {
      const group = machines.map((_, index) => index).filter(() => random.chance(0.5));
      return one({ kind, group: group.length === 0 ? [machine] : group });
    }
    case "loss":
      return one({ kind, share: random.pick([0.05, 0.2, 0.5, 0.9]) });
    case "delay":
      return one({ kind, moreMs: random.spread(0.01, 2) * intervalMs });
    case "detours":
      return one({ kind, share: random.pick([0.1, 0.5]), upToMs: random.spread(0.01, 6) * intervalMs });
    case "duplicates":
      return one({ kind, share: random.pick([0.1, 1]) });
    default:
      return one({ kind, machine });
  }
}

/** What must be the same on all machines changes on one after the other. */
function anyReconfiguration(
  random: Random,
  machines: readonly MachinePlan[],
  intervalMs: number,
  atMs: number,
): Disturbance[] {
  const downMs = () => intervalMs * random.spread(0.1, 3);
  const rolling = (change: ConfigChange): Disturbance[] => {
    const order = machines.map((_, index) => index).sort(() => random.next() - 0.5);
    let startMs = atMs;
    return order.map((machine) => {
      const disturbance = {
        atMs: startMs,
        forMs: downMs(),
        what: { kind: "reconfigure" as const, machine, change },
      };
      startMs += intervalMs * random.spread(0.5, 10);
      return disturbance;
    });
  };
  const machine = random.integer(0, machines.length - 1);
  const single = (change: ConfigChange): Disturbance[] => [
    { atMs, forMs: downMs(), what: { kind: "reconfigure", machine, change } },
  ];
  const { version } = machines[0].configs[0];
  switch (
    random.pick([
      "priority",
      "priority",
      "preempt",
      "interval",
      version === 2 ? "password" : "interval",
      "lease",
    ])
  ) {
    case "priority":
      return single({ priority: anyPriority(random) });
    case "preempt":
      return single({ preempt: random.chance(0.5) });
    case "interval": {
      const cs = (intervalMs / 10) * random.pick([1, 2, 3]);
      const most = machines[0].configs[0].version === 2 ? 25_500 : 4095;
      return rolling({ advertIntervalCs: Math.min(cs, most) });
    }
    case "password":
      return rolling({ password: random.pick(["k@l", "secret", "other"]) });
    default:
      return single({ leaseMs: random.pick([1000, 3000, 10_000]) });
  }
}
