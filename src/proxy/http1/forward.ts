/**
 * Rewriting a head for the other side: what belongs to one hop stays behind (RFC 9110 §7.6.1), framing is
 * written anew, and everything else goes on byte for byte, in its order.
 */
import { ASTERISK, ascii, CR, lower, QUESTION, SLASH, SP, ZERO } from "./byte-class.js";
import { appendBytes, copyBytes, moveUp } from "./copy.js";
import { FieldKind } from "./field-kind.js";
import type { Head } from "./head-record.js";
import { Framing, Method, TargetForm } from "./head-record.js";

/** Lines are ready, CRLF included; an empty array leaves its line out. */
export interface RequestForwarding {
  /** `X-Forwarded-For: a.b.c.d\r\n`, put after the client's own lines as HAProxy's `option forwardfor` does. */
  forwardedFor: Uint8Array;
  /** Where the request has this field already, by its name in small letters, that line is left out; null: never. */
  forwardedForUnless: Uint8Array | null;
  /** `X-Forwarded-Proto: http\r\n`, takes the place of the client's. */
  forwardedProto: Uint8Array;
  /** `Host: 192.0.2.1:80\r\n` for an HTTP/1.0 request that names no host: what we send is HTTP/1.1. */
  fallbackHost: Uint8Array;
  /** Pass the upgrade on; only when `head.upgrade`. */
  keepUpgrade: boolean;
}

export interface ResponseForwarding {
  /** What we tell the client about its connection. */
  keepAlive: boolean;
  clientVersionMinor: number;
  /** The body goes to the client in chunks (as it came, or made by us). Without it there is no Transfer-Encoding. */
  chunkedToClient: boolean;
  /** A 101 that was asked for. A 426 keeps its Upgrade field by itself. */
  keepUpgrade: boolean;
}

const DIGIT_ONE = ZERO + 1;
const HTTP_1_1_SP = ascii("HTTP/1.1 ");
const SP_HTTP_1_1_CRLF = ascii(" HTTP/1.1\r\n");
const HOST_SP = ascii("Host: ");
const CONTENT_LENGTH_SP = ascii("Content-Length: ");
const CHUNKED_LINE = ascii("Transfer-Encoding: chunked\r\n");
const CONNECTION_CLOSE = ascii("Connection: close\r\n");
const CONNECTION_KEEP_ALIVE = ascii("Connection: keep-alive\r\n");
const CONNECTION_UPGRADE = ascii("Connection: Upgrade\r\n");
const CONNECTION_CLOSE_UPGRADE = ascii("Connection: close, Upgrade\r\n");
const CRLF = ascii("\r\n");

/** More than all lines above together: what a head can grow by apart from the caller's lines. */
const growth = 160;

const lengthBit = 1 << FieldKind.contentLength;
const hostBit = 1 << FieldKind.host;
const expectBit = 1 << FieldKind.expect;
const upgradeBit = 1 << FieldKind.upgrade;
const trailerBit = 1 << FieldKind.trailer;

/** Of one hop, or not ours to pass on, both ways. The coding is in it because we write it ourselves. */
const oneHop =
  (1 << FieldKind.connection) |
  (1 << FieldKind.keepAlive) |
  (1 << FieldKind.proxyConnection) |
  (1 << FieldKind.proxyAuthorization) |
  (1 << FieldKind.proxyAuthenticate) |
  (1 << FieldKind.proxyAuthenticationInfo) |
  (1 << FieldKind.te) |
  upgradeBit |
  (1 << FieldKind.http2Settings) |
  (1 << FieldKind.transferEncoding);

/** Upper bound of the bytes that `writeForwardedRequest` writes. */
export function forwardedRequestBound(head: Head, f: RequestForwarding): number {
  const lines = f.forwardedFor.length + f.forwardedProto.length + f.fallbackHost.length;
  return head.end - head.start + lines + growth;
}

/**
 * Writes the request for the server into `out` from `at`; returns the offset after it. The target leaves in
 * origin form (RFC 9112 §3.2.1), or as `*`.
 */
export function writeForwardedRequest(
  bytes: Uint8Array,
  head: Head,
  f: RequestForwarding,
  out: Uint8Array,
  at: number,
): number {
  return writeRequestEnd(bytes, head, f, out, writeRequestStart(bytes, head, f, out, at));
}

/** All of it that is the same for every client: up to the client's address. */
export function writeRequestStart(
  bytes: Uint8Array,
  head: Head,
  f: RequestForwarding,
  out: Uint8Array,
  at: number,
): number {
  let o: number;
  if (head.targetForm !== TargetForm.absolute) {
    o = copyBytes(bytes, head.start, head.targetEnd, out, at);
  } else {
    o = copyBytes(bytes, head.start, head.targetStart, out, at);
    const isEmpty = head.pathStart === head.targetEnd;
    // RFC 9112 §3.2.4: OPTIONS on the whole server, when its last proxy sends it on.
    if (isEmpty && head.method === Method.OPTIONS) out[o++] = ASTERISK;
    else if (isEmpty || bytes[head.pathStart] === QUESTION) out[o++] = SLASH;
    o = copyBytes(bytes, head.pathStart, head.targetEnd, out, o);
  }
  o = appendBytes(SP_HTTP_1_1_CRLF, out, o);

  if ((head.kinds & hostBit) === 0) {
    if (head.targetForm === TargetForm.absolute) {
      o = appendBytes(HOST_SP, out, o);
      o = copyBytes(bytes, head.authorityStart, head.authorityEnd, out, o);
      o = appendBytes(CRLF, out, o);
    } else {
      o = appendBytes(f.fallbackHost, out, o);
    }
  }
  let drop = oneHop | (1 << FieldKind.xForwardedProto);
  if (f.keepUpgrade) drop &= ~upgradeBit;
  if (head.versionMinor === 0) drop |= expectBit;
  if (head.framing !== Framing.chunked) drop |= trailerBit;
  if (rewritesLength(bytes, head)) drop |= lengthBit;
  return appendBytes(f.forwardedProto, out, copyFields(bytes, head, drop, out, o));
}

/** The rest, behind `writeRequestStart`. */
export function writeRequestEnd(
  bytes: Uint8Array,
  head: Head,
  f: RequestForwarding,
  out: Uint8Array,
  at: number,
): number {
  const isTold = f.forwardedForUnless !== null && hasField(bytes, head, f.forwardedForUnless);
  let o = isTold ? at : appendBytes(f.forwardedFor, out, at);
  if (head.framing === Framing.chunked) o = appendBytes(CHUNKED_LINE, out, o);
  else if (rewritesLength(bytes, head)) o = appendContentLength(bytes, head, out, o);
  if (f.keepUpgrade) o = appendBytes(CONNECTION_UPGRADE, out, o);
  return appendBytes(CRLF, out, o);
}

function hasField(bytes: Uint8Array, head: Head, name: Uint8Array): boolean {
  for (let field = 0; field < head.fieldCount; field++)
    if (isName(bytes, head.nameStart[field], head.nameEnd[field], name)) return true;
  return false;
}

function isName(bytes: Uint8Array, start: number, end: number, name: Uint8Array): boolean {
  if (end - start !== name.length) return false;
  for (let i = 0; i < name.length; i++) if (lower(bytes[start + i]) !== name[i]) return false;
  return true;
}

/** Upper bound of the bytes that `writeForwardedResponse` writes. */
export function forwardedResponseBound(head: Head, _f: ResponseForwarding): number {
  return head.end - head.start + growth;
}

/**
 * Writes the response for the client into `out` from `at`; returns the offset after it. The status line keeps its
 * reason, the version is ours (RFC 9110 §2.5). A length that a 1xx or a 204 must not carry is left out; the one of
 * a 304 or of an answer to HEAD stays.
 */
export function writeForwardedResponse(
  bytes: Uint8Array,
  head: Head,
  f: ResponseForwarding,
  out: Uint8Array,
  at: number,
): number {
  const { status } = head;
  let o = appendBytes(HTTP_1_1_SP, out, at);
  o = copyBytes(bytes, head.statusStart, head.reasonEnd, out, o);
  // The space stands there even before an empty reason (RFC 9112 §4).
  if (bytes[head.statusStart + 3] === CR) out[o++] = SP;
  o = appendBytes(CRLF, out, o);

  const keepUpgrade = f.keepUpgrade || (status === 426 && (head.kinds & upgradeBit) !== 0);
  let drop = oneHop;
  if (keepUpgrade) drop &= ~upgradeBit;
  if (!f.chunkedToClient) drop |= trailerBit;
  // RFC 9110 §8.6: no length in a 1xx or a 204.
  const keepLength = head.contentLength >= 0 && status >= 200 && status !== 204 && !f.chunkedToClient;
  const rewriteLength = keepLength && !hasPlainLength(bytes, head);
  if (!keepLength || rewriteLength) drop |= lengthBit;
  o = copyFields(bytes, head, drop, out, o);

  if (status < 200) {
    if (keepUpgrade) o = appendBytes(CONNECTION_UPGRADE, out, o);
    return appendBytes(CRLF, out, o);
  }
  if (f.chunkedToClient) o = appendBytes(CHUNKED_LINE, out, o);
  else if (rewriteLength) o = appendContentLength(bytes, head, out, o);
  if (!f.keepAlive) o = appendBytes(keepUpgrade ? CONNECTION_CLOSE_UPGRADE : CONNECTION_CLOSE, out, o);
  else if (keepUpgrade) o = appendBytes(CONNECTION_UPGRADE, out, o);
  else if (f.clientVersionMinor === 0) o = appendBytes(CONNECTION_KEEP_ALIVE, out, o);
  return appendBytes(CRLF, out, o);
}

/**
 * The response for the client, edited where it lies: what stays is moved up to the end of the head, so that it still ends
 * where the body begins. Returns where it begins now, or -1 when something has to be added, and nothing was changed.
 */
export function editForwardedResponse(bytes: Uint8Array, head: Head, f: ResponseForwarding): number {
  const { status, statusStart } = head;
  const asItCame =
    f.keepAlive &&
    !f.keepUpgrade &&
    !f.chunkedToClient &&
    f.clientVersionMinor === 1 &&
    status >= 200 &&
    status !== 204 &&
    (status !== 426 || (head.kinds & upgradeBit) === 0) &&
    bytes[statusStart - 2] === DIGIT_ONE &&
    bytes[statusStart + 3] === SP &&
    (head.contentLength < 0 || hasPlainLength(bytes, head));
  if (!asItCame) return -1;
  const drop = oneHop | (1 << FieldKind.trailer);
  if ((head.kinds & drop) === 0 && !head.anyNamed) return head.start;
  const { nameStart, kind, named, fieldCount } = head;
  // From the end of the head to its start, run by run.
  let o = head.end;
  let runEnd = head.end;
  for (let i = fieldCount - 1; i >= 0; i--) {
    if (((drop >>> kind[i]!) & 1) === 0 && !(head.anyNamed && named[i] === 1)) continue;
    const lineEnd = i + 1 < fieldCount ? nameStart[i + 1]! : head.end - 2;
    o = moveUp(bytes, lineEnd, runEnd, o);
    runEnd = nameStart[i]!;
  }
  return moveUp(bytes, head.start, runEnd, o);
}

/** Copies all field lines but those of the kinds in `drop` and those that Connection names, run by run. */
function copyFields(bytes: Uint8Array, head: Head, drop: number, out: Uint8Array, at: number): number {
  const count = head.fieldCount;
  if (count === 0) return at;
  const { nameStart, kind, named } = head;
  const sectionEnd = head.end - 2;
  if ((head.kinds & drop) === 0 && !head.anyNamed)
    return copyBytes(bytes, nameStart[0]!, sectionEnd, out, at);
  let o = at;
  let run = nameStart[0]!;
  for (let i = 0; i < count; i++) {
    if (((drop >>> kind[i]!) & 1) === 0 && !(head.anyNamed && named[i] === 1)) continue;
    const lineStart = nameStart[i]!;
    if (run < lineStart) o = copyBytes(bytes, run, lineStart, out, o);
    run = i + 1 < count ? nameStart[i + 1]! : sectionEnd;
  }
  return run < sectionEnd ? copyBytes(bytes, run, sectionEnd, out, o) : o;
}

/** The length of a request's body goes on in a line of ours. */
function rewritesLength(bytes: Uint8Array, head: Head): boolean {
  return head.framing === Framing.length && !hasPlainLength(bytes, head);
}

function contentLengthField(head: Head): number {
  let i = 0;
  while (head.kind[i] !== FieldKind.contentLength) i++;
  return i;
}

/** `Content-Length: 5` with one space and nothing after the digits: a line that no reader takes differently. */
function hasPlainLength(bytes: Uint8Array, head: Head): boolean {
  const i = contentLengthField(head);
  const nameEnd = head.nameEnd[i]!;
  return head.valueStart[i] === nameEnd + 2 && bytes[nameEnd + 1] === SP && bytes[head.valueEnd[i]!] === CR;
}

function appendContentLength(bytes: Uint8Array, head: Head, out: Uint8Array, at: number): number {
  const i = contentLengthField(head);
  const o = appendBytes(CONTENT_LENGTH_SP, out, at);
  return appendBytes(CRLF, out, copyBytes(bytes, head.valueStart[i]!, head.valueEnd[i]!, out, o));
}
