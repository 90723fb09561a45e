import fc from "fast-check";
import t from "tap";
import { ConnectionFault } from "../../../src/proxy/http2/fault.js";
import { HpackDecoder } from "../../../src/proxy/http2/hpack-decoder.js";
import {
  blockOverheadBytes,
  fieldOverheadBytes,
  HpackEncoder,
} from "../../../src/proxy/http2/hpack-encoder.js";

const limits = { maxListBytes: 65_536, maxFields: 256 };

const decodeHex = (decoder: HpackDecoder, hex: string): string[] | null => {
  const bytes = Buffer.from(hex.replaceAll(" ", ""), "hex");
  return decoder.decode(bytes, 0, bytes.length);
};

type Pairs = readonly (readonly [string, string])[];

/** One block of `encoder`. */
function encode(encoder: HpackEncoder, pairs: Pairs): Buffer {
  const size = pairs.reduce(
    (sum, [n, v]) => sum + n.length + v.length + fieldOverheadBytes,
    blockOverheadBytes,
  );
  const out = Buffer.alloc(size);
  let at = encoder.begin(out, 0);
  for (const [name, value] of pairs) {
    const bytes = Buffer.from(`..${name}: ${value}`, "latin1");
    const nameEnd = 2 + name.length;
    at = encoder.field(bytes, 2, nameEnd, nameEnd + 2, bytes.length, out, at);
  }
  if (at > size) throw new Error("it takes more than its bound");
  return out.subarray(0, at);
}

const request = (path: string, scheme: string, authority: string, ...more: string[]): string[] => [
  ...[":method", "GET", ":scheme", scheme, ":path", path, ":authority", authority],
  ...more,
];

t.test("RFC 7541 C.2: one field of each kind", async (t) => {
  const custom = "400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572";
  t.same(decodeHex(new HpackDecoder(limits), custom), ["custom-key", "custom-header"]);
  const path = "040c 2f73 616d 706c 652f 7061 7468";
  t.same(decodeHex(new HpackDecoder(limits), path), [":path", "/sample/path"]);
  const never = "1008 7061 7373 776f 7264 0673 6563 7265 74";
  t.same(decodeHex(new HpackDecoder(limits), never), ["password", "secret"]);
  t.same(decodeHex(new HpackDecoder(limits), "82"), [":method", "GET"]);
});

const requests = {
  "C.3, plain": [
    "8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d",
    "8286 84be 5808 6e6f 2d63 6163 6865",
    "8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65",
  ],
  "C.4, Huffman": [
    "8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff",
    "8286 84be 5886 a8eb 1064 9cbf",
    "8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf",
  ],
};

t.test("RFC 7541 C.3 and C.4: three requests of one connection", async (t) => {
  for (const [what, blocks] of Object.entries(requests)) {
    const decoder = new HpackDecoder(limits);
    t.same(
      blocks.map((hex) => decodeHex(decoder, hex)),
      [
        request("/", "http", "www.example.com"),
        request("/", "http", "www.example.com", "cache-control", "no-cache"),
        request("/index.html", "https", "www.example.com", "custom-key", "custom-value"),
      ],
      what,
    );
  }
});

/** The table is made 256 bytes large first: 3f e1 01. */
const responses = {
  "C.5, plain": [
    `3fe101 4803 3330 3258 0770 7269 7661 7465 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3120 474d
     546e 1768 7474 7073 3a2f 2f77 7777 2e65 7861 6d70 6c65 2e63 6f6d`,
    "4803 3330 37c1 c0bf",
    `88c1 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3220 474d 54c0 5a04 677a 6970 7738 666f 6f3d
     4153 444a 4b48 514b 425a 584f 5157 454f 5049 5541 5851 5745 4f49 553b 206d 6178 2d61 6765 3d33 3630 303b 2076 6572
     7369 6f6e 3d31`,
  ],
  "C.6, Huffman": [
    `3fe101 4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 2d1b ff6e 919d 29ad 1718 63c7
     8f0b 97c8 e9ae 82ae 43d3`,
    "4883 640e ffc1 c0bf",
    `88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a 839b d9ab 77ad 94e7 821d d7f2 e6c7 b335 dfdf
     cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f 9587 3160 65c0 03ed 4ee5 b106 3d50 07`,
  ],
};

t.test(
  "RFC 7541 C.5 and C.6: three responses, and a table that is too small for all of their fields",
  async (t) => {
    const date = (second: number) => `Mon, 21 Oct 2013 20:13:${second} GMT`;
    const location = ["location", "https://www.example.com"];
    for (const [what, blocks] of Object.entries(responses)) {
      const decoder = new HpackDecoder(limits);
      t.same(
        blocks.map((hex) => decodeHex(decoder, hex.replaceAll(/\s/g, ""))),
        [
          [":status", "302", "cache-control", "private", "date", date(21), ...location],
          [":status", "307", "cache-control", "private", "date", date(21), ...location],
          [
            ...[":status", "200", "cache-control", "private", "date", date(22), ...location],
            ...["content-encoding", "gzip"],
            ...["set-cookie", "foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1"],
          ],
        ],
        what,
      );
    }
  },
);

t.test("blocks that cannot be", async (t) => {
  const wrong: Record<string, string> = {
    "index 0": "80",
    "an index behind the table": "be",
    "an index far behind": "ffffff07",
    "a name behind the table": "7f80 01 0161",
    "an integer that breaks off": "ff",
    "an integer without an end": "ffffffffffff",
    "an integer that no number is": "ff8080808080808001",
    "a string that breaks off": "400361",
    "a value that is missing": "400161",
    "no name": "40",
    "a table larger than was allowed: 4097": "3fe21f",
    "a table resized behind a field": "8220",
    "a string not of the Huffman code": "0081ff00",
  };
  for (const [what, hex] of Object.entries(wrong))
    t.throws(() => decodeHex(new HpackDecoder(limits), hex), { code: 9 }, what);
  t.same(
    decodeHex(new HpackDecoder(limits), "20 3fe11f 82"),
    [":method", "GET"],
    "resized twice, to 0 and 4096",
  );
});

t.test("a bomb: a list of fields that is far longer than its block is not made", async (t) => {
  const decoder = new HpackDecoder(limits);
  const value = "x".repeat(4_000);
  const first = Buffer.concat([
    Buffer.from("400178", "hex"),
    Buffer.from([0x7f, 0xa1, 0x1e]),
    Buffer.from(value),
  ]);
  t.same(decoder.decode(first, 0, first.length), ["x", value]);
  const bomb = Buffer.alloc(16_000, 0xbe);
  const before = process.memoryUsage().heapUsed;
  t.equal(decoder.decode(bomb, 0, bomb.length), null);
  t.ok(process.memoryUsage().heapUsed - before < 5_000_000);
  t.same(decoder.decode(bomb, 0, 1), ["x", value], "the table is what it was");
  const many = Buffer.alloc(257, 0x82);
  t.equal(decoder.decode(many, 0, many.length), null, "too many fields");
  t.equal(decoder.decode(many, 0, 256)?.length, 512);
});

t.test("a literal beyond the limits goes into the table all the same", async (t) => {
  const decoder = new HpackDecoder({ maxListBytes: 60, maxFields: 10 });
  t.equal(decodeHex(decoder, `82 82 4001 61 01 62`), null);
  t.same(decodeHex(decoder, "be"), ["a", "b"]);
});

t.test(
  "a field that comes again takes one byte from the third time on; one that changes stays out",
  async (t) => {
    const encoder = new HpackEncoder();
    const same: Pairs = [["Server", "nginx/1.22.1"]];
    t.same(
      [1, 2, 3, 4].map(() => encode(encoder, same).length),
      [15, 11, 1, 1],
    );
    for (let i = 0; i < 500; i++) encode(encoder, [["ETag", `"${i}"`]]);
    t.equal(encode(encoder, same).length, 1);
  },
);

t.test("Set-Cookie is never put into a table, here or further on", async (t) => {
  const encoder = new HpackEncoder();
  for (let i = 0; i < 3; i++) {
    const block = encode(encoder, [["Set-Cookie", "a=b"]]);
    t.equal(block[0] & 0xf0, 0x10);
  }
});

t.test("a table that the other side makes smaller is told so, the smallest size first", async (t) => {
  const encoder = new HpackEncoder();
  const decoder = new HpackDecoder(limits);
  const pairs: Pairs = [["x-a", "1"]];
  const flat = ["x-a", "1"];
  const decoded = () => {
    const block = encode(encoder, pairs);
    return { first: block[0], fields: decoder.decode(block, 0, block.length) };
  };
  for (let i = 0; i < 3; i++) t.same(decoded().fields, flat);
  encoder.resize(0);
  encoder.resize(65_536);
  t.same(decoded(), { first: 0x20, fields: flat });
  for (let i = 0; i < 3; i++) t.same(decoded().fields, flat);
  encoder.resize(0);
  for (let i = 0; i < 4; i++) t.same(decoded().fields, flat);
});

t.test("any heads come out as they went in, with small names, whatever the tables' sizes", async () => {
  const name = fc.oneof(
    fc.stringMatching(/^[A-Za-z-]{1,12}$/),
    fc.constantFrom("Date", "Server", "Set-Cookie", "X-A"),
  );
  const value = fc.oneof(fc.stringMatching(/^[ -~]{0,40}$/), fc.constantFrom("a", "b", "c".repeat(1_900)));
  const block = fc.array(fc.tuple(name, value), { maxLength: 6 });
  const size = fc.option(fc.constantFrom(0, 40, 100, 4_096, 100_000));
  fc.assert(
    fc.property(fc.array(fc.tuple(block, size), { maxLength: 30 }), (blocks) => {
      const encoder = new HpackEncoder();
      const decoder = new HpackDecoder(limits);
      for (const [pairs, bytes] of blocks) {
        if (bytes !== null) encoder.resize(bytes);
        const written = encode(encoder, pairs);
        const fields = decoder.decode(written, 0, written.length);
        const expected = pairs.flatMap(([n, v]) => [n.toLowerCase(), v]);
        if (JSON.stringify(fields) !== JSON.stringify(expected)) return false;
      }
      return true;
    }),
  );
});

t.test("whatever comes is decoded, or refused as a fault of compression", async () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 100 }), { maxLength: 10 }), (blocks) => {
      const decoder = new HpackDecoder(limits);
      try {
        for (const bytes of blocks) decoder.decode(bytes, 0, bytes.length);
      } catch (error) {
        return error instanceof ConnectionFault && error.code === 9;
      }
      return true;
    }),
    { numRuns: 2_000 },
  );
});
