/**
 * Answers that the proxy itself gives, in HAProxy's words.
 */
import { ascii } from "./byte-class.js";

interface Answer {
  readonly reason: string;
  readonly text: string;
  /** A field that the status asks for. */
  readonly field?: string;
}

const answers: Readonly<Record<number, Answer>> = {
  400: { reason: "Bad request", text: "Your browser sent an invalid request." },
  405: {
    reason: "Method Not Allowed",
    text: "This server is not a proxy for this method.",
    // RFC 9110 §15.5.6 asks for it; other methods are the backend's business.
    field: "Allow: GET, HEAD, POST, PUT, DELETE, OPTIONS, PATCH\r\n",
  },
  408: { reason: "Request Time-out", text: "Your browser didn't send a complete request in time." },
  413: { reason: "Content Too Large", text: "The request entity is larger than this server takes." },
  414: { reason: "URI Too Long", text: "The address of this request is too long." },
  417: { reason: "Expectation Failed", text: "This server knows no such expectation." },
  431: { reason: "Request Header Fields Too Large", text: "The header of this request is too large." },
  500: { reason: "Internal Server Error", text: "An internal server error occurred." },
  501: { reason: "Not Implemented", text: "This server does not support what the request needs." },
  502: { reason: "Bad Gateway", text: "The server returned an invalid or incomplete response." },
  503: { reason: "Service Unavailable", text: "No server is available to handle this request." },
  504: { reason: "Gateway Time-out", text: "The server didn't respond in time." },
  505: { reason: "HTTP Version Not Supported", text: "This server speaks HTTP/1.0 and HTTP/1.1 here." },
};

const cache = new Map<number, Uint8Array>();

/**
 * A whole response, ready to send; the same bytes at every call, not to be changed. A status that we never give by
 * ourselves comes out as 500.
 *
 * @param headOnly the request was HEAD: the same head, no body
 */
export function errorAnswer(status: number, keepAlive: boolean, headOnly = false): Uint8Array {
  const known = status in answers ? status : 500;
  const key = known * 4 + (keepAlive ? 2 : 0) + (headOnly ? 1 : 0);
  let answer = cache.get(key);
  if (answer === undefined) {
    answer = build(known, keepAlive, headOnly);
    cache.set(key, answer);
  }
  return answer;
}

function build(status: number, keepAlive: boolean, headOnly: boolean): Uint8Array {
  const { reason, text, field = "" } = answers[status]!;
  const body = `<html><body><h1>${status} ${reason}</h1>\n${text}\n</body></html>\n`;
  const head =
    `HTTP/1.1 ${status} ${reason}\r\nContent-Length: ${body.length}\r\nCache-Control: no-cache\r\n` +
    `${field}${keepAlive ? "" : "Connection: close\r\n"}Content-Type: text/html\r\n\r\n`;
  return ascii(headOnly ? head : head + body);
}
