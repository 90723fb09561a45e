import { Random } from "./random.js";

/**
 * The content of every body: one long random sequence, which each message enters at a place of its own. A byte that is
 * lost, doubled or another message's shows, and no body need be kept to know it. The period is a prime, so that no
 * buffer's size divides it.
 */
const period = 1_000_003;
const sequence = Buffer.alloc(period);
const random = new Random(20_261_124);
for (let i = 0; i < period; i++) sequence[i] = Math.floor(random.next() * 256);

const placeOf = (message: number): number => (Math.imul(message, 0x9e3779b1) >>> 0) % period;

/** Bytes of a message's body from `offset` on: at most `length`, at least one. Not to be changed. */
export function bodyBytes(message: number, offset: number, length: number): Buffer {
  const from = (placeOf(message) + offset) % period;
  return sequence.subarray(from, Math.min(from + length, period));
}

/** Whether `bytes` are a message's body from `offset` on. */
export function isBody(message: number, offset: number, bytes: Buffer): boolean {
  let checked = 0;
  while (checked < bytes.length) {
    const wanted = bodyBytes(message, offset + checked, bytes.length - checked);
    if (!wanted.equals(bytes.subarray(checked, checked + wanted.length))) return false;
    checked += wanted.length;
  }
  return true;
}

/** Body numbers of a request and of its response. */
export const uploadOf = (exchange: number): number => exchange * 2 + 1;
export const answerOf = (exchange: number): number => exchange * 2;
