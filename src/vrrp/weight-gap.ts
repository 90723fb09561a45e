import type { TrackConfig } from "../config/tracking-config.js";
import type { Partners } from "./partners.js";

/**
 * Weights that would not make the partner the better node, now that it has been heard: one sentence each. Compared are
 * the best that this node can be and the best that the partner was heard to be.
 */
export function unbridged(basePriority: number, track: TrackConfig, partners: Partners): string[] {
  if (basePriority === 255) return [];
  const items = [...track.interfaces, ...track.scripts, ...track.processes].filter(
    ({ weight }) => weight !== 0,
  );
  const raises = items.map(({ weight, reverse }) => (weight > 0 !== reverse ? Math.abs(weight) : 0));
  const best = Math.min(
    raises.reduce((sum, weight) => sum + weight, basePriority),
    254,
  );
  return partners.flatMap(({ address, highestPriority }) => {
    const gap = Math.abs(best - highestPriority);
    return items
      .filter(({ weight }) => highestPriority > 0 && highestPriority < 255 && Math.abs(weight) <= gap)
      .map(
        ({ name, weight }) =>
          `the weight ${weight} of ${name} cannot bridge the ${gap} between priority ${best} here and ${highestPriority} of ${address}`,
      );
  });
}
