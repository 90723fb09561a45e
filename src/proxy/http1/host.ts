/**
 * Host: exactly one in HTTP/1.1, well-formed, and the same as the authority of an absolute target
 * (RFC 9112 §3.2, §3.2.2).
 */
import {
  byteClass,
  COLON,
  DIGIT,
  equalsIgnoringCase,
  HEX,
  LEFT_BRACKET,
  PERCENT,
  REG_NAME,
  RIGHT_BRACKET,
  ZERO,
} from "./byte-class.js";
import { FieldKind } from "./field-kind.js";
import type { Head } from "./head-record.js";
import { TargetForm } from "./head-record.js";

/** Checks Host of a request whose fields are parsed: 0, or minus the status. */
export function checkHost(bytes: Uint8Array, head: Head): number {
  if ((head.kinds & (1 << FieldKind.host)) === 0) {
    return head.versionMinor === 0 ? 0 : head.refuse(400, "host-missing");
  }
  let found = -1;
  for (let i = 0; i < head.fieldCount; i++) {
    if (head.kind[i] !== FieldKind.host) continue;
    if (found >= 0) return head.refuse(400, "host-duplicate");
    found = i;
  }
  const start = head.valueStart[found]!;
  const end = head.valueEnd[found]!;
  // An empty Host is legal, and monitors send it.
  if (start < end && !isValidAuthority(bytes, start, end)) return head.refuse(400, "host-invalid");
  if (head.targetForm === TargetForm.absolute && !isSameAuthority(bytes, head, start, end)) {
    return head.refuse(400, "host-differs");
  }
  return 0;
}

/** `uri-host [ ":" port ]` (RFC 9110 §7.2): registered name, IPv4 or bracketed IPv6; port empty or 0–65535. */
export function isValidAuthority(bytes: Uint8Array, start: number, end: number): boolean {
  let p = start;
  if (bytes[p] === LEFT_BRACKET) {
    p++;
    const literal = p;
    while (p < end && ((byteClass[bytes[p]!]! & HEX) !== 0 || bytes[p] === COLON || bytes[p] === 0x2e)) p++;
    if (p === literal || p === end || bytes[p] !== RIGHT_BRACKET) return false;
    p++;
  } else {
    while (p < end) {
      const c = bytes[p]!;
      if ((byteClass[c]! & REG_NAME) !== 0) p++;
      else if (c === PERCENT && p + 2 < end && isHex(bytes[p + 1]!) && isHex(bytes[p + 2]!)) p += 3;
      else break;
    }
  }
  if (p === end) return true;
  if (p === start || bytes[p] !== COLON) return false;
  let port = 0;
  while (++p < end) {
    const c = bytes[p]!;
    if ((byteClass[c]! & DIGIT) === 0) return false;
    port = port * 10 + (c - ZERO);
    if (port > 65535) return false;
  }
  return true;
}

function isHex(byte: number): boolean {
  return (byteClass[byte]! & HEX) !== 0;
}

/** Compares in any case; a port that the scheme implies may be left out on either side. */
function isSameAuthority(bytes: Uint8Array, head: Head, start: number, end: number): boolean {
  // `https://` is one byte longer than `http://`.
  const isHttps = head.authorityStart - head.targetStart === 8;
  return equalsIgnoringCase(
    bytes,
    head.authorityStart,
    withoutDefaultPort(bytes, head.authorityStart, head.authorityEnd, isHttps),
    start,
    withoutDefaultPort(bytes, start, end, isHttps),
  );
}

function withoutDefaultPort(bytes: Uint8Array, start: number, end: number, isHttps: boolean): number {
  let p = end;
  while (p > start && (byteClass[bytes[p - 1]!]! & DIGIT) !== 0) p--;
  if (p === start || bytes[p - 1] !== COLON) return end;
  let port = 0;
  for (let i = p; i < end; i++) port = port * 10 + (bytes[i]! - ZERO);
  return p === end || port === (isHttps ? 443 : 80) ? p - 1 : end;
}
