import type { InterfaceInfo } from "./route-socket.js";

/**
 * This node's own IPv4 address on an interface: the first one that is not a virtual address. One without a lifetime
 * goes first; where there is none, one that DHCP leased will do. Null: the interface has no address of its own (yet).
 * Pure.
 */
export function ownIpv4Address(info: InterfaceInfo, virtualAddresses: Iterable<string>): string | null {
  const virtual = new Set(virtualAddresses);
  const own = info.addresses.filter(({ family, address }) => family === 4 && !virtual.has(address));
  return (own.find(({ leased }) => !leased) ?? own[0])?.address ?? null;
}

/**
 * This node's own link-local IPv6 address on an interface, once duplicate detection has let it pass: the first one that
 * is not a virtual address. Null: there is none (yet). Pure.
 */
export function ownLinkLocalAddress(info: InterfaceInfo, virtualAddresses: Iterable<string>): string | null {
  const virtual = new Set(virtualAddresses);
  const own = info.addresses.find(
    ({ address, tentative }) => /^fe[89ab]/.test(address) && !tentative && !virtual.has(address),
  );
  return own?.address ?? null;
}
