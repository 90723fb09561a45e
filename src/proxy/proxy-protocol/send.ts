import type { Connection } from "../engine/engine.js";
import { encodeProxyHeader, type ProxyVersion } from "./encode.js";

/**
 * Begins a connection to a server with the header that tells it of `client`. `more`: something follows in this very turn.
 */
export function sendProxyHeader(
  server: Connection,
  version: ProxyVersion,
  client: Connection,
  more: boolean,
): void {
  const source = { address: client.remoteAddress, port: client.remotePort };
  const header = encodeProxyHeader(version, { source, destination: client.local() });
  server.send(header, 0, header.length, more);
}
