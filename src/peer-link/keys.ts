import { createHmac, scryptSync, timingSafeEqual } from "node:crypto";
import { concatenate } from "./frame.js";

/**
 * The cryptography of the peer link: HMAC-SHA256 (RFC 2104) under keys that each handshake makes anew.
 *
 * Every use has a label of its own, so that nothing which one side computes can be sent back to it as the other's.
 */
export const nonceBytes = 32;
export const macBytes = 32;

const label = "tandem peer link 1";

/** The key of one direction and the other; `mine` signs what this side sends. */
export interface SessionKeys {
  readonly mine: Uint8Array;
  readonly theirs: Uint8Array;
}

export type Role = "dialer" | "listener";

/**
 * The 32 bytes that stand for the secret. scrypt makes each guess of somebody who has seen a handshake cost some 50 ms;
 * called once, at the start.
 */
export function stretchKey(secret: string): Uint8Array {
  return scryptSync(secret, label, 32);
}

/** What only a holder of the key can answer to both nonces. */
export function proof(
  key: Uint8Array,
  of: Role,
  dialerNonce: Uint8Array,
  listenerNonce: Uint8Array,
): Uint8Array {
  return hmac(key, `${label} proof of the ${of}`, dialerNonce, listenerNonce);
}

export function sessionKeys(
  key: Uint8Array,
  role: Role,
  dialerNonce: Uint8Array,
  listenerNonce: Uint8Array,
): SessionKeys {
  const of = (sender: Role): Uint8Array =>
    hmac(key, `${label} messages of the ${sender}`, dialerNonce, listenerNonce);
  return { mine: of(role), theirs: of(role === "dialer" ? "listener" : "dialer") };
}

/** Of one message: its place in the sequence and its bytes. */
export function messageMac(key: Uint8Array, sequence: Uint8Array, body: Uint8Array): Uint8Array {
  return hmac(key, `${label} message`, sequence, body);
}

/** In a time that does not depend on where they differ. */
export function same(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}

function hmac(key: Uint8Array, use: string, ...parts: readonly Uint8Array[]): Uint8Array {
  const text = Buffer.from(use);
  return createHmac("sha256", key)
    .update(concatenate(Uint8Array.of(text.length), text, ...parts))
    .digest();
}
