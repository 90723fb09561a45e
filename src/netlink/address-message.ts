import { formatIpLiteral, parseIpLiteral } from "./ip-literal.js";
import {
  AddressFamily,
  type Attribute,
  encodePayload,
  LITTLE_ENDIAN,
  Malformed,
  parseAttributes,
  viewOf,
} from "./rtnetlink-message.js";

/**
 * `struct ifaddrmsg` and its attributes (rtnetlink(7), linux/if_addr.h): family(1) prefix length(1) flags(1) scope(1)
 * interface index(4). Pure.
 */

/** An address of an interface, as the kernel tells it. */
export interface InterfaceAddress {
  /** Literal; IPv6 in the form of RFC 5952. */
  readonly address: string;
  readonly prefixLength: number;
  readonly family: 4 | 6;
  /** It has a lifetime, after which the kernel takes it away. Ours are leased, and so are those of DHCP. */
  readonly leased: boolean;
  /** IPv4: another address of the same subnet came first, and is the source of what the host sends there. */
  readonly secondary: boolean;
  /** IPv6: duplicate detection is under way or has failed, and it cannot be spoken from. */
  readonly tentative: boolean;
}

export interface AddressMessage extends InterfaceAddress {
  readonly index: number;
}

const FIXED_BYTES = 8;
/** IFA_*. */
const AttributeType = { address: 1, local: 2, label: 3, broadcast: 4, cacheInfo: 6, flags: 8 } as const;
/** IFA_F_*. The bit of `secondary` means "temporary" (RFC 4941) for IPv6. */
const AddressFlag = {
  secondary: 0x01,
  noDuplicateDetection: 0x02,
  duplicateFound: 0x08,
  tentative: 0x40,
  permanent: 0x80,
} as const;
/** RT_SCOPE_*. */
const Scope = { global: 0, site: 200, link: 253, host: 254, nowhere: 255 } as const;
export type ScopeName = keyof typeof Scope;
/** The greatest lifetime that is not "for ever". */
const MAX_LIFETIME_SECONDS = 0xffff_fffe;

/**
 * Payload of RTM_NEWADDR or RTM_DELADDR. Both IFA_LOCAL and IFA_ADDRESS are set: without the second one, the kernel
 * deletes an address whatever its prefix length.
 *
 * With a lease, IFA_CACHEINFO holds it in whole seconds, rounded up, at least one. An IPv4 address gets no further
 * flag: in the subnet of the host's own address it becomes a secondary one, and as a /32 it has no route, so that the
 * host goes on speaking from its own address either way. IFA_F_NOPREFIXROUTE would only take away the route to the
 * clients of a host whose own address is in another subnet. An IPv6 address would become a candidate for the source,
 * so its preferred lifetime is 0 (RFC 6724 rule 3), and it serves at once, without waiting for duplicate detection.
 *
 * Throws a TypeError when `address` is not a literal: parsed configuration does not hold such a thing.
 */
export function encodeAddressChange(change: {
  index: number;
  address: string;
  prefixLength: number;
  leaseMs?: number;
  /** IPv4; the kernel knows an IPv6 address's scope by itself. */
  scope?: ScopeName;
  label?: string;
  /** IPv4. */
  broadcast?: string;
}): Uint8Array {
  const bytes = parseIpLiteral(change.address);
  if (bytes === null) throw new TypeError(`'${change.address}' is not an IP address`);
  const ipv6 = bytes.length === 16;
  const fixed = new Uint8Array(FIXED_BYTES);
  fixed[0] = ipv6 ? AddressFamily.ipv6 : AddressFamily.ipv4;
  fixed[1] = change.prefixLength;
  fixed[2] = ipv6 && change.leaseMs !== undefined ? AddressFlag.noDuplicateDetection : 0;
  fixed[3] = Scope[change.scope ?? "global"];
  viewOf(fixed).setUint32(4, change.index, LITTLE_ENDIAN);
  const attributes: Attribute[] = [
    { type: AttributeType.local, value: bytes },
    { type: AttributeType.address, value: bytes },
  ];
  if (change.label !== undefined) {
    attributes.push({ type: AttributeType.label, value: new TextEncoder().encode(`${change.label}\0`) });
  }
  const broadcast = change.broadcast === undefined ? null : parseIpLiteral(change.broadcast);
  if (broadcast !== null) attributes.push({ type: AttributeType.broadcast, value: broadcast });
  if (change.leaseMs !== undefined) {
    attributes.push({ type: AttributeType.cacheInfo, value: encodeLifetime(change.leaseMs, ipv6) });
  }
  return encodePayload(fixed, attributes);
}

/** `struct ifa_cacheinfo`: preferred, valid, created, updated, four bytes each. */
function encodeLifetime(leaseMs: number, deprecated: boolean): Uint8Array {
  const seconds = Math.min(Math.max(Math.ceil(leaseMs / 1000), 1), MAX_LIFETIME_SECONDS);
  const value = new Uint8Array(16);
  const view = viewOf(value);
  view.setUint32(0, deprecated ? 0 : seconds, LITTLE_ENDIAN);
  view.setUint32(4, seconds, LITTLE_ENDIAN);
  return value;
}

/** Payload of an RTM_GETADDR that asks for every address of every interface. */
export function encodeAddressDump(): Uint8Array {
  return new Uint8Array(FIXED_BYTES);
}

/** An RTM_NEWADDR or RTM_DELADDR. Null: an address of another family than IPv4 and IPv6. */
export function parseAddressMessage(payload: Uint8Array): AddressMessage | Malformed | null {
  if (payload.length < FIXED_BYTES) {
    return new Malformed(`${payload.length} bytes where an address message needs ${FIXED_BYTES}`);
  }
  const family = payload[0];
  if (family !== AddressFamily.ipv4 && family !== AddressFamily.ipv6) return null;
  const attributes = parseAttributes(payload, FIXED_BYTES);
  if (attributes instanceof Malformed) return attributes;
  // On a point-to-point link IFA_ADDRESS is the peer's; IPv6 leaves IFA_LOCAL out where there is no peer.
  const bytes = attributes.get(AttributeType.local) ?? attributes.get(AttributeType.address);
  const length = family === AddressFamily.ipv4 ? 4 : 16;
  if (bytes?.length !== length) {
    return new Malformed(`an address of ${bytes?.length ?? 0} bytes where family ${family} has ${length}`);
  }
  // The eight bits of the fixed structure ran out; IFA_FLAGS holds all 32, and the kernel always sends it.
  const wideFlags = attributes.get(AttributeType.flags);
  const flags = wideFlags?.length === 4 ? viewOf(wideFlags).getUint32(0, LITTLE_ENDIAN) : payload[2];
  return {
    index: viewOf(payload).getUint32(4, LITTLE_ENDIAN),
    address: formatIpLiteral(bytes),
    prefixLength: payload[1],
    family: family === AddressFamily.ipv4 ? 4 : 6,
    leased: (flags & AddressFlag.permanent) === 0,
    secondary: family === AddressFamily.ipv4 && (flags & AddressFlag.secondary) !== 0,
    tentative: (flags & (AddressFlag.tentative | AddressFlag.duplicateFound)) !== 0,
  };
}
