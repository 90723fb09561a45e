import { forwardsIpv6 } from "../netlink/forwarding.js";
import { ArpSocket } from "../netlink/gratuitous-arp.js";
import type { InterfaceInfo } from "../netlink/route-socket.js";

/** Announces addresses, IPv4 by gratuitous ARP and IPv6 by neighbour advertisements, on any interface of this node. */
export class Announcer {
  readonly #sockets = new Map<number, ArpSocket>();
  readonly #onError: (what: string, error: unknown) => void;

  constructor(onError: (what: string, error: unknown) => void) {
    this.#onError = onError;
  }

  /** Opens the socket, so that a refusal shows before it is needed. Throws LbError LB_PERMISSION, LB_ARP. */
  prepare({ index }: InterfaceInfo): ArpSocket {
    let socket = this.#sockets.get(index);
    if (socket === undefined) {
      socket = ArpSocket.open(index);
      this.#sockets.set(index, socket);
    }
    return socket;
  }

  /** Once. A failure is told, and is no reason to stop: the link's own events tell the same. */
  announce(on: InterfaceInfo, address: string): void {
    try {
      const isRouter = address.includes(":") && forwardsIpv6(on.name);
      this.prepare(on).announce(on.mac, address, isRouter);
    } catch (error) {
      this.#onError(`${address} could not be announced`, error);
    }
  }

  close(): void {
    for (const socket of this.#sockets.values()) {
      socket.close();
    }
    this.#sockets.clear();
  }
}
