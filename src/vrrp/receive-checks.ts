import type { VrrpInstanceConfig } from "../config/config.js";
import type { InstanceInput } from "./instance-state.js";
import { parseIpv4 } from "./ipv4.js";
import {
  type AdvertPacketV2,
  AuthType,
  parseAdvertV2,
  passwordBytes,
  vrrpMulticastGroup,
  vrrpProtocol,
} from "./packet-v2.js";
import { type AdvertPacketV3, parseAdvertV3 } from "./packet-v3.js";

/** One virtual router that this node takes part in, as the checks need it. */
export interface LocalRouter {
  readonly config: VrrpInstanceConfig;
  /** This node's own address on the interface. */
  readonly ownAddress: string;
}

/** The stable codes under which drops are counted. */
export type DropReason =
  | "malformed"
  | "destination"
  | "ttl"
  | "short"
  | "version"
  | "type"
  | "checksum"
  | "unknown-vrid"
  | "own-source"
  | "auth-type"
  | "auth-data"
  | "address-list"
  | "interval";

export interface Drop {
  readonly reason: DropReason;
  /** Dotted quad, or `?` where there was no IPv4 header. */
  readonly source: string;
  /** Null: the message was too short to say. */
  readonly virtualRouterId: number | null;
  /** What is wrong with which value, and what to do, without a full stop. */
  readonly sentence: string;
}

/** What is wrong with an advert that counts all the same. */
export interface Remark {
  readonly reason: DropReason;
  readonly sentence: string;
}

export type Received =
  | {
      readonly accepted: true;
      readonly source: string;
      readonly packet: AdvertPacketV2 | AdvertPacketV3;
      /** For the state machine. */
      readonly input: Extract<InstanceInput, { kind: "advert" }>;
      readonly remarks: readonly Remark[];
    }
  | { readonly accepted: false; readonly drop: Drop };

/** A message in its version. */
type Advert =
  | { readonly version: 2; readonly packet: AdvertPacketV2 }
  | { readonly version: 3; readonly packet: AdvertPacketV3 };

/** What a check says of an advert; null: nothing is wrong. */
interface Finding {
  readonly sentence: string;
  /** Taken into account all the same, and only logged. */
  readonly harmless?: boolean;
}

interface Check {
  readonly reason: DropReason;
  find(advert: Advert, source: string, local: LocalRouter): Finding | null;
}

const authNames = new Map<number, string>([
  [AuthType.none, "no authentication"],
  [AuthType.pass, "auth_type PASS"],
  [AuthType.ah, "auth_type AH"],
]);

const splitBrain = "until then both routers may be master";

/** What depends on this node's configuration, in the order of RFC 3768 §7.1 (the address list comes before the interval). */
const checks: readonly Check[] = [
  {
    // Not in the RFC: a bridge loop, or another machine with our address. It must never win against ourselves.
    reason: "own-source",
    find: (_advert, source, local) =>
      source === local.ownAddress
        ? {
            sentence: `it comes from ${source}, this node's own address: look for a loop in the network or a second machine with that address`,
          }
        : null,
  },
  {
    reason: "auth-type",
    find: (advert, _source, { config }) => {
      const ours = config.authentication.type === "pass" ? AuthType.pass : AuthType.none;
      if (advert.version === 3 || advert.packet.authType === ours) {
        return null;
      }
      const { authType } = advert.packet;
      const theirs = authNames.get(authType) ?? `authentication type ${authType}`;
      return {
        sentence: `it has ${theirs}, here is ${authNames.get(ours)}: set the same on both; ${splitBrain}`,
      };
    },
  },
  {
    reason: "auth-data",
    find: (advert, _source, { config }) => {
      if (advert.version === 3 || config.authentication.type !== "pass") {
        return null;
      }
      const expected = passwordBytes(config.authentication.password);
      return advert.packet.authData.every((byte, at) => byte === expected[at])
        ? null
        : {
            sentence: `its password is not ours: set the same auth_pass on both (8 bytes count); ${splitBrain}`,
          };
    },
  },
  {
    // RFC 3768 §7.1: a mismatch is dropped, but the owner's list is believed. RFC 9568 §7.1 only logs it.
    reason: "address-list",
    find: ({ version, packet }, _source, { config }) => {
      const ours = config.addresses.map(({ address }) => address);
      const theirs = packet.addresses;
      const same = ours.every((a) => theirs.includes(a)) && theirs.every((a) => ours.includes(a));
      if (same || (version === 2 && packet.priority === 255)) {
        return null;
      }
      const lists = `it lists ${theirs.join(", ") || "no address"}, here is ${ours.join(", ")}`;
      const advice = "set the same virtual addresses on both";
      return version === 2
        ? { sentence: `${lists}: ${advice}; ${splitBrain}` }
        : { sentence: `${lists}: ${advice}`, harmless: true };
    },
  },
  {
    // RFC 3768 §7.1 wants the same interval. RFC 9568 §7.1 logs another one, and a backup adopts it.
    reason: "interval",
    find: (advert, _source, { config }) => {
      const { version } = advert;
      const theirsCs = version === 2 ? advert.packet.advertIntervalS * 100 : advert.packet.advertIntervalCs;
      if (theirsCs === config.advertIntervalCs) {
        return null;
      }
      const says = `its advert interval is ${theirsCs / 100} s, here it is ${config.advertIntervalCs / 100} s`;
      if (theirsCs === 0) {
        return { sentence: `${says}: an interval of 0 means nothing, correct it over there` };
      }
      return version === 2
        ? { sentence: `${says}: set the same on both; ${splitBrain}` }
        : { sentence: `${says}: set the same on both`, harmless: true };
    },
  },
];

/**
 * Takes a datagram from the raw socket, IPv4 header first, through every receive check of RFC 3768 §7.1 and RFC 9568
 * §7.1.
 *
 * `local` holds the virtual routers of the interface by VRID. Two differences from the RFCs: an address owner
 * (priority 255) listens as well, for two owners would otherwise stay masters for ever and a leaving one would not
 * hear its successor; and an advert that was not sent to the multicast group is refused, as in keepalived.
 */
export function receive(datagram: Uint8Array, local: ReadonlyMap<number, LocalRouter>): Received {
  const ip = parseIpv4(datagram);
  if (ip === null || ip.protocol !== vrrpProtocol) {
    return dropped("malformed", "?", null, "it is no IPv4 datagram with a VRRP message");
  }
  const { source, destination, payload } = ip;
  const virtualRouterId = payload.length > 1 ? payload[1] : null;
  if (destination !== vrrpMulticastGroup) {
    const sentence = `it was sent to ${destination}, not to the group ${vrrpMulticastGroup}: take unicast_peer out over there`;
    return dropped("destination", source, virtualRouterId, sentence);
  }
  if (ip.ttl !== 255) {
    const sentence = `its TTL is ${ip.ttl}, not 255: it has crossed a router, or it is forged`;
    return dropped("ttl", source, virtualRouterId, sentence);
  }
  const router = virtualRouterId === null ? undefined : local.get(virtualRouterId);
  const spoken = payload.length > 0 ? payload[0] >> 4 : null;
  if (
    spoken !== null &&
    (router === undefined ? spoken !== 2 && spoken !== 3 : spoken !== router.config.version)
  ) {
    const ours = router?.config.version ?? "2 or 3";
    const sentence = `it is VRRP version ${spoken}, here is version ${ours}: set the same version on both; ${splitBrain}`;
    return dropped("version", source, virtualRouterId, sentence);
  }
  const parsed = spoken === 3 ? parseAdvertV3(payload, { source, destination }) : parseAdvertV2(payload);
  if (!parsed.ok) {
    return dropped(parsed.reason, source, virtualRouterId, parsed.detail);
  }
  const { packet } = parsed;
  if (router === undefined) {
    const sentence = `virtual router ${packet.virtualRouterId} is not configured here`;
    return dropped("unknown-vrid", source, packet.virtualRouterId, sentence);
  }
  return check(
    "advertIntervalCs" in packet ? { version: 3, packet } : { version: 2, packet },
    source,
    router,
  );
}

function check(advert: Advert, source: string, router: LocalRouter): Received {
  const remarks: Remark[] = [];
  for (const { reason, find } of checks) {
    const finding = find(advert, source, router);
    if (finding?.harmless === true) {
      remarks.push({ reason, sentence: finding.sentence });
    } else if (finding !== null) {
      return dropped(reason, source, advert.packet.virtualRouterId, finding.sentence);
    }
  }
  const { priority } = advert.packet;
  const adopted = advert.version === 3 ? { advertIntervalMs: advert.packet.advertIntervalCs * 10 } : {};
  const input = { kind: "advert", source, priority, ...adopted } as const;
  return { accepted: true, source, packet: advert.packet, input, remarks };
}

function dropped(
  reason: DropReason,
  source: string,
  virtualRouterId: number | null,
  sentence: string,
): Received {
  return { accepted: false, drop: { reason, source, virtualRouterId, sentence } };
}
