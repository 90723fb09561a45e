import type { NodeView } from "./node-view.js";
import { firstProxyId } from "./stat-rows.js";

/** HAProxy's `pool-max-conn`: no limit. */
const unlimited = -1;

/**
 * `show servers conn [<backend>]`, in HAProxy 2.6's columns. Connections carry one exchange at a time here, so as many
 * were in use at most as there were sessions; every idle one is safe to take (HAProxy's http-reuse safe), and is closed after `timeout: http-keep-alive`. How many each thread
 * has, HAProxy's last column, is not told. `only`: null
 * for every proxy.
 */
export function showServersConn(view: NodeView, only: string | null): string {
  let text =
    "# bkname/svname bkid/svid addr port - purge_delay used_cur used_max need_est unsafe_nb safe_nb idle_lim idle_cur\n";
  for (const [i, proxy] of view.proxies.entries()) {
    if (only !== null && proxy.name !== only) continue;
    for (const [j, server] of proxy.servers.entries()) {
      const { host, port } = view.backends[i].servers[j];
      const row = view.snapshot.proxies[i].servers[j];
      const fields = [
        `${proxy.name}/${server.name}`,
        `${firstProxyId + i}/${j + 1}`,
        ...[host, port, "-", proxy.timeouts.keepAliveMs],
        ...[row.usedConnections, Math.max(row.usedConnections, row.sessionsMax), row.usedConnections],
        ...[0, row.idleConnections, unlimited, row.idleConnections],
      ];
      text += `${fields.join(" ")}\n`;
    }
  }
  return text;
}
