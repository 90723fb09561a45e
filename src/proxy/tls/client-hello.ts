/**
 * The server's name in a client's first message (SNI, RFC 6066 §3), read before TLS itself begins: Node adds the certificate
 * that its own callback picks to the one that is there already, and OpenSSL then chooses by the kind of key. Pure.
 */

const handshakeRecord = 22;
const clientHello = 1;
const serverNameExtension = 0;
const hostName = 0;
/** No client's first message is longer; what goes on is for OpenSSL to refuse. */
const longestHello = 16_384;

/** undefined: more bytes are needed; null: none is named, or it is no first message of TLS, which OpenSSL will say. */
export function serverNameOf(bytes: Uint8Array, start: number, end: number): string | null | undefined {
  const message: number[] = [];
  for (let at = start; at < end; ) {
    if (bytes[at] !== handshakeRecord) return null;
    if (at + 5 > end) break;
    const length = (bytes[at + 3] << 8) | bytes[at + 4];
    if (length === 0) return null;
    const until = Math.min(end, at + 5 + length);
    for (let i = at + 5; i < until; i++) message.push(bytes[i]);
    if (message.length > 0 && message[0] !== clientHello) return null;
    if (message.length >= 4) {
      const whole = 4 + ((message[1] << 16) | (message[2] << 8) | message[3]);
      if (whole > longestHello) return null;
      if (message.length >= whole) return nameIn(message.slice(4, whole));
    }
    at += 5 + length;
  }
  return undefined;
}

/** RFC 8446 §4.1.2. */
function nameIn(hello: readonly number[]): string | null {
  const two = (at: number): number => ((hello[at] ?? 0) << 8) | (hello[at + 1] ?? 0);
  // Version and random, then three lists with their lengths: session, cipher suites, compression.
  let at = 34;
  at += 1 + (hello[at] ?? 0);
  at += 2 + two(at);
  at += 1 + (hello[at] ?? 0);
  const end = Math.min(hello.length, at + 2 + two(at));
  at += 2;
  while (at + 4 <= end) {
    const length = two(at + 2);
    if (two(at) !== serverNameExtension) {
      at += 4 + length;
      continue;
    }
    // A list with one host name in it: its length, then type, length, name.
    const nameLength = two(at + 7);
    if (hello[at + 6] !== hostName || at + 9 + nameLength > Math.min(end, at + 4 + length)) return null;
    return String.fromCharCode(...hello.slice(at + 9, at + 9 + nameLength));
  }
  return null;
}
