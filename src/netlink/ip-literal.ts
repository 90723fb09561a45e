import { isIPv4, isIPv6 } from "node:net";

/**
 * The 4 or 16 bytes of an address literal in network order; null when it is not one. An IPv6 zone (`%eth1`) is not
 * part of an address and makes it none. Pure.
 */
export function parseIpLiteral(text: string): Uint8Array | null {
  if (isIPv4(text)) return Uint8Array.from(text.split("."), Number);
  if (!isIPv6(text) || text.includes("%")) return null;
  const [head = "", tail] = text.split("::");
  const front = ipv6Groups(head);
  const back = ipv6Groups(tail ?? "");
  const bytes = new Uint8Array(16);
  bytes.set(front, 0);
  bytes.set(back, 16 - back.length);
  return bytes;
}

/** The bytes of colon-separated groups, the last of which may be a dotted quad. */
function ipv6Groups(text: string): number[] {
  if (text === "") return [];
  return text.split(":").flatMap((group) => {
    if (group.includes(".")) return group.split(".").map(Number);
    const value = Number.parseInt(group, 16);
    return [value >> 8, value & 0xff];
  });
}

/** The literal of 4 or 16 bytes; IPv6 in the one form of RFC 5952 §4, so that equal addresses are equal strings. */
export function formatIpLiteral(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join(".");
  const groups: number[] = [];
  for (let i = 0; i < 16; i += 2) groups.push((bytes[i] << 8) | bytes[i + 1]);
  const hex = groups.map((group) => group.toString(16));
  const zeros = longestZeroRun(groups);
  if (zeros.length < 2) return hex.join(":");
  return `${hex.slice(0, zeros.start).join(":")}::${hex.slice(zeros.start + zeros.length).join(":")}`;
}

/**
 * A negative number, 0 or a positive one: the order of two literals of one family as unsigned integers (RFC 9568
 * §6.4.3). IPv4 goes before IPv6, and what is no literal before both.
 */
export function compareIpLiterals(left: string, right: string): number {
  const a = parseIpLiteral(left) ?? new Uint8Array(0);
  const b = parseIpLiteral(right) ?? new Uint8Array(0);
  for (let at = 0; at < a.length && a.length === b.length; at++) {
    if (a[at] !== b[at]) return a[at] - b[at];
  }
  return a.length - b.length;
}

/** The form in which the kernel's addresses are told; what is no literal stays as it is. */
export function normalizeIpLiteral(text: string): string {
  const bytes = parseIpLiteral(text);
  return bytes === null ? text : formatIpLiteral(bytes);
}

/** The first of the longest runs of zero groups (RFC 5952 §4.2.3). */
function longestZeroRun(groups: readonly number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  for (let start = 0; start < groups.length; start++) {
    let length = 0;
    while (groups[start + length] === 0) length++;
    if (length > best.length) best = { start, length };
  }
  return best;
}
