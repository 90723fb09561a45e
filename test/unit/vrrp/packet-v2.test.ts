import fc from "fast-check";
import t from "tap";
import { internetChecksum } from "../../../src/vrrp/checksum.js";
import { parseIpv4 } from "../../../src/vrrp/ipv4.js";
import {
  type AdvertPacketV2,
  describeAdvertV2,
  encodeAdvertV2,
  parseAdvertV2,
  passwordBytes,
} from "../../../src/vrrp/packet-v2.js";
import { datagram, fromHex } from "./datagrams.js";

/** What keepalived 2.2.7 and scapy 2.5 both send for this configuration. */
const golden = fromHex("21336501 010196d7 0a4e0064 6b406c00 00000000");
const goldenPacket: AdvertPacketV2 = {
  virtualRouterId: 51,
  priority: 101,
  authType: 1,
  authData: passwordBytes("k@l"),
  advertIntervalS: 1,
  addresses: ["10.78.0.100"],
};

const byte = fc.integer({ min: 0, max: 255 });
const address = fc.tuple(byte, byte, byte, byte).map((bytes) => bytes.join("."));
const anyPacket: fc.Arbitrary<AdvertPacketV2> = fc.record({
  virtualRouterId: byte,
  priority: byte,
  authType: byte,
  authData: fc.uint8Array({ minLength: 8, maxLength: 8 }),
  advertIntervalS: byte,
  addresses: fc.array(address, { maxLength: 255 }),
});

t.test("encodes byte for byte what keepalived and scapy send", async (t) => {
  t.strictSame(encodeAdvertV2(goldenPacket), golden);
});

t.test("reads keepalived's bytes", async (t) => {
  t.strictSame(parseAdvertV2(golden), { ok: true, packet: goldenPacket });
});

t.test("a password is cut at eight bytes, not at eight characters", async (t) => {
  t.strictSame(passwordBytes("correct horse"), fromHex("636f7272 65637420"));
  t.strictSame(passwordBytes("ééééé"), fromHex("c3a9c3a9 c3a9c3a9"));
});

t.test("describes an advert in tcpdump's words and keeps the password to itself", async (t) => {
  const line = describeAdvertV2(goldenPacket);
  t.equal(line, "VRRPv2, Advertisement, vrid 51, prio 101, authtype simple, intvl 1s, addrs: 10.78.0.100");
  t.notMatch(line, /k@l/);
});

t.test("what is encoded is parsed back the same", async () => {
  fc.assert(
    fc.property(anyPacket, (packet) => {
      const parsed = parseAdvertV2(encodeAdvertV2(packet));
      return parsed.ok && JSON.stringify(parsed.packet) === JSON.stringify(packet);
    }),
  );
});

t.test("every single flipped bit is refused", async (t) => {
  fc.assert(
    fc.property(anyPacket, fc.nat(), (packet, at) => {
      const message = encodeAdvertV2(packet);
      const bit = at % (message.length * 8);
      message[bit >> 3] ^= 1 << (bit & 7);
      return !parseAdvertV2(message).ok;
    }),
    { numRuns: 2000 },
  );
  for (let bit = 0; bit < golden.length * 8; bit++) {
    const message = golden.slice();
    message[bit >> 3] ^= 1 << (bit & 7);
    t.notOk(parseAdvertV2(message).ok, `bit ${bit}`);
  }
});

t.test("every cut of a valid message is refused", async (t) => {
  for (let length = 0; length < golden.length; length++) {
    t.match(parseAdvertV2(golden.subarray(0, length)), { ok: false, reason: "short" }, `${length} bytes`);
  }
});

t.test("bytes behind the message change nothing", async () => {
  fc.assert(
    fc.property(anyPacket, fc.uint8Array({ maxLength: 32 }), (packet, rest) => {
      const parsed = parseAdvertV2(Uint8Array.from([...encodeAdvertV2(packet), ...rest]));
      return parsed.ok && JSON.stringify(parsed.packet) === JSON.stringify(packet);
    }),
  );
});

t.test("arbitrary bytes never throw, and a refusal has a reason and a detail", async () => {
  const start = fc.constantFrom([], [0x21], [0x21, 51, 100, 1]);
  fc.assert(
    fc.property(start, fc.uint8Array({ maxLength: 80 }), (head, tail) => {
      const parsed = parseAdvertV2(Uint8Array.from([...head, ...tail]));
      return parsed.ok || parsed.detail.length > 0;
    }),
    { numRuns: 5000 },
  );
});

t.test("the checksum of RFC 1071's example", async (t) => {
  t.equal(internetChecksum(fromHex("0001 f203 f4f5 f6f7")), 0x220d);
  t.equal(internetChecksum(fromHex("0001 f203 f4f5 f6f7 220d")), 0);
  t.equal(internetChecksum(fromHex("ab")), 0x54ff, "an odd last byte is the high half of a word");
});

t.test("the IPv4 header bounds the message, so that Ethernet padding does not count", async (t) => {
  const packet = parseIpv4(datagram(golden, { padding: 6, ttl: 254 }));
  t.match(packet, { source: "192.168.33.81", destination: "224.0.0.18", ttl: 254, protocol: 112 });
  t.strictSame(packet?.payload, golden);
});

t.test("options in the IPv4 header are stepped over", async (t) => {
  const plain = datagram(golden);
  const withOption = Uint8Array.from([...plain.subarray(0, 20), 0x94, 4, 0, 0, ...plain.subarray(20)]);
  withOption[0] = 0x46;
  withOption[3] += 4;
  t.strictSame(parseIpv4(withOption)?.payload, golden);
});

t.test("a datagram that contradicts its own lengths is no datagram", async (t) => {
  const good = datagram(golden);
  t.equal(parseIpv4(good.subarray(0, 19)), null, "shorter than a header");
  t.equal(parseIpv4(good.subarray(0, good.length - 1)), null, "shorter than it says");
  t.equal(parseIpv4(Uint8Array.from(good, (b, at) => (at === 0 ? 0x44 : b))), null, "header of 16 bytes");
  t.equal(parseIpv4(Uint8Array.from(good, (b, at) => (at === 0 ? 0x65 : b))), null, "version 6");
  t.equal(parseIpv4(Uint8Array.from(good, (b, at) => (at === 3 ? 10 : b))), null, "total below header");
});
