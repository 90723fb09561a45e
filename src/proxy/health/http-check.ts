import { Buffer } from "node:buffer";
import type { HttpCheckConfig } from "../../config/server-config.js";
import type { CheckResult } from "./check-status.js";

/** So much of an answer is looked at, as in HAProxy; what is expected beyond it is not found. */
export const mostAnswerBytes = 16_384;

/** The request of a check. `authority`: the server's address, for a Host that was not configured. */
export function checkRequest({ method, uri, host }: HttpCheckConfig, authority: string): string {
  return `${method} ${uri} HTTP/1.1\r\nHost: ${host ?? authority}\r\nUser-Agent: tandem-check\r\nAccept: */*\r\nConnection: close\r\n\r\n`;
}

export type Verdict = Pick<CheckResult, "status" | "code" | "detail">;

/**
 * What the bytes of an answer so far come to; null: more are needed. `ended`: no more will come. Pure.
 *
 * A status counts as soon as its line is there; a text is looked for in the body, without its chunks' framing.
 */
export function judgeAnswer(bytes: Buffer, ended: boolean, config: HttpCheckConfig): Verdict | null {
  const isAll = ended || bytes.length >= mostAnswerBytes;
  const headEnd = bytes.indexOf("\r\n\r\n");
  const lineEnd = bytes.indexOf("\r\n");
  if (lineEnd < 0) return isAll || !couldBeHttp(bytes) ? { status: "L7RSP", code: null, detail: "" } : null;
  const line = /^HTTP\/1\.\d (\d{3})(?: (.*))?$/.exec(bytes.toString("latin1", 0, lineEnd));
  if (line === null) return { status: "L7RSP", code: null, detail: "" };
  const code = Number(line[1]);
  // An interim answer (RFC 9110 §15.2) is none; the final one follows it.
  if (code < 200 && code !== 101) {
    if (headEnd >= 0) return judgeAnswer(bytes.subarray(headEnd + 4), ended, config);
    return isAll ? { status: "L7RSP", code: null, detail: "" } : null;
  }
  const { expect } = config;
  if (expect.kind === "status") {
    const isExpected = expect.ranges.some(({ from, to }) => code >= from && code <= to);
    if (isExpected) return { status: "L7OK", code, detail: "" };
    return { status: "L7STS", code, detail: printable(line[2] ?? "") };
  }
  if (headEnd < 0) return isAll ? notFound : null;
  const body = bodyOf(bytes, headEnd);
  if (body.bytes.includes(expect.text)) return { status: "L7OK", code, detail: "" };
  return isAll || body.whole ? notFound : null;
}

const notFound: Verdict = { status: "L7RSP", code: null, detail: "HTTP content check did not match" };

/** So that a server of another protocol is found out by its first bytes. */
function couldBeHttp(bytes: Buffer): boolean {
  return "HTTP/".startsWith(bytes.toString("latin1", 0, 5));
}

/** The reason phrase goes into the log and into CSV: what is no printable ASCII becomes a question mark. */
function printable(text: string): string {
  return text.slice(0, 80).replaceAll(/[^ -~]/g, "?");
}

/** The body so far, and whether it is whole. A body that ends with the connection is never known to be. */
function bodyOf(bytes: Buffer, headEnd: number): { readonly bytes: Buffer; readonly whole: boolean } {
  const head = bytes.toString("latin1", 0, headEnd);
  const body = bytes.subarray(headEnd + 4);
  if (/\r\ntransfer-encoding:[^\r]*\bchunked[ \t]*(?:\r|$)/i.test(head)) return withoutChunks(body);
  const length = /\r\ncontent-length:[ \t]*(\d+)[ \t]*(?:\r|$)/i.exec(head);
  return { bytes: body, whole: length !== null && body.length >= Number(length[1]) };
}

/** RFC 9112 §7.1. What is broken ends the body there. */
function withoutChunks(body: Buffer): { readonly bytes: Buffer; readonly whole: boolean } {
  const parts: Buffer[] = [];
  let at = 0;
  for (;;) {
    const lineEnd = body.indexOf("\r\n", at);
    const size = lineEnd < 0 ? null : /^[0-9a-f]{1,7}/i.exec(body.toString("latin1", at, lineEnd));
    const isBroken = lineEnd >= 0 && size === null;
    if (size === null) return { bytes: Buffer.concat(parts), whole: isBroken };
    const length = Number.parseInt(size[0], 16);
    if (length === 0) return { bytes: Buffer.concat(parts), whole: true };
    parts.push(body.subarray(lineEnd + 2, lineEnd + 2 + length));
    at = lineEnd + 2 + length + 2;
  }
}
