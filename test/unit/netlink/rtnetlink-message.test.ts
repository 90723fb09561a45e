import fc from "fast-check";
import t from "tap";
import {
  encodeMessage,
  encodePayload,
  Malformed,
  parseAttributes,
  parseMessages,
} from "../../../src/netlink/rtnetlink-message.js";

const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replace(/\s/g, ""), "hex"));

t.test("a datagram is taken apart into its messages, each with its header and payload", async (t) => {
  const datagram = hex(`
    14000000 1400 0201 01000000 2a000000 aabbccdd
    13000000 1000 0000 02000000 00000000 112233 00
    10000000 0300 0200 03000000 2a000000`);
  t.same(parseMessages(datagram), [
    { type: 20, flags: 0x102, sequence: 1, port: 42, payload: hex("aabbccdd") },
    { type: 16, flags: 0, sequence: 2, port: 0, payload: hex("112233") },
    { type: 3, flags: 2, sequence: 3, port: 42, payload: hex("") },
  ]);
});

t.test("a datagram that ends inside a message is malformed, and says how", async (t) => {
  t.match(parseMessages(hex("14000000 1400 0201 01000000 2a000000 aabb")), {
    problem: "message length 20 with 18 bytes left",
  });
  t.match(parseMessages(hex("14000000 1400")), { problem: "6 bytes where a message header needs 16" });
});

t.test(
  "a message that claims to be shorter than its own header is malformed and no endless loop",
  async (t) => {
    t.match(parseMessages(hex("00000000 1400 0201 01000000 2a000000")), {
      problem: "message length 0 with 16 bytes left",
    });
  },
);

t.test(
  "attributes are found behind the fixed structure, without their padding and their flag bits",
  async (t) => {
    const payload = hex("ffffffff ffff 0000  0700 0300 763000 00  0500 1180 07 000000");
    t.same(
      parseAttributes(payload, 6),
      new Map([
        [3, hex("763000")],
        [0x11, hex("07")],
      ]),
    );
  },
);

t.test("an attribute that reaches beyond its message is malformed", async (t) => {
  t.match(parseAttributes(hex("00000000 0900 0100 aabbccdd"), 4), {
    problem: "attribute length 9 with 8 bytes left",
  });
  t.match(parseAttributes(hex("00000000 0300 0100 aabbccdd"), 4), {
    problem: "attribute length 3 with 8 bytes left",
  });
});

t.test("what is encoded is parsed again as it was", async () => {
  const attribute = fc.record({
    type: fc.integer({ min: 1, max: 0x3fff }),
    value: fc.uint8Array({ maxLength: 40 }),
  });
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 8, maxLength: 8 }),
      fc.uniqueArray(attribute, { selector: ({ type }) => type, maxLength: 8 }),
      fc.record({ type: fc.nat(0xffff), flags: fc.nat(0xffff), sequence: fc.nat(0xffff_ffff) }),
      (fixed, attributes, header) => {
        const messages = parseMessages(
          encodeMessage({ ...header, payload: encodePayload(fixed, attributes) }),
        );
        if (messages instanceof Malformed || messages.length !== 1) return false;
        const { payload, type, flags, sequence } = messages[0];
        const parsed = parseAttributes(payload, fixed.length);
        return (
          !(parsed instanceof Malformed) &&
          type === header.type &&
          flags === header.flags &&
          sequence === header.sequence &&
          parsed.size === attributes.length &&
          attributes.every(({ type, value }) => Buffer.compare(parsed.get(type) ?? hex("00"), value) === 0)
        );
      },
    ),
  );
});

t.test("arbitrary bytes are parsed or malformed, and never an exception", async () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(20), (bytes, fixedBytes) => {
      parseMessages(bytes);
      parseAttributes(bytes, fixedBytes);
    }),
  );
});
