import fc from "fast-check";

/** Weights of which one at least is not 0. */
export const weights = fc
  .array(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: 8 })
  .filter((list) => list.some((weight) => weight > 0));

/** An unsigned 32-bit number. */
export const key = fc.integer({ min: 0, max: 0xffff_ffff });

export function int32(list: readonly number[]): Int32Array {
  return Int32Array.from(list);
}

/** `count` evenly spread keys that are no neighbours. */
export function manyKeys(count: number): number[] {
  return Array.from({ length: count }, (_, i) => Math.imul(i, 0x9e3779b1) >>> 0);
}
