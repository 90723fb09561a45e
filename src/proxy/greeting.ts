import type { Backend } from "./backend.js";
import type { Connection } from "./engine/engine.js";
import { sendProxyHeader } from "./proxy-protocol/send.js";

const nothing = new Uint8Array(0);

/**
 * What goes in front of everything else on a connection to a server that stands: the PROXY header that tells of `client`, then
 * TLS. True: that is all, and what follows may be sent, `more` if it is in this very turn; false: `connected` comes once more.
 */
export function greet(
  connection: Connection,
  backend: Backend,
  server: number,
  client: Connection,
  more: boolean,
): boolean {
  const { name, sendProxy, tls: wanted } = backend.servers[server];
  const tls = backend.initiations[server];
  if (sendProxy !== undefined) sendProxyHeader(connection, sendProxy, client, more && tls === null);
  if (tls === null) {
    if (wanted !== undefined) throw new Error(`${backend.name}/${name}: this thread's engine speaks no TLS`);
    return true;
  }
  connection.secure(tls, null, nothing, 0, 0);
  return false;
}
