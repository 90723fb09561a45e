import t from "tap";
import { editForwardedResponse } from "../../../src/proxy/http1/forward.js";
import { Head, Method, parseRequestHead } from "../../../src/proxy/http1/head.js";
import {
  bytesOf,
  forwardedForLine,
  forwardedProtoLine,
  forwardRequest,
  forwardResponse,
  limits,
  lines,
  parseRequest,
  parseResponse,
  responseForwarding,
} from "./heads.js";

const added = (forwardedProtoLine + forwardedForLine).trimEnd().split("\r\n");

t.test("a plain request goes on as it came, with the two lines of ours", async (t) => {
  const head = ["GET /a?b HTTP/1.1", "host:a", "X-Odd:  spaced \t", "Cookie: a=b; c=d", "Content-Length: 5"];
  t.equal(forwardRequest(parseRequest(lines(...head))), lines(...head, ...added));
});

t.test("what belongs to the hop stays behind", async (t) => {
  const request = lines(
    "GET / HTTP/1.1",
    "Connection: keep-alive, X-Hop, te",
    "Host: a",
    "Keep-Alive: timeout=5",
    "Proxy-Connection: keep-alive",
    "X-HOP: 1",
    "Accept: */*",
    "x-hop: 2",
    "TE: trailers",
    "Upgrade: websocket",
    "Proxy-Authorization: Basic x",
    "HTTP2-Settings: AAM",
    "X-Last: y",
    "Proxy-Authenticate: z",
  );
  t.equal(
    forwardRequest(parseRequest(request)),
    lines("GET / HTTP/1.1", "Host: a", "Accept: */*", "X-Last: y", ...added),
  );
});

t.test("marks of an earlier request do not stick to the record", async (t) => {
  const head = new Head();
  const forwardNext = (...fields: string[]): string => {
    const bytes = bytesOf(lines("GET / HTTP/1.1", "Host: a", ...fields));
    const result = parseRequestHead(bytes, 0, bytes.length, head, limits);
    return forwardRequest({ result, head, bytes });
  };
  const rest = ["GET / HTTP/1.1", "Host: a"];
  t.equal(forwardNext("X: 1", "Connection: X", "Y: 2"), lines(...rest, "Y: 2", ...added));
  t.equal(forwardNext("X: 1", "Connection: Y", "Y: 2"), lines(...rest, "X: 1", ...added));
  t.equal(forwardNext("X: 1", "Connection: Z", "Y: 2"), lines(...rest, "X: 1", "Y: 2", ...added));
});

t.test("the promised bound holds where the least comes in and the most is added", async (t) => {
  // The helpers write into a buffer of exactly that bound, and throw if it does not do.
  t.equal(
    forwardResponse(parseResponse("HTTP/1.1 426\r\nUpgrade:a\r\n\r\n"), {
      keepAlive: false,
      chunkedToClient: true,
    }),
    lines("HTTP/1.1 426 ", "Upgrade:a", "Transfer-Encoding: chunked", "Connection: close, Upgrade"),
  );
  t.equal(
    forwardRequest(parseRequest("O http://a?b HTTP/1.1\r\nHost:a\r\nTransfer-Encoding:chunked\r\n\r\n"), {
      keepUpgrade: true,
    }),
    lines("O /?b HTTP/1.1", "Host:a", ...added, "Transfer-Encoding: chunked", "Connection: Upgrade"),
  );
});

t.test("an option of Connection cannot take away what the proxy itself rules", async (t) => {
  const request = lines(
    "POST / HTTP/1.1",
    "Host: a",
    "Connection: expect, x-forwarded-for, upgrade",
    "X-Forwarded-For: 203.0.113.1",
    "Expect: 100-continue",
    "Content-Length: 1",
  );
  t.equal(
    forwardRequest(parseRequest(request)),
    lines(
      "POST / HTTP/1.1",
      "Host: a",
      "X-Forwarded-For: 203.0.113.1",
      "Expect: 100-continue",
      "Content-Length: 1",
      ...added,
    ),
  );
});

t.test("the client's X-Forwarded-Proto is replaced, its X-Forwarded-For gets one more line", async (t) => {
  const request = lines("GET / HTTP/1.1", "Host: a", "X-Forwarded-For: 1.1.1.1", "x-forwarded-proto: https");
  t.equal(
    forwardRequest(parseRequest(request)),
    lines("GET / HTTP/1.1", "Host: a", "X-Forwarded-For: 1.1.1.1", ...added),
  );
});

t.test("empty lines in the forwarding leave nothing behind", async (t) => {
  const none = new Uint8Array(0);
  t.equal(
    forwardRequest(parseRequest(lines("GET / HTTP/1.0")), {
      forwardedFor: none,
      forwardedProto: none,
      fallbackHost: none,
    }),
    lines("GET / HTTP/1.1"),
  );
});

t.test("framing is written so that no reader takes it differently", async (t) => {
  const framed = (...fields: string[]) =>
    forwardRequest(parseRequest(lines("POST / HTTP/1.1", "Host: a", ...fields)));
  const head = ["POST / HTTP/1.1", "Host: a"];
  t.equal(framed("Content-Length:\t5 "), lines(...head, ...added, "Content-Length: 5"));
  t.equal(framed("Content-Length:5"), lines(...head, ...added, "Content-Length: 5"));
  t.equal(
    framed("transfer-encoding:CHUNKED", "X: y"),
    lines(...head, "X: y", ...added, "Transfer-Encoding: chunked"),
  );
  t.equal(
    framed("Trailer: X-Sum", "Transfer-Encoding: chunked"),
    lines(...head, "Trailer: X-Sum", ...added, "Transfer-Encoding: chunked"),
  );
});

t.test("an asked upgrade goes on with its Connection", async (t) => {
  const parsed = parseRequest(
    lines("GET / HTTP/1.1", "Host: a", "Connection: keep-alive, Upgrade", "Upgrade: websocket"),
  );
  t.equal(
    forwardRequest(parsed, { keepUpgrade: parsed.head.upgrade }),
    lines("GET / HTTP/1.1", "Host: a", "Upgrade: websocket", ...added, "Connection: Upgrade"),
  );
});

t.test("an absolute target becomes origin form, and its host is named", async (t) => {
  const line = (requestLine: string, ...fields: string[]) =>
    forwardRequest(parseRequest(lines(requestLine, ...fields)));
  t.equal(line("GET http://a/x?y HTTP/1.1", "Host: a"), lines("GET /x?y HTTP/1.1", "Host: a", ...added));
  t.equal(line("GET http://a HTTP/1.1", "Host: a"), lines("GET / HTTP/1.1", "Host: a", ...added));
  t.equal(line("GET http://a?y HTTP/1.1", "Host: a"), lines("GET /?y HTTP/1.1", "Host: a", ...added));
  t.equal(line("OPTIONS http://a HTTP/1.1", "Host: a"), lines("OPTIONS * HTTP/1.1", "Host: a", ...added));
  t.equal(line("GET http://a:81/ HTTP/1.0"), lines("GET / HTTP/1.1", "Host: a:81", ...added));
  t.equal(line("OPTIONS * HTTP/1.1", "Host: a"), lines("OPTIONS * HTTP/1.1", "Host: a", ...added));
});

t.test("an HTTP/1.0 request leaves as 1.1 with a host and without an expectation", async (t) => {
  t.equal(
    forwardRequest(parseRequest(lines("GET / HTTP/1.0", "Expect: 100-continue", "X: y"))),
    lines("GET / HTTP/1.1", "Host: 198.51.100.1:80", "X: y", ...added),
  );
});

t.test("a response goes on as it came, but for the hop", async (t) => {
  const response = lines(
    "HTTP/1.1 200 All is well",
    "Connection: close, X-Hop",
    "X-Hop: 1",
    "Keep-Alive: timeout=5",
    "Content-Length: 5",
    "Proxy-Authenticate: Basic",
    "Upgrade: h2c",
    "Set-Cookie: a",
    "Set-Cookie: b",
  );
  t.equal(
    forwardResponse(parseResponse(response)),
    lines("HTTP/1.1 200 All is well", "Content-Length: 5", "Set-Cookie: a", "Set-Cookie: b"),
  );
});

t.test("the status line gets our version and its space", async (t) => {
  const line = (statusLine: string) => forwardResponse(parseResponse(lines(statusLine, "Content-Length: 0")));
  t.equal(line("HTTP/1.0 200"), lines("HTTP/1.1 200 ", "Content-Length: 0"));
  t.equal(line("HTTP/1.1 200 "), lines("HTTP/1.1 200 ", "Content-Length: 0"));
  t.equal(line("HTTP/1.0 404 No"), lines("HTTP/1.1 404 No", "Content-Length: 0"));
});

t.test("the client hears about its own connection", async (t) => {
  const parsed = parseResponse(lines("HTTP/1.1 200 OK", "Content-Length: 0", "Connection: close"));
  const head = ["HTTP/1.1 200 OK", "Content-Length: 0"];
  t.equal(forwardResponse(parsed), lines(...head));
  t.equal(forwardResponse(parsed, { keepAlive: false }), lines(...head, "Connection: close"));
  t.equal(forwardResponse(parsed, { clientVersionMinor: 0 }), lines(...head, "Connection: keep-alive"));
  t.equal(
    forwardResponse(parsed, { clientVersionMinor: 0, keepAlive: false }),
    lines(...head, "Connection: close"),
  );
});

t.test("a chunked response goes on in chunks, or without a sign of them", async (t) => {
  const parsed = parseResponse(lines("HTTP/1.1 200 OK", "Transfer-Encoding: Chunked", "Trailer: X", "Y: z"));
  t.equal(
    forwardResponse(parsed, { chunkedToClient: true }),
    lines("HTTP/1.1 200 OK", "Trailer: X", "Y: z", "Transfer-Encoding: chunked"),
  );
  t.equal(
    forwardResponse(parsed, { clientVersionMinor: 0, keepAlive: false }),
    lines("HTTP/1.1 200 OK", "Y: z", "Connection: close"),
  );
});

t.test("a length stays where it tells something, and nowhere else", async (t) => {
  const withLength = (status: number, method: number = Method.GET) =>
    forwardResponse(parseResponse(lines(`HTTP/1.1 ${status} X`, "Content-Length: 5"), method));
  t.equal(withLength(200, Method.HEAD), lines("HTTP/1.1 200 X", "Content-Length: 5"));
  t.equal(withLength(304), lines("HTTP/1.1 304 X", "Content-Length: 5"));
  for (const status of [100, 103, 204]) t.equal(withLength(status), lines(`HTTP/1.1 ${status} X`));
  t.equal(
    forwardResponse(parseResponse(lines("HTTP/1.1 200 OK", "Content-Length:\t5 ", "X: y"))),
    lines("HTTP/1.1 200 OK", "X: y", "Content-Length: 5"),
  );
});

t.test("an interim response says nothing about the connection", async (t) => {
  const parsed = parseResponse(lines("HTTP/1.1 103 Early Hints", "Link: </a>", "Connection: close"));
  t.equal(forwardResponse(parsed, { keepAlive: false }), lines("HTTP/1.1 103 Early Hints", "Link: </a>"));
});

t.test("Upgrade passes in the 101 that was asked for and in a 426", async (t) => {
  const switching = parseResponse(
    lines("HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade", "X: y"),
  );
  t.equal(
    forwardResponse(switching, { keepUpgrade: true }),
    lines("HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "X: y", "Connection: Upgrade"),
  );
  const required = parseResponse(
    lines("HTTP/1.1 426 Upgrade Required", "Upgrade: websocket", "Connection: Upgrade", "Content-Length: 0"),
  );
  const head = ["HTTP/1.1 426 Upgrade Required", "Upgrade: websocket", "Content-Length: 0"];
  t.equal(forwardResponse(required), lines(...head, "Connection: Upgrade"));
  t.equal(forwardResponse(required, { keepAlive: false }), lines(...head, "Connection: close, Upgrade"));
});

t.test(
  "a response that only loses lines is edited where it lies, and ends where its body begins",
  async (t) => {
    const head = (...more: string[]) =>
      lines("HTTP/1.1 200 OK", "A: 1", ...more, "Content-Length: 5", "B: 2");
    for (const dropped of [[], ["Connection: keep-alive"], ["Keep-Alive: 5", "X: 1", "Connection: X"]]) {
      const { head: record, bytes } = parseResponse(`${head(...dropped)}`);
      const start = editForwardedResponse(bytes, record, responseForwarding({}));
      t.equal(Buffer.from(bytes.subarray(start, record.end)).toString("latin1"), head());
    }
  },
);
