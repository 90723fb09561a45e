import { normalizeIpLiteral } from "../netlink/ip-literal.js";
import { isIPv4, isIPv6, parseInterface } from "./address.js";
import type { AddressScope, VirtualAddress } from "./config.js";
import { type Parsed, parsed, quote, refused } from "./problem.js";
import { suggestion } from "./suggest.js";

const scopes: readonly AddressScope[] = ["global", "site", "link", "host", "nowhere"];

/**
 * One line of virtual_ipaddress, as keepalived has it: `192.168.33.84/24`, `fd00::84/64`, and behind it, where the
 * address goes to another interface or gets another scope or label, `dev eth2`, `scope link`, `label eth2:1`; `brd` and a
 * broadcast address (`+`: the last of its network, `-`: none), and `no_track`, with which nobody puts it back who has not
 * just become master. Without a prefix length it is /32 or /128, as in keepalived.
 */
export function parseVirtualAddress(text: string): Parsed<VirtualAddress> {
  const [literal = "", ...options] = text.trim().split(/\s+/);
  const address = parsePrefixed(literal);
  return address.ok ? withOptions(address.value, options) : address;
}

function parsePrefixed(text: string): Parsed<VirtualAddress> {
  const [address, prefix, ...rest] = text.split("/");
  const isV6 = isIPv6(address);
  if ((!isV6 && !isIPv4(address)) || rest.length > 0) {
    return refused(
      `${quote(text)} is not an IP address`,
      "write, for example, 192.168.33.84/24 or fd00::84/64",
    );
  }
  const longest = isV6 ? 128 : 32;
  const prefixLength = prefix === undefined ? longest : /^\d{1,3}$/.test(prefix) ? Number(prefix) : 0;
  if (prefixLength < 1 || prefixLength > longest) {
    return refused(`/${prefix} is not a prefix length`, `write a number from 1 to ${longest}, such as /24`);
  }
  if (!(isV6 ? canBeHostV6(address) : canBeHostV4(address))) {
    return refused(
      `${address} cannot be a host's address on a network`,
      "choose an address of the interface's network",
    );
  }
  return parsed({ address: isV6 ? normalizeIpLiteral(address) : address, prefixLength });
}

function canBeHostV4(address: string): boolean {
  const first = Number(address.split(".")[0]);
  return first !== 0 && first !== 127 && first < 224;
}

function canBeHostV6(address: string): boolean {
  const normal = normalizeIpLiteral(address);
  return normal !== "::" && normal !== "::1" && !/^(ff|::ffff:)/.test(normal);
}

function withOptions(address: VirtualAddress, options: readonly string[]): Parsed<VirtualAddress> {
  let result = address;
  for (let at = 0; at < options.length; at += 2) {
    if (options[at] === "no_track") {
      result = { ...result, noTrack: true };
      at--;
      continue;
    }
    const [word, value] = options.slice(at, at + 2);
    if (value === undefined) {
      return refused(`${word} has no value`, `write it behind the word, such as ${word} eth2`);
    }
    const next = withOption(result, word, value);
    if (!next.ok) return next;
    result = next.value;
  }
  return parsed(result);
}

function withOption(address: VirtualAddress, word: string, value: string): Parsed<VirtualAddress> {
  if (word === "dev") {
    const name = parseInterface(value);
    return name.ok ? parsed({ ...address, interface: name.value }) : name;
  }
  if (word === "scope") {
    const scope = scopes.find((known) => known === value);
    return scope === undefined
      ? refused(`${quote(value)} is not a scope`, suggestion(value, scopes))
      : parsed({ ...address, scope });
  }
  if (word === "brd") return withBroadcast(address, value);
  if (word === "label") {
    return !address.address.includes(":") && /^[^\s/]{1,15}$/.test(value)
      ? parsed({ ...address, label: value })
      : refused(
          `${quote(value)} cannot be a label here`,
          "write at most 15 characters such as eth1:1, and for IPv4 addresses only",
        );
  }
  return refused(
    `${quote(word)} is not known behind an address`,
    suggestion(word, ["dev", "scope", "label", "brd", "no_track"]),
  );
}

function withBroadcast(virtual: VirtualAddress, value: string): Parsed<VirtualAddress> {
  const { address, prefixLength } = virtual;
  if (address.includes(":")) return refused("IPv6 has no broadcast", "leave brd out");
  if (value === "-") return parsed(virtual);
  if (value === "+" && prefixLength > 30) {
    return refused(`/${prefixLength} has no broadcast address`, "leave brd out");
  }
  const broadcast = value === "+" ? lastOf(address, prefixLength) : value;
  return isIPv4(broadcast)
    ? parsed({ ...virtual, broadcast })
    : refused(`${quote(value)} is not a broadcast address`, "write one such as 192.168.33.255, or +");
}

/** The last address of the network. */
function lastOf(address: string, prefixLength: number): string {
  return address
    .split(".")
    .map((byte, at) => Number(byte) | (0xff >> Math.min(Math.max(prefixLength - at * 8, 0), 8)))
    .join(".");
}

/** The form in which it is read back. */
export function describeVirtualAddress(virtual: VirtualAddress): string {
  const { address, prefixLength } = virtual;
  const options = [
    ["dev", virtual.interface],
    ["scope", virtual.scope],
    ["label", virtual.label],
    ["brd", virtual.broadcast],
  ].flatMap(([word, value]) => (value === undefined ? [] : [`${word} ${value}`]));
  return [`${address}/${prefixLength}`, ...options, ...(virtual.noTrack ? ["no_track"] : [])].join(" ");
}
