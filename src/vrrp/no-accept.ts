import type { VrrpInstanceConfig } from "../config/config.js";

/** Every table of ours begins so; one of an instance that is gone, or accepts now, is found by it. */
const noAcceptPrefix = "lb_no_accept_";

/** Whether a master must leave packets to the virtual addresses alone (RFC 9568 §6.1): never an owner. */
export function mustNotAccept({ accept, priority }: VrrpInstanceConfig): boolean {
  return !accept && priority !== 255;
}

/** The nftables table of an instance. */
export function noAcceptTable(instance: string): string {
  return noAcceptPrefix + instance.replaceAll(/[^A-Za-z0-9_]/g, (letter) => `_${letter.charCodeAt(0)}_`);
}

/**
 * What `nft -f -` is told, as often as needed: drop what comes in for the virtual addresses, but for neighbour
 * discovery, without which an IPv6 address could not even be routed through (RFC 9568 §8.2.4).
 */
export function noAcceptScript(config: VrrpInstanceConfig): string {
  const table = noAcceptTable(config.name);
  const all = [...config.addresses, ...config.excludedAddresses].map(({ address }) => address);
  const ipv4 = all.filter((address) => !address.includes(":"));
  const ipv6 = all.filter((address) => address.includes(":"));
  const rules = [
    ...(ipv4.length > 0 ? [`ip daddr { ${ipv4.join(", ")} } drop`] : []),
    ...(ipv6.length > 0
      ? [
          `ip6 daddr { ${ipv6.join(", ")} } icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept`,
          `ip6 daddr { ${ipv6.join(", ")} } drop`,
        ]
      : []),
  ];
  return [
    `add table inet ${table}`,
    `delete table inet ${table}`,
    `table inet ${table} {`,
    "  chain input {",
    "    type filter hook input priority -1; policy accept;",
    ...rules.map((rule) => `    ${rule}`),
    "  }",
    "}",
    "",
  ].join("\n");
}

/** Our tables in what `nft list tables` says that no instance wants. */
export function staleTables(listed: string, configs: readonly VrrpInstanceConfig[]): string[] {
  const wanted = new Set(configs.filter(mustNotAccept).map(({ name }) => noAcceptTable(name)));
  return listed
    .split("\n")
    .map((line) => /^table inet (\S+)$/.exec(line.trim())?.[1] ?? "")
    .filter((table) => table.startsWith(noAcceptPrefix) && !wanted.has(table));
}
