import fc from "fast-check";
import t from "tap";
import { encodeAddressChange, parseAddressMessage } from "../../../src/netlink/address-message.js";

const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replace(/\s/g, ""), "hex"));
const toHex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
const same = (text: string): string => text.replace(/\s/g, "");

t.test(
  "an address with a lease is byte for byte what `ip addr replace 10.1.0.100/24 dev lo valid_lft 3 preferred_lft 3` sends",
  async (t) => {
    t.equal(
      toHex(encodeAddressChange({ index: 1, address: "10.1.0.100", prefixLength: 24, leaseMs: 3000 })),
      same(`02 18 00 00 01000000  0800 0200 0a010064  0800 0100 0a010064
            1400 0600 03000000 03000000 00000000 00000000`),
    );
  },
);

t.test("a broadcast address is told as `ip addr add 10.1.0.100/24 brd 10.1.0.255` tells it", async (t) => {
  const change = { index: 1, address: "10.1.0.100", prefixLength: 24, broadcast: "10.1.0.255" };
  t.equal(
    toHex(encodeAddressChange(change)),
    same("02 18 00 00 01000000  0800 0200 0a010064  0800 0100 0a010064  0800 0400 0a0100ff"),
  );
});

t.test("an address to remove names local address and prefix, and no lifetime", async (t) => {
  t.equal(
    toHex(encodeAddressChange({ index: 3, address: "10.1.0.100", prefixLength: 32 })),
    same("02 20 00 00 03000000  0800 0200 0a010064  0800 0100 0a010064"),
  );
});

t.test("an IPv6 address serves without duplicate detection and is never chosen as a source", async (t) => {
  t.equal(
    toHex(encodeAddressChange({ index: 3, address: "2001:db8::100", prefixLength: 64, leaseMs: 3000 })),
    same(`0a 40 02 00 03000000
          1400 0200 20010db8000000000000000000000100  1400 0100 20010db8000000000000000000000100
          1400 0600 00000000 03000000 00000000 00000000`),
  );
});

t.test("a lease is whole seconds, rounded up, at least one and never for ever", async (t) => {
  const validSeconds = (leaseMs: number): number => {
    const payload = encodeAddressChange({ index: 1, address: "10.1.0.100", prefixLength: 24, leaseMs });
    return Buffer.from(payload).readUInt32LE(8 + 8 + 8 + 4 + 4);
  };
  t.equal(validSeconds(3000), 3);
  t.equal(validSeconds(2001), 3);
  t.equal(validSeconds(1), 1);
  t.equal(validSeconds(0), 1);
  t.equal(validSeconds(1e15), 0xffff_fffe);
});

t.test("what is no address literal is refused", async (t) => {
  t.throws(() => encodeAddressChange({ index: 1, address: "eth1", prefixLength: 24 }), TypeError);
});

// The payloads below are events of Linux 6.18.

t.test("an event of the host's own address tells a permanent, primary address", async (t) => {
  t.same(
    parseAddressMessage(
      hex(`02188000030000000800 01000a0100010800 02000a0100010700 0300 76300000
           0800 0800 80000000 1400 0600 ffffffffffffffff67ed020067ed0200`),
    ),
    {
      index: 3,
      address: "10.1.0.1",
      prefixLength: 24,
      family: 4,
      leased: false,
      secondary: false,
      tentative: false,
    },
  );
});

t.test(
  "an event of an address with a lifetime in the same subnet tells a leased, secondary one",
  async (t) => {
    t.same(
      parseAddressMessage(
        hex(`0218010003000000080001000a010064080002000a0100640700030076300000
           0800080001000000140006000300000003000000 86ed020086ed0200`),
      ),
      {
        index: 3,
        address: "10.1.0.100",
        prefixLength: 24,
        family: 4,
        leased: true,
        secondary: true,
        tentative: false,
      },
    );
  },
);

t.test("on a point-to-point link the address is the local one and not the peer's", async (t) => {
  t.match(
    parseAddressMessage(
      hex(`021e800003000000080001000a020002080002000a0200010700030076300000
           0800080080000000140006 00fffffffffffffffff8ed0200f8ed0200`),
    ),
    { address: "10.2.0.1", prefixLength: 30 },
  );
});

t.test("an IPv6 event is told by IFA_ADDRESS alone", async (t) => {
  t.same(
    parseAddressMessage(
      hex(`0a402200030000001400010020010db80000000000000000000001001400 0600
           0000000003000000c3ed0200c3ed0200 0800080022000000`),
    ),
    {
      index: 3,
      address: "2001:db8::100",
      prefixLength: 64,
      family: 6,
      leased: true,
      secondary: false,
      tentative: false,
    },
  );
});

t.test("an IPv6 temporary address (the same flag bit) is not called secondary", async (t) => {
  t.match(parseAddressMessage(hex("0a 40 01 00 03000000 1400 0100 20010db8000000000000000000000100")), {
    secondary: false,
  });
});

t.test("an address of another family is none of ours", async (t) => {
  t.equal(parseAddressMessage(hex("23 08 00 00 03000000")), null);
});

t.test("a short message, and one whose address has the wrong length, are malformed", async (t) => {
  t.match(parseAddressMessage(hex("02180000")), { problem: "4 bytes where an address message needs 8" });
  t.match(parseAddressMessage(hex("02180000 03000000")), { problem: /0 bytes where family 2 has 4/ });
  t.match(parseAddressMessage(hex("02180000 03000000 0600 0200 0a01 0000")), {
    problem: /2 bytes where family 2 has 4/,
  });
});

t.test("an encoded address is parsed as itself", async () => {
  fc.assert(
    fc.property(
      fc.ipV4(),
      fc.nat(32),
      fc.nat(0x7fff_ffff),
      fc.boolean(),
      (address, prefixLength, index, leased) => {
        const payload = encodeAddressChange({
          index,
          address,
          prefixLength,
          ...(leased && { leaseMs: 1000 }),
        });
        const parsed = parseAddressMessage(payload);
        t.match(parsed, { index, address, prefixLength, family: 4 });
      },
    ),
  );
});

t.test("arbitrary bytes are parsed or malformed, and never an exception", async () => {
  fc.assert(
    fc.property(fc.constantFrom(2, 10, 7), fc.uint8Array({ maxLength: 100 }), (family, bytes) => {
      parseAddressMessage(Uint8Array.of(family, ...bytes));
    }),
  );
});
