import { createHmac } from "node:crypto";
import fc from "fast-check";
import { advertDatagrams } from "../../src/vrrp/advert.js";
import type { HmacMd5 } from "../../src/vrrp/authentication-header.js";
import { encodeAdvertV2, parseAdvertV2 } from "../../src/vrrp/packet-v2.js";
import { type AdvertPath, encodeAdvertV3, parseAdvertV3 } from "../../src/vrrp/packet-v3.js";
import { receive } from "../../src/vrrp/receive-checks.js";
import { routerConfig } from "../unit/vrrp/datagrams.js";

/** Properties of the packet parsers under random and mutated packets. Each throws when it does not hold. */
export interface PacketProperty {
  readonly name: string;
  run(runs: number, seed?: number): void;
}

const hmacMd5: HmacMd5 = (key, data) => createHmac("md5", key).update(data).digest();
const path4: AdvertPath = { source: "192.168.33.81", destination: "224.0.0.18" };
const path6: AdvertPath = { source: "fe80::1", destination: "ff02::12" };

const byte = fc.integer({ min: 0, max: 255 });
const ipv4 = fc.tuple(byte, byte, byte, byte).map((bytes) => bytes.join("."));
const ipv6 = fc
  .array(fc.integer({ min: 1, max: 0xffff }), { minLength: 8, maxLength: 8 })
  .map((groups) => groups.map((group) => group.toString(16)).join(":"));

const goodV2 = fc
  .record({
    virtualRouterId: byte,
    priority: byte,
    authType: byte,
    authData: fc.uint8Array({ minLength: 8, maxLength: 8 }),
    advertIntervalS: byte,
    addresses: fc.array(ipv4, { maxLength: 20 }),
  })
  .map(encodeAdvertV2);

function goodV3(path: AdvertPath) {
  return fc
    .record({
      virtualRouterId: byte,
      priority: byte,
      advertIntervalCs: fc.integer({ min: 0, max: 4095 }),
      addresses: fc.array(path === path6 ? ipv6 : ipv4, { maxLength: 20 }),
    })
    .map((packet) => encodeAdvertV3(packet, path));
}

/** What a broken sender or a bad cable makes of a packet. */
const mutation = fc.oneof(
  fc.record({ kind: fc.constant("flip" as const), at: fc.nat(), bit: fc.nat({ max: 7 }) }),
  fc.record({ kind: fc.constant("set" as const), at: fc.nat({ max: 12 }), value: byte }),
  fc.record({ kind: fc.constant("cut" as const), at: fc.nat() }),
  fc.record({ kind: fc.constant("grow" as const), tail: fc.uint8Array({ maxLength: 40 }) }),
  // The checksum put right again, so that what is behind it is tried as well.
  fc.record({ kind: fc.constant("mend" as const) }),
);

function mutated(good: fc.Arbitrary<Uint8Array>): fc.Arbitrary<Uint8Array> {
  return fc.tuple(good, fc.array(mutation, { maxLength: 4 })).map(([packet, mutations]) => {
    let bytes = packet.slice();
    for (const one of mutations) {
      if (one.kind === "cut") bytes = bytes.slice(0, one.at % (bytes.length + 1));
      else if (one.kind === "grow") bytes = Uint8Array.from([...bytes, ...one.tail]);
      else if (one.kind === "mend") mend(bytes);
      else if (bytes.length > 0 && one.kind === "flip") bytes[one.at % bytes.length] ^= 1 << one.bit;
      else if (one.kind === "set" && one.at < bytes.length) bytes[one.at] = one.value;
    }
    return bytes;
  });
}

function mend(bytes: Uint8Array): void {
  if (bytes.length < 8) return;
  bytes.fill(0, 6, 8);
  const sum = onesComplementSum(bytes.subarray(0, lengthOf(bytes, 4)));
  bytes[6] = (~sum >> 8) & 0xff;
  bytes[7] = ~sum & 0xff;
}

const noise = fc.uint8Array({ maxLength: 120 });

/** RFC 1071 word by word, on its own: the parsers' checksum is not asked about itself. 0xffff: intact. */
function onesComplementSum(...parts: readonly Uint8Array[]): number {
  const bytes = parts.flatMap((part) => [...part]);
  let sum = 0;
  for (let at = 0; at < bytes.length; at += 2) {
    sum += bytes[at] * 256 + (bytes[at + 1] ?? 0);
    if (sum > 0xffff) sum -= 0xffff;
  }
  return sum;
}

function lengthOf(bytes: Uint8Array, addressBytes: number): number {
  return bytes[0] >> 4 === 2 ? 16 + 4 * bytes[3] : 8 + addressBytes * bytes[3];
}

function pseudoHeader(path: AdvertPath, length: number): Uint8Array {
  const addresses =
    path === path4
      ? [192, 168, 33, 81, 224, 0, 0, 18]
      : [0xfe, 0x80, ...Array(13).fill(0), 1, 0xff, 2, ...Array(13).fill(0), 0x12];
  return Uint8Array.from([...addresses, 0, 112, length >> 8, length & 0xff]);
}

/** What is wrong with a message, in the order of the RFCs' checks; null: nothing. */
function verdict(version: 2 | 3, bytes: Uint8Array, path: AdvertPath): string | null {
  if (bytes.length < 8) return "short";
  if (bytes[0] >> 4 !== version) return "version";
  if ((bytes[0] & 15) !== 1) return "type";
  const length = lengthOf(bytes, path === path6 ? 16 : 4);
  if (bytes.length < length) return "short";
  const message = bytes.subarray(0, length);
  const alone = onesComplementSum(message) === 0xffff;
  const whole = onesComplementSum(pseudoHeader(path, length), message) === 0xffff;
  const isIntact = version === 2 ? alone : whole || (alone && path === path4);
  return isIntact ? null : "checksum";
}

function expectVerdict(
  parsed: { ok: boolean; reason?: string; detail?: string },
  expected: string | null,
): void {
  const said = parsed.ok ? null : parsed.reason;
  if (said !== expected) throw new Error(`${said} where ${expected} is true`);
  if (!parsed.ok && !parsed.detail) throw new Error("a refusal without a detail");
}

/** 0x0000 and 0xffff are the same number in one's complement. */
function expectSameBytes(again: Uint8Array, bytes: Uint8Array): void {
  const isSame = again.every((value, at) => value === bytes[at] || at === 6 || at === 7);
  const word = (of: Uint8Array) => (of[6] * 256 + of[7]) % 0xffff;
  if (!isSame || word(again) !== word(bytes)) throw new Error("other bytes when it is encoded again");
}

function property(name: string, arbitrary: fc.Arbitrary<Uint8Array>, holds: (bytes: Uint8Array) => void) {
  return {
    name,
    run: (runs: number, seed?: number) => {
      const options = seed === undefined ? { numRuns: runs } : { numRuns: runs, seed };
      fc.assert(fc.property(arbitrary, holds), options);
    },
  };
}

function v3Property(name: string, path: AdvertPath): PacketProperty {
  return property(name, fc.oneof(noise, mutated(goodV3(path))), (bytes) => {
    const parsed = parseAdvertV3(bytes, path);
    expectVerdict(parsed, verdict(3, bytes, path));
    // Four reserved bits are ignored by a receiver and sent as 0.
    if (parsed.ok && bytes[4] >> 4 === 0) {
      expectSameBytes(encodeAdvertV3(parsed.packet, path, parsed.checksum), bytes);
    }
  });
}

const here = routerConfig({ authentication: { type: "ah", password: "k@l" } });
const sealed = fc
  .record({ priority: byte, identification: fc.integer({ min: 1, max: 65_535 }) })
  .map(({ priority, identification }) => {
    const circumstances = { source: path4.source, identification, sequence: 8, hmacMd5 };
    return advertDatagrams(here, priority, circumstances)[0].bytes;
  });
const plain = routerConfig();
const wrapped = fc
  .record({ priority: byte, identification: fc.integer({ min: 1, max: 65_535 }) })
  .map(({ priority, identification }) => {
    const circumstances = { source: path4.source, identification, sequence: 1, hmacMd5 };
    return advertDatagrams(plain, priority, circumstances)[0].bytes;
  });

function take(config: typeof here, bytes: Uint8Array) {
  const local = { config, ownAddress: "192.168.33.80", ah: { sequence: 7, hmacMd5 } };
  const received = receive(bytes, new Map([[51, local]]));
  if (!received.accepted && (received.drop.reason.length === 0 || received.drop.sentence.length === 0)) {
    throw new Error("a drop without its reason");
  }
  return received;
}

/** Bytes of the IPv4 header that no checksum of ours covers: TOS, flags and fragment offset, header checksum. */
const uncovered = new Set([1, 6, 7, 10, 11]);

export const packetProperties: readonly PacketProperty[] = [
  property(
    "VRRPv2: the reason of each refusal is the true one, and what is accepted is encoded to the same bytes",
    fc.oneof(noise, mutated(goodV2)),
    (bytes) => {
      const parsed = parseAdvertV2(bytes);
      expectVerdict(parsed, verdict(2, bytes, path4));
      if (parsed.ok) expectSameBytes(encodeAdvertV2(parsed.packet), bytes);
    },
  ),
  v3Property("VRRPv3 over IPv4: the same", path4),
  v3Property("VRRPv3 over IPv6: the same", path6),
  property(
    "whole datagrams: nothing throws, what is accepted is intact, and each drop has its reason",
    fc.oneof(noise, mutated(wrapped)),
    (bytes) => {
      const received = take(plain, bytes);
      if (received.accepted) {
        const headerBytes = (bytes[0] & 15) * 4;
        const total = bytes[2] * 256 + bytes[3];
        const broken = verdict(2, bytes.subarray(headerBytes, total), path4);
        if (broken !== null || bytes[8] !== 255) throw new Error(`accepted in spite of: ${broken ?? "TTL"}`);
      }
    },
  ),
  property("authentication header: nothing that it covers can be changed", mutated(sealed), (bytes) => {
    const received = take(here, bytes);
    if (!received.accepted) return;
    const original = advertDatagrams(here, received.packet.priority, {
      source: path4.source,
      identification: bytes[4] * 256 + bytes[5],
      sequence: 8,
      hmacMd5,
    })[0].bytes;
    const changed = original.findIndex((value, at) => value !== bytes[at] && !uncovered.has(at));
    if (changed >= 0) throw new Error(`accepted with byte ${changed} changed`);
  }),
];
