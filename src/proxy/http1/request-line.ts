/**
 * `method SP request-target SP HTTP-version CRLF` (RFC 9112 §3): exactly one space between the parts.
 */
import {
  ASTERISK,
  ascii,
  byteClass,
  COLON,
  CR,
  DIGIT,
  HASH,
  LF,
  QUESTION,
  SLASH,
  SP,
  TARGET,
  TOKEN,
  ZERO,
} from "./byte-class.js";
import type { Head } from "./head-record.js";
import { Method, TargetForm } from "./head-record.js";
import { isValidAuthority } from "./host.js";

const methods: readonly [Uint8Array, Method][] = Object.entries(Method)
  .filter(([name]) => name !== "other")
  .map(([name, id]) => [ascii(name), id]);
const HTTP_SLASH = ascii("HTTP/");
const HTTP_SCHEME = ascii("http://");
const HTTPS_SCHEME = ascii("https://");

/** Returns the offset after the line, 0 when it is not whole yet, or minus the status to answer with. */
export function parseRequestLine(bytes: Uint8Array, at: number, end: number, head: Head): number {
  let p = at;
  while (p < end && (byteClass[bytes[p]!]! & TOKEN) !== 0) p++;
  if (p === end) return 0;
  if (p === at || bytes[p] !== SP) return head.refuse(400, lineError(bytes[p]!, "method-invalid"));
  head.start = at;
  head.methodEnd = p;
  head.method = methodOf(bytes, at, p);

  const target = ++p;
  while (p < end && (byteClass[bytes[p]!]! & TARGET) !== 0) p++;
  if (p === end) return 0;
  if (p === target || bytes[p] !== SP) return head.refuse(400, targetError(bytes, p));
  head.targetStart = target;
  head.targetEnd = p;

  p = parseVersion(bytes, p + 1, end, head);
  if (p <= 0) return p;
  const c = bytes[p];
  if (p === end) return 0;
  if (c !== CR) return head.refuse(400, lineError(c!, "version-invalid"));
  if (++p === end) return 0;
  if (bytes[p] !== LF) return head.refuse(400, "bare-cr");
  const refused = classifyTarget(bytes, head);
  return refused < 0 ? refused : p + 1;
}

/** `HTTP/` DIGIT `.` DIGIT, case-sensitive (RFC 9112 §2.3). Returns the offset after it, 0 or minus a status. */
export function parseVersion(bytes: Uint8Array, at: number, end: number, head: Head): number {
  for (let i = 0; i < 8; i++) {
    if (at + i === end) return 0;
    const c = bytes[at + i]!;
    const fits = i < 5 ? c === HTTP_SLASH[i] : i === 6 ? c === 0x2e : (byteClass[c]! & DIGIT) !== 0;
    if (!fits) return head.refuse(400, lineError(c, "version-invalid"));
  }
  if (bytes[at + 5] !== ZERO + 1) return head.refuse(505, "version-unsupported");
  head.versionMinor = bytes[at + 7] === ZERO ? 0 : 1;
  return at + 8;
}

/** A stable reason for a byte that cannot stand where it does in a start line. */
export function lineError(byte: number, otherwise: string): string {
  return byte === LF ? "bare-lf" : byte === 0 ? "nul" : otherwise;
}

function targetError(bytes: Uint8Array, at: number): string {
  const c = bytes[at]!;
  // The line ends after the target: HTTP/0.9.
  if (c === CR) return "version-missing";
  return c === HASH ? "target-fragment" : lineError(c, "target-invalid");
}

function methodOf(bytes: Uint8Array, start: number, end: number): Method {
  const length = end - start;
  if (length === 3 && bytes[start] === 0x47 && bytes[start + 1] === 0x45 && bytes[start + 2] === 0x54) {
    return Method.GET;
  }
  search: for (const [name, method] of methods) {
    if (name.length !== length) continue;
    for (let i = 0; i < length; i++) if (bytes[start + i] !== name[i]) continue search;
    return method;
  }
  return Method.other;
}

/** Sorts out the form of the target; 0 or minus the status. */
function classifyTarget(bytes: Uint8Array, head: Head): number {
  const { targetStart, targetEnd } = head;
  head.pathStart = targetStart;
  head.authorityStart = targetStart;
  head.authorityEnd = targetStart;
  // A gateway is nobody's tunnel (RFC 9110 §9.3.6).
  if (head.method === Method.CONNECT) return head.refuse(405, "connect");
  if (bytes[targetStart] === SLASH) return 0;
  if (targetEnd - targetStart === 1 && bytes[targetStart] === ASTERISK) {
    if (head.method !== Method.OPTIONS) return head.refuse(400, "asterisk-form");
    head.targetForm = TargetForm.asterisk;
    return 0;
  }
  const authority = afterScheme(bytes, targetStart, targetEnd);
  if (authority === 0) return head.refuse(400, "target-form");
  let p = authority;
  while (p < targetEnd && bytes[p] !== SLASH && bytes[p] !== QUESTION) p++;
  // RFC 9110 §4.2.1: an http URI without a host is invalid.
  if (p === authority || bytes[authority] === COLON || !isValidAuthority(bytes, authority, p)) {
    return head.refuse(400, "authority-invalid");
  }
  head.targetForm = TargetForm.absolute;
  head.authorityStart = authority;
  head.authorityEnd = p;
  head.pathStart = p;
  return 0;
}

/** Offset after `http://` or `https://`, 0 if neither is there. */
function afterScheme(bytes: Uint8Array, start: number, end: number): number {
  for (const scheme of [HTTP_SCHEME, HTTPS_SCHEME]) {
    if (end - start < scheme.length) continue;
    let i = 0;
    while (i < scheme.length && (bytes[start + i]! | 0x20) === (scheme[i]! | 0x20)) i++;
    if (i === scheme.length) return start + i;
  }
  return 0;
}
