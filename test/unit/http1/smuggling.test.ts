/**
 * Shapes by which a request is read differently by two parties. Each is refused, so that none can be forwarded.
 * A CVE names a proxy or server that once took such a shape.
 */
import t from "tap";
import { lines, parseRequest } from "./heads.js";

type Refusal = [shape: string, status: number, reason: string, request: string];

const get = (...fields: string[]): string => lines("GET / HTTP/1.1", "Host: a", ...fields);
const post = (...fields: string[]): string => lines("POST / HTTP/1.1", "Host: a", ...fields);
const target = (value: string): string => lines(`GET ${value} HTTP/1.1`, "Host: a");
const host = (value: string): string => lines("GET / HTTP/1.1", `Host: ${value}`);

const length: Refusal[] = [
  [
    "Content-Length with Transfer-Encoding",
    400,
    "content-length-with-transfer-encoding",
    post("Content-Length: 5", "Transfer-Encoding: chunked"),
  ],
  [
    "Transfer-Encoding with Content-Length",
    400,
    "content-length-with-transfer-encoding",
    post("Transfer-Encoding: chunked", "Content-Length: 0"),
  ],
  ["two differing lengths", 400, "content-length-conflict", post("Content-Length: 5", "Content-Length: 6")],
  ["two equal lengths", 400, "content-length-conflict", post("Content-Length: 5", "Content-Length: 5")],
  ["a list of differing lengths", 400, "content-length-conflict", post("Content-Length: 5, 6")],
  ["a list of equal lengths", 400, "content-length-conflict", post("Content-Length: 5,5")],
  ["an empty length (CVE-2023-40225)", 400, "content-length-invalid", post("Content-Length:")],
  [
    "an empty length beside a good one",
    400,
    "content-length-conflict",
    post("Content-Length:", "Content-Length: 5"),
  ],
  ["plus sign", 400, "content-length-invalid", post("Content-Length: +5")],
  ["minus sign", 400, "content-length-invalid", post("Content-Length: -5")],
  ["hexadecimal", 400, "content-length-invalid", post("Content-Length: 0x5")],
  ["fraction", 400, "content-length-invalid", post("Content-Length: 5.0")],
  ["exponent", 400, "content-length-invalid", post("Content-Length: 5e0")],
  ["digits with a space", 400, "content-length-invalid", post("Content-Length: 1 2")],
  ["digits beyond ASCII", 400, "content-length-invalid", post("Content-Length: \xb2")],
  ["2^53", 400, "content-length-overflow", post("Content-Length: 9007199254740992")],
  ["2^64 + 5", 400, "content-length-overflow", post("Content-Length: 18446744073709551621")],
  ["a thousand digits", 400, "content-length-overflow", post(`Content-Length: ${"9".repeat(1000)}`)],
];

const coding: Refusal[] = [
  ["gzip alone", 400, "transfer-encoding-chunked-not-last", post("Transfer-Encoding: gzip")],
  ["identity", 400, "transfer-encoding-chunked-not-last", post("Transfer-Encoding: identity")],
  [
    "chunked before gzip (CVE-2022-32213)",
    400,
    "transfer-encoding-chunked-not-last",
    post("Transfer-Encoding: chunked, gzip"),
  ],
  [
    "the same on two lines",
    400,
    "transfer-encoding-chunked-not-last",
    post("Transfer-Encoding: chunked", "Transfer-Encoding: gzip"),
  ],
  [
    "chunked and identity",
    400,
    "transfer-encoding-chunked-not-last",
    post("Transfer-Encoding: chunked", "Transfer-Encoding: identity"),
  ],
  ["chunked twice", 400, "transfer-encoding-chunked-twice", post("Transfer-Encoding: chunked, chunked")],
  [
    "chunked twice on two lines",
    400,
    "transfer-encoding-chunked-twice",
    post("Transfer-Encoding: chunked", "transfer-encoding: Chunked"),
  ],
  ["gzip before chunked", 501, "transfer-encoding-unsupported", post("Transfer-Encoding: gzip, chunked")],
  [
    "identity before chunked",
    501,
    "transfer-encoding-unsupported",
    post("Transfer-Encoding: identity", "Transfer-Encoding: chunked"),
  ],
  [
    "an unknown coding that ends in chunked",
    400,
    "transfer-encoding-chunked-not-last",
    post("Transfer-Encoding: xchunked"),
  ],
  [
    "an unknown coding that begins with chunked",
    400,
    "transfer-encoding-chunked-not-last",
    post("Transfer-Encoding: chunkedx"),
  ],
  ["empty", 400, "transfer-encoding-invalid", post("Transfer-Encoding:")],
  ["empty element before", 400, "transfer-encoding-invalid", post("Transfer-Encoding: ,chunked")],
  ["empty element after", 400, "transfer-encoding-invalid", post("Transfer-Encoding: chunked,")],
  ["quoted", 400, "transfer-encoding-invalid", post('Transfer-Encoding: "chunked"')],
  ["parameter", 400, "transfer-encoding-invalid", post("Transfer-Encoding: chunked;q=1")],
  ["two words", 400, "transfer-encoding-invalid", post("Transfer-Encoding: chunked foo")],
  [
    "vertical tab (CVE-2019-15605 is about malformed codings)",
    400,
    "field-value-invalid",
    post("Transfer-Encoding: \x0bchunked"),
  ],
  ["no-break space", 400, "transfer-encoding-invalid", post("Transfer-Encoding: \xa0chunked")],
  ["folded (CVE-2022-32215)", 400, "obs-fold", post("Transfer-Encoding:", " chunked")],
  ["in HTTP/1.0", 400, "transfer-encoding-in-1.0", lines("POST / HTTP/1.0", "Transfer-Encoding: chunked")],
  [
    "in HTTP/1.0 with a length",
    400,
    "transfer-encoding-in-1.0",
    lines("POST / HTTP/1.0", "Content-Length: 1", "Transfer-Encoding: chunked"),
  ],
];

const syntax: Refusal[] = [
  ["folded field", 400, "obs-fold", get("X: a", " b")],
  ["folded field with a tab", 400, "obs-fold", get("X: a", "\tContent-Length: 5")],
  [
    "space before Content-Length (CVE-2024-27982)",
    400,
    "space-before-name",
    lines("POST / HTTP/1.0", " Content-Length: 5"),
  ],
  ["space before the colon (CVE-2021-22959)", 400, "space-before-colon", get("Content-Length : 5")],
  ["tab before the colon", 400, "space-before-colon", get("Transfer-Encoding\t: chunked")],
  ["empty name (CVE-2023-25725)", 400, "field-name-empty", get(": x", "Content-Length: 5")],
  ["name with a space", 400, "space-before-colon", get("X Y: z")],
  ["name with a slash", 400, "field-name-invalid", get("X/Y: z")],
  ["name beyond ASCII", 400, "field-name-invalid", get("X\xe4: z")],
  ["NUL in a name", 400, "nul", get("X\0: z")],
  ["line without a colon", 400, "colon-missing", get("Xyz")],
  ["NUL in a value", 400, "nul", get("X: a\0b")],
  ["control byte in a value", 400, "field-value-invalid", get("X: a\x01b")],
  ["DEL in a value", 400, "field-value-invalid", get("X: a\x7fb")],
  ["bare CR in a value (CVE-2023-30589)", 400, "bare-cr", get("X: a\rContent-Length: 5")],
  ["CR CR LF", 400, "bare-cr", get("X: a\r")],
  ["bare CR for the empty line", 400, "bare-cr", "GET / HTTP/1.1\r\nHost: a\r\n\rGET"],
  ["bare LF after a field (CVE-2022-35256)", 400, "bare-lf", get("X: a\nContent-Length: 5")],
  ["bare LF for the empty line (CVE-2022-32214)", 400, "bare-lf", "GET / HTTP/1.1\r\nHost: a\r\n\nGET"],
  ["bare LF after the request line", 400, "bare-lf", "GET / HTTP/1.1\nHost: a\r\n\r\n"],
  ["bare LF before the request", 400, "bare-lf", `\n${get()}`],
  ["bare CR before the request", 400, "bare-cr", `\r${get()}`],
  ["bare CR after the request line", 400, "bare-cr", "GET / HTTP/1.1\rHost: a\r\n\r\n"],
];

const requestLine: Refusal[] = [
  ["HTTP/0.9", 400, "version-missing", "GET /\r\n"],
  ["space and no version", 400, "version-invalid", "GET / \r\n"],
  ["lower case version", 400, "version-invalid", lines("GET / http/1.1", "Host: a")],
  ["two digits", 400, "version-invalid", lines("GET / HTTP/1.10", "Host: a")],
  ["two digits of major", 400, "version-invalid", lines("GET / HTTP/11.1", "Host: a")],
  ["no minor", 400, "version-invalid", lines("GET / HTTP/1", "Host: a")],
  ["trailing space", 400, "version-invalid", lines("GET / HTTP/1.1 ", "Host: a")],
  ["major version 2", 505, "version-unsupported", lines("GET / HTTP/2.0", "Host: a")],
  ["major version 0", 505, "version-unsupported", lines("GET / HTTP/0.9", "Host: a")],
  ["the HTTP/2 preface", 505, "version-unsupported", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"],
  ["two spaces after the method", 400, "target-invalid", lines("GET  / HTTP/1.1", "Host: a")],
  ["two spaces after the target", 400, "version-invalid", lines("GET /  HTTP/1.1", "Host: a")],
  ["tab for a space", 400, "method-invalid", lines("GET\t/ HTTP/1.1", "Host: a")],
  [
    "space in the target (CVE-2021-39241: in an HTTP/2 method)",
    400,
    "version-invalid",
    lines("GET /admin? /x HTTP/1.1", "Host: a"),
  ],
  ["leading space", 400, "method-invalid", lines(" GET / HTTP/1.1", "Host: a")],
  ["method that is no token", 400, "method-invalid", lines("GE(T / HTTP/1.1", "Host: a")],
  ["NUL in the method", 400, "nul", lines("G\0T / HTTP/1.1", "Host: a")],
  ["a TLS ClientHello", 400, "method-invalid", "\x16\x03\x01\x02\x00\x01\x00"],
  ["fragment (CVE-2023-45539)", 400, "target-fragment", target("/x#.png")],
  ["NUL in the target", 400, "nul", target("/\0")],
  ["control byte in the target", 400, "target-invalid", target("/\x1f")],
  ["DEL in the target", 400, "target-invalid", target("/\x7f")],
  ["raw UTF-8 in the target", 400, "target-invalid", target("/\xc3\xa4")],
  ["bare LF in the target", 400, "bare-lf", target("/\nX")],
  ["relative target", 400, "target-form", target("a/b")],
  ["authority form with GET", 400, "target-form", target("a:80")],
  ["asterisk with GET", 400, "asterisk-form", target("*")],
  ["asterisk with more", 400, "target-form", lines("OPTIONS *a HTTP/1.1", "Host: a")],
  ["another scheme", 400, "target-form", target("ftp://a/")],
  ["absolute form without a host", 400, "authority-invalid", target("http:///x")],
  ["absolute form with a port alone", 400, "authority-invalid", target("http://:80/x")],
  ["user information", 400, "authority-invalid", target("http://user@a/")],
  ["CONNECT", 405, "connect", lines("CONNECT a:443 HTTP/1.1", "Host: a:443")],
  ["CONNECT in origin form", 405, "connect", lines("CONNECT / HTTP/1.1", "Host: a")],
];

const hosts: Refusal[] = [
  ["no Host in HTTP/1.1", 400, "host-missing", lines("GET / HTTP/1.1", "X: y")],
  ["no Host and no field at all", 400, "host-missing", lines("GET / HTTP/1.1")],
  ["no Host beside an absolute target", 400, "host-missing", lines("GET http://a/ HTTP/1.1")],
  ["two Hosts", 400, "host-duplicate", get("Host: b")],
  ["two equal Hosts", 400, "host-duplicate", get("host: a")],
  ["two Hosts in HTTP/1.0", 400, "host-duplicate", lines("GET / HTTP/1.0", "Host: a", "Host: b")],
  ["absolute target of another host (CVE-2021-39242: in HTTP/2)", 400, "host-differs", target("http://b/")],
  ["absolute target with another port", 400, "host-differs", target("http://a:81/")],
  ["port of the other scheme", 400, "host-differs", target("http://a:443/")],
  ["absolute target and an empty Host", 400, "host-differs", lines("GET http://a/ HTTP/1.1", "Host:")],
  ["space", 400, "host-invalid", host("a b")],
  ["path", 400, "host-invalid", host("a/b")],
  ["user information in Host", 400, "host-invalid", host("x@a")],
  ["port that is no number", 400, "host-invalid", host("a:b")],
  ["port beyond 65535", 400, "host-invalid", host("a:65536")],
  ["two ports", 400, "host-invalid", host("a:80:81")],
  ["port alone", 400, "host-invalid", host(":80")],
  ["open bracket", 400, "host-invalid", host("[::1")],
  ["empty brackets", 400, "host-invalid", host("[]")],
  ["zone", 400, "host-invalid", host("[fe80::1%25eth0]")],
  ["text after the brackets", 400, "host-invalid", host("[::1]a")],
  ["broken triplet", 400, "host-invalid", host("a%4")],
  ["host beyond ASCII", 400, "host-invalid", host("\xe4")],
];

const options: Refusal[] = [
  [
    "Connection that names Content-Length",
    400,
    "connection-names-framing",
    post("Connection: content-length", "Content-Length: 5"),
  ],
  [
    "Connection that names Transfer-Encoding",
    400,
    "connection-names-framing",
    post("Connection: close, Transfer-Encoding", "Transfer-Encoding: chunked"),
  ],
  ["Connection that names Host", 400, "connection-names-framing", get("Connection: HOST")],
  [
    "Connection with a hundred options",
    400,
    "connection-too-many-options",
    get(`Connection: ${"a,".repeat(100)}`),
  ],
  ["another expectation", 417, "expectation-unknown", post("Expect: 200-ok")],
  ["an expectation too many", 417, "expectation-unknown", post("Expect: 100-continue, x")],
  ["an expectation that only begins so", 417, "expectation-unknown", post("Expect: 100-continued")],
  ["one good and one bad expectation", 417, "expectation-unknown", post("Expect: 100-continue", "Expect: x")],
];

for (const [area, table] of Object.entries({ length, coding, syntax, requestLine, hosts, options })) {
  t.test(`${area}: every ambiguous shape is refused with its status and reason`, async (t) => {
    for (const [shape, status, reason, request] of table) {
      const { result, head } = parseRequest(request);
      t.same([result, head.error], [-status, reason], shape);
    }
  });
}

t.test("a name of 270 bytes that begins with a known one is none (CVE-2021-40346)", async (t) => {
  const { result, head } = parseRequest(
    post(
      `Content-Length0${"a".repeat(255)}:`,
      "Content-Length: 5",
      "Content-Length-: 6",
      "Content_Length: 7",
    ),
  );
  t.ok(result > 0);
  t.equal(head.contentLength, 5);
});

t.test("white space around a value does not hide it (CVE-2019-15606)", async (t) => {
  t.equal(parseRequest(post("Content-Length:\t 5 \t")).head.contentLength, 5);
});

t.test("what follows a whole head is not looked at", async (t) => {
  const text = get();
  t.equal(parseRequest(`${text}\0\n\r`).result, text.length);
});
