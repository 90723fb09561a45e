import type { StateMachine } from "./router.js";
import { shrink, simulate } from "./simulate.js";
import { Timeline } from "./timeline.js";
import type { World } from "./world.js";

/** How a world reads in one paragraph. */
export function describeWorld(world: World): string {
  const { bounds, machines } = world;
  const lines = machines.map(({ address, configs, clockRate }, index) => {
    const routers = configs.map(
      ({ version, virtualRouterId, priority, preempt, advertIntervalCs, leaseMs }) =>
        `VRRPv${version}, vrid ${virtualRouterId}, priority ${priority}, ${preempt ? "preempt" : "nopreempt"}, ` +
        `interval ${advertIntervalCs / 100} s, lease ${leaseMs / 1000} s`,
    );
    const clock = clockRate === 1 ? "" : `, clock at ${clockRate.toFixed(6)}`;
    return `  ${String.fromCharCode(97 + index)} ${address}: ${routers.join("; ")}${clock}`;
  });
  const drift = bounds.drift === 0 ? "exact clocks" : `clocks within ${bounds.drift * 100} %`;
  return [
    `world ${world.seed}: ${machines.length} nodes, ${world.disturbances.length} disturbances; ` +
      `delay up to ${bounds.delayMs} ms, timers up to ${bounds.lateMs} ms late, kernel up to ${bounds.kernelMs} ms, ` +
      `${drift}${world.peerLink ? ", with peer links" : ""}`,
    ...lines,
  ].join("\n");
}

/** The story of a world that breaks a law: shortened, replayed, told; null when it breaks none. */
export function storyOf(world: World, stateMachine?: StateMachine): string | null {
  const short = shrink(world, stateMachine);
  const timeline = new Timeline(true);
  const { violation } = simulate(short, { stateMachine, timeline });
  if (violation === null) {
    return null;
  }
  const at = (violation.atMs / 1000).toFixed(4);
  return [
    describeWorld(short),
    timeline.text(120),
    `${at} s: BROKEN LAW "${violation.law}": ${violation.what}`,
  ].join("\n");
}
