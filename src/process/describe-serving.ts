import { describeEndpoint } from "../config/address.js";
import type { Config } from "../config/config.js";
import { describeAdminListen } from "../config/serialize.js";

/** What is served from now on, for the log line of the start. Pure. */
export function describeServing(config: Config): Record<string, unknown> {
  const { node, vrrp, proxies, admin, statsSocket } = config;
  return {
    node,
    vrrp: vrrp.map(({ name, interface: on, virtualRouterId, priority, addresses }) => {
      const cidrs = addresses.map(({ address, prefixLength }) => `${address}/${prefixLength}`);
      return `${name} ${on} vrid ${virtualRouterId} priority ${priority} ${cidrs.join(" ")}`;
    }),
    proxies: proxies.map(({ name, listen, servers, defaultBackend }) => {
      const from = listen.map(({ address, port }) => describeEndpoint(address, port));
      const to = servers.map(({ host, port }) => describeEndpoint(host, port));
      return `${name} ${from.join(" ")} → ${defaultBackend ?? to.join(" ")}`;
    }),
    admin: admin === null ? null : `${describeAdminListen(admin.listen)}${admin.path}`,
    statsSocket: statsSocket?.path ?? null,
  };
}
