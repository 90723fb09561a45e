import { multicastGroup } from "./advert.js";
import { authenticationHeaderProtocol, icvOf, parseAuthenticationHeader } from "./authentication-header.js";
import {
  type Advert,
  type AuthenticatedArrival,
  configurationChecks,
  type LocalRouter,
  untilThen,
} from "./configuration-checks.js";
import type { Drop, DropReason, Remark } from "./drop.js";
import type { InstanceInput } from "./instance-state.js";
import { parseIpv4 } from "./ipv4.js";
import { vrrpMulticastGroupV6 } from "./ipv6.js";
import { type AdvertPacketV2, parseAdvertV2, vrrpMulticastGroup, vrrpProtocol } from "./packet-v2.js";
import { type AdvertPacketV3, parseAdvertV3 } from "./packet-v3.js";

/** The virtual routers of one interface and family, by VRID. */
export type LocalRouters = ReadonlyMap<number, LocalRouter>;

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
    const sentence = `it is VRRP version ${spoken}, here is version ${ours}: set the same version on both; ${untilThen}`;
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
  for (const { reason, find } of configurationChecks) {
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
