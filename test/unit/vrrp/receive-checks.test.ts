import fc from "fast-check";
import t from "tap";
import type { VrrpInstanceConfig } from "../../../src/config/config.js";
import type { DropReason } from "../../../src/vrrp/drop.js";
import { type AdvertPacketV2, encodeAdvertV2, passwordBytes } from "../../../src/vrrp/packet-v2.js";
import {
  type AdvertPacketV3,
  type AdvertPath,
  type ChecksumReading,
  encodeAdvertV3,
} from "../../../src/vrrp/packet-v3.js";
import { receive, receiveIpv6 } from "../../../src/vrrp/receive-checks.js";
import { datagram, routerConfig } from "./datagrams.js";

const ownAddress = "192.168.33.80";
const good: AdvertPacketV2 = {
  virtualRouterId: 51,
  priority: 100,
  authType: 0,
  authData: new Uint8Array(8),
  advertIntervalS: 1,
  addresses: ["192.168.33.84"],
};

function received(bytes: Uint8Array, changes: Partial<VrrpInstanceConfig> = {}) {
  return receive(bytes, new Map([[51, { config: routerConfig(changes), ownAddress }]]));
}

function advert(changes: Partial<AdvertPacketV2> = {}): Uint8Array {
  return encodeAdvertV2({ ...good, ...changes });
}

/** With one byte of the message replaced, checksum or not. */
function withByte(at: number, value: number): Uint8Array {
  const message = advert();
  message[at] = value;
  return message;
}

const pass = { authentication: { type: "pass", password: "k@l" } } as const;

const drops: readonly {
  what: string;
  reason: DropReason;
  says: RegExp;
  bytes: Uint8Array;
  here?: Partial<VrrpInstanceConfig>;
}[] = [
  { what: "no IPv4 header", reason: "malformed", says: /no IPv4/, bytes: new Uint8Array(7) },
  {
    what: "another IP protocol",
    reason: "malformed",
    says: /VRRP/,
    bytes: datagram(advert(), { protocol: 6 }),
  },
  {
    what: "a unicast destination",
    reason: "destination",
    says: /192\.168\.33\.80.*unicast_peer/,
    bytes: datagram(advert(), { destination: "192.168.33.80" }),
  },
  { what: "TTL 254", reason: "ttl", says: /TTL is 254, not 255/, bytes: datagram(advert(), { ttl: 254 }) },
  { what: "an empty message", reason: "short", says: /0 bytes/, bytes: datagram(new Uint8Array(0)) },
  {
    what: "a cut message",
    reason: "short",
    says: /19 bytes.*need 20/,
    bytes: datagram(advert().subarray(0, 19)),
  },
  {
    what: "a VRRPv3 advert",
    reason: "version",
    says: /version 3.*same version on both/,
    bytes: datagram(withByte(0, 0x31)),
  },
  { what: "type 2", reason: "type", says: /type 2/, bytes: datagram(withByte(0, 0x22)) },
  { what: "a wrong checksum", reason: "checksum", says: /checksum 0x/, bytes: datagram(withByte(6, 0)) },
  {
    what: "a virtual router of somebody else",
    reason: "unknown-vrid",
    says: /virtual router 52 is not configured here/,
    bytes: datagram(advert({ virtualRouterId: 52 })),
  },
  {
    what: "our own source address",
    reason: "own-source",
    says: /own address.*loop/,
    bytes: datagram(advert({ priority: 200 }), { source: ownAddress }),
  },
  {
    what: "a password where we have none",
    reason: "auth-type",
    says: /auth_type PASS, here is no authentication.*may be master/,
    bytes: datagram(advert({ authType: 1, authData: passwordBytes("k@l") })),
  },
  {
    what: "no password where we have one",
    reason: "auth-type",
    says: /no authentication, here is auth_type PASS/,
    bytes: datagram(advert()),
    here: pass,
  },
  {
    what: "auth_type AH's message",
    reason: "auth-type",
    says: /auth_type AH/,
    bytes: datagram(advert({ authType: 2 })),
  },
  {
    what: "another password",
    reason: "auth-data",
    says: /auth_pass/,
    bytes: datagram(advert({ authType: 1, authData: passwordBytes("k@lx") })),
    here: pass,
  },
  {
    what: "another address",
    reason: "address-list",
    says: /lists 192\.168\.33\.85, here is 192\.168\.33\.84.*same virtual addresses/,
    bytes: datagram(advert({ addresses: ["192.168.33.85"] })),
  },
  {
    what: "one address more",
    reason: "address-list",
    says: /192\.168\.33\.85/,
    bytes: datagram(advert({ addresses: ["192.168.33.84", "192.168.33.85"] })),
  },
  {
    what: "no address",
    reason: "address-list",
    says: /no address/,
    bytes: datagram(advert({ addresses: [] })),
  },
  {
    what: "another interval",
    reason: "interval",
    says: /2 s, here it is 1 s.*same on both/,
    bytes: datagram(advert({ advertIntervalS: 2 })),
  },
];

for (const { what, reason, says, bytes, here } of drops) {
  t.test(`${what} is dropped as ${reason}`, async (t) => {
    const result = received(bytes, here);
    t.match(result, { accepted: false, drop: { reason, sentence: says } });
  });
}

t.test("a drop names the source and the virtual router", async (t) => {
  const result = received(datagram(advert(), { ttl: 1, source: "10.0.0.9" }));
  t.match(result, { drop: { source: "10.0.0.9", virtualRouterId: 51 } });
});

t.test("a drop over passwords shows neither password", async (t) => {
  const result = received(datagram(advert({ authType: 1, authData: passwordBytes("theirs") })), pass);
  t.notMatch(JSON.stringify(result), /k@l|theirs/);
});

t.test("an advert that passes every check is accepted with its source", async (t) => {
  t.match(received(datagram(advert(), { padding: 6 })), {
    accepted: true,
    source: "192.168.33.81",
    packet: { priority: 100 },
  });
  t.match(received(datagram(advert({ authType: 1, authData: passwordBytes("k@l") })), pass), {
    accepted: true,
  });
});

t.test("authentication data is ignored where there is no authentication", async (t) => {
  t.match(received(datagram(advert({ authData: passwordBytes("noise") }))), { accepted: true });
});

const v3 = { version: 3, advertIntervalCs: 10 } as const;
const onTheLan: AdvertPath = { source: "192.168.33.81", destination: "224.0.0.18" };

function advertV3(changes: Partial<AdvertPacketV3> = {}, reading?: ChecksumReading): Uint8Array {
  const packet = { virtualRouterId: 51, priority: 100, advertIntervalCs: 10, addresses: ["192.168.33.84"] };
  return datagram(encodeAdvertV3({ ...packet, ...changes }, onTheLan, reading));
}

t.test("a VRRPv3 advert brings its sender's interval to the state machine", async (t) => {
  t.match(received(advertV3(), v3), {
    accepted: true,
    input: { kind: "advert", source: "192.168.33.81", priority: 100, advertIntervalMs: 100 },
    remarks: [],
  });
  t.match(received(advertV3({}, "message"), v3), { accepted: true });
});

t.test("a VRRPv2 advert brings none", async (t) => {
  t.strictSame(received(datagram(advert())), {
    accepted: true,
    source: "192.168.33.81",
    packet: good,
    input: { kind: "advert", source: "192.168.33.81", priority: 100 },
    remarks: [],
  });
});

t.test("in VRRPv3 another interval or address list is remarked on, and the advert counts", async (t) => {
  t.match(received(advertV3({ advertIntervalCs: 100 }), v3), {
    accepted: true,
    input: { advertIntervalMs: 1000 },
    remarks: [{ reason: "interval", sentence: /1 s, here it is 0.1 s/ }],
  });
  t.match(received(advertV3({ addresses: ["192.168.33.85"] }), v3), {
    accepted: true,
    remarks: [{ reason: "address-list", sentence: /lists 192\.168\.33\.85, here is 192\.168\.33\.84/ }],
  });
});

t.test("a VRRPv3 interval of 0 is dropped", async (t) => {
  t.match(received(advertV3({ advertIntervalCs: 0 }), v3), { accepted: false, drop: { reason: "interval" } });
});

t.test("a VRRPv2 advert for a router of version 3 is dropped, and told as what it is", async (t) => {
  t.match(received(datagram(advert()), v3), {
    accepted: false,
    drop: { reason: "version", sentence: /version 2, here is version 3.*same version on both/ },
  });
});

const peers = { unicastPeers: ["192.168.33.81"] };
const toUs = { destination: ownAddress };

t.test("between unicast peers an advert comes from a peer, with any TTL", async (t) => {
  t.match(received(datagram(advert(), { ...toUs, ttl: 60 }), peers), { accepted: true });
  t.match(received(datagram(advert(), { ...toUs, source: "192.168.33.99" }), peers), {
    drop: { reason: "unicast-source", sentence: /192\.168\.33\.99 is none of the unicast peers here/ },
  });
  t.match(received(datagram(advert()), peers), {
    drop: { reason: "destination", sentence: /sent to the group.*set unicast_peer on both/ },
  });
});

t.test("a unicast peer with min_ttl and max_ttl is taken between them, both included", async (t) => {
  const limited = { ...peers, peerTtls: [{ address: "192.168.33.81", min: 60, max: 64 }] };
  const at = (ttl: number) => received(datagram(advert(), { ...toUs, ttl }), limited);
  for (const ttl of [60, 64]) t.match(at(ttl), { accepted: true });
  for (const ttl of [59, 65, 255]) {
    t.match(at(ttl), { drop: { reason: "ttl", sentence: new RegExp(`TTL is ${ttl}, and 60 to 64`) } });
  }
});

t.test("over IPv6 the checksum says whether the group or this node was meant", async (t) => {
  const source = "fe80::81";
  const own = ["fe80::80", "fd00::80"];
  const config = {
    ...v3,
    addresses: [
      { address: "fe80::51", prefixLength: 64 },
      { address: "fd00::84", prefixLength: 64 },
    ],
  };
  const packet = {
    virtualRouterId: 51,
    priority: 100,
    advertIntervalCs: 10,
    addresses: ["fe80::51", "fd00::84"],
  };
  const arrive = (destination: string, changes: Partial<VrrpInstanceConfig> = {}, hopLimitIs255 = true) =>
    receiveIpv6(
      {
        source,
        ownAddresses: own,
        hopLimitIs255,
        message: encodeAdvertV3(packet, { source, destination }),
      },
      new Map([[51, { config: routerConfig({ ...config, ...changes }), ownAddress: "fe80::80" }]]),
    );
  t.match(arrive("ff02::12"), { accepted: true, source, input: { advertIntervalMs: 100 } });
  t.match(arrive("ff02::12", {}, false), { drop: { reason: "ttl", sentence: /hop limit is not 255/ } });
  t.match(arrive("fe80::80"), {
    drop: { reason: "destination", sentence: /sent to fe80::80, not to the group/ },
  });
  t.match(arrive("fd00::80", { unicastPeers: [source] }), { accepted: true });
  t.match(arrive("ff02::12", { unicastPeers: [source] }), { drop: { reason: "destination" } });
  t.match(arrive("ff02::13"), { drop: { reason: "checksum" } });
  const cut = { source, ownAddresses: own, hopLimitIs255: false, message: Uint8Array.of(0x31, 51, 100, 1) };
  t.match(receiveIpv6(cut, new Map()), { drop: { reason: "ttl", virtualRouterId: 51 } });
});

t.test("the order of the addresses does not matter", async (t) => {
  const addresses = ["10.0.0.1", "10.0.0.2"].map((address) => ({ address, prefixLength: 32 }));
  t.match(received(datagram(advert({ addresses: ["10.0.0.2", "10.0.0.1"] })), { addresses }), {
    accepted: true,
  });
});

t.test("the address owner's list is believed (RFC 3768 §7.1)", async (t) => {
  t.match(received(datagram(advert({ priority: 255, addresses: ["192.168.33.85"] }))), { accepted: true });
});

t.test("an owner listens too", async (t) => {
  t.match(received(datagram(advert()), { priority: 255 }), { accepted: true });
});

t.test("arbitrary bytes never throw", async () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), fc.boolean(), (bytes, wrapped) => {
      const result = received(wrapped ? datagram(bytes) : bytes);
      return result.accepted || result.drop.sentence.length > 0;
    }),
    { numRuns: 3000 },
  );
});

t.test("for a while after a reload a partner that has not been reloaded yet is heard", async (t) => {
  const before = routerConfig({ advertIntervalCs: 300 });
  const config = routerConfig({ ...pass, addresses: [{ address: "192.168.33.99", prefixLength: 24 }] });
  const theirs = datagram(advert({ advertIntervalS: 3 }));
  const hear = (router: { before: VrrpInstanceConfig | null }) =>
    receive(theirs, new Map([[51, { config, ownAddress, ...router }]]));
  t.match(hear({ before: null }), { accepted: false, drop: { reason: "auth-type" } });
  t.match(hear({ before: routerConfig() }), { accepted: false, drop: { reason: "auth-type" } });
  const heard = hear({ before });
  t.match(heard, {
    accepted: true,
    input: { priority: 100, advertIntervalMs: 3000 },
    remarks: [{ reason: "auth-type", sentence: /^only as before the reload here/ }],
  });
});
