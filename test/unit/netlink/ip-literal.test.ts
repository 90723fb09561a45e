import fc from "fast-check";
import t from "tap";
import { formatIpLiteral, parseIpLiteral } from "../../../src/netlink/ip-literal.js";

const bytesOf = (text: string): string | null => {
  const bytes = parseIpLiteral(text);
  return bytes && Buffer.from(bytes).toString("hex");
};

t.test("literals become bytes in network order", async (t) => {
  t.equal(bytesOf("192.168.33.84"), "c0a82154");
  t.equal(bytesOf("::"), "0".repeat(32));
  t.equal(bytesOf("::1"), `${"0".repeat(31)}1`);
  t.equal(bytesOf("2001:db8::"), `20010db8${"0".repeat(24)}`);
  t.equal(bytesOf("2001:db8:1:2:3:4:5:6"), "20010db8000100020003000400050006");
  t.equal(bytesOf("::ffff:192.0.2.1"), "00000000000000000000ffffc0000201");
});

t.test("what is no literal, or has a zone, is null", async (t) => {
  for (const text of ["", "eth1", "10.0.0", "10.0.0.256", "1::2::3", "fe80::1%eth1", "[::1]"]) {
    t.equal(parseIpLiteral(text), null, text);
  }
});

// RFC 5952 §4
t.test("IPv6 is written in its one recommended form", async (t) => {
  const normal = (text: string): string => formatIpLiteral(parseIpLiteral(text) ?? new Uint8Array(4));
  t.equal(normal("2001:0DB8:0:0:0:0:0:1"), "2001:db8::1");
  t.equal(normal("2001:db8:0:1:1:1:1:1"), "2001:db8:0:1:1:1:1:1", "a single zero group is not shortened");
  t.equal(normal("2001:0:0:1:0:0:0:1"), "2001:0:0:1::1", "the longest run is");
  t.equal(normal("2001:db8:0:0:1:0:0:1"), "2001:db8::1:0:0:1", "of two equal ones the first");
  t.equal(normal("0:0:0:0:0:0:0:0"), "::");
  t.equal(normal("1:0:0:0:0:0:0:0"), "1::");
});

t.test("bytes written as a literal are read again as the same bytes", async () => {
  const bytes = fc.oneof(
    fc.uint8Array({ minLength: 4, maxLength: 4 }),
    fc
      .array(fc.constantFrom(0, 0, 0, 1, 0xab), { minLength: 16, maxLength: 16 })
      .map((a) => Uint8Array.from(a)),
  );
  fc.assert(
    fc.property(bytes, (bytes) => {
      const again = parseIpLiteral(formatIpLiteral(bytes));
      return again !== null && Buffer.compare(again, bytes) === 0;
    }),
  );
});
