/**
 * Follows the errors that the data threads have seen in a row of one server. They count them; this side only reads, some
 * times a second, and so notes how many of them have been told of already. Pure.
 */
export interface ObservedErrors {
  /** Of the errors in a row, so many belong to events before. */
  readonly told: number;
}

export const nothingObserved: ObservedErrors = { told: 0 };

/** `inRow`: now. `reached`: another `limit` of them have come since the last event. */
export function observeErrors(
  before: ObservedErrors,
  inRow: number,
  limit: number,
): { readonly next: ObservedErrors; readonly reached: boolean } {
  // Fewer than told of: a success came in between, and they count anew.
  const told = inRow < before.told ? 0 : before.told;
  if (inRow - told < limit) return { next: { told }, reached: false };
  return { next: { told: inRow }, reached: true };
}
