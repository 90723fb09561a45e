import { familyOf, type VrrpInstanceConfig } from "../config/config.js";
import type { AdvertDatagram } from "./advert.js";
import { AdvertSender } from "./speaker-sender.js";
import { type SocketEvents, type SocketKind, VrrpSocket } from "./speaker-socket.js";

export interface WireEvents {
  /** An IPv4 datagram, header first. Valid during the call only. */
  onIpv4(datagram: Uint8Array): void;
  /** An IPv6 message and where it came from. Valid during the call only. */
  onIpv6(message: Uint8Array, source: string): void;
  onError(error: Error): void;
}

/** The sockets of one interface, for the families and versions of its instances. */
export class Wire {
  readonly #receivers: readonly VrrpSocket[];
  readonly #senders: ReadonlyMap<4 | 6, AdvertSender>;
  readonly #kinds: ReadonlySet<SocketKind>;

  private constructor(
    receivers: readonly VrrpSocket[],
    senders: ReadonlyMap<4 | 6, AdvertSender>,
    kinds: ReadonlySet<SocketKind>,
  ) {
    this.#receivers = receivers;
    this.#senders = senders;
    this.#kinds = kinds;
  }

  /** Throws LbError LB_PERMISSION, LB_VRRP_SOCKET. */
  static open(
    where: { readonly name: string; readonly index: number },
    configs: readonly VrrpInstanceConfig[],
    events: WireEvents,
  ): Wire {
    const receivers: VrrpSocket[] = [];
    const senders = new Map<4 | 6, AdvertSender>();
    try {
      const kinds = kindsFor(configs);
      for (const kind of kinds) {
        receivers.push(VrrpSocket.open({ kind, ...where }, eventsFor(kind, events)));
      }
      for (const family of new Set(configs.map(familyOf))) {
        senders.set(family, AdvertSender.open({ family, ...where }));
      }
      return new Wire(receivers, senders, kinds);
    } catch (error) {
      for (const socket of [...receivers, ...senders.values()]) {
        socket.close();
      }
      throw error;
    }
  }

  /** False when a socket broke: open another wire. */
  get isOpen(): boolean {
    return this.#receivers.every(({ isOpen }) => isOpen);
  }

  /** Whether these instances can speak over it; if not, open another wire. */
  serves(configs: readonly VrrpInstanceConfig[]): boolean {
    return [...kindsFor(configs)].every((kind) => this.#kinds.has(kind));
  }

  /** Sends one datagram, at once. Throws what the kernel says. */
  send(datagram: AdvertDatagram): void {
    this.#senders.get(datagram.destination.includes(":") ? 6 : 4)?.send(datagram);
  }

  /** Hands over everything that has arrived. */
  drain(): void {
    for (const receiver of this.#receivers) {
      receiver.drain();
    }
  }

  close(): void {
    for (const socket of [...this.#receivers, ...this.#senders.values()]) {
      socket.close();
    }
  }
}

/** Where VRRPv2 is spoken, adverts with an authentication header are heard too, if only to say why they are dropped. */
function kindsFor(configs: readonly VrrpInstanceConfig[]): ReadonlySet<SocketKind> {
  return new Set(
    configs.flatMap((config): SocketKind[] => {
      if (familyOf(config) === 6) return ["ipv6"];
      return config.version === 2 ? ["ipv4", "ipv4-ah"] : ["ipv4"];
    }),
  );
}

function eventsFor(kind: SocketKind, events: WireEvents): SocketEvents {
  return {
    onDatagram: (datagram, source) =>
      kind === "ipv6" ? events.onIpv6(datagram, source) : events.onIpv4(datagram),
    onError: (error) => events.onError(error),
  };
}
