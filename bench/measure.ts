import { join } from "node:path";
import { sleep, waitFor } from "../lab/clock.js";
import { projectRoot } from "../lab/project-root.js";
import type { IdleCase, LoadCase } from "./cases.js";
import { type Turn, takeTurn } from "./load.js";
import { residentBytes } from "./process-usage.js";
import { Program } from "./programs.js";
import type { IdleFigures, IdleResult, LoadFigures, LoadResult } from "./results.js";
import { type Target, type TargetKind, TargetMissing } from "./targets.js";

/** How a run is set up. */
export interface Setting {
  readonly folder: string;
  readonly rounds: number;
  readonly seconds: number;
  readonly warmUpSeconds: number;
  readonly proxyCores: string;
  readonly loadCores: string;
  readonly say: (line: string) => void;
}

/** Starts targets as they are wanted and keeps them for the next case. */
export class Targets {
  readonly missing = new Map<string, string>();
  readonly #running = new Map<string, Target>();
  readonly #setting: Setting;
  #nextPort = 19001;

  constructor(setting: Setting) {
    this.#setting = setting;
  }

  /** A target that has been warmed up with small requests; null when it cannot run here. */
  async get(kind: TargetKind, threads: number, cores: string, tls: boolean): Promise<Target | null> {
    const key = `${kind.name} ${threads} ${tls}`;
    const running = this.#running.get(key);
    if (running !== undefined) return running;
    const started = await this.fresh(kind, threads, cores, tls);
    if (started !== null) this.#running.set(key, started);
    return started;
  }

  async fresh(kind: TargetKind, threads: number, cores: string, tls = false): Promise<Target | null> {
    const { folder, say } = this.#setting;
    if (this.missing.has(`${kind.name} ${threads}`)) return null;
    try {
      const port = this.#nextPort++;
      const target = await kind.start({ folder, cores, port, threads, tls });
      for (const [connections, seconds] of warmUpTurns)
        await takeTurn(target, { ...warmUp, connections }, seconds, this.#setting.loadCores);
      return target;
    } catch (error) {
      if (!(error instanceof TargetMissing)) throw error;
      this.missing.set(`${kind.name} ${threads}`, error.message);
      say(`without ${kind.title}${threads > 1 ? `, ${threads} threads` : ""}: ${error.message}`);
      return null;
    }
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#running.values()].map(({ program }) => program.stop()));
    this.#running.clear();
  }
}

/** Until what a program compiles while it runs is compiled: the figures are of one that has run for a while. */
const warmUpTurns = [
  [16, 1],
  [64, 5],
] as const;

const warmUp: LoadCase = {
  kind: "load",
  name: "warm-up",
  title: "warm-up",
  path: "/612",
  bodyBytes: 612,
  uploadBytes: 0,
  connections: 64,
  headers: [],
  threads: 1,
  splices: false,
  tls: false,
  streams: 0,
  quick: true,
};

/** The targets in turns, each round in another order, so that none always follows the same one. */
export async function measureLoad(
  load: LoadCase,
  kinds: readonly TargetKind[],
  targets: Targets,
  setting: Setting,
): Promise<LoadResult> {
  const { proxyCores, loadCores, seconds, rounds } = setting;
  const sharedCores = load.threads > 1 && sharesCores(proxyCores, loadCores);
  const cores = load.threads > 1 && !proxyCores.includes(",") ? "0,1" : proxyCores;
  const turns = new Map<Target, Turn[]>();
  for (const kind of kinds) {
    if ((kind.splicesOnly && !load.splices) || (load.tls && !kind.endsTls)) continue;
    const target = await targets.get(kind, load.threads, cores, load.tls);
    if (target !== null) turns.set(target, []);
  }
  const order = [...turns.keys()];
  for (const target of order) await takeTurn(target, load, setting.warmUpSeconds, loadCores);
  for (let round = 0; round < rounds; round++) {
    for (const target of order) turns.get(target)?.push(await takeTurn(target, load, seconds, loadCores));
    order.push(...order.splice(0, 1));
  }
  return {
    kind: "load",
    name: load.name,
    title: load.title,
    threads: load.threads,
    seconds,
    measuredAt: new Date().toISOString(),
    sharedCores,
    targets: [...turns].map(([target, taken]) => ({
      target: target.kind.name,
      title: target.kind.title,
      figures: figuresOf(taken),
    })),
  };
}

function sharesCores(proxyCores: string, loadCores: string): boolean {
  const proxies = proxyCores.includes(",") ? proxyCores.split(",") : ["0", "1"];
  return loadCores.split(",").some((core) => proxies.includes(core));
}

function figuresOf(turns: readonly Turn[]): LoadFigures {
  const of = (figure: (turn: Turn) => number, digits: number): number[] =>
    turns.map((turn) => Number(figure(turn).toFixed(digits)));
  return {
    cpuUsPerRequest: of((turn) => turn.cpuUsPerRequest, 3),
    requestsPerSecond: of((turn) => turn.requestsPerSecond, 1),
    p50Us: of((turn) => turn.p50Us, 0),
    p99Us: of((turn) => turn.p99Us, 0),
    p999Us: of((turn) => turn.p999Us, 0),
    residentMb: of((turn) => turn.residentMb, 2),
  };
}

/** Memory that each of many idle clients costs: a fresh process, warmed up, before and with them. */
export async function measureIdle(
  idle: IdleCase,
  kinds: readonly TargetKind[],
  targets: Targets,
  setting: Setting,
): Promise<IdleResult> {
  const figures: IdleFigures[] = [];
  for (const kind of kinds) {
    if (kind.splicesOnly) continue;
    const target = await targets.fresh(kind, 1, setting.proxyCores);
    if (target === null) continue;
    try {
      figures.push(await idleFigures(idle, target, setting));
    } finally {
      await target.program.stop();
    }
  }
  return {
    kind: "idle",
    name: idle.name,
    title: idle.title,
    clients: idle.clients,
    measuredAt: new Date().toISOString(),
    targets: figures,
  };
}

async function idleFigures(idle: IdleCase, target: Target, setting: Setting): Promise<IdleFigures> {
  const before = await settledResidentBytes(target.program.pid);
  const script = join(projectRoot, "bench", "idle-clients.mjs");
  const clients = new Program(
    `idle-${target.kind.name}`,
    setting.loadCores,
    setting.folder,
    process.execPath,
    [script, String(target.port), String(idle.clients), "/612", "612"],
  );
  try {
    await waitFor(`${idle.clients} clients of ${target.kind.title}`, 60_000, () => {
      if (clients.exited) throw new Error(`${target.kind.title}: ${clients.log()}`);
      return clients.log().includes("idle\n");
    });
    const after = await settledResidentBytes(target.program.pid);
    if (clients.exited) throw new Error(`${target.kind.title} did not keep its clients: ${clients.log()}`);
    return {
      target: target.kind.name,
      title: target.kind.title,
      beforeMb: before / 2 ** 20,
      withClientsMb: after / 2 ** 20,
      bytesPerClient: Math.round((after - before) / idle.clients),
    };
  } finally {
    await clients.stop();
  }
}

/** After a moment in which a collector may have given something back. */
async function settledResidentBytes(pid: number): Promise<number> {
  await sleep(2000);
  return residentBytes(pid);
}
