import type { VrrpInstanceConfig } from "../config/config.js";
import { parseIpv4 } from "./ipv4.js";
import {
  type AdvertPacketV2,
  AuthType,
  parseAdvertV2,
  passwordBytes,
  vrrpMulticastGroup,
  vrrpProtocol,
} from "./packet-v2.js";

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

export type Received =
  | { readonly accepted: true; readonly source: string; readonly packet: AdvertPacketV2 }
  | { readonly accepted: false; readonly drop: Drop };

interface Check {
  readonly reason: DropReason;
  /** A sentence when the advert must be dropped. */
  fails(packet: AdvertPacketV2, source: string, local: LocalRouter): string | null;
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
    fails: (_packet, source, local) =>
      source === local.ownAddress
        ? `it comes from ${source}, this node's own address: look for a loop in the network or a second machine with that address`
        : null,
  },
  {
    reason: "auth-type",
    fails: (packet, _source, { config }) => {
      const ours = config.authentication.type === "pass" ? AuthType.pass : AuthType.none;
      if (packet.authType === ours) {
        return null;
      }
      const theirs = authNames.get(packet.authType) ?? `authentication type ${packet.authType}`;
      return `it has ${theirs}, here is ${authNames.get(ours)}: set the same on both; ${splitBrain}`;
    },
  },
  {
    reason: "auth-data",
    fails: (packet, _source, { config }) => {
      if (config.authentication.type !== "pass") {
        return null;
      }
      const expected = passwordBytes(config.authentication.password);
      return packet.authData.every((byte, at) => byte === expected[at])
        ? null
        : `its password is not ours: set the same auth_pass on both (8 bytes count); ${splitBrain}`;
    },
  },
  {
    // RFC 3768 §7.1: the owner's list is believed. RFC 9568 would only log; keepalived drops as we do.
    reason: "address-list",
    fails: (packet, _source, { config }) => {
      const ours = config.addresses.map(({ address }) => address);
      const theirs = packet.addresses;
      const same = ours.every((a) => theirs.includes(a)) && theirs.every((a) => ours.includes(a));
      return same || packet.priority === 255
        ? null
        : `it lists ${theirs.join(", ") || "no address"}, here is ${ours.join(", ")}: set the same virtual addresses on both; ${splitBrain}`;
    },
  },
  {
    reason: "interval",
    fails: (packet, _source, { config }) =>
      packet.advertIntervalS * 100 === config.advertIntervalCs
        ? null
        : `its advert interval is ${packet.advertIntervalS} s, here it is ${config.advertIntervalCs / 100} s: set the same on both; ${splitBrain}`,
  },
];

/**
 * Takes a datagram from the raw socket, IPv4 header first, through every receive check of RFC 3768 §7.1.
 *
 * `local` holds the virtual routers of the interface by VRID. Two differences from the RFC: an address owner
 * (priority 255) listens as well, for two owners would otherwise stay masters for ever and a leaving one would not
 * hear its successor; and an advert that was not sent to the multicast group is refused, as in keepalived.
 */
export function receive(datagram: Uint8Array, local: ReadonlyMap<number, LocalRouter>): Received {
  const ip = parseIpv4(datagram);
  if (ip === null || ip.protocol !== vrrpProtocol) {
    return dropped("malformed", "?", null, "it is no IPv4 datagram with a VRRP message");
  }
  const { source, payload } = ip;
  const virtualRouterId = payload.length > 1 ? payload[1] : null;
  if (ip.destination !== vrrpMulticastGroup) {
    const sentence = `it was sent to ${ip.destination}, not to the group ${vrrpMulticastGroup}: take unicast_peer out over there`;
    return dropped("destination", source, virtualRouterId, sentence);
  }
  if (ip.ttl !== 255) {
    const sentence = `its TTL is ${ip.ttl}, not 255: it has crossed a router, or it is forged`;
    return dropped("ttl", source, virtualRouterId, sentence);
  }
  const parsed = parseAdvertV2(payload);
  if (!parsed.ok) {
    const advice = parsed.reason === "version" ? `: set the same version on both; ${splitBrain}` : "";
    return dropped(parsed.reason, source, virtualRouterId, parsed.detail + advice);
  }
  const { packet } = parsed;
  const router = local.get(packet.virtualRouterId);
  if (router === undefined) {
    const sentence = `virtual router ${packet.virtualRouterId} is not configured here`;
    return dropped("unknown-vrid", source, packet.virtualRouterId, sentence);
  }
  for (const check of checks) {
    const sentence = check.fails(packet, source, router);
    if (sentence !== null) {
      return dropped(check.reason, source, packet.virtualRouterId, sentence);
    }
  }
  return { accepted: true, source, packet };
}

function dropped(
  reason: DropReason,
  source: string,
  virtualRouterId: number | null,
  sentence: string,
): Received {
  return { accepted: false, drop: { reason, source, virtualRouterId, sentence } };
}
