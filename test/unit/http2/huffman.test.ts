import fc from "fast-check";
import t from "tap";
import {
  decodedBound,
  decodeHuffman,
  encodeHuffman,
  huffmanLength,
} from "../../../src/proxy/http2/huffman.js";

const encode = (text: string): string => {
  const bytes = Buffer.from(text, "latin1");
  const out = Buffer.alloc(bytes.length * 4);
  const end = encodeHuffman(bytes, 0, bytes.length, out, 0);
  if (end !== huffmanLength(bytes, 0, bytes.length)) throw new Error("the length is another one");
  return out.toString("hex", 0, end);
};

const decode = (hex: string): string | null => {
  const bytes = Buffer.from(hex, "hex");
  const out = Buffer.alloc(decodedBound(bytes.length));
  const end = decodeHuffman(bytes, 0, bytes.length, out, 0);
  return end < 0 ? null : out.toString("latin1", 0, end);
};

/** RFC 7541 appendices C.4 and C.6, and the ends of its table. */
const golden: readonly [string, string][] = [
  ["www.example.com", "f1e3c2e5f23a6ba0ab90f4ff"],
  ["no-cache", "a8eb10649cbf"],
  ["custom-key", "25a849e95ba97d7f"],
  ["custom-value", "25a849e95bb8e8b4bf"],
  ["302", "6402"],
  ["307", "640eff"],
  ["private", "aec3771a4b"],
  ["Mon, 21 Oct 2013 20:13:21 GMT", "d07abe941054d444a8200595040b8166e082a62d1bff"],
  ["Mon, 21 Oct 2013 20:13:22 GMT", "d07abe941054d444a8200595040b8166e084a62d1bff"],
  ["https://www.example.com", "9d29ad171863c78f0b97c8e9ae82ae43d3"],
  ["gzip", "9bd9ab"],
  [
    "foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1",
    "94e7821dd7f2e6c7b335dfdfcd5b3960d5af27087f3672c1ab270fb5291f9587316065c003ed4ee5b1063d5007",
  ],
];

t.test("the RFC's strings", async (t) => {
  for (const [text, hex] of golden) {
    t.equal(encode(text), hex, text);
    t.equal(decode(hex), text, hex);
  }
  t.equal(encode("\n"), "fffffff3");
  t.equal(encode(""), "");
});

t.test("every byte comes back, in any company", async () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 200 }), (text) => {
      const latin1 = Buffer.from(text, "latin1").toString("latin1");
      return decode(encode(latin1)) === latin1;
    }),
  );
});

t.test("padding is at most seven bits, all of them 1, and EOS stands nowhere", async (t) => {
  t.equal(decode("1f"), "a", "five bits of a letter, three of padding");
  t.equal(decode("1fff"), null, "a byte of padding more");
  t.equal(decode("18"), null, "zeros as padding");
  t.equal(decode("ff"), null, "eight bits of padding");
  t.equal(decode("fffffffc"), null, "EOS");
  t.equal(decode("1f" + "fffffffc"), null);
});

t.test("whatever comes is decoded within its bound or refused", async () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      const out = Buffer.alloc(decodedBound(bytes.length) + 1, 0xee);
      const end = decodeHuffman(bytes, 0, bytes.length, out, 0);
      return end <= decodedBound(bytes.length) && out[out.length - 1] === 0xee;
    }),
  );
});
