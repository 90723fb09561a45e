/**
 * Message heads (RFC 9112 §3–6), parsed strictly and in one pass over the bytes into one reused record.
 */
import { ascii, byteClass, CR, DIGIT, equalsWord, LF, SP, VALUE, ZERO } from "./byte-class.js";
import { readConnectionOptions } from "./connection-options.js";
import { FieldKind } from "./field-kind.js";
import { parseFieldSection } from "./field-section.js";
import { readFraming } from "./framing.js";
import type { Head, HeadLimits } from "./head-record.js";
import { Framing, Method } from "./head-record.js";
import { checkHost } from "./host.js";
import { lineError, parseRequestLine, parseVersion } from "./request-line.js";

export type { HeadLimits } from "./head-record.js";
export { defaultMaxFields, Framing, Head, Method, TargetForm } from "./head-record.js";

const CONTINUE = ascii("100-continue");
const expectBit = 1 << FieldKind.expect;

/**
 * Parses the request head at `start` in `bytes[start, end)`; empty lines before it are skipped (RFC 9112 §2.2)
 * and count as a part of it.
 *
 * Returns the offset after the head; 0 when it is not whole yet; or minus the status to answer with, and then
 * `head.error` says why. A head that reaches `maxHeadBytes` without an end is refused: 414 while it is still in
 * its request line, 431 after that.
 */
export function parseRequestHead(
  bytes: Uint8Array,
  start: number,
  end: number,
  head: Head,
  limits: HeadLimits,
): number {
  head.clear();
  const limit = end - start < limits.maxHeadBytes ? end : start + limits.maxHeadBytes;
  let p = start;
  while (p < limit && bytes[p] === CR) {
    if (p + 1 < limit && bytes[p + 1] !== LF) return head.refuse(400, "bare-cr");
    p += 2;
  }
  if (p >= limit) return incomplete(head, start, limit, limits, 431);
  p = parseRequestLine(bytes, p, limit, head);
  if (p <= 0) return p < 0 ? p : incomplete(head, start, limit, limits, 414);
  p = parseFieldSection(bytes, p, limit, head, limits.maxFields);
  if (p <= 0) return p < 0 ? p : incomplete(head, start, limit, limits, 431);

  let refused = checkHost(bytes, head);
  if (refused < 0) return refused;
  refused = readFraming(bytes, head);
  if (refused < 0) return refused;
  refused = readConnectionOptions(bytes, head);
  if (refused < 0) return refused;
  if ((head.kinds & expectBit) !== 0) {
    refused = readExpect(bytes, head);
    if (refused < 0) return refused;
  }
  return p;
}

/**
 * Parses the response head at `start`. Returns the offset after it, 0 when it is not whole yet, or less than 0
 * when it is broken, which is always answered with 502; `head.error` says why.
 *
 * `requestMethod` decides whether a body follows (RFC 9112 §6.3). A 101 has none; what follows it is no HTTP any
 * more. That an upgrade had been asked for is for the caller to check.
 */
export function parseResponseHead(
  bytes: Uint8Array,
  start: number,
  end: number,
  head: Head,
  limits: HeadLimits,
  requestMethod: number,
): number {
  head.clear();
  const limit = end - start < limits.maxHeadBytes ? end : start + limits.maxHeadBytes;
  let p = parseStatusLine(bytes, start, limit, head);
  if (p < 0) return p;
  if (p > 0) p = parseFieldSection(bytes, p, limit, head, limits.maxFields);
  if (p <= 0) return p < 0 ? p : incomplete(head, start, limit, limits, 502);

  const refused = readFraming(bytes, head);
  if (refused < 0) return refused;
  const { status } = head;
  if (requestMethod === Method.HEAD || status < 200 || status === 204 || status === 304) {
    head.framing = Framing.none;
  } else if (head.framing === Framing.none) {
    head.framing = Framing.untilClose;
  }
  const optionsRefused = readConnectionOptions(bytes, head);
  if (optionsRefused < 0) return optionsRefused;
  if (head.framing === Framing.untilClose) head.keepAlive = false;
  return p;
}

/**
 * Looks for the end of a head that arrives in pieces, without parsing: the offset after LF CRLF or LF LF, or 0. What
 * stands before `from` was looked at already; of that only the last two bytes are looked at again. A bare LF counts, so that
 * the parse gets to refuse it at once. Empty lines at `start` are no end.
 *
 * Parse once when the first bytes arrive, then again when this finds an end or `maxHeadBytes` are there.
 */
export function findHeadEnd(bytes: Uint8Array, start: number, from: number, end: number): number {
  let p = start;
  while (p < end && (bytes[p] === CR || bytes[p] === LF)) p++;
  if (from - 2 > p) p = from - 2;
  for (; p < end; p++) {
    if (bytes[p] !== LF) continue;
    if (p + 1 < end && bytes[p + 1] === LF) return p + 2;
    if (p + 2 < end && bytes[p + 1] === CR && bytes[p + 2] === LF) return p + 3;
  }
  return 0;
}

/** The bytes ended before the head did: wait for more, unless it is as large as it may get. */
function incomplete(head: Head, start: number, limit: number, limits: HeadLimits, status: number): number {
  return limit - start >= limits.maxHeadBytes ? head.refuse(status, "head-too-large") : 0;
}

/** `HTTP-version SP status-code SP [ reason-phrase ]`; real servers leave the last SP out, so it may be missing. */
function parseStatusLine(bytes: Uint8Array, at: number, end: number, head: Head): number {
  let p = parseVersion(bytes, at, end, head);
  if (p <= 0) return p;
  if (p === end) return 0;
  if (bytes[p] !== SP) return head.refuse(502, "status-line-invalid");
  p++;
  head.start = at;
  head.statusStart = p;
  let status = 0;
  for (let i = 0; i < 3; i++, p++) {
    if (p === end) return 0;
    const c = bytes[p]!;
    if ((byteClass[c]! & DIGIT) === 0) return head.refuse(502, lineError(c, "status-invalid"));
    status = status * 10 + (c - ZERO);
  }
  if (status < 100 || status > 599) return head.refuse(502, "status-invalid");
  head.status = status;
  if (p === end) return 0;
  if (bytes[p] === SP) p++;
  else if (bytes[p] !== CR) return head.refuse(502, lineError(bytes[p]!, "status-invalid"));
  head.reasonStart = p;
  while (p < end && (byteClass[bytes[p]!]! & VALUE) !== 0) p++;
  if (p === end) return 0;
  if (bytes[p] !== CR) return head.refuse(502, lineError(bytes[p]!, "reason-invalid"));
  head.reasonEnd = p;
  if (++p === end) return 0;
  return bytes[p] === LF ? p + 1 : head.refuse(502, "bare-cr");
}

/** The only expectation there is (RFC 9110 §10.1.1); HTTP/1.0 cannot have it, so there it is ignored. */
function readExpect(bytes: Uint8Array, head: Head): number {
  for (let i = 0; i < head.fieldCount; i++) {
    if (head.kind[i] !== FieldKind.expect) continue;
    if (!equalsWord(bytes, head.valueStart[i]!, head.valueEnd[i]!, CONTINUE)) {
      return head.refuse(417, "expectation-unknown");
    }
  }
  head.expectContinue = head.versionMinor === 1;
  return 0;
}
