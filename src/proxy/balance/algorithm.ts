/**
 * Who gets a request, among the servers that may have it. Pure, and without allocation: it runs once a request.
 *
 * `weights[i]` is server i's weight, 0 where it may not be chosen; one of them at least is not 0.
 * `key` is what a request is hashed by, an unsigned 32-bit number, or `noKey`.
 */
export interface Algorithm {
  choose(weights: Int32Array, key: number): number;
}

/** The request has nothing to be hashed by, such as a header field that is not there. */
export const noKey = -1;

/** Exchanges that each server has in hand now. */
export interface Loads {
  current(server: number): number;
}
