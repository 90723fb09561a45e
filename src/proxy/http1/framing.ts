/**
 * How long the body is (RFC 9112 §6). Where two readers could differ the message is refused: that is what
 * request smuggling lives on.
 */
import { ascii, byteClass, COMMA, DIGIT, equalsWord, HTAB, SP, TOKEN, ZERO } from "./byte-class.js";
import { FieldKind } from "./field-kind.js";
import type { Head } from "./head-record.js";
import { Framing } from "./head-record.js";

const CHUNKED = ascii("chunked");
const lengthBit = 1 << FieldKind.contentLength;
const codingBit = 1 << FieldKind.transferEncoding;

/**
 * Reads Content-Length and Transfer-Encoding into `framing` and `contentLength` of a cleared head: 0, or minus the
 * status. Without either `framing` stays none; what that means for a response is the caller's to say.
 */
export function readFraming(bytes: Uint8Array, head: Head): number {
  const kinds = head.kinds;
  if ((kinds & (lengthBit | codingBit)) === 0) return 0;
  if ((kinds & codingBit) === 0) return readContentLength(bytes, head);
  // RFC 9112 §6.1: faulty, to be answered with an error, even if the rest of it were right.
  if (head.versionMinor === 0) return head.refuse(400, "transfer-encoding-in-1.0");
  if ((kinds & lengthBit) !== 0) return head.refuse(400, "content-length-with-transfer-encoding");
  return readTransferEncoding(bytes, head);
}

/** Exactly one field of digits alone, at most 2^53 - 1. Repeated equal values are refused too. */
function readContentLength(bytes: Uint8Array, head: Head): number {
  let found = -1;
  for (let i = 0; i < head.fieldCount; i++) {
    if (head.kind[i] !== FieldKind.contentLength) continue;
    if (found >= 0) return head.refuse(400, "content-length-conflict");
    found = i;
  }
  const start = head.valueStart[found]!;
  const end = head.valueEnd[found]!;
  if (start === end) return head.refuse(400, "content-length-invalid");
  let length = 0;
  for (let p = start; p < end; p++) {
    const c = bytes[p]!;
    if ((byteClass[c]! & DIGIT) === 0) {
      return head.refuse(400, c === COMMA ? "content-length-conflict" : "content-length-invalid");
    }
    length = length * 10 + (c - ZERO);
    if (length > Number.MAX_SAFE_INTEGER) return head.refuse(400, "content-length-overflow");
  }
  head.framing = Framing.length;
  head.contentLength = length;
  return 0;
}

/** All lines together must come to `chunked` and nothing else; empty list elements are refused as well. */
function readTransferEncoding(bytes: Uint8Array, head: Head): number {
  let isChunked = false;
  let others = 0;
  for (let i = 0; i < head.fieldCount; i++) {
    if (head.kind[i] !== FieldKind.transferEncoding) continue;
    const end = head.valueEnd[i]!;
    let p = head.valueStart[i]!;
    for (;;) {
      const start = p;
      while (p < end && (byteClass[bytes[p]!]! & TOKEN) !== 0) p++;
      if (p === start) return head.refuse(400, "transfer-encoding-invalid");
      // Chunked is the last coding and is applied once (RFC 9112 §6.1, §7.1).
      if (equalsWord(bytes, start, p, CHUNKED)) {
        if (isChunked) return head.refuse(400, "transfer-encoding-chunked-twice");
        isChunked = true;
      } else {
        if (isChunked) return head.refuse(400, "transfer-encoding-chunked-not-last");
        others++;
      }
      p = skipSpace(bytes, p, end);
      if (p === end) break;
      if (bytes[p] !== COMMA) return head.refuse(400, "transfer-encoding-invalid");
      p = skipSpace(bytes, p + 1, end);
    }
  }
  if (!isChunked) return head.refuse(400, "transfer-encoding-chunked-not-last");
  if (others > 0) return head.refuse(501, "transfer-encoding-unsupported");
  head.framing = Framing.chunked;
  return 0;
}

function skipSpace(bytes: Uint8Array, at: number, end: number): number {
  let p = at;
  while (p < end && (bytes[p] === SP || bytes[p] === HTAB)) p++;
  return p;
}
