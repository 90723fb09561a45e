/** What the tests of the HTTP core share: texts in, findings out as plain values. */
import assert from "node:assert/strict";
import { BodyFramer } from "../../../src/proxy/http1/body.js";
import {
  editForwardedResponse,
  forwardedRequestBound,
  forwardedResponseBound,
  type RequestForwarding,
  type ResponseForwarding,
  writeForwardedRequest,
  writeForwardedResponse,
} from "../../../src/proxy/http1/forward.js";
import {
  defaultMaxFields,
  Head,
  type HeadLimits,
  Method,
  parseRequestHead,
  parseResponseHead,
} from "../../../src/proxy/http1/head.js";

export const limits: HeadLimits = { maxHeadBytes: 16384, maxFields: defaultMaxFields };

/** One byte a character, so that a test can write any byte as `\x00`–`\xff`. */
export function bytesOf(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, "latin1"));
}

export function textOf(bytes: Uint8Array, start = 0, end = bytes.length): string {
  return Buffer.from(bytes.subarray(start, end)).toString("latin1");
}

/** Lines to a head: CRLF after each and an empty line at the end. */
export function lines(...parts: string[]): string {
  return `${parts.join("\r\n")}\r\n\r\n`;
}

export interface Parsed {
  result: number;
  head: Head;
  bytes: Uint8Array;
}

export function parseRequest(text: string, within: HeadLimits = limits): Parsed {
  const bytes = bytesOf(text);
  const head = new Head();
  return { result: parseRequestHead(bytes, 0, bytes.length, head, within), head, bytes };
}

export function parseResponse(text: string, requestMethod: number = Method.GET): Parsed {
  const bytes = bytesOf(text);
  const head = new Head();
  return { result: parseResponseHead(bytes, 0, bytes.length, head, limits, requestMethod), head, bytes };
}

export function fieldsOf({ head, bytes }: Parsed): [name: string, value: string][] {
  return Array.from({ length: head.fieldCount }, (_, i) => [
    textOf(bytes, head.nameStart[i]!, head.nameEnd[i]!),
    textOf(bytes, head.valueStart[i]!, head.valueEnd[i]!),
  ]);
}

export function targetOf({ head, bytes }: Parsed): string {
  return textOf(bytes, head.targetStart, head.targetEnd);
}

export const forwardedForLine = "X-Forwarded-For: 192.0.2.7\r\n";
export const forwardedProtoLine = "X-Forwarded-Proto: http\r\n";

export function requestForwarding(changes: Partial<RequestForwarding> = {}): RequestForwarding {
  return {
    forwardedFor: bytesOf(forwardedForLine),
    forwardedForUnless: null,
    forwardedProto: bytesOf(forwardedProtoLine),
    fallbackHost: bytesOf("Host: 198.51.100.1:80\r\n"),
    keepUpgrade: false,
    ...changes,
  };
}

export function responseForwarding(changes: Partial<ResponseForwarding> = {}): ResponseForwarding {
  return { keepAlive: true, clientVersionMinor: 1, chunkedToClient: false, keepUpgrade: false, ...changes };
}

const guard = 0xee;

/** Writes at an offset into a buffer of exactly the promised bound, and looks that nothing else was touched. */
function written(bound: number, write: (out: Uint8Array, at: number) => number): string {
  const at = 7;
  const out = new Uint8Array(at + bound).fill(guard);
  const end = write(out, at);
  if (end > out.length) throw new Error(`wrote ${end - at} bytes, promised at most ${bound}`);
  const outside = [...out.subarray(0, at), ...out.subarray(end)];
  if (outside.some((byte) => byte !== guard)) throw new Error("wrote outside its range");
  return textOf(out, at, end);
}

export function forwardRequest({ head, bytes }: Parsed, changes: Partial<RequestForwarding> = {}): string {
  const f = requestForwarding(changes);
  return written(forwardedRequestBound(head, f), (out, at) => writeForwardedRequest(bytes, head, f, out, at));
}

/** Both ways to the same bytes: written anew, and edited where it lies if that will do. */
export function forwardResponse({ head, bytes }: Parsed, changes: Partial<ResponseForwarding> = {}): string {
  const f = responseForwarding(changes);
  const anew = written(forwardedResponseBound(head, f), (out, at) =>
    writeForwardedResponse(bytes, head, f, out, at),
  );
  const copy = Uint8Array.from(bytes);
  const start = editForwardedResponse(copy, head, f);
  if (start < 0) assert.deepEqual(copy, Uint8Array.from(bytes), "nothing was changed");
  else assert.equal(Buffer.from(copy.subarray(start, head.end)).toString("latin1"), anew);
  return anew;
}

export interface Framed {
  /** Offset after the body, over all pieces. */
  end: number;
  done: boolean;
  error: string | null;
  payload: string;
}

/**
 * Shows `text` to a framer in pieces that end at `cuts`. Each piece stands alone in its buffer, so that a read
 * beyond it cannot find the bytes that come later.
 */
export function frame(
  text: string,
  framing: number,
  contentLength: number,
  cuts: readonly number[] = [],
): Framed {
  const framer = new BodyFramer();
  framer.reset(framing, contentLength);
  let payload = "";
  let end = 0;
  for (const piece of pieces(text, cuts)) {
    const padded = bytesOf(`\x01\x01${piece}\x01\x01\x01`);
    const pieceEnd = 2 + piece.length;
    let p = 2;
    while (p < pieceEnd && !framer.done && framer.error === null) {
      const next = framer.nextData(padded, p, pieceEnd);
      if (next < p || next > pieceEnd) throw new Error(`offset ${next} is outside [${p}, ${pieceEnd}]`);
      payload += textOf(padded, framer.dataStart, framer.dataEnd);
      p = next;
    }
    end += p - 2;
    if (framer.done || framer.error !== null) break;
  }
  return { end, done: framer.done, error: framer.error, payload };
}

function pieces(text: string, cuts: readonly number[]): string[] {
  const sorted = [...new Set(cuts.map((cut) => cut % (text.length + 1)))].sort((a, b) => a - b);
  const edges = [0, ...sorted, text.length];
  return edges.slice(1).map((edge, i) => text.slice(edges[i], edge));
}
