import { normalizeIpLiteral } from "../netlink/ip-literal.js";
import { isIP, parseInterface } from "./address.js";
import type { PeerTtl, VirtualAddress, VirtualRoute, VirtualRule } from "./config.js";
import { type Context, each } from "./context.js";
import type { Parsed } from "./problem.js";
import type { Path } from "./source.js";
import { suggestion } from "./suggest.js";
import { parseVirtualAddress } from "./virtual-address.js";
import { parseVirtualRoute, parseVirtualRule } from "./virtual-route.js";
import type { VrrpShape } from "./vrrp-schema.js";

/** What of IPv6 fits into one packet of 1500 bytes; adverts are not fragmented. */
const mostIpv6Addresses = 90;
const mostAddresses = 255;

/** Reads `virtual_ipaddress`: at least one, all of one family. */
export function readAddresses(
  path: Path,
  name: string,
  value: string | readonly string[] | undefined,
  context: Context,
): VirtualAddress[] {
  const lines = each(path, value);
  const addresses = readLines(lines, name, context);
  if (lines.length === 0) {
    context.missing(
      path,
      `${name} has no virtual_ipaddress`,
      "add one, such as virtual_ipaddress: 192.168.33.84/24",
    );
  }
  const isV6 = addresses[0]?.address.includes(":") ?? false;
  if (addresses.some(({ address }) => address.includes(":") !== isV6)) {
    context.problem(
      path,
      `${name} has IPv4 and IPv6 addresses, and an advert carries one kind`,
      "make an instance for each family",
    );
  }
  const most = isV6 ? mostIpv6Addresses : mostAddresses;
  if (addresses.length > most) {
    context.problem(
      path,
      `${name} has ${addresses.length} addresses`,
      `an advert carries at most ${most} ${isV6 ? "IPv6 " : ""}addresses`,
    );
  }
  return addresses;
}

export interface Extras {
  readonly excludedAddresses: readonly VirtualAddress[];
  readonly routes: readonly VirtualRoute[];
  readonly rules: readonly VirtualRule[];
  readonly vmac: string | null;
  readonly vmacXmitBase?: true;
}

/** Reads what a master has besides the addresses of its adverts. */
export function readExtras(
  path: Path,
  name: string,
  shape: VrrpShape,
  addresses: readonly VirtualAddress[],
  context: Context,
): Extras {
  const excludedPath = [...path, "virtual_ipaddress_excluded"];
  const excludedAddresses = readLines(each(excludedPath, shape.virtual_ipaddress_excluded), name, context);
  for (const { address } of excludedAddresses) {
    if (addresses.some((other) => other.address === address)) {
      context.problem(excludedPath, `${address} stands in virtual_ipaddress too`, "keep one of them");
    }
  }
  const parsedLines = <T>(
    word: "virtual_routes" | "virtual_rules",
    parse: (text: string) => Parsed<T>,
  ): T[] =>
    each([...path, word], shape[word]).flatMap(([at, text]) => {
      const result = parse(text);
      if (result.ok) return [result.value];
      context.problem(at, result.message, result.advice);
      return [];
    });
  return {
    excludedAddresses,
    routes: parsedLines("virtual_routes", parseVirtualRoute),
    rules: parsedLines("virtual_rules", parseVirtualRule),
    vmac: readVmac([...path, "use_vmac"], shape, context),
    ...readXmitBase(path, shape, context),
  };
}

/** keepalived demands it of unicast peers: what they send goes to the MAC of this node's own address. */
function readXmitBase(path: Path, shape: VrrpShape, context: Context): Pick<Extras, "vmacXmitBase"> {
  const hasVmac = shape.use_vmac !== undefined && shape.use_vmac !== false;
  const xmitBase = shape.vmac_xmit_base === true;
  if (xmitBase && !hasVmac) {
    context.problem(
      [...path, "vmac_xmit_base"],
      "vmac_xmit_base without use_vmac",
      "leave it out: adverts go over the interface itself",
      "key",
    );
  }
  if (hasVmac && !xmitBase && each([...path, "unicast_peer"], shape.unicast_peer).length > 0) {
    context.problem(
      [...path, "use_vmac"],
      "use_vmac and unicast_peer without vmac_xmit_base",
      "add vmac_xmit_base: true: peers answer to the interface's own MAC",
      "key",
    );
  }
  return xmitBase && hasVmac ? { vmacXmitBase: true } : {};
}

/** keepalived's name for it: vrrp.51. */
function readVmac(path: Path, shape: VrrpShape, context: Context): string | null {
  const { use_vmac: vmac = false } = shape;
  if (vmac === false) return null;
  const name = vmac === true ? `vrrp.${shape.virtual_router_id ?? 0}` : vmac;
  context.take(path, parseInterface(name), "");
  if (name === shape.interface) {
    context.problem(path, `${name} is the interface itself`, "write true, or a name that no interface has");
  }
  return name;
}

function readLines(lines: readonly [Path, string][], name: string, context: Context): VirtualAddress[] {
  const addresses: VirtualAddress[] = [];
  for (const [at, text] of lines) {
    const result = parseVirtualAddress(text);
    if (!result.ok) {
      context.problem(at, result.message, result.advice);
      continue;
    }
    if (addresses.some((other) => other.address === result.value.address)) {
      context.problem(at, `${result.value.address} stands twice in ${name}`, "keep one of them");
    }
    addresses.push(result.value);
  }
  return addresses;
}

export interface Unicast {
  readonly sourceAddress: string | null;
  readonly unicastPeers: readonly string[];
  readonly unicastTtl?: number;
  readonly peerTtls?: readonly PeerTtl[];
}

/** Reads `unicast_peer`, `unicast_src_ip`, `unicast_ttl` and `mcast_src_ip`: addresses of the instance's family. */
export function readUnicast(path: Path, shape: VrrpShape, family: 4 | 6, context: Context): Unicast {
  const peers = each([...path, "unicast_peer"], shape.unicast_peer).flatMap(([at, text]) =>
    readPeer(at, text, family, context),
  );
  const unicastPeers = peers.map(({ address }) => address);
  const peerTtls = peers.flatMap(({ ttl }) => (ttl === null ? [] : [ttl]));
  const twice = unicastPeers.find((peer, i) => unicastPeers.indexOf(peer) < i);
  if (twice !== undefined) {
    context.problem([...path, "unicast_peer"], `${twice} stands twice`, "keep one of them");
  }
  const { unicast_src_ip: unicastSource, mcast_src_ip: multicastSource } = shape;
  const isUnicast = unicastPeers.length > 0;
  if (unicastSource !== undefined && shape.unicast_peer === undefined) {
    context.problem(
      [...path, "unicast_src_ip"],
      "unicast_src_ip without unicast_peer",
      "add unicast_peer: with the partner's address, or write mcast_src_ip",
      "key",
    );
  }
  if (multicastSource !== undefined && shape.unicast_peer !== undefined) {
    context.problem(
      [...path, "mcast_src_ip"],
      "mcast_src_ip with unicast_peer",
      "write unicast_src_ip",
      "key",
    );
  }
  const { unicast_ttl: unicastTtl } = shape;
  if (unicastTtl !== undefined && !isUnicast) {
    context.problem(
      [...path, "unicast_ttl"],
      "unicast_ttl without unicast_peer",
      "leave it out: adverts to the group have 255",
      "key",
    );
  }
  const word = isUnicast ? "unicast_src_ip" : "mcast_src_ip";
  const source = isUnicast ? unicastSource : multicastSource;
  const [sourceAddress = null] =
    source === undefined ? [] : readOwnFamily([...path, word], source, family, context);
  if (sourceAddress !== null && unicastPeers.includes(sourceAddress)) {
    context.problem(
      [...path, "unicast_peer"],
      `${sourceAddress} is this node's own source address`,
      "name the partner's address",
    );
  }
  return {
    sourceAddress,
    unicastPeers,
    ...(unicastTtl !== undefined && unicastTtl !== 255 && { unicastTtl }),
    ...(peerTtls.length > 0 && { peerTtls }),
  };
}

interface Peer {
  readonly address: string;
  readonly ttl: PeerTtl | null;
}

/** `192.168.33.81`, or keepalived's `192.168.33.81 min_ttl 254 max_ttl 255`. */
function readPeer(path: Path, text: string, family: 4 | 6, context: Context): Peer[] {
  const [literal = "", ...options] = text.trim().split(/\s+/);
  const [address] = readOwnFamily(path, literal, family, context);
  if (address === undefined) return [];
  const limits = { min: 0, max: 255 };
  for (let at = 0; at < options.length; at += 2) {
    const [word, value = ""] = options.slice(at, at + 2);
    const limit = /^\d{1,3}$/.test(value) ? Number(value) : 256;
    if (word !== "min_ttl" && word !== "max_ttl") {
      context.problem(
        path,
        `${JSON.stringify(word)} is not known behind an address`,
        suggestion(word, ["min_ttl", "max_ttl"]),
      );
      return [];
    }
    if (limit > 255) {
      context.problem(path, `${word} has no TTL behind it`, "write a number from 0 to 255");
      return [];
    }
    limits[word === "min_ttl" ? "min" : "max"] = limit;
  }
  if (limits.min > limits.max) {
    context.problem(path, `min_ttl ${limits.min} is above max_ttl ${limits.max}`, "exchange them");
  }
  if (options.length > 0 && family === 6) {
    context.problem(
      path,
      "the hop limit of an IPv6 peer's adverts is not told by the kernel",
      "leave min_ttl and max_ttl out",
    );
  }
  return [{ address, ttl: options.length === 0 ? null : { address, ...limits } }];
}

/** The form in which they are read back. */
export function describePeers({ unicastPeers, peerTtls = [] }: Unicast): string[] {
  return unicastPeers.map((peer) => {
    const ttl = peerTtls.find(({ address }) => address === peer);
    return ttl === undefined ? peer : `${peer} min_ttl ${ttl.min} max_ttl ${ttl.max}`;
  });
}

function readOwnFamily(path: Path, text: string, family: 4 | 6, context: Context): string[] {
  if (!isIP(text)) {
    context.problem(
      path,
      `${JSON.stringify(text)} is not an IP address`,
      "write, for example, 192.168.33.81",
    );
    return [];
  }
  if (text.includes(":") !== (family === 6)) {
    context.problem(
      path,
      `${text} is not of the family of virtual_ipaddress`,
      `write an IPv${family} address`,
    );
    return [];
  }
  return [normalizeIpLiteral(text)];
}
