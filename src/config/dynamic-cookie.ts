import { parseIpLiteral } from "../netlink/ip-literal.js";

/**
 * HAProxy's dynamic cookie of a server (`dynamic-cookie-key`): XXH64 of the key, the address's 4 or 16 bytes and the port in four
 * bytes of network order, as 16 hexadecimal digits; balancers with the same key give the same values. null: `host` is no IP
 * address.
 */
export function dynamicCookie(key: string, host: string, port: number): string | null {
  const address = parseIpLiteral(host);
  if (address === null) return null;
  const portBytes = new Uint8Array(4);
  new DataView(portBytes.buffer).setUint32(0, port);
  return xxh64(Buffer.concat([Buffer.from(key), address, portBytes]))
    .toString(16)
    .padStart(16, "0");
}

const mask = (1n << 64n) - 1n;
const prime1 = 0x9e3779b185ebca87n;
const prime2 = 0xc2b2ae3d27d4eb4fn;
const prime3 = 0x165667b19e3779f9n;
const prime4 = 0x85ebca77c2b2ae63n;
const prime5 = 0x27d4eb2f165667c5n;

const times = (a: bigint, b: bigint): bigint => (a * b) & mask;
const plus = (a: bigint, b: bigint): bigint => (a + b) & mask;
const rotate = (a: bigint, bits: bigint): bigint => ((a << bits) | (a >> (64n - bits))) & mask;
const round = (lane: bigint, input: bigint): bigint =>
  times(rotate(plus(lane, times(input, prime2)), 31n), prime1);

/** XXH64 with seed 0 (the xxHash specification, section XXH64). For short texts that are hashed once. */
function xxh64(bytes: Uint8Array): bigint {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let at = 0;
  let hash = prime5;
  if (bytes.length >= 32) {
    const lanes = [plus(prime1, prime2), prime2, 0n, -prime1 & mask];
    for (; at + 32 <= bytes.length; at += 32)
      for (let i = 0; i < 4; i++) lanes[i] = round(lanes[i], view.getBigUint64(at + 8 * i, true));
    hash = [1n, 7n, 12n, 18n].reduce((sum, bits, i) => plus(sum, rotate(lanes[i], bits)), 0n);
    for (const lane of lanes) hash = plus(times(hash ^ round(0n, lane), prime1), prime4);
  }
  hash = plus(hash, BigInt(bytes.length));
  for (; at + 8 <= bytes.length; at += 8)
    hash = plus(times(rotate(hash ^ round(0n, view.getBigUint64(at, true)), 27n), prime1), prime4);
  if (at + 4 <= bytes.length) {
    hash = plus(times(rotate(hash ^ times(BigInt(view.getUint32(at, true)), prime1), 23n), prime2), prime3);
    at += 4;
  }
  for (; at < bytes.length; at++) hash = times(rotate(hash ^ times(BigInt(bytes[at]), prime5), 11n), prime1);
  hash = times(hash ^ (hash >> 33n), prime2);
  hash = times(hash ^ (hash >> 29n), prime3);
  return hash ^ (hash >> 32n);
}
