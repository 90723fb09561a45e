import type { networkInterfaces } from "node:os";
import { overlaps } from "../config/bind-section.js";
import type { AdminConfig, Config } from "../config/config.js";
import { LbError } from "../errors.js";

type Interfaces = ReturnType<typeof networkInterfaces>;

/**
 * The literal address that the admin server listens on; null while the interface or an address of its own is missing.
 *
 * `interfaces` is what `os.networkInterfaces()` says. A virtual address is never an interface's own: after a crash it
 * may still be there.
 */
export function adminAddress(config: Config, admin: AdminConfig, interfaces: Interfaces): string | null {
  const { listen } = admin;
  if (listen.kind === "address") return listen.address;
  const virtual = config.vrrp.flatMap(({ addresses, excludedAddresses }) =>
    [...addresses, ...excludedAddresses].map(({ address }) => address),
  );
  const own = interfaces[listen.interface]?.find(
    ({ family, address }) => family === "IPv4" && !virtual.includes(address),
  );
  return own?.address ?? null;
}

/** Throws LB_LISTEN_IN_USE when one of our own proxies listens there: the kernel's error would not say who. */
export function assertNoProxyThere(config: Config, address: string, port: number): void {
  const proxy = config.proxies.find(({ listen }) =>
    listen.some((other) => overlaps(other, { address, port })),
  );
  if (proxy === undefined) return;
  throw new LbError(
    "LB_LISTEN_IN_USE",
    `the admin server cannot listen on ${address}:${port}: the proxy ${proxy.name} does`,
    "choose another address with --admin or admin: bind:, or switch it off with --admin off",
  );
}
