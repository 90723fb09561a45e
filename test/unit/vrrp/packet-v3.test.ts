import fc from "fast-check";
import t from "tap";
import {
  type AdvertPacketV3,
  type AdvertPath,
  type ChecksumReading,
  describeAdvertV3,
  encodeAdvertV3,
  parseAdvertV3,
} from "../../../src/vrrp/packet-v3.js";
import { fromHex } from "./datagrams.js";

/** What keepalived 2.2.7 sends for `version 3`, `advert_int 0.1`, priority 101: captured from it. */
const golden: readonly { what: string; bytes: Uint8Array; path: AdvertPath; packet: AdvertPacketV3 }[] = [
  {
    what: "IPv4",
    bytes: fromHex("31336502 000a6979 0a4e0064 0a4e0065"),
    path: { source: "10.78.0.1", destination: "224.0.0.18" },
    packet: {
      virtualRouterId: 51,
      priority: 101,
      advertIntervalCs: 10,
      addresses: ["10.78.0.100", "10.78.0.101"],
    },
  },
  {
    what: "IPv4 to a unicast peer",
    bytes: fromHex("31336501 000a49f4 0a4e0064"),
    path: { source: "10.78.0.1", destination: "10.78.0.2" },
    packet: { virtualRouterId: 51, priority: 101, advertIntervalCs: 10, addresses: ["10.78.0.100"] },
  },
  {
    what: "IPv6",
    bytes: fromHex(
      "31336502 000aae9b fe800000 00000000 00000000 00000051 fd000078 00000000 00000000 00000100",
    ),
    path: { source: "fe80::9422:17ff:fe67:1522", destination: "ff02::12" },
    packet: {
      virtualRouterId: 51,
      priority: 101,
      advertIntervalCs: 10,
      addresses: ["fe80::51", "fd00:78::100"],
    },
  },
];

const byte = fc.integer({ min: 0, max: 255 });
const ipv4 = fc.tuple(byte, byte, byte, byte).map((bytes) => bytes.join("."));
const ipv6 = fc
  .array(fc.integer({ min: 1, max: 0xffff }), { minLength: 8, maxLength: 8 })
  .map((groups) => groups.map((group) => group.toString(16)).join(":"));
const anyAdvert = fc.constantFrom(ipv4, ipv6).chain((address) =>
  fc.record({
    path: fc.record({ source: address, destination: address }),
    packet: fc.record({
      virtualRouterId: byte,
      priority: byte,
      advertIntervalCs: fc.integer({ min: 0, max: 4095 }),
      addresses: fc.array(address, { maxLength: 255 }),
    }),
  }),
);

for (const { what, bytes, path, packet } of golden) {
  t.test(`${what}: encodes byte for byte what keepalived sends, and reads it`, async (t) => {
    t.strictSame(encodeAdvertV3(packet, path), bytes);
    t.strictSame(parseAdvertV3(bytes, path), { ok: true, packet, checksum: "pseudo-header" });
  });

  t.test(`${what}: every single flipped bit and every cut is refused`, async (t) => {
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const message = bytes.slice();
      message[bit >> 3] ^= 1 << (bit & 7);
      t.notOk(parseAdvertV3(message, path).ok, `bit ${bit}`);
    }
    for (let length = 0; length < bytes.length; length++) {
      t.match(parseAdvertV3(bytes.subarray(0, length), path), { ok: false, reason: "short" });
    }
  });
}

t.test(
  "an IPv4 checksum over the message alone (RFC 9568 §5.2.8) is sent on request, and accepted",
  async (t) => {
    const { packet, path } = golden[0];
    const message = encodeAdvertV3(packet, path, "message");
    t.strictSame(message, fromHex("31336502 000a545b 0a4e0064 0a4e0065"));
    t.strictSame(parseAdvertV3(message, path), { ok: true, packet, checksum: "message" });
  },
);

t.test("an IPv6 checksum without the pseudo-header is refused", async (t) => {
  const { packet, path } = golden[2];
  t.match(parseAdvertV3(encodeAdvertV3(packet, path, "message"), path), { ok: false, reason: "checksum" });
});

t.test("a message that was meant for another destination is refused by its checksum", async (t) => {
  const { bytes, path } = golden[0];
  t.match(parseAdvertV3(bytes, { ...path, destination: "10.78.0.2" }), { ok: false, reason: "checksum" });
});

t.test("what is encoded is parsed back the same, whatever follows it and in either reading", async () => {
  const reading = fc.constantFrom<ChecksumReading>("pseudo-header", "message");
  fc.assert(
    fc.property(anyAdvert, reading, fc.uint8Array({ maxLength: 32 }), ({ packet, path }, reading, rest) => {
      const sent = path.source.includes(":") ? "pseudo-header" : reading;
      const parsed = parseAdvertV3(Uint8Array.from([...encodeAdvertV3(packet, path, sent), ...rest]), path);
      return parsed.ok && JSON.stringify(parsed.packet) === JSON.stringify(packet);
    }),
  );
});

t.test("the four reserved bits of the interval are ignored (RFC 9568 §5.2.6)", async (t) => {
  const { bytes, path } = golden[0];
  const message = bytes.slice();
  message[4] |= 0xf0;
  t.match(parseAdvertV3(message, path), { reason: "checksum" }, "they are in the checksum");
  // 0xf000 more in the sum under the one's complement.
  message.set([0x79, 0x78], 6);
  t.match(parseAdvertV3(message, path), { ok: true, packet: { advertIntervalCs: 10 } });
});

t.test("arbitrary bytes never throw, and a refusal has a reason and a detail", async () => {
  const start = fc.constantFrom([], [0x31], [0x31, 51, 100, 1]);
  const path = fc.constantFrom(...golden.map((one) => one.path));
  fc.assert(
    fc.property(start, fc.uint8Array({ maxLength: 80 }), path, (head, tail, path) => {
      const parsed = parseAdvertV3(Uint8Array.from([...head, ...tail]), path);
      return parsed.ok || parsed.detail.length > 0;
    }),
    { numRuns: 5000 },
  );
});

t.test("describes an advert in tcpdump's words", async (t) => {
  t.equal(
    describeAdvertV3(golden[0].packet),
    "VRRPv3, Advertisement, vrid 51, prio 101, intvl 10cs, addrs: 10.78.0.100,10.78.0.101",
  );
});
