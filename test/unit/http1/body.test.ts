import t from "tap";
import { BodyFramer, maxChunkExtensionBytes } from "../../../src/proxy/http1/body.js";
import { Framing } from "../../../src/proxy/http1/head.js";
import { maxTrailerBytes, maxTrailerFields } from "../../../src/proxy/http1/trailer-section.js";
import { bytesOf, frame } from "./heads.js";

const chunked = (text: string) => frame(text, Framing.chunked, -1);

t.test("no body is done before its first byte", async (t) => {
  t.same(frame("GET", Framing.none, -1), { end: 0, done: true, error: null, payload: "" });
  t.same(frame("GET", Framing.length, 0), { end: 0, done: true, error: null, payload: "" });
});

t.test("a body of known length takes its bytes and leaves the next message", async (t) => {
  t.same(frame("helloGET /", Framing.length, 5), { end: 5, done: true, error: null, payload: "hello" });
  t.same(frame("hel", Framing.length, 5), { end: 3, done: false, error: null, payload: "hel" });
});

t.test("a body until close takes everything and is never done", async (t) => {
  t.same(frame("anything", Framing.untilClose, -1), {
    end: 8,
    done: false,
    error: null,
    payload: "anything",
  });
});

t.test("chunks are taken with their framing, the next message is left", async (t) => {
  const body = '5\r\nhello\r\n00a;name="v"\r\n0123\r\n6789\r\n0\r\n\r\n';
  t.same(chunked(`${body}GET / `), {
    end: body.length,
    done: true,
    error: null,
    payload: "hello0123\r\n6789",
  });
});

t.test("trailers belong to the body", async (t) => {
  const body = "1\r\nx\r\n0\r\nX-Sum: abc\r\nEmpty:\r\n\r\n";
  t.same(chunked(`${body}G`), { end: body.length, done: true, error: null, payload: "x" });
});

t.test("advance takes the whole body at once", async (t) => {
  const framer = new BodyFramer();
  framer.reset(Framing.chunked, -1);
  const bytes = bytesOf("3\r\nabc\r\n3\r\ndef\r\n0\r\n\r\nGET");
  t.equal(framer.advance(bytes, 0, bytes.length), bytes.length - 3);
  t.equal(framer.done, true);
  t.equal(framer.advance(bytes, 5, bytes.length), 5, "and nothing after its end");
});

t.test("a framer begins anew after reset, whatever came before", async (t) => {
  const framer = new BodyFramer();
  framer.reset(Framing.chunked, -1);
  framer.advance(bytesOf("zz"), 0, 2);
  t.equal(framer.error, "bad-chunk-size");
  framer.reset(Framing.length, 2);
  t.match(framer, { error: null, done: false });
  t.equal(framer.advance(bytesOf("abc"), 0, 3), 2);
  framer.reset(Framing.chunked, -1);
  framer.advance(bytesOf("0\r\nX: "), 0, 6);
  framer.reset(Framing.chunked, -1);
  t.equal(framer.advance(bytesOf("0\r\n\r\n"), 0, 5), 5);
  t.equal(framer.done, true);
});

t.test("a broken chunked body is refused where it breaks", async (t) => {
  const table: [shape: string, error: string, body: string, offset: number][] = [
    ["no size", "bad-chunk-size", "\r\nhello", 0],
    ["sign", "bad-chunk-size", "+5\r\n", 0],
    ["minus", "bad-chunk-size", "-1\r\n", 0],
    ["0x", "bad-chunk-size", "0x5\r\n", 1],
    ["leading space", "bad-chunk-size", " 5\r\n", 0],
    ["trailing space", "bad-chunk-size", "5 \r\n", 1],
    ["letter", "bad-chunk-size", "5g\r\n", 1],
    ["underscore", "bad-chunk-size", "1_0\r\n", 1],
    ["extension without a semicolon", "bad-chunk-size", "5 a=b\r\n", 1],
    ["2^53", "bad-chunk-size", "20000000000000\r\n", 13],
    ["2^64 + 1", "bad-chunk-size", "10000000000000001\r\n", 14],
    ["seventeen zeros", "bad-chunk-size", "00000000000000000\r\n", 16],
    ["bare LF after the size", "bare-lf", "5\nhello", 1],
    ["bare CR after the size", "bare-cr", "5\rhello", 2],
    ["bare LF in an extension", "bare-lf", "5;a\nhello\r\n", 3],
    ["bare CR in an extension (CVE-2021-22960 is about extensions)", "bare-cr", "5;a\rb\r\n", 4],
    ["NUL in an extension", "chunk-extension-invalid", "5;\0\r\n", 2],
    ["data longer than its size", "bad-chunk-end", "5\r\nhello!\r\n", 8],
    ["LF after the data", "bad-chunk-end", "5\r\nhello\n", 8],
    ["CR alone after the data", "bad-chunk-end", "5\r\nhello\r5", 9],
    ["two line ends after the data", "bad-chunk-size", "1\r\nx\r\n\r\n", 6],
    ["trailer with a space before the colon", "trailer-invalid", "0\r\nX : y\r\n\r\n", 4],
    ["trailer without a colon", "trailer-invalid", "0\r\nXyz\r\n\r\n", 6],
    ["trailer with an empty name", "trailer-invalid", "0\r\n: y\r\n\r\n", 3],
    ["folded trailer", "trailer-obs-fold", "0\r\nX: y\r\n z\r\n\r\n", 9],
    ["NUL in a trailer", "trailer-invalid", "0\r\nX: \0\r\n\r\n", 6],
    ["bare LF in a trailer", "bare-lf", "0\r\nX: y\nZ: w\r\n\r\n", 7],
    ["bare LF for the end", "bare-lf", "0\r\n\n", 3],
    ["bare CR in a trailer", "bare-cr", "0\r\nX: y\rz\r\n\r\n", 8],
    ["bare CR for the end", "bare-cr", "0\r\n\rX", 4],
  ];
  for (const [shape, error, body, offset] of table) {
    t.match(chunked(body), { error, done: false, end: offset }, shape);
  }
});

t.test("a trailer cannot carry what rules the message or the hop", async (t) => {
  for (const name of [
    "Content-Length",
    "transfer-encoding",
    "HOST",
    "Connection",
    "Upgrade",
    "Trailer",
    "TE",
    "Expect",
    "X-Forwarded-For",
    "X-Forwarded-Proto",
    "Proxy-Authorization",
  ]) {
    t.match(chunked(`0\r\n${name}: 5\r\n\r\n`), { error: "trailer-forbidden", done: false }, name);
  }
  t.match(chunked("0\r\nContent-Lengths: 5\r\n\r\n"), { error: null, done: true });
  t.match(chunked(`0\r\nContent-Length${"x".repeat(300)}: 5\r\n\r\n`), { error: null, done: true });
});

t.test("sizes up to 2^53 - 1 are taken, in either case and with leading zeros", async (t) => {
  t.match(chunked("001FffFFffFFffFF\r\nx"), { error: null, payload: "x" });
});

t.test("chunk extensions are bounded over the whole body (CVE-2024-22019)", async (t) => {
  const one = `1;${"x".repeat(maxChunkExtensionBytes - 1)}\r\ny\r\n`;
  t.match(chunked(`${one}0\r\n\r\n`), { error: null, done: true });
  t.match(chunked(`${one}0;\r\n\r\n`), { error: "chunk-extension-too-long" });
  t.match(chunked(`1;${"x".repeat(maxChunkExtensionBytes)}`), { error: "chunk-extension-too-long" });
  t.match(chunked("1;a=b\r\ny\r\n".repeat(maxChunkExtensionBytes)), { error: "chunk-extension-too-long" });
});

t.test("trailers are bounded in bytes and in number", async (t) => {
  const section = (fields: string) => chunked(`0\r\n${fields}\r\n`);
  t.match(section("X: y\r\n".repeat(maxTrailerFields)), { error: null, done: true });
  t.match(section("X: y\r\n".repeat(maxTrailerFields + 1)), { error: "trailer-too-large" });
  const frameBytes = "X: \r\n\r\n".length;
  t.match(section(`X: ${"y".repeat(maxTrailerBytes - frameBytes)}\r\n`), { error: null, done: true });
  t.match(section(`X: ${"y".repeat(maxTrailerBytes - frameBytes + 1)}\r\n`), { error: "trailer-too-large" });
});
