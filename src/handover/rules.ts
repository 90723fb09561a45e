/**
 * nftables for a move of the addresses in which no connection is lost. Pure: lines for `nft -i`.
 *
 * The taker sends what belongs to the leaver on to it: packets to the virtual address of flows whose first SYN it did not
 * see. The leaver has the address on `lo` meanwhile, answers its clients itself, and no longer speaks for it in ARP.
 *
 * Not by connection tracking: its table would fill under load, and its `nf_conntrack_tcp_loose` is a sysctl of the whole
 * machine that a crash would leave changed. A set of our own needs neither. Every table has an owner: the kernel removes
 * it when the nft process that made it is gone, and that one goes with this process, however it dies.
 */

export interface Move {
  readonly family: 4 | 6;
  /** An identifier, unique in this process. */
  readonly table: string;
  readonly addresses: readonly string[];
  /** After which nothing of it has an effect any more, by the kernel's hand. */
  readonly lifetimeMs: number;
}

/** A flow by its client's end and ours. */
export interface Flow {
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly localAddress: string;
  readonly localPort: number;
}

/** More new connections than that within the drain time are beyond what one node serves. */
const mostFlows = 1_048_576;
/** nft reads lines; this keeps each below its buffer. */
const flowsPerLine = 200;
const ownOutlastsMs = 2000;

export interface Forwarding extends Move {
  /** The leaver's own address, and its MAC: what it sends on to us is not sent back to it. */
  readonly leaver: { readonly address: string; readonly mac: string };
  readonly interface: string;
}

/**
 * The taker's table, which learns at first: it changes nothing and remembers the flows that begin here. Those that are
 * older are read after it is there, so that none falls between.
 */
export function learningRules(move: Forwarding): string[] {
  const { table, addresses, leaver } = move;
  const ip = move.family === 4 ? "ip" : "ip6";
  const type = move.family === 4 ? "ipv4_addr" : "ipv6_addr";
  const life = `timeout ${seconds(move.lifetimeMs)}`;
  const flow = `${ip} saddr . tcp sport . ${ip} daddr . tcp dport`;
  const rule = (text: string) => `add rule ${ip} ${table} ${text}`;
  return [
    `add table ${ip} ${table} { flags owner; }`,
    `add set ${ip} ${table} virtual { type ${type}; flags timeout; }`,
    // Longer than the addresses below: no flow is forgotten while the others are sent on.
    `add set ${ip} ${table} own { type ${type} . inet_service . ${type} . inet_service; flags dynamic, timeout; size ${mostFlows}; timeout ${seconds(move.lifetimeMs + ownOutlastsMs)}; }`,
    `add chain ${ip} ${table} flows`,
    rule(`flows tcp flags & (syn | ack) == syn update @own { ${flow} } accept`),
    rule(`flows ${flow} @own accept`),
    rule(`flows ether saddr ${leaver.mac} accept`),
    `add chain ${ip} ${table} prerouting { type filter hook prerouting priority mangle; policy accept; }`,
    rule(`prerouting ${ip} daddr @virtual meta l4proto tcp jump flows`),
    `add element ${ip} ${table} virtual { ${addresses.map((address) => `${address} ${life}`).join(", ")} }`,
  ];
}

/** From now on the table sends on to the leaver what is neither `own` nor began here. */
export function forwardingRules(move: Forwarding, own: readonly Flow[]): string[] {
  const { table, leaver } = move;
  const ip = move.family === 4 ? "ip" : "ip6";
  return [
    ...batches(own, flowsPerLine).map(
      (batch) => `add element ${ip} ${table} own { ${batch.map(describeFlow).join(", ")} }`,
    ),
    `add rule ${ip} ${table} flows dup to ${leaver.address} device "${move.interface}" drop`,
  ];
}

/**
 * The leaver's table: it answers for the addresses until `quietNow`. IPv6 needs none: nobody asks `lo` for neighbours.
 *
 * From the start it asks nobody in their name: what the kernel asks for a client's MAC carries the source of the packet,
 * and would teach the client the leaver's MAC just after the taker has announced its own.
 */
export function quietRules(move: Move, ownAddress: string): string[] {
  const { table, family, addresses } = move;
  if (family === 6) return [];
  return [
    `add table arp ${table} { flags owner; }`,
    `add set arp ${table} virtual { type ipv4_addr; flags timeout; }`,
    `add chain arp ${table} input { type filter hook input priority 0; policy accept; }`,
    `add rule arp ${table} input arp operation request arp daddr ip @virtual drop`,
    `add chain arp ${table} output { type filter hook output priority 0; policy accept; }`,
    `add rule arp ${table} output arp operation request arp saddr ip { ${addresses.join(", ")} } arp saddr ip set ${ownAddress}`,
  ];
}

/** From now on the leaver says nothing of the addresses. */
export function quietNow({ table, family, addresses, lifetimeMs }: Move): string[] {
  if (family === 6) return [];
  const elements = addresses.map((address) => `${address} timeout ${seconds(lifetimeMs)}`);
  return [`add element arp ${table} virtual { ${elements.join(", ")} }`];
}

export function removeForwarding({ table, family }: Move): string[] {
  return [`delete table ${family === 4 ? "ip" : "ip6"} ${table}`];
}

export function removeQuiet({ table, family }: Move): string[] {
  return family === 6 ? [] : [`delete table arp ${table}`];
}

function describeFlow({ remoteAddress, remotePort, localAddress, localPort }: Flow): string {
  return `${remoteAddress} . ${remotePort} . ${localAddress} . ${localPort}`;
}

function seconds(ms: number): string {
  return `${Math.max(1, Math.ceil(ms / 1000))}s`;
}

function batches<T>(items: readonly T[], size: number): T[][] {
  const result: T[][] = [];
  for (let at = 0; at < items.length; at += size) result.push(items.slice(at, at + size));
  return result;
}
