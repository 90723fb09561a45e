/** The middle one; of an even number the mean of the two in the middle. NaN for none. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  if (sorted.length === 0) return Number.NaN;
  return Number.isInteger(middle) ? (sorted[middle - 1] + sorted[middle]) / 2 : sorted[Math.floor(middle)];
}

export interface Ratio {
  readonly median: number;
  readonly lowest: number;
  readonly highest: number;
}

/**
 * How one series stands to another that was measured in turns with it: each round's ratio, because what disturbs a
 * round disturbs both, and the median of those.
 */
export function ratioOf(values: readonly number[], baseline: readonly number[]): Ratio {
  const ratios = values.slice(0, baseline.length).map((value, round) => value / baseline[round]);
  return { median: median(ratios), lowest: Math.min(...ratios), highest: Math.max(...ratios) };
}
