/**
 * The 32-bit hash of what requests are told apart by: FNV-1a over the bytes, then murmur3's finaliser so that every bit
 * of the key moves every bit of the hash. Not for secrets: who can choose keys can choose where they go.
 */
const offsetBasis = 0x811c9dc5;
const prime = 0x01000193;

/** Unsigned. */
export function hashBytes(bytes: Uint8Array, start: number, end: number): number {
  let hash = offsetBasis;
  for (let at = start; at < end; at++) hash = Math.imul(hash ^ bytes[at], prime);
  return mix(hash);
}

/** Of ASCII text, the same as of its bytes. */
export function hashText(text: string): number {
  let hash = offsetBasis;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ (text.charCodeAt(at) & 0xff), prime);
  return mix(hash);
}

/** murmur3's `fmix32`: a bijection of the unsigned 32-bit numbers. */
export function mix(value: number): number {
  let hash = value | 0;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** A generator of numbers from 0 to below 1 (mulberry32), for choices that need no secrecy. */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x9e3779b9) >>> 0;
    return mix(state) / 2 ** 32;
  };
}
