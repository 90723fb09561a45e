import t from "tap";
import { Framing, Method, TargetForm } from "../../../src/proxy/http1/head.js";
import { fieldsOf, limits, lines, parseRequest, targetOf, textOf } from "./heads.js";

t.test("a curl request is read to its parts", async (t) => {
  const text = lines(
    "GET /a?b=c HTTP/1.1",
    "Host: example.com:8080",
    "User-Agent: curl/7.88.1",
    "Accept: */*",
  );
  const parsed = parseRequest(`${text}next`);
  const { head } = parsed;
  t.equal(parsed.result, text.length);
  t.match(head, {
    start: 0,
    end: text.length,
    method: Method.GET,
    versionMinor: 1,
    status: 0,
    framing: Framing.none,
    contentLength: -1,
    keepAlive: true,
    upgrade: false,
    expectContinue: false,
    error: "",
  });
  t.equal(targetOf(parsed), "/a?b=c");
  t.same(fieldsOf(parsed), [
    ["Host", "example.com:8080"],
    ["User-Agent", "curl/7.88.1"],
    ["Accept", "*/*"],
  ]);
});

t.test("white space around a value is no part of it, inside it is", async (t) => {
  const parsed = parseRequest(lines("GET / HTTP/1.1", "Host:\t a \t", "X:", "Y: \t ", "Z:b \t c"));
  t.same(fieldsOf(parsed), [
    ["Host", "a"],
    ["X", ""],
    ["Y", ""],
    ["Z", "b \t c"],
  ]);
});

t.test("obs-text stands in values", async (t) => {
  const parsed = parseRequest(lines("GET / HTTP/1.1", "Host: a", "X: \x80\xe4\xff"));
  t.same(fieldsOf(parsed)[1], ["X", "\x80\xe4\xff"]);
});

t.test("every method has its number, case counts, and unknown ones pass", async (t) => {
  for (const [name, method] of Object.entries(Method)) {
    if (name === "other" || name === "CONNECT") continue;
    t.equal(parseRequest(lines(`${name} / HTTP/1.1`, "Host: a")).head.method, method, name);
  }
  for (const name of ["get", "Get", "GETS", "PROPFIND", "!#$%&'*+-.^_`|~09"]) {
    const parsed = parseRequest(lines(`${name} / HTTP/1.1`, "Host: a"));
    t.ok(parsed.result > 0, name);
    t.equal(parsed.head.method, Method.other, name);
    t.equal(textOf(parsed.bytes, parsed.head.start, parsed.head.methodEnd), name);
  }
});

t.test("empty lines before a request are skipped", async (t) => {
  const text = lines("GET / HTTP/1.1", "Host: a");
  const parsed = parseRequest(`\r\n\r\n${text}`);
  t.equal(parsed.result, 4 + text.length);
  t.equal(parsed.head.start, 4);
  t.equal(parseRequest("\r\n").result, 0);
  t.equal(parseRequest("\r").result, 0);
});

t.test("a head is found at an offset and never beyond the given end", async (t) => {
  const text = lines("GET / HTTP/1.1", "Host: a");
  const first = parseRequest(text + text);
  t.equal(first.result, text.length);
});

t.test("version 1.0 and later 1.x", async (t) => {
  t.match(parseRequest(lines("GET / HTTP/1.0")), { result: 18, head: { versionMinor: 0, keepAlive: false } });
  t.match(parseRequest(lines("GET / HTTP/1.7", "Host: a")).head, { versionMinor: 1, keepAlive: true });
});

t.test("Connection and the version say whether the connection goes on", async (t) => {
  const wishes: [version: string, connection: string[], keepAlive: boolean][] = [
    ["1.1", ["close"], false],
    ["1.1", ["CLOSE"], false],
    ["1.1", ["keep-alive"], true],
    ["1.1", ["keep-alive, close"], false],
    ["1.1", ["close", "keep-alive"], false],
    ["1.1", [" , ,foo,, close ,"], false],
    ["1.1", ["closed"], true],
    ["1.1", ["clos e"], true],
    ["1.1", [""], true],
    ["1.0", ["Keep-Alive"], true],
    ["1.0", ["foo"], false],
    ["1.0", ["keep-alive", "close"], false],
  ];
  for (const [version, connection, keepAlive] of wishes) {
    const parsed = parseRequest(
      lines(`GET / HTTP/${version}`, "Host: a", ...connection.map((value) => `Connection: ${value}`)),
    );
    t.ok(parsed.result > 0);
    t.equal(parsed.head.keepAlive, keepAlive, `${version} ${JSON.stringify(connection)}`);
  }
});

t.test(
  "an upgrade needs Connection, Upgrade, HTTP/1.1, no body and another protocol than HTTP",
  async (t) => {
    const upgrade = (version: string, ...fields: string[]) =>
      parseRequest(lines(`GET / HTTP/${version}`, "Host: a", ...fields)).head.upgrade;
    t.equal(upgrade("1.1", "Connection: keep-alive, Upgrade", "Upgrade: websocket"), true);
    t.equal(upgrade("1.1", "Upgrade: WebSocket/13, foo", "connection: UPGRADE"), true);
    t.equal(upgrade("1.1", "Connection: Upgrade", "Upgrade: websocket", "Content-Length: 0"), true);
    t.equal(upgrade("1.1", "Upgrade: websocket"), false);
    t.equal(upgrade("1.1", "Connection: Upgrade"), false);
    t.equal(upgrade("1.1", "Connection: Upgrade", "Upgrade: ,"), false);
    t.equal(upgrade("1.0", "Connection: Upgrade", "Upgrade: websocket"), false);
    t.equal(upgrade("1.1", "Connection: Upgrade", "Upgrade: websocket", "Content-Length: 5"), false);
    t.equal(upgrade("1.1", "Connection: Upgrade", "Upgrade: websocket", "Transfer-Encoding: chunked"), false);
    t.equal(
      upgrade("1.1", "Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAM"),
      false,
    );
    t.equal(upgrade("1.1", "Connection: Upgrade", "Upgrade: websocket, H2C"), false);
    t.equal(upgrade("1.1", "Connection: Upgrade", "Upgrade: HTTP/2.0"), false);
  },
);

t.test("Content-Length gives the length, up to 2^53 - 1", async (t) => {
  const length = (value: string) => {
    const { result, head } = parseRequest(lines("POST / HTTP/1.1", "Host: a", `content-LENGTH: ${value}`));
    return result > 0 && head.framing === Framing.length ? head.contentLength : head.error;
  };
  t.equal(length("0"), 0);
  t.equal(length("42"), 42);
  t.equal(length("00042"), 42);
  t.equal(length("9007199254740991"), Number.MAX_SAFE_INTEGER);
  t.equal(length("9007199254740992"), "content-length-overflow");
});

t.test("chunked is recognised in any case", async (t) => {
  for (const value of ["chunked", "Chunked", "CHUNKED", "\tchunked "]) {
    const { result, head } = parseRequest(lines("POST / HTTP/1.1", "Host: a", `transfer-encoding:${value}`));
    t.ok(result > 0);
    t.match(head, { framing: Framing.chunked, contentLength: -1 });
  }
});

t.test("Expect: 100-continue counts in HTTP/1.1 and is ignored in 1.0", async (t) => {
  const expects = (version: string) =>
    parseRequest(lines(`POST / HTTP/${version}`, "Host: a", "Expect: 100-Continue", "Content-Length: 1")).head
      .expectContinue;
  t.equal(expects("1.1"), true);
  t.equal(expects("1.0"), false);
});

t.test("forms of the target", async (t) => {
  const form = (line: string) => {
    const parsed = parseRequest(lines(`${line} HTTP/1.1`, "Host: Example.com"));
    const { head, bytes } = parsed;
    return [
      parsed.result > 0 ? head.targetForm : head.error,
      textOf(bytes, head.authorityStart, head.authorityEnd),
      textOf(bytes, head.pathStart, head.targetEnd),
    ];
  };
  t.same(form("GET /a/b?c"), [TargetForm.origin, "", "/a/b?c"]);
  t.same(form("GET //b/"), [TargetForm.origin, "", "//b/"]);
  t.same(form("GET http://example.com/a?b"), [TargetForm.absolute, "example.com", "/a?b"]);
  t.same(form("GET HTTP://example.com"), [TargetForm.absolute, "example.com", ""]);
  t.same(form("GET http://EXAMPLE.com:80?b"), [TargetForm.absolute, "EXAMPLE.com:80", "?b"]);
  t.same(form("GET https://example.com:443/"), [TargetForm.absolute, "example.com:443", "/"]);
  t.same(form("OPTIONS *"), [TargetForm.asterisk, "", "*"]);
});

t.test("hosts that are accepted", async (t) => {
  for (const host of [
    "",
    "a",
    "a:",
    "a:80",
    "a.b-c_d~e",
    "192.0.2.1:65535",
    "[::1]",
    "[2001:db8::192.0.2.1]:8080",
    "%41b",
    "a,b",
  ]) {
    t.ok(parseRequest(lines("GET / HTTP/1.1", `Host: ${host}`)).result > 0, host);
  }
});

t.test("a head up to the limit is read, a longer one is refused as soon as that is certain", async (t) => {
  const text = lines("GET / HTTP/1.1", "Host: a", `X: ${"x".repeat(100)}`);
  const within = (maxHeadBytes: number) => ({ ...limits, maxHeadBytes });
  t.equal(parseRequest(text, within(text.length)).result, text.length);
  t.match(parseRequest(text, within(text.length - 1)), { result: -431, head: { error: "head-too-large" } });
  t.equal(parseRequest(text.slice(0, -1), within(text.length)).result, 0);
  t.equal(parseRequest(text.slice(0, -1), within(text.length - 1)).result, -431);
  // Empty lines ahead count, or a client could send them for ever.
  t.equal(parseRequest("\r\n".repeat(50), within(100)).result, -431);
});

t.test("a request line alone beyond the limit is 414", async (t) => {
  const within = { ...limits, maxHeadBytes: 100 };
  t.equal(parseRequest(`GET /${"x".repeat(200)} HTTP/1.1\r\n`, within).result, -414);
  t.equal(parseRequest("x".repeat(100), within).result, -414);
});

t.test("as many fields as allowed are read, one more is 431", async (t) => {
  const fields = (count: number) => Array.from({ length: count }, (_, i) => `X-${i}: y`);
  t.ok(parseRequest(lines("GET / HTTP/1.1", "Host: a", ...fields(100))).result > 0);
  t.match(parseRequest(lines("GET / HTTP/1.1", "Host: a", ...fields(101))), {
    result: -431,
    head: { error: "too-many-fields" },
  });
  t.equal(parseRequest(lines("GET / HTTP/1.0", ...fields(4)), { ...limits, maxFields: 3 }).result, -431);
  // A limit above what the record holds is no licence to write beyond it.
  t.equal(parseRequest(lines("GET / HTTP/1.0", ...fields(102)), { ...limits, maxFields: 500 }).result, -431);
});

t.test("a refusal leaves nothing of the parse before it", async (t) => {
  const parsed = parseRequest(lines("GET / HTTP/1.1", "Host: a", "Connection: x", "X: y"));
  t.equal(parsed.head.anyNamed, true);
  parsed.head.clear();
  t.match(parsed.head, { anyNamed: false, fieldCount: 0, kinds: 0, error: "", end: 0 });
});
