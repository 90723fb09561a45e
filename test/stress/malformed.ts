/**
 * Requests that break a rule, what each must be answered, and what HAProxy 2.6 does where that differs. `request` is
 * a whole request with the exchange's target in it; nothing of it may be served twice or as something else.
 */
export interface Malformed {
  readonly name: string;
  readonly status: number;
  /** HAProxy's statuses where they are not ours, and why ours is right. */
  readonly haproxy?: { readonly statuses: readonly number[]; readonly why: string };
  readonly request: (target: string) => string;
}

const head = (...lines: string[]): string => `${lines.join("\r\n")}\r\n\r\n`;
const post = (target: string, ...fields: string[]): string =>
  head(`POST ${target} HTTP/1.1`, "Host: stress", ...fields);

export const malformedRequests: readonly Malformed[] = [
  {
    name: "two-lengths",
    status: 400,
    request: (x) => `${post(x, "Content-Length: 4", "Content-Length: 5")}body`,
  },
  { name: "signed-length", status: 400, request: (x) => `${post(x, "Content-Length: +4")}body` },
  { name: "chunked-twice", status: 400, request: (x) => post(x, "Transfer-Encoding: chunked, chunked") },
  { name: "space-before-colon", status: 400, request: (x) => post(x, "Content-Length : 0") },
  { name: "no-name", status: 400, request: (x) => post(x, ": value") },
  { name: "two-hosts", status: 400, request: (x) => post(x, "Host: other", "Content-Length: 0") },
  { name: "fragment", status: 400, request: (x) => post(`${x}#f`, "Content-Length: 0") },
  { name: "http-0.9", status: 400, request: (x) => `GET ${x}\r\n\r\n` },
  {
    name: "bad-chunk-size",
    status: 400,
    request: (x) => `${post(x, "Transfer-Encoding: chunked")}xyz\r\n`,
  },
  {
    name: "bad-chunk-end",
    status: 400,
    request: (x) => `${post(x, "Transfer-Encoding: chunked")}4\r\nbodyX\r\n0\r\n\r\n`,
  },
  {
    name: "length-and-chunked",
    status: 400,
    haproxy: {
      statuses: [200],
      why: "HAProxy drops Content-Length and goes on (RFC 9112 §6.1 lets a proxy choose); the shape is that of a smuggling attempt, and no client sends it in earnest",
    },
    request: (x) => `${post(x, "Content-Length: 3", "Transfer-Encoding: chunked")}0\r\n\r\n`,
  },
  {
    name: "coding-before-chunked",
    status: 501,
    haproxy: { statuses: [422], why: "RFC 9112 §6.1: 501 for a transfer coding that is not understood" },
    request: (x) => `${post(x, "Transfer-Encoding: gzip, chunked")}0\r\n\r\n`,
  },
  {
    name: "bare-lf",
    status: 400,
    haproxy: {
      statuses: [200],
      why: "HAProxy takes LF for CRLF; recipients that differ about line ends are what smuggling lives on (RFC 9112 §2.2)",
    },
    request: (x) => `POST ${x} HTTP/1.1\nHost: stress\nContent-Length: 0\n\n`,
  },
  {
    name: "no-host",
    status: 400,
    haproxy: { statuses: [200], why: "RFC 9112 §3.2: a request without Host MUST be answered 400" },
    request: (x) => head(`POST ${x} HTTP/1.1`, "Content-Length: 0"),
  },
  {
    name: "large-head",
    status: 431,
    haproxy: { statuses: [400], why: "RFC 6585 §5: 431; newer HAProxy says so too" },
    request: (x) => post(x, `X: ${"x".repeat(20_000)}`),
  },
  {
    name: "long-target",
    status: 414,
    haproxy: { statuses: [400], why: "RFC 9110 §15.5.15: 414; newer HAProxy says so too" },
    request: (x) => post(`${x}?${"x".repeat(20_000)}`),
  },
];

export const malformedNames = malformedRequests.map(({ name }) => name);

export function malformedOf(name: string | null): Malformed {
  const found = malformedRequests.find((one) => one.name === name);
  if (found === undefined) throw new Error(`no such rule: ${name}`);
  return found;
}
