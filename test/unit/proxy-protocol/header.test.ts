import fc from "fast-check";
import t from "tap";
import { formatIpLiteral } from "../../../src/netlink/ip-literal.js";
import { encodeProxyHeader } from "../../../src/proxy/proxy-protocol/encode.js";
import type { Endpoints } from "../../../src/proxy/proxy-protocol/endpoints.js";
import { parseProxyHeader } from "../../../src/proxy/proxy-protocol/parse.js";

const ends = (source: string, sourcePort: number, destination: string, port: number): Endpoints => ({
  source: { address: source, port: sourcePort },
  destination: { address: destination, port },
});

const overIPv4 = ends("192.0.2.1", 56_324, "198.51.100.7", 443);
const overIPv6 = ends("2001:db8::1", 1, "fd00::2", 65_535);

const signature = "0d0a0d0a000d0a515549540a";

/** Text, or hexadecimal digits behind `0x`. */
const bytes = (text: string): Buffer =>
  text.startsWith("0x") ? Buffer.from(text.slice(2), "hex") : Buffer.from(text, "latin1");

const parse = (text: string) => {
  const all = bytes(text);
  return parseProxyHeader(all, 0, all.length);
};

/** Headers as HAProxy 2.6 and the protocol's own document have them. */
const golden: readonly { readonly version: 1 | 2; readonly ends: Endpoints | null; readonly text: string }[] =
  [
    { version: 1, ends: overIPv4, text: "PROXY TCP4 192.0.2.1 198.51.100.7 56324 443\r\n" },
    { version: 1, ends: overIPv6, text: "PROXY TCP6 2001:db8::1 fd00::2 1 65535\r\n" },
    { version: 1, ends: null, text: "PROXY UNKNOWN\r\n" },
    { version: 2, ends: overIPv4, text: `0x${signature}2111000cc0000201c6336407dc0401bb` },
    {
      version: 2,
      ends: overIPv6,
      text: `0x${signature}2121002420010db8000000000000000000000001fd0000000000000000000000000000020001ffff`,
    },
    { version: 2, ends: null, text: `0x${signature}20000000` },
  ];

for (const { version, ends, text } of golden) {
  t.test(`version ${version}: ${text} is written and read`, async (t) => {
    t.same(Buffer.from(encodeProxyHeader(version, ends)), bytes(text));
    t.same(parse(text), { kind: "header", end: bytes(text).length, ends });
  });
}

t.test("where the two sides are of two families both are told as IPv6", async (t) => {
  const mixed = ends("192.0.2.1", 1, "fd00::2", 2);
  t.equal(Buffer.from(encodeProxyHeader(1, mixed)).toString(), "PROXY TCP6 ::ffff:c000:201 fd00::2 1 2\r\n");
  for (const version of [1, 2] as const) {
    const header = encodeProxyHeader(version, mixed);
    t.same(parseProxyHeader(header, 0, header.length), { kind: "header", end: header.length, ends: mixed });
  }
});

t.test("an address that is none is not told", async (t) => {
  t.same(encodeProxyHeader(1, ends("", 0, "192.0.2.1", 80)), bytes("PROXY UNKNOWN\r\n"));
  t.same(encodeProxyHeader(2, ends("192.0.2.1", 1, "", 0)), bytes(`0x${signature}20000000`));
});

t.test("what says nothing of a TCP connection keeps the sender's own", async (t) => {
  const kept = [
    "PROXY UNKNOWN whatever it says\r\n",
    "PROXY UNKNOWN ffff:f...f:ffff ffff:f...f:ffff 65535 65535\r\n",
    // LOCAL with addresses in it: they are to be ignored.
    `0x${signature}2011000cc0000201c6336407dc0401bb`,
    // UDP, a Unix socket, a family that is not specified.
    `0x${signature}2112000cc0000201c6336407dc0401bb`,
    `0x${signature}213100d8${"00".repeat(216)}`,
    `0x${signature}2100000401020304`,
  ];
  for (const text of kept) t.same(parse(text), { kind: "header", end: bytes(text).length, ends: null }, text);
});

t.test("fields behind the addresses are passed over, and so is nothing of what follows", async (t) => {
  const fields = "0300041a2b3c4d040003000000";
  const text = `0x${signature}21110019c0000201c6336407dc0401bb${fields}47455420`;
  t.same(parse(text), { kind: "header", end: 16 + 25, ends: overIPv4 });
  const line = "PROXY TCP4 192.0.2.1 198.51.100.7 56324 443\r\nGET / HTTP/1.1\r\n";
  t.match(parse(line), { kind: "header", end: 45 });
});

t.test("what begins otherwise is no header", async (t) => {
  for (const text of [
    "GET / HTTP/1.1\r\n",
    "PROXY\t",
    "proxy TCP4",
    "\r\n\r\nX",
    "\x16\x03\x01",
    "\r\n\r\n\0\r\nQUIX",
  ])
    t.same(parse(text), { kind: "refused", reason: "no-header" }, JSON.stringify(text));
});

t.test("a header that breaks a rule is refused", async (t) => {
  const broken = [
    "PROXY \r\n",
    "PROXY TCP4\r\n",
    "PROXY TCP5 192.0.2.1 198.51.100.7 1 2\r\n",
    "PROXY TCP4 192.0.2.1 198.51.100.7 1\r\n",
    "PROXY TCP4 192.0.2.1  198.51.100.7 1 2\r\n",
    "PROXY TCP4 192.0.2.1 198.51.100.7 1 2 \r\n",
    "PROXY TCP4 192.0.2.1 198.51.100.7 1 65536\r\n",
    "PROXY TCP4 192.0.2.1 198.51.100.7 -1 2\r\n",
    "PROXY TCP4 192.0.2.256 198.51.100.7 1 2\r\n",
    "PROXY TCP4 2001:db8::1 fd00::2 1 2\r\n",
    "PROXY TCP6 192.0.2.1 198.51.100.7 1 2\r\n",
    "PROXY TCP6 fe80::1%eth0 fd00::2 1 2\r\n",
    "PROXY TCP4 192.0.2.1 198.51.100.7 1 2\n\r\n",
    "PROXY UNKNOWNX\r\n",
    // A line without an end.
    `PROXY TCP4 ${"1".repeat(100)}`,
    `PROXY UNKNOWN ${"x".repeat(92)}\r\n`,
    // Another version, another command, addresses cut short, fields cut short, too long to wait for.
    `0x${signature}1111000cc0000201c6336407dc0401bb`,
    `0x${signature}2211000cc0000201c6336407dc0401bb`,
    `0x${signature}2111000bc0000201c6336407dc0401`,
    `0x${signature}21210023`,
    `0x${signature}2111000ec0000201c6336407dc0401bb0400`,
    `0x${signature}21110010c0000201c6336407dc0401bb04000200`,
    `0x${signature}2111fff0`,
  ];
  for (const text of broken)
    t.same(parse(text), { kind: "refused", reason: "invalid" }, JSON.stringify(text));
});

t.test("the longest line there may be is read", async (t) => {
  const text = `PROXY UNKNOWN ${"x".repeat(91)}\r\n`;
  t.equal(text.length, 107);
  t.match(parse(text), { kind: "header", end: 107 });
});

const address4 = fc.uint8Array({ minLength: 4, maxLength: 4 });
const address6 = fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => {
  // Not an IPv4 address in another form.
  bytes[0] |= 0x20;
  return bytes;
});
const side = (address: fc.Arbitrary<Uint8Array>) =>
  fc.record({ address: address.map(formatIpLiteral), port: fc.nat(65_535) });
const anyEnds: fc.Arbitrary<Endpoints | null> = fc.option(
  fc.oneof(
    fc.record({ source: side(address4), destination: side(address4) }),
    fc.record({ source: side(address6), destination: side(address6) }),
    fc.record({ source: side(address6), destination: side(address4) }),
  ),
);
const version = fc.constantFrom(1 as const, 2 as const);

t.test("what is written is read, wherever it stands and whatever follows", async () => {
  fc.assert(
    fc.property(version, anyEnds, fc.uint8Array(), fc.uint8Array(), (version, ends, before, after) => {
      const header = encodeProxyHeader(version, ends);
      const all = Buffer.concat([before, header, after]);
      const read = parseProxyHeader(all, before.length, all.length);
      return (
        read.kind === "header" &&
        read.end === before.length + header.length &&
        JSON.stringify(read.ends) === JSON.stringify(ends)
      );
    }),
  );
});

t.test("every beginning of a header is incomplete, so that it may come in any pieces", async () => {
  fc.assert(
    fc.property(version, anyEnds, fc.nat(), (version, ends, cut) => {
      const header = encodeProxyHeader(version, ends);
      return parseProxyHeader(header, 0, cut % header.length).kind === "incomplete";
    }),
  );
});

t.test("whatever bytes come, the answer is one of three and never changes with more of them", async () => {
  const almost = fc.tuple(version, anyEnds, fc.nat(60), fc.nat(255)).map(([version, ends, at, value]) => {
    const header = Uint8Array.from(encodeProxyHeader(version, ends));
    header[at % header.length] = value;
    return header;
  });
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array(), almost), fc.uint8Array(), (bytes, more) => {
      const first = parseProxyHeader(bytes, 0, bytes.length);
      const all = Buffer.concat([bytes, more]);
      const second = parseProxyHeader(all, 0, all.length);
      if (first.kind === "header" && first.end > bytes.length) return false;
      return first.kind === "incomplete" || JSON.stringify(first) === JSON.stringify(second);
    }),
    { numRuns: 2000 },
  );
});
