/**
 * The internet checksum (RFC 1071): one's complement of the one's complement sum of 16-bit big-endian words.
 *
 * Over a message whose checksum field is zero this is the value to write into the field; over a received message
 * that is intact it is 0. An odd last byte counts as the high half of a word.
 */
export function internetChecksum(bytes: Uint8Array, start = 0, end = bytes.length): number {
  let sum = 0;
  for (let at = start; at + 1 < end; at += 2) {
    sum += (bytes[at] << 8) | bytes[at + 1];
  }
  if ((end - start) % 2 === 1) {
    sum += bytes[end - 1] << 8;
  }
  while (sum > 0xffff) {
    sum = (sum & 0xffff) + (sum >>> 16);
  }
  return ~sum & 0xffff;
}
