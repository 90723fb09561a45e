/**
 * Fields of responses for HTTP/2 (RFC 9113 §8.2): small names, none about a connection. Pure.
 */
import { FieldKind, fieldKindOf } from "../http1/field-kind.js";
import type { Head } from "../http1/head-record.js";
import { blockOverheadBytes, fieldOverheadBytes, type HpackEncoder } from "./hpack-encoder.js";

/** Of the connection that the response came over, or would have gone over. */
const ofConnection =
  (1 << FieldKind.connection) |
  (1 << FieldKind.keepAlive) |
  (1 << FieldKind.proxyConnection) |
  (1 << FieldKind.transferEncoding) |
  (1 << FieldKind.te) |
  (1 << FieldKind.upgrade) |
  (1 << FieldKind.http2Settings);

const isOfConnection = (kind: number): boolean => ((ofConnection >>> kind) & 1) !== 0;

/** Most bytes that the block of `head` takes. */
export const responseBound = (head: Head): number =>
  head.end - head.start + head.fieldCount * fieldOverheadBytes + blockOverheadBytes;

/** Writes the block of the response that `head` describes in `bytes`; returns the offset after it. */
export function writeResponse(
  encoder: HpackEncoder,
  bytes: Uint8Array,
  head: Head,
  out: Uint8Array,
  at: number,
): number {
  const { nameStart, nameEnd, valueStart, valueEnd, kind } = head;
  let to = encoder.status(head.status, out, encoder.begin(out, at));
  for (let i = 0; i < head.fieldCount; i++) {
    if (isOfConnection(kind[i])) continue;
    to = encoder.field(bytes, nameStart[i], nameEnd[i], valueStart[i], valueEnd[i], out, to);
  }
  return to;
}

/** Most bytes that the block of a trailer section takes: no line of it is shorter than three bytes. */
export const trailersBound = (section: Uint8Array): number =>
  section.length + Math.ceil(section.length / 3) * fieldOverheadBytes + blockOverheadBytes;

/** Writes the block of a trailer section, given as its lines; returns the offset after it. */
export function writeTrailers(
  encoder: HpackEncoder,
  section: Uint8Array,
  out: Uint8Array,
  at: number,
): number {
  let to = encoder.begin(out, at);
  for (let lineStart = 0; lineStart < section.length; ) {
    let lineEnd = section.indexOf(LF, lineStart);
    if (lineEnd < 0) lineEnd = section.length;
    const nameEnd = section.indexOf(COLON, lineStart);
    if (
      nameEnd > lineStart &&
      nameEnd < lineEnd &&
      !isOfConnection(fieldKindOf(section, lineStart, nameEnd))
    ) {
      let start = nameEnd + 1;
      let end = lineEnd;
      while (start < end && isSpace(section[start])) start++;
      while (end > start && isSpace(section[end - 1])) end--;
      to = encoder.field(section, lineStart, nameEnd, start, end, out, to);
    }
    lineStart = lineEnd + 1;
  }
  return to;
}

const LF = 0x0a;
const COLON = 0x3a;
const isSpace = (c: number): boolean => c === 0x20 || c === 0x09 || c === 0x0d;
