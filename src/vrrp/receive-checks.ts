import type { VrrpInstanceConfig } from "../config/config.js";
import { multicastGroup } from "./advert.js";
import {
  authenticationHeaderProtocol,
  type HmacMd5,
  icvOf,
  parseAuthenticationHeader,
} from "./authentication-header.js";
import type { InstanceInput } from "./instance-state.js";
import { parseIpv4 } from "./ipv4.js";
import { vrrpMulticastGroupV6 } from "./ipv6.js";
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
  /** Before a reload, and while the partner may still have it so: adverts that fit it count too. */
  readonly before?: VrrpInstanceConfig | null;
  /** For `auth_type AH`: the greatest sequence number sent or taken so far, and the hash. */
  readonly ah?: { readonly sequence: number; readonly hmacMd5: HmacMd5 };
}

/** The virtual routers of one interface and family, by VRID. */
export type LocalRouters = ReadonlyMap<number, LocalRouter>;

/** The stable codes under which drops are counted. */
export type DropReason =
  | "malformed"
  | "destination"
  | "unicast-source"
  | "ttl"
  | "short"
  | "version"
  | "type"
  | "checksum"
  | "unknown-vrid"
  | "own-source"
  | "auth-type"
  | "auth-data"
  | "replay"
  | "address-list"
  | "interval";

export interface Drop {
  readonly reason: DropReason;
  /** Literal, or `?` where there was no IPv4 header. */
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
      /** Of its authentication header: the one that the next must exceed. */
      readonly sequence?: number;
    }
  | { readonly accepted: false; readonly drop: Drop };

/** What came in, with what surrounded the message. */
interface Arrival {
  readonly source: string;
  /** More than one where the kernel does not tell it (IPv6): the checksum then says which. */
  readonly destinations: readonly string[];
  /** What is wrong with the TTL or hop limit for an advert to the group, null: nothing. */
  readonly ttl: string | null;
  /** The TTL itself; null where the kernel does not tell it (IPv6). */
  readonly hops: number | null;
  readonly message: Uint8Array;
  /** With an authentication header: its number, and whether it is right for a router. */
  readonly ah: AuthenticatedArrival | null;
}

interface AuthenticatedArrival {
  readonly sequence: number;
  fits(local: LocalRouter): boolean;
}

/** A message in its version. */
type Advert = (
  | { readonly version: 2; readonly packet: AdvertPacketV2 }
  | { readonly version: 3; readonly packet: AdvertPacketV3 }
) & { readonly ah: AuthenticatedArrival | null };

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
      const ours = AuthType[config.authentication.type];
      if (advert.version === 3) {
        return advert.ah === null ? null : { sentence: "VRRPv3 has no authentication header" };
      }
      const { authType } = advert.packet;
      if (authType === ours && (advert.ah !== null) === (ours === AuthType.ah)) {
        return null;
      }
      if (authType === ours) {
        return {
          sentence:
            "its auth_type and its authentication header contradict each other: it is forged or broken",
        };
      }
      const theirs = authNames.get(authType) ?? `authentication type ${authType}`;
      return {
        sentence: `it has ${theirs}, here is ${authNames.get(ours)}: set the same on both; ${splitBrain}`,
      };
    },
  },
  {
    reason: "auth-data",
    find: (advert, _source, local) => {
      const { config } = local;
      if (advert.ah !== null) {
        return advert.ah.fits(local)
          ? null
          : {
              sentence: `its authentication header does not fit: set the same auth_pass on both (8 bytes count); ${splitBrain}`,
            };
      }
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
    // As in keepalived: one counter for all of an instance's routers, which their adverts only ever raise.
    reason: "replay",
    find: ({ ah }, _source, local) =>
      ah === null || local.ah === undefined || ah.sequence > local.ah.sequence
        ? null
        : {
            sentence: `its sequence number ${ah.sequence} is not above ${local.ah.sequence}, the last one here: it is a replay, or its sender was restarted`,
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
 * Two differences from the RFCs: an address owner (priority 255) listens as well, for two owners would otherwise stay
 * masters for ever and a leaving one would not hear its successor; and, as in keepalived, an advert that was not sent
 * to the multicast group is refused, or between unicast peers, one that comes from nobody of them.
 */
export function receive(datagram: Uint8Array, local: LocalRouters): Received {
  const ip = parseIpv4(datagram);
  if (ip === null || (ip.protocol !== vrrpProtocol && ip.protocol !== authenticationHeaderProtocol)) {
    return dropped("malformed", "?", null, "it is no IPv4 datagram with a VRRP message");
  }
  const { source, destination, payload } = ip;
  const ttl = ip.ttl === 255 ? null : `its TTL is ${ip.ttl}, not 255`;
  const arrival = { source, destinations: [destination], ttl, hops: ip.ttl, message: payload, ah: null };
  if (ip.protocol === vrrpProtocol) {
    return judge(arrival, local);
  }
  const parsed = parseAuthenticationHeader(payload);
  if (!parsed.ok) {
    return dropped("malformed", source, null, parsed.detail);
  }
  const { header, message } = parsed;
  const ah: AuthenticatedArrival = {
    sequence: header.sequence,
    fits: ({ config, ah }) => {
      if (ah === undefined || config.authentication.type !== "ah" || header.spi !== source) {
        return false;
      }
      const { password } = config.authentication;
      const icv = icvOf(ip.datagram, password, config.unicastPeers.length > 0, ah.hmacMd5);
      return icv.every((byte, at) => byte === header.icv[at]);
    },
  };
  return judge({ ...arrival, message, ah }, local);
}

/** What a raw IPv6 socket tells: the message, and no header. */
export interface Ipv6Arrival {
  readonly source: string;
  /** This node's addresses on the interface, one of which it was sent to if it was not sent to the group. */
  readonly ownAddresses: readonly string[];
  /** As the socket's filter says. */
  readonly hopLimitIs255: boolean;
  readonly message: Uint8Array;
}

/** The same as `receive`, over IPv6. */
export function receiveIpv6(arrival: Ipv6Arrival, local: LocalRouters): Received {
  const { source, message } = arrival;
  const destinations = [vrrpMulticastGroupV6, ...arrival.ownAddresses];
  const ttl = arrival.hopLimitIs255 ? null : "its hop limit is not 255";
  return judge({ source, destinations, ttl, hops: null, message, ah: null }, local);
}

function judge(arrival: Arrival, local: LocalRouters): Received {
  const { source, message, ah } = arrival;
  const virtualRouterId = message.length > 1 ? message[1] : null;
  const router = virtualRouterId === null ? undefined : local.get(virtualRouterId);
  const drop = (reason: DropReason, sentence: string): Received =>
    dropped(reason, source, virtualRouterId, sentence);

  const { destination, parsed } = parse(arrival);
  if (arrival.destinations.length > 1 && !parsed.ok) {
    return arrival.ttl === null
      ? drop(parsed.reason, parsed.detail)
      : drop("ttl", `${arrival.ttl}: it has crossed a router, or it is forged`);
  }
  const unicastPeers = router?.config.unicastPeers ?? [];
  const group = router === undefined ? groupOf(source) : multicastGroup(router.config);
  if (unicastPeers.length === 0) {
    if (destination !== group) {
      const sentence = `it was sent to ${destination}, not to the group ${group}: take unicast_peer out over there, or name its sender here`;
      return drop("destination", sentence);
    }
    if (arrival.ttl !== null) {
      return drop("ttl", `${arrival.ttl}: it has crossed a router, or it is forged`);
    }
  } else if (destination === group) {
    return drop(
      "destination",
      "it was sent to the group, and here are unicast peers: set unicast_peer on both",
    );
  } else if (!unicastPeers.includes(source)) {
    return drop("unicast-source", `${source} is none of the unicast peers here: add it to unicast_peer`);
  }
  const allowed = router?.config.peerTtls?.find(({ address }) => address === source);
  if (allowed !== undefined && arrival.hops !== null) {
    const { min, max } = allowed;
    if (arrival.hops < min || arrival.hops > max) {
      return drop("ttl", `its TTL is ${arrival.hops}, and ${min} to ${max} is taken: see unicast_peer here`);
    }
  }
  const spoken = message.length > 0 ? message[0] >> 4 : null;
  const isForeign = router === undefined ? spoken !== 2 && spoken !== 3 : spoken !== router.config.version;
  if (spoken !== null && isForeign) {
    const ours = router?.config.version ?? "2 or 3";
    const sentence = `it is VRRP version ${spoken}, here is version ${ours}: set the same version on both; ${splitBrain}`;
    return drop("version", sentence);
  }
  if (!parsed.ok) {
    return drop(parsed.reason, parsed.detail);
  }
  const { packet } = parsed;
  if (router === undefined) {
    return drop("unknown-vrid", `virtual router ${packet.virtualRouterId} is not configured here`);
  }
  return check(
    "advertIntervalCs" in packet ? { version: 3, packet, ah } : { version: 2, packet, ah },
    source,
    router,
  );
}

type Parsed = ReturnType<typeof parseAdvertV2> | ReturnType<typeof parseAdvertV3>;

/** The message, and the destination that its checksum fits; where none does, the first. */
function parse({ source, destinations, message }: Arrival): {
  readonly destination: string;
  readonly parsed: Parsed;
} {
  const attempts = destinations.map((destination) => ({
    destination,
    parsed:
      message.length > 0 && message[0] >> 4 === 3
        ? parseAdvertV3(message, { source, destination })
        : parseAdvertV2(message),
  }));
  return attempts.find(({ parsed }) => parsed.ok) ?? attempts[0];
}

function groupOf(source: string): string {
  return source.includes(":") ? vrrpMulticastGroupV6 : vrrpMulticastGroup;
}

/**
 * Two nodes are never reloaded at the same instant, and a password, an address or an interval that only one of them has
 * makes two masters of them in VRRPv2. So what fits the configuration of before still counts for a while.
 */
function check(advert: Advert, source: string, router: LocalRouter): Received {
  const received = checkAgainst(advert, source, router);
  if (received.accepted || router.before == null || received.drop.reason === "own-source") {
    return received;
  }
  const earlier = checkAgainst(advert, source, { ...router, config: router.before });
  if (!earlier.accepted) {
    return received;
  }
  const { reason, sentence } = received.drop;
  const advertIntervalMs = earlier.input.advertIntervalMs ?? router.before.advertIntervalCs * 10;
  return {
    ...earlier,
    input: { ...earlier.input, advertIntervalMs },
    remarks: [...earlier.remarks, { reason, sentence: `only as before the reload here: ${sentence}` }],
  };
}

function checkAgainst(advert: Advert, source: string, router: LocalRouter): Received {
  const remarks: Remark[] = [];
  for (const { reason, find } of checks) {
    const finding = find(advert, source, router);
    if (finding?.harmless === true) {
      remarks.push({ reason, sentence: finding.sentence });
    } else if (finding !== null) {
      return dropped(reason, source, advert.packet.virtualRouterId, finding.sentence);
    }
  }
  const { ah, packet } = advert;
  const adopted = advert.version === 3 ? { advertIntervalMs: advert.packet.advertIntervalCs * 10 } : {};
  const input = { kind: "advert", source, priority: packet.priority, ...adopted } as const;
  const sequence = ah === null ? {} : { sequence: ah.sequence };
  return { accepted: true, source, packet, input, remarks, ...sequence };
}

function dropped(
  reason: DropReason,
  source: string,
  virtualRouterId: number | null,
  sentence: string,
): Received {
  return { accepted: false, drop: { reason, source, virtualRouterId, sentence } };
}
