import { createHmac } from "node:crypto";
import t from "tap";
import type { VrrpInstanceConfig } from "../../../src/config/config.js";
import { advertDatagrams } from "../../../src/vrrp/advert.js";
import { type HmacMd5, parseAuthenticationHeader } from "../../../src/vrrp/authentication-header.js";
import { receive } from "../../../src/vrrp/receive-checks.js";
import { fromHex, routerConfig } from "./datagrams.js";

const hmacMd5: HmacMd5 = (key, data) => createHmac("md5", key).update(data).digest();

const config = routerConfig({
  priority: 101,
  authentication: { type: "ah", password: "k@l" },
  addresses: [{ address: "10.78.0.100", prefixLength: 24 }],
});
const unicast = routerConfig({ ...config, unicastPeers: ["10.78.0.2"] });
/** The same on the other side. */
const unicastPartner = routerConfig({ ...config, unicastPeers: ["10.78.0.1"] });

/** Whole IP datagrams that keepalived 2.2.7 sent, captured from it. */
const captured: readonly { what: string; config: VrrpInstanceConfig; id: number; bytes: Uint8Array }[] = [
  {
    what: "the first multicast advert",
    config,
    id: 1,
    bytes: fromHex(
      "45c00040 00010000 ff33d068 0a4e0001 e0000012 70040000 0a4e0001 00000001 3fd67cde 58f14216 c35af1e2" +
        "21336501 02016d18 0a4e0064 00000000 00000000",
    ),
  },
  {
    what: "the second multicast advert",
    config,
    id: 2,
    bytes: fromHex(
      "45c00040 00020000 ff33d067 0a4e0001 e0000012 70040000 0a4e0001 00000002 b6cecb11 fb5e1173 e57d2a28" +
        "21336501 02016d18 0a4e0064 00000000 00000000",
    ),
  },
  {
    what: "an advert to a unicast peer",
    config: unicast,
    id: 1,
    bytes: fromHex(
      "45c00040 00010000 ff33a62b 0a4e0001 0a4e0002 70040000 0a4e0001 00000001 8a2fcf77 6ee79899 29fe4639" +
        "21336501 02016d18 0a4e0064 00000000 00000000",
    ),
  },
];

function received(bytes: Uint8Array, here: VrrpInstanceConfig, sequence = 0) {
  return receive(
    bytes,
    new Map([[51, { config: here, ownAddress: "10.78.0.9", ah: { sequence, hmacMd5 } }]]),
  );
}

function withByte(bytes: Uint8Array, at: number, value: number): Uint8Array {
  const changed = bytes.slice();
  changed[at] = value;
  return changed;
}

for (const { what, config, id, bytes } of captured) {
  t.test(`${what} of keepalived is sent byte for byte, but for the header's checksum`, async (t) => {
    const circumstances = { source: "10.78.0.1", identification: id, sequence: id, hmacMd5 };
    const [sent] = advertDatagrams(config, 101, circumstances);
    const expected = bytes.slice();
    // The kernel's business.
    expected.fill(0, 10, 12);
    t.strictSame(sent.bytes, expected);
    t.equal(sent.destination, config.unicastPeers[0] ?? "224.0.0.18");
  });

  t.test(`${what} of keepalived is taken, with its sequence number`, async (t) => {
    // A Buffer, as the socket hands it over.
    t.match(received(Buffer.from(bytes), config === unicast ? unicastPartner : config), {
      accepted: true,
      source: "10.78.0.1",
      sequence: id,
      input: { priority: 101 },
    });
  });
}

const { bytes } = captured[0];

t.test("any changed byte that counts is noticed", async (t) => {
  // Not: TOS, fragment field, checksum; what changes the lengths or the destination has reasons of its own.
  const counted = [4, 5, 12, 13, 14, 15, ...Array.from(bytes.keys()).slice(24)];
  for (const at of counted) {
    t.match(received(withByte(bytes, at, bytes[at] ^ 1), config), { accepted: false }, `byte ${at}`);
  }
  for (const at of [1, 6, 7, 10, 11]) {
    t.match(received(withByte(bytes, at, bytes[at] ^ 1), config), { accepted: true }, `byte ${at}`);
  }
});

t.test("between unicast peers the TTL may change on the way, in the group it may not", async (t) => {
  t.match(received(withByte(captured[2].bytes, 8, 60), unicastPartner), { accepted: true });
  t.match(received(withByte(bytes, 8, 60), config), { accepted: false, drop: { reason: "ttl" } });
});

t.test("a replayed advert is dropped", async (t) => {
  t.match(received(captured[1].bytes, config, 1), { accepted: true, sequence: 2 });
  t.match(received(captured[1].bytes, config, 2), {
    accepted: false,
    drop: { reason: "replay", sentence: /sequence number 2 is not above 2/ },
  });
});

t.test("another password is told from no authentication at all", async (t) => {
  const other = routerConfig({ ...config, authentication: { type: "ah", password: "k@lx" } });
  t.match(received(bytes, other), { drop: { reason: "auth-data", sentence: /same auth_pass on both/ } });
  const none = routerConfig({ ...config, authentication: { type: "none" } });
  t.match(received(bytes, none), {
    drop: { reason: "auth-type", sentence: /it has auth_type AH, here is no authentication/ },
  });
});

t.test("a message that says AH and has no authentication header is dropped", async (t) => {
  const bare = Uint8Array.from([...bytes.subarray(0, 20), ...bytes.subarray(44)]);
  bare[3] -= 24;
  bare[9] = 112;
  t.match(received(bare, config), { drop: { reason: "auth-type", sentence: /contradict/ } });
});

t.test("an authentication header of another kind is malformed", async (t) => {
  t.match(parseAuthenticationHeader(bytes.subarray(20, 40)), { ok: false });
  t.match(parseAuthenticationHeader(withByte(bytes.subarray(20), 0, 6)), { ok: false });
  t.match(parseAuthenticationHeader(withByte(bytes.subarray(20), 1, 5)), { ok: false });
});
