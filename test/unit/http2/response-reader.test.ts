import fc from "fast-check";
import t from "tap";
import type { Head } from "../../../src/proxy/http1/head.js";
import { HpackDecoder } from "../../../src/proxy/http2/hpack-decoder.js";
import { HpackEncoder } from "../../../src/proxy/http2/hpack-encoder.js";
import {
  responseBound,
  trailersBound,
  writeResponse,
  writeTrailers,
} from "../../../src/proxy/http2/response-fields.js";
import { ResponseReader } from "../../../src/proxy/http2/response-reader.js";

/** What a reader finds, an entry an event; data in a row in one. */
function read(pieces: readonly string[], { isHead = false, ends = false } = {}): unknown[] {
  const found: unknown[] = [];
  const encoder = new HpackEncoder();
  const decoder = new HpackDecoder({ maxListBytes: 65_536, maxFields: 256 });
  /** What a client makes of a head, its status aside. */
  const fieldsOf = (bytes: Uint8Array, head: Head): string[] => {
    const out = new Uint8Array(responseBound(head));
    const [name, status, ...fields] =
      decoder.decode(out, 0, writeResponse(encoder, bytes, head, out, 0)) ?? [];
    if (name !== ":status" || status !== String(head.status)) throw new Error(`${name} ${status}`);
    return fields;
  };
  const trailersOf = (section: Uint8Array): string[] | null => {
    const out = new Uint8Array(trailersBound(section));
    return decoder.decode(out, 0, writeTrailers(encoder, section, out, 0));
  };
  const reader = new ResponseReader(
    {
      interim: (bytes, head) => found.push(["interim", head.status, fieldsOf(bytes, head)]),
      final: (bytes, head, isWhole) => found.push(["final", head.status, fieldsOf(bytes, head), isWhole]),
      body: (bytes, start, end, isLast) => {
        const text = Buffer.from(bytes.subarray(start, end)).toString("latin1");
        const last = found.at(-1);
        if (Array.isArray(last) && last[0] === "data") last[1] += text;
        else found.push(["data", text]);
        if (isLast) found.push(["whole", null]);
      },
      whole: (trailers) => found.push(["whole", trailers === null ? null : trailersOf(trailers)]),
    },
    isHead,
  );
  for (const piece of pieces) {
    const bytes = Buffer.from(`....${piece}`, "latin1");
    reader.read(bytes, 4, bytes.length);
  }
  if (ends) reader.ended();
  return found;
}

const ok = (...lines: string[]): string => `HTTP/1.1 200 OK\r\n${lines.map((l) => `${l}\r\n`).join("")}\r\n`;

t.test("a length, and the end of the body with its last byte", async (t) => {
  t.same(read([`${ok("Content-Length: 5", "X-A: b", "Connection: close")}hel`, "lo"]), [
    ["final", 200, ["content-length", "5", "x-a", "b"], false],
    ["data", "hello"],
    ["whole", null],
  ]);
});

t.test("chunks are taken off, trailers are kept, in whatever pieces they come", async (t) => {
  const head = ok("Transfer-Encoding: chunked", "Trailer: X-T");
  const body = "5\r\nhello\r\n3;x=y\r\n...\r\n0\r\nX-T: 1\r\nx-u: 2\r\n\r\n";
  const expected = [
    ["final", 200, ["trailer", "X-T"], false],
    ["data", "hello..."],
    ["whole", ["x-t", "1", "x-u", "2"]],
  ];
  t.same(read([head + body]), expected);
  t.same(read([head, ...body]), expected);
  t.same(read([head, "0\r\n\r\n"]).at(-1), ["whole", null]);
});

t.test("a body of unknown length ends with the connection", async (t) => {
  t.same(read([ok(), "hel", "lo"], { ends: true }).slice(1), [
    ["data", "hello"],
    ["whole", null],
  ]);
  t.same(read([ok(), "hello"]).slice(1), [["data", "hello"]]);
});

t.test("no body: 204, 304, HEAD, a length of nothing", async (t) => {
  for (const [text, isHead] of [
    ["HTTP/1.1 204 No Content\r\n\r\n", false],
    ["HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n", false],
    [ok("Content-Length: 7"), true],
    [ok("Content-Length: 0"), false],
  ] as const) {
    const found = read([text], { isHead });
    t.equal(found.length, 1);
    t.match(found[0], ["final", Number, Array, true]);
  }
});

t.test("interim responses come before the final one", async (t) => {
  t.same(
    read([
      `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n${ok("Content-Length: 0")}`,
    ]),
    [
      ["interim", 100, []],
      ["interim", 103, ["link", "a"]],
      ["final", 200, ["content-length", "0"], true],
    ],
  );
});

t.test("fields: each line stays one, with a small name; those of a connection are left out", async (t) => {
  const lines = [
    "Set-Cookie: a=1",
    "Set-Cookie: b=2",
    "VARY: x",
    "Keep-Alive: 5",
    "Upgrade: x",
    "Content-Length: 0",
  ];
  t.same(read([ok(...lines)]), [
    ["final", 200, ["set-cookie", "a=1", "set-cookie", "b=2", "vary", "x", "content-length", "0"], true],
  ]);
});

t.test("what is no response is a fault of ours, and said", async (t) => {
  t.throws(() => read(["HTTP/1.1 200 OK\r\nConte"]), /no HTTP\/1\.1: a part of a head/);
  t.throws(() => read([`${ok("Transfer-Encoding: chunked")}zzz`]), /broken body: bad-chunk-size/);
});

t.test("any body in any pieces comes out as it went in", async () => {
  fc.assert(
    fc.property(
      fc.array(fc.string({ unit: "binary-ascii", minLength: 1, maxLength: 50 })),
      fc.array(fc.nat(200)),
      fc.boolean(),
      (parts, cuts, isChunked) => {
        const whole = parts.join("");
        const chunks = `${parts.map((p) => `${p.length.toString(16)}\r\n${p}\r\n`).join("")}0\r\n\r\n`;
        let rest = isChunked ? chunks : whole;
        const pieces: string[] = [];
        for (const cut of cuts) {
          pieces.push(rest.slice(0, cut));
          rest = rest.slice(cut);
        }
        const head = isChunked ? ok("Transfer-Encoding: chunked") : ok(`Content-Length: ${whole.length}`);
        const found = read([head, ...pieces, rest]);
        const data = found.flatMap((one) => (Array.isArray(one) && one[0] === "data" ? [one[1]] : []));
        return data.join("") === whole;
      },
    ),
  );
});
