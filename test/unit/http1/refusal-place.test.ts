import t from "tap";
import { refusalPlace } from "../../../src/proxy/http1/refusal-place.js";

const place = (text: string, kind: "request" | "response" = "request") =>
  refusalPlace(kind, Buffer.from(text, "latin1"), 16_384);
const fields = (...lines: string[]) => `${["GET / HTTP/1.1", "Host: x", ...lines].join("\r\n")}\r\n\r\n`;

t.test("a head that is no HTTP broke at its first wrong byte", async (t) => {
  for (const [text, wrong] of [
    ["GET / HTTP/1.1\nHost: x\n\n", "\n"],
    [fields("A\x01b: c"), "\x01"],
    [fields("Name : x"), " : x"],
    [fields("A: b\0c"), "\0"],
    ["GET /\u00e4 HTTP/1.1\r\n\r\n", "\u00e4"],
    ["GET / http/1.1\r\n\r\n", "http"],
  ] as const)
    t.equal(place(text), text.indexOf(wrong), JSON.stringify(text));
  t.equal(place("HTTP/1.1 2x0 OK\r\n\r\n", "response"), 10);
});

t.test("a head that is refused for what it says broke where it says so", async (t) => {
  for (const [text, wrong] of [
    [fields("Content-Length: 1x"), "1x"],
    [fields("Content-Length: 1", "Content-Length: 2"), "2\r\n\r\n"],
    [fields("Transfer-Encoding: gzip"), "gzip"],
    [fields("Host: y"), "y\r\n\r\n"],
    [fields("Expect: much"), "much"],
    ["GET a HTTP/1.1\r\nHost: x\r\n\r\n", "a HTTP"],
  ] as const)
    t.equal(place(text), text.lastIndexOf(wrong), JSON.stringify(text));
  const missing = "GET / HTTP/1.1\r\n\r\n";
  t.equal(place(missing), missing.length - 1, "nothing of it says what is missing");
});

t.test("what is too large broke where the limit is, and what is kept of it may end before", async (t) => {
  const long = Buffer.from(fields(`A: ${"x".repeat(400)}`));
  t.equal(refusalPlace("request", long, 200), 199);
  t.equal(refusalPlace("request", long.subarray(0, 100), 200), 100);
});
