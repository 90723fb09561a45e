import type { ProxyConfig } from "../config/config.js";
import { closeDescriptor, openListeningSocket } from "../netlink/listening-socket.js";
import type { InheritedSocket } from "../upgrade/message.js";

/** A socket that a proxy accepts on. The main thread keeps it open, so that clients can wait while a thread is replaced. */
export interface ListeningSocket {
  readonly proxyIndex: number;
  /** Which of the proxy's addresses it is. */
  readonly place: number;
  readonly address: string;
  readonly port: number;
  readonly descriptor: number;
}

/**
 * Opens every listening address of every proxy, or none: LbError LB_LISTEN_IN_USE, LB_PERMISSION, LB_LISTEN. An address
 * that is among `open` already keeps its socket, with the clients that wait in its backlog.
 */
export function openListeningSockets(
  proxies: readonly ProxyConfig[],
  open: readonly ListeningSocket[] = [],
): ListeningSocket[] {
  const sockets: ListeningSocket[] = [];
  try {
    for (const [proxyIndex, proxy] of proxies.entries()) {
      for (const [place, { address, port }] of proxy.listen.entries()) {
        const kept = open.find((socket) => socket.address === address && socket.port === port);
        const descriptor = kept?.descriptor ?? openListeningSocket({ address, port });
        sockets.push({ proxyIndex, place, address, port, descriptor });
      }
    }
    return sockets;
  } catch (error) {
    closeListeningSockets(sockets, open);
    throw error;
  }
}

/** What the process before has left of the proxies' sockets, as `open` of `openListeningSockets`. */
export function inheritedSockets(sockets: readonly InheritedSocket[]): ListeningSocket[] {
  return sockets
    .filter(({ kind }) => kind === "proxy")
    .map(({ address, port, descriptor }) => ({ proxyIndex: -1, place: -1, address, port, descriptor }));
}

/** Closes the sockets whose descriptors are not in `except`. */
export function closeListeningSockets(
  sockets: readonly ListeningSocket[],
  except: readonly ListeningSocket[] = [],
): void {
  for (const { descriptor } of sockets) {
    if (!except.some((kept) => kept.descriptor === descriptor)) closeDescriptor(descriptor);
  }
}
