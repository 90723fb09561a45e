import t from "tap";
import { Framing, Method } from "../../../src/proxy/http1/head.js";
import { fieldsOf, lines, parseResponse, textOf } from "./heads.js";

t.test("an nginx response is read to its parts", async (t) => {
  const text = lines("HTTP/1.1 200 OK", "Server: nginx", "Content-Length: 612", "Connection: keep-alive");
  const parsed = parseResponse(`${text}<html>`);
  const { head, bytes } = parsed;
  t.equal(parsed.result, text.length);
  t.match(head, {
    status: 200,
    versionMinor: 1,
    framing: Framing.length,
    contentLength: 612,
    keepAlive: true,
  });
  t.equal(textOf(bytes, head.reasonStart, head.reasonEnd), "OK");
  t.same(fieldsOf(parsed)[0], ["Server", "nginx"]);
});

t.test("the reason may be empty, missing, or any text", async (t) => {
  const reason = (line: string) => {
    const { result, head, bytes } = parseResponse(lines(line));
    return result > 0 ? textOf(bytes, head.reasonStart, head.reasonEnd) : head.error;
  };
  t.equal(reason("HTTP/1.1 200"), "");
  t.equal(reason("HTTP/1.1 200 "), "");
  t.equal(reason("HTTP/1.1 404 Not\tF\xf6und  "), "Not\tF\xf6und  ");
});

t.test("status and request method decide whether a body follows", async (t) => {
  const framing = (status: number, method: number, ...fields: string[]) =>
    parseResponse(lines(`HTTP/1.1 ${status} X`, ...fields), method).head.framing;
  t.equal(framing(200, Method.GET), Framing.untilClose);
  t.equal(framing(200, Method.GET, "Content-Length: 0"), Framing.length);
  t.equal(framing(200, Method.GET, "Transfer-Encoding: chunked"), Framing.chunked);
  t.equal(framing(200, Method.HEAD, "Content-Length: 5"), Framing.none);
  t.equal(framing(200, Method.HEAD, "Transfer-Encoding: chunked"), Framing.none);
  t.equal(framing(500, Method.HEAD), Framing.none);
  for (const status of [100, 101, 103, 199, 204, 304]) {
    t.equal(framing(status, Method.GET, "Content-Length: 5"), Framing.none, `${status}`);
    t.equal(framing(status, Method.POST, "Transfer-Encoding: chunked"), Framing.none, `${status}`);
    t.equal(framing(status, Method.GET), Framing.none, `${status}`);
  }
  t.equal(framing(205, Method.GET), Framing.untilClose);
});

t.test("a response can be followed by another only where it ends by itself", async (t) => {
  const keepAlive = (version: string, ...fields: string[]) =>
    parseResponse(lines(`HTTP/${version} 200 OK`, ...fields)).head.keepAlive;
  t.equal(keepAlive("1.1", "Content-Length: 1"), true);
  t.equal(keepAlive("1.1", "Content-Length: 1", "Connection: close"), false);
  t.equal(keepAlive("1.1"), false);
  t.equal(keepAlive("1.1", "Connection: keep-alive"), false);
  t.equal(keepAlive("1.0", "Content-Length: 1"), false);
  t.equal(keepAlive("1.0", "Content-Length: 1", "Connection: keep-alive"), true);
});

t.test("a switch of protocols is seen", async (t) => {
  const { head } = parseResponse(
    lines("HTTP/1.1 101 Switching", "Connection: upgrade", "Upgrade: websocket"),
  );
  t.match(head, { status: 101, upgrade: true, framing: Framing.none });
});

t.test("a broken response is refused with its reason", async (t) => {
  const ok = (...fields: string[]): string => lines("HTTP/1.1 200 OK", ...fields);
  const table: [shape: string, reason: string, response: string][] = [
    ["no HTTP at all", "version-invalid", "SSH-2.0-OpenSSH\r\n"],
    ["leading empty line", "version-invalid", `\r\n${ok()}`],
    ["HTTP/2", "version-unsupported", lines("HTTP/2.0 200 OK")],
    ["version without minor", "version-invalid", lines("HTTP/1 200 OK")],
    ["two spaces", "status-invalid", lines("HTTP/1.1  200 OK")],
    ["tab", "status-line-invalid", lines("HTTP/1.1\t200 OK")],
    ["no status", "status-line-invalid", lines("HTTP/1.1")],
    ["two digits", "status-invalid", lines("HTTP/1.1 20 OK")],
    ["four digits", "status-invalid", lines("HTTP/1.1 2000 OK")],
    ["status 99", "status-invalid", lines("HTTP/1.1 099 OK")],
    ["status 600", "status-invalid", lines("HTTP/1.1 600 OK")],
    ["status 999", "status-invalid", lines("HTTP/1.1 999 OK")],
    ["bare LF after the status", "bare-lf", "HTTP/1.1 200\nX: y\r\n\r\n"],
    ["bare LF in the status line", "bare-lf", "HTTP/1.1 200 OK\nX: y\r\n\r\n"],
    ["NUL in the reason", "nul", lines("HTTP/1.1 200 O\0K")],
    ["control byte in the reason", "reason-invalid", lines("HTTP/1.1 200 O\x08K")],
    ["bare CR in the reason", "bare-cr", lines("HTTP/1.1 200 O\rK")],
    ["bare LF in a field", "bare-lf", ok("X: a\nSet-Cookie: b")],
    ["folded field", "obs-fold", ok("X: a", " b")],
    ["space before the colon", "space-before-colon", ok("X : a")],
    ["NUL in a value", "nul", ok("X: \0")],
    ["empty name", "field-name-empty", ok(": a")],
    [
      "length and coding",
      "content-length-with-transfer-encoding",
      ok("Content-Length: 1", "Transfer-Encoding: chunked"),
    ],
    ["two lengths", "content-length-conflict", ok("Content-Length: 1", "Content-Length: 2")],
    ["list of lengths", "content-length-conflict", ok("Content-Length: 1, 1")],
    ["empty length", "content-length-invalid", ok("Content-Length: ")],
    ["unknown coding", "transfer-encoding-unsupported", ok("Transfer-Encoding: gzip, chunked")],
    ["coding without chunked", "transfer-encoding-chunked-not-last", ok("Transfer-Encoding: gzip")],
    [
      "coding in HTTP/1.0",
      "transfer-encoding-in-1.0",
      lines("HTTP/1.0 200 OK", "Transfer-Encoding: chunked"),
    ],
    [
      "Connection that names framing",
      "connection-names-framing",
      ok("Connection: content-length", "Content-Length: 1"),
    ],
    ["length of a 204 that is none", "content-length-invalid", lines("HTTP/1.1 204 No", "Content-Length: x")],
  ];
  for (const [shape, reason, response] of table) {
    const { result, head } = parseResponse(response);
    t.ok(result < 0, shape);
    t.equal(head.error, reason, shape);
  }
});

t.test("a response head beyond the limit is refused", async (t) => {
  const { result, head } = parseResponse(`HTTP/1.1 200 OK\r\nX: ${"x".repeat(20000)}`);
  t.ok(result < 0);
  t.equal(head.error, "head-too-large");
});
