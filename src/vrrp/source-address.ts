import { familyOf, type VrrpInstanceConfig } from "../config/config.js";
import { ownIpv4Address, ownLinkLocalAddress } from "../netlink/interface-address.js";
import type { InterfaceInfo } from "../netlink/route-socket.js";

/** From where an instance's adverts come. */
export type SourceAddress =
  | { readonly found: true; readonly address: string }
  /** Why there is none, one sentence without a full stop. */
  | { readonly found: false; readonly reason: string };

/**
 * Chooses the source of an instance's adverts on its interface: the configured one, or the interface's own address of
 * the instance's family, link-local for IPv6 (RFC 9568 §5.1.2.1).
 *
 * Never a virtual address of any instance, even where it stands first: the tie-break compares sources, and both nodes
 * would have the same. But for an owner (priority 255), whose virtual address may be the only one that it has.
 */
export function sourceAddress(
  config: VrrpInstanceConfig,
  info: InterfaceInfo,
  virtualAddresses: ReadonlySet<string>,
): SourceAddress {
  const { sourceAddress: configured } = config;
  if (configured !== null) {
    const there = info.addresses.some(({ address, tentative }) => address === configured && !tentative);
    return there
      ? { found: true, address: configured }
      : { found: false, reason: `interface ${info.name} does not have the source address ${configured}` };
  }
  const own = familyOf(config) === 4 ? ownIpv4Address : ownLinkLocalAddress;
  const leased = info.addresses.filter((address) => address.leased).map(({ address }) => address);
  const address = own(info, virtualAddresses) ?? (config.priority === 255 ? own(info, leased) : null);
  if (address !== null) {
    return { found: true, address };
  }
  const kind = familyOf(config) === 4 ? "IPv4 address of its own" : "link-local IPv6 address of its own";
  return { found: false, reason: `interface ${info.name} has no ${kind}` };
}
