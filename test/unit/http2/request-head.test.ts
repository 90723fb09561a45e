import fc from "fast-check";
import t from "tap";
import { Framing, Head, parseRequestHead } from "../../../src/proxy/http1/head.js";
import { type RequestHead, writeRequestHead } from "../../../src/proxy/http2/request-head.js";

const get = (...more: string[]): string[] => [
  ...[":method", "GET", ":scheme", "https", ":authority", "site.example", ":path", "/a?b=c"],
  ...more,
];
const textOf = (head: RequestHead | null): string | null =>
  head === null ? null : Buffer.from(head.bytes).toString("latin1");
const lines = (...all: string[]): string => `${all.join("\r\n")}\r\n\r\n`;

t.test("pseudo-header fields become the request line and Host, the rest goes on in its order", async (t) => {
  const head = writeRequestHead(get("user-agent", "curl", "accept", "*/*"), true);
  t.equal(
    textOf(head),
    lines(
      "GET /a?b=c HTTP/1.1",
      "host: site.example",
      "user-agent: curl",
      "accept: */*",
      "connection: close",
    ),
  );
  t.match(head, { line: "GET https://site.example/a?b=c HTTP/2.0", isChunked: false, isHead: false });
  t.equal(writeRequestHead([":method", "HEAD", ...get().slice(2)], true)?.isHead, true);
});

t.test("a body goes on as it is where its length is said, else in chunks", async (t) => {
  t.match(textOf(writeRequestHead(get("content-length", "5"), false)), /\r\ncontent-length: 5\r\n/);
  t.notMatch(textOf(writeRequestHead(get("content-length", "5"), false)), /transfer-encoding/);
  const chunked = writeRequestHead(get(), false);
  t.equal(chunked?.isChunked, true);
  t.match(textOf(chunked), /\r\ntransfer-encoding: chunked\r\n/);
});

t.test("crumbs of cookies are put together", async (t) => {
  const text = textOf(writeRequestHead(get("cookie", "a=1", "x", "y", "cookie", "b=2; c=3"), true));
  t.match(text, /\r\nx: y\r\ncookie: a=1; b=2; c=3\r\n/);
});

t.test("Host stands in for :authority, and must be the same beside it", async (t) => {
  const without = get().filter((_, i) => i !== 4 && i !== 5);
  t.match(writeRequestHead([...without, "host", "other.example"], true), {
    line: "GET https://other.example/a?b=c HTTP/2.0",
  });
  t.match(textOf(writeRequestHead(get("host", "SITE.example"), true)), /\r\nhost: site\.example\r\n/);
  t.equal(writeRequestHead(get("host", "other.example"), true), null);
  t.notMatch(textOf(writeRequestHead(without, true)), /host:/);
});

t.test("OPTIONS of the whole server, and CONNECT, which HTTP/1.1's parser refuses", async (t) => {
  const star = [":method", "OPTIONS", ":scheme", "https", ":authority", "site", ":path", "*"];
  t.match(writeRequestHead(star, true), { line: "OPTIONS https://site HTTP/2.0" });
  t.match(textOf(writeRequestHead(star, true)), /^OPTIONS \* HTTP\/1\.1\r\n/);
  const connect = writeRequestHead([":method", "CONNECT", ":authority", "site:443"], false);
  if (connect === null) throw new Error("it is malformed");
  t.equal(connect.line, "CONNECT site:443 HTTP/2.0");
  t.equal(
    parseRequestHead(connect.bytes, 0, connect.bytes.length, new Head(), {
      maxHeadBytes: 16_384,
      maxFields: 101,
    }),
    -405,
  );
});

t.test("what is malformed is none", async (t) => {
  const wrong: Record<string, string[]> = {
    "no method": get().slice(2),
    "no path": get().slice(0, 6),
    "an empty path": [...get().slice(0, 7), ""],
    "no scheme": [...get().slice(0, 2), ...get().slice(4)],
    "a pseudo-header field twice": [...get().slice(0, 2), ...get()],
    "a pseudo-header field behind the others": ["x", "y", ...get()],
    "an unknown pseudo-header field": get().concat(":status", "200"),
    "extended CONNECT": [...get(), ":protocol", "websocket"],
    Connection: get("connection", "close"),
    "Keep-Alive": get("keep-alive", "1"),
    "Transfer-Encoding": get("transfer-encoding", "chunked"),
    Upgrade: get("upgrade", "websocket"),
    "TE that asks for more than trailers": get("te", "gzip"),
    "Host twice": get("host", "site.example", "host", "site.example"),
    "a capital in a name": get("X-A", "b"),
    "an empty name": get("", "b"),
    "a colon in a name": get("a:b", "c"),
    "a line break in a value": get("x", "y\r\ntransfer-encoding: chunked"),
    "NUL in a value": get("x", "\0"),
    "a space in the path": [...get().slice(0, 7), "/ HTTP/1.1\r\nx: y"],
    "a space in the method": [":method", "GET /x", ...get().slice(2)],
  };
  for (const [what, fields] of Object.entries(wrong)) t.equal(writeRequestHead(fields, true), null, what);
  t.not(writeRequestHead(get("te", "trailers"), true), null, "TE: trailers may be there");
});

t.test("nothing in a field can change what the request is", async () => {
  const piece = fc.string({ unit: "binary", maxLength: 12 });
  const hostile = fc.oneof(
    piece,
    fc.constantFrom(
      "\r\n",
      "a\r\nb: c",
      "\n\n",
      " ",
      "/",
      "content-length",
      "host",
      "transfer-encoding",
      "0",
    ),
  );
  fc.assert(
    fc.property(
      fc.array(fc.tuple(hostile, hostile), { maxLength: 8 }),
      hostile,
      fc.boolean(),
      (pairs, path, isWhole) => {
        const fields = [
          ...[":method", "POST", ":scheme", "https", ":authority", "site", ":path", `/${path}`],
          ...pairs.flat(),
        ];
        const head = writeRequestHead(fields, isWhole);
        if (head === null) return true;
        const record = new Head();
        const after = parseRequestHead(head.bytes, 0, head.bytes.length, record, {
          maxHeadBytes: 16_384,
          maxFields: 101,
        });
        // Refused, or read to its last byte with one framing: the one that HTTP/2 has.
        if (after < 0) return true;
        const hasLength = pairs.some(([name]) => name === "content-length");
        const framing: readonly Framing[] =
          isWhole || hasLength ? [Framing.none, Framing.length] : [Framing.chunked];
        return after === head.bytes.length && framing.includes(record.framing) && !record.keepAlive;
      },
    ),
    { numRuns: 2_000 },
  );
});
