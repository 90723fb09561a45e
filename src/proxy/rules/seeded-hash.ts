/**
 * Hashes a client's text as int32, by two secret numbers: who does not know them cannot choose texts that meet in one place,
 * and so push others out of it or share their counter.
 */
export function seededHash(text: string, seedA: number, seedB: number): number {
  let value = seedA ^ text.length;
  for (let i = 0; i < text.length; i++) {
    value = Math.imul(value ^ text.charCodeAt(i) ^ seedB, 0xcc9e2d51);
    value = Math.imul((value << 15) | (value >>> 17), 0x1b873593);
    value ^= value >>> 13;
  }
  value = Math.imul(value ^ (value >>> 16) ^ seedB, 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return (value ^ (value >>> 16)) | 0;
}
