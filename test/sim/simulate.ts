import { CalmLaw } from "./laws/calm.js";
import { HandOverLaw } from "./laws/hand-over.js";
import { KernelLaw } from "./laws/kernel.js";
import type { Violation } from "./laws/law.js";
import { TakeoverLaw } from "./laws/takeover.js";
import { TwoMastersLaw } from "./laws/two-masters.js";
import { UpgradeLaw } from "./laws/upgrade.js";
import type { StateMachine } from "./router.js";
import { Stage } from "./staging.js";
import { Tally } from "./tally.js";
import type { Timeline } from "./timeline.js";
import type { World } from "./world.js";

export interface Outcome {
  readonly violation: Violation | null;
  readonly hours: number;
  readonly tally: Tally;
  /** Disturbances that did apply. */
  readonly disturbances: number;
  /** How often, and for how many hours, the world was settled and the strictest laws held. */
  readonly settledTimes: number;
  readonly settledHours: number;
}

const hourMs = 3_600_000;

/** Runs one world under all the laws, to its end or to the first violation. */
export function simulate(
  world: World,
  options: { stateMachine?: StateMachine | undefined; timeline?: Timeline } = {},
): Outcome {
  const stage = new Stage(world, options.stateMachine);
  const { lan } = stage;
  let violation: Violation | null = null;
  const report = (found: Violation) => {
    violation ??= found;
    lan.end();
  };
  const calm = new CalmLaw(lan, world.bounds, report);
  const tally = new Tally();
  // The hand-over asks the calm law what it knew before this happened: it comes first.
  const handOver = new HandOverLaw(lan, world.bounds, report, calm);
  const laws = [
    handOver,
    calm,
    new TakeoverLaw(lan, world.bounds, report),
    new TwoMastersLaw(lan, world.bounds, report),
    new KernelLaw(lan, world.bounds, report),
    new UpgradeLaw(lan, world.bounds, report, calm),
  ];
  lan.watchers.push(...laws, tally);
  if (options.timeline !== undefined) {
    lan.watchers.push(options.timeline);
    options.timeline.follow(lan);
  }
  stage.begin();
  lan.runUntil(world.lengthMs);
  lan.worldChanged();
  return {
    violation,
    hours: lan.nowMs / hourMs,
    tally,
    disturbances: stage.applied,
    settledTimes: calm.settledTimes,
    settledHours: calm.settledMs / hourMs,
  };
}

/**
 * A shorter history that breaks the same law: leaves out what it can, larger pieces first.
 *
 * `attempts` bounds the work. What comes back ends soon after the violation.
 */
export function shrink(world: World, stateMachine?: StateMachine, attempts = 400): World {
  const first = simulate(world, { stateMachine }).violation;
  if (first === null) {
    return world;
  }
  let best = cut(world, first);
  let left = attempts;
  for (
    let size = Math.ceil(best.disturbances.length / 2);
    size >= 1 && left > 0;
    size = Math.floor(size / 2)
  ) {
    for (let at = 0; at < best.disturbances.length && left > 0; ) {
      left--;
      const disturbances = best.disturbances.filter((_, index) => index < at || index >= at + size);
      const candidate = { ...best, disturbances };
      const found = simulate(candidate, { stateMachine }).violation;
      if (found !== null && found.law === first.law) {
        best = cut(candidate, found);
      } else {
        at += size;
      }
    }
  }
  return best;
}

function cut(world: World, violation: Violation): World {
  return {
    ...world,
    disturbances: world.disturbances.filter(({ atMs }) => atMs <= violation.atMs),
    lengthMs: violation.atMs + 1,
  };
}
