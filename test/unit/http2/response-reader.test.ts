import fc from "fast-check";
import t from "tap";
import type { ResponseFields } from "../../../src/proxy/http2/response-fields.js";
import { ResponseReader } from "../../../src/proxy/http2/response-reader.js";

/** What a reader finds, an entry an event; data in a row in one. */
function read(pieces: readonly string[], { isHead = false, ends = false } = {}): unknown[] {
  const found: unknown[] = [];
  const plain = (fields: ResponseFields) => ({ ...fields });
  const reader = new ResponseReader(
    {
      interim: (status, fields) => found.push(["interim", status, plain(fields)]),
      final: (status, fields, isWhole, mayHaveTrailers) =>
        found.push(["final", status, plain(fields), isWhole, mayHaveTrailers]),
      data: (bytes, start, end) => {
        const text = Buffer.from(bytes.subarray(start, end)).toString("latin1");
        const last = found.at(-1);
        if (Array.isArray(last) && last[0] === "data") last[1] += text;
        else found.push(["data", text]);
      },
      whole: (trailers) => found.push(["whole", trailers === null ? null : plain(trailers)]),
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
    ["final", 200, { "content-length": "5", "x-a": "b" }, false, false],
    ["data", "hello"],
    ["whole", null],
  ]);
});

t.test("chunks are taken off, trailers are kept, in whatever pieces they come", async (t) => {
  const head = ok("Transfer-Encoding: chunked", "Trailer: X-T");
  const body = "5\r\nhello\r\n3;x=y\r\n...\r\n0\r\nX-T: 1\r\nx-u: 2\r\n\r\n";
  const expected = [
    ["final", 200, { trailer: "X-T" }, false, true],
    ["data", "hello..."],
    ["whole", { "x-t": "1", "x-u": "2" }],
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
    t.match(found[0], ["final", Number, Object, true]);
  }
});

t.test("interim responses come before the final one", async (t) => {
  t.same(
    read([
      `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n${ok("Content-Length: 0")}`,
    ]),
    [
      ["interim", 100, {}],
      ["interim", 103, { link: "a" }],
      ["final", 200, { "content-length": "0" }, true, false],
    ],
  );
});

t.test(
  "fields: lines of one name stay lines where they may, those of a connection are left out",
  async (t) => {
    const fields = [
      ...["Set-Cookie: a=1", "Set-Cookie: b=2", "Content-Type: a/b", "Content-Type: c/d"],
      ...[
        "Vary: x",
        "Vary: y",
        "Vary: z",
        "Keep-Alive: 5",
        "Upgrade: x",
        "__proto__: z",
        "Content-Length: 0",
      ],
    ];
    const [[, , found]] = read([ok(...fields)]) as [[string, number, Record<string, unknown>]];
    t.same(Object.entries(found), [
      ["set-cookie", ["a=1", "b=2"]],
      ["content-type", "a/b, c/d"],
      ["vary", ["x", "y", "z"]],
      ["__proto__", "z"],
      ["content-length", "0"],
    ]);
  },
);

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
