import { normalizeIpLiteral } from "../netlink/ip-literal.js";
import { isIP, parseInterface } from "./address.js";
import type { VirtualAddress, VirtualRoute, VirtualRule } from "./config.js";
import { type Context, each } from "./context.js";
import type { Parsed } from "./problem.js";
import type { VrrpShape } from "./schema.js";
import type { Path } from "./source.js";
import { parseVirtualAddress } from "./virtual-address.js";
import { parseVirtualRoute, parseVirtualRule } from "./virtual-route.js";

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
  };
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
}

/** Reads `unicast_peer`, `unicast_src_ip` and `mcast_src_ip`: addresses of the instance's family. */
export function readUnicast(path: Path, shape: VrrpShape, family: 4 | 6, context: Context): Unicast {
  const unicastPeers = each([...path, "unicast_peer"], shape.unicast_peer).flatMap(([at, text]) =>
    readOwnFamily(at, text, family, context),
  );
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
  return { sourceAddress, unicastPeers };
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
