import { parseIpLiteral } from "./ip-literal.js";
import { AddressFamily, type Attribute, encodePayload, LITTLE_ENDIAN, viewOf } from "./rtnetlink-message.js";

/**
 * `struct rtmsg` and `struct fib_rule_hdr` with their attributes (rtnetlink(7), linux/fib_rules.h): family(1)
 * destination length(1) source length(1) TOS(1) table(1), then for a route protocol(1) scope(1) type(1), for a rule
 * reserved(2) action(1), then flags(4). Pure.
 */

export interface RouteEntry {
  /** A literal; 0.0.0.0/0 or ::/0 is the default route. */
  readonly address: string;
  readonly prefixLength: number;
  readonly kind?: "blackhole" | "unreachable" | "prohibit";
  readonly gateway?: string;
  /** Interface index. */
  readonly index?: number;
  /** The source address that it prefers. */
  readonly source?: string;
  /** 254, the main table, if left out. */
  readonly table?: number;
  readonly metric?: number;
}

export interface RuleEntry {
  readonly from?: { readonly address: string; readonly prefixLength: number };
  readonly to?: { readonly address: string; readonly prefixLength: number };
  readonly inputInterface?: string;
  readonly outputInterface?: string;
  readonly mark?: number;
  readonly priority?: number;
  readonly table: number;
}

const FIXED_BYTES = 12;
/** RTA_*. */
const RouteAttribute = {
  destination: 1,
  outputIndex: 4,
  gateway: 5,
  priority: 6,
  source: 7,
  table: 15,
} as const;
/** FRA_*. */
const RuleAttribute = {
  destination: 1,
  source: 2,
  inputInterface: 3,
  priority: 6,
  mark: 10,
  table: 15,
  outputInterface: 17,
} as const;
/** RTN_*. */
const RouteType = { unicast: 1, blackhole: 6, unreachable: 7, prohibit: 8 } as const;
/** RT_SCOPE_*: through a gateway, or on the link. */
const SCOPE_UNIVERSE = 0;
const SCOPE_LINK = 253;
const TABLE_MAIN = 254;
/** FR_ACT_TO_TBL. */
const ACTION_TABLE = 1;
/** keepalived's number in RTPROT_*: `ip route` calls it by name, and nobody takes the route for an administrator's. */
const PROTOCOL_VRRP = 18;

/** Payload of RTM_NEWROUTE or RTM_DELROUTE. Throws a TypeError where an address is no literal. */
export function encodeRoute(route: RouteEntry): Uint8Array {
  const destination = literal(route.address);
  const isV4 = destination.length === 4;
  const table = route.table ?? TABLE_MAIN;
  const fixed = new Uint8Array(FIXED_BYTES);
  fixed[0] = isV4 ? AddressFamily.ipv4 : AddressFamily.ipv6;
  fixed[1] = route.prefixLength;
  fixed[4] = shortTable(table);
  fixed[5] = PROTOCOL_VRRP;
  const isOnLink = isV4 && route.kind === undefined && route.gateway === undefined;
  fixed[6] = isOnLink ? SCOPE_LINK : SCOPE_UNIVERSE;
  fixed[7] = RouteType[route.kind ?? "unicast"];
  const attributes: Attribute[] = [{ type: RouteAttribute.table, value: number(table) }];
  if (route.prefixLength > 0) attributes.push({ type: RouteAttribute.destination, value: destination });
  if (route.gateway !== undefined) {
    attributes.push({ type: RouteAttribute.gateway, value: literal(route.gateway) });
  }
  if (route.source !== undefined) {
    attributes.push({ type: RouteAttribute.source, value: literal(route.source) });
  }
  if (route.index !== undefined) {
    attributes.push({ type: RouteAttribute.outputIndex, value: number(route.index) });
  }
  if (route.metric !== undefined) {
    attributes.push({ type: RouteAttribute.priority, value: number(route.metric) });
  }
  return encodePayload(fixed, attributes);
}

/** Payload of RTM_NEWRULE or RTM_DELRULE. Throws a TypeError where an address is no literal. */
export function encodeRule(rule: RuleEntry): Uint8Array {
  const isV6 = [rule.from, rule.to].some((prefix) => prefix?.address.includes(":") ?? false);
  const fixed = new Uint8Array(FIXED_BYTES);
  fixed[0] = isV6 ? AddressFamily.ipv6 : AddressFamily.ipv4;
  fixed[1] = rule.to?.prefixLength ?? 0;
  fixed[2] = rule.from?.prefixLength ?? 0;
  fixed[4] = shortTable(rule.table);
  fixed[7] = ACTION_TABLE;
  const attributes: Attribute[] = [{ type: RuleAttribute.table, value: number(rule.table) }];
  for (const [type, prefix] of [
    [RuleAttribute.destination, rule.to],
    [RuleAttribute.source, rule.from],
  ] as const) {
    if (prefix !== undefined && prefix.prefixLength > 0) {
      attributes.push({ type, value: literal(prefix.address) });
    }
  }
  for (const [type, name] of [
    [RuleAttribute.inputInterface, rule.inputInterface],
    [RuleAttribute.outputInterface, rule.outputInterface],
  ] as const) {
    if (name !== undefined) attributes.push({ type, value: new TextEncoder().encode(`${name}\0`) });
  }
  for (const [type, value] of [
    [RuleAttribute.mark, rule.mark],
    [RuleAttribute.priority, rule.priority],
  ] as const) {
    if (value !== undefined) attributes.push({ type, value: number(value) });
  }
  return encodePayload(fixed, attributes);
}

/** The byte that a table's number once was; the attribute holds all of it. */
function shortTable(table: number): number {
  return table < 256 ? table : 0;
}

function number(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  viewOf(bytes).setUint32(0, value, LITTLE_ENDIAN);
  return bytes;
}

function literal(address: string): Uint8Array {
  const bytes = parseIpLiteral(address);
  if (bytes === null) throw new TypeError(`'${address}' is not an IP address`);
  return bytes;
}
