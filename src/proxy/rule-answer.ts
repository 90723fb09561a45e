import { STATUS_CODES } from "node:http";
import type { ErrorPages } from "./error-pages.js";
import type { RuleAnswer } from "./rules/rule-set.js";

/** Redirects that hold for the moment; what a rule says otherwise may be kept, as in HAProxy. */
const passing = new Set([302, 303, 307]);

/** The answer's bytes; empty: an error file wants none. `headOnly`: the request was HEAD. */
export function writeRuleAnswer(
  answer: RuleAnswer,
  pages: ErrorPages,
  keepAlive: boolean,
  headOnly: boolean,
): Uint8Array {
  const { status, fields } = answer;
  const file = answer.body === null ? pages.answerWith(status, fields, keepAlive, headOnly) : null;
  if (file !== null) return file;
  const reason = STATUS_CODES[status] ?? "Unknown";
  const body = Buffer.from(answer.body ?? page(status, reason), "utf8");
  const type = answer.body === null ? "Content-Type: text/html\r\n" : "";
  const cache = answer.body === null || passing.has(status) ? "Cache-Control: no-cache\r\n" : "";
  const hasNoBody = status === 204 || status === 304;
  const head =
    `HTTP/1.1 ${status} ${reason}\r\n${hasNoBody ? "" : `Content-Length: ${body.length}\r\n`}` +
    `${cache}${keepAlive ? "" : "Connection: close\r\n"}${type}` +
    `${fields.map((field) => `${field}\r\n`).join("")}\r\n`;
  const headBytes = Buffer.from(head, "latin1");
  return headOnly || hasNoBody ? headBytes : Buffer.concat([headBytes, body]);
}

/** HAProxy's kind of page. */
function page(status: number, reason: string): string {
  return `<html><body><h1>${status} ${reason}</h1>\nRequest forbidden by administrative rules.\n</body></html>\n`;
}
