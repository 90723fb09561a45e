/// <reference path="../netlink/untyped/buffer2address.d.ts" />
import addressing from "buffer2address";
import raw, { type Socket } from "raw-socket";
import { LbError } from "../errors.js";
import { parseIpLiteral } from "../netlink/ip-literal.js";
import { LITTLE_ENDIAN, viewOf } from "../netlink/rtnetlink-message.js";
import { authenticationHeaderProtocol } from "./authentication-header.js";
import { vrrpMulticastGroupV6 } from "./ipv6.js";
import { vrrpMulticastGroup, vrrpProtocol } from "./packet-v2.js";
import { hopLimitFilter, vrrpBehindAuthenticationHeaderFilter } from "./socket-filter.js";

/** Names of <linux/in.h>, <linux/in6.h> and <asm-generic/socket.h>; raw-socket passes numbers through. */
const IPPROTO_IP = 0;
const IP_ADD_MEMBERSHIP = 35;
const IP_MULTICAST_ALL = 49;
const IPPROTO_IPV6 = 41;
const IPV6_ADD_MEMBERSHIP = 20;
const IPV6_MULTICAST_ALL = 29;
const SOL_SOCKET = 1;
const SO_BINDTODEVICE = 25;
const SO_ATTACH_FILTER = 26;

/** More adverts than that in one go are a flood; the rest waits for the next turn of the event loop. */
const mostPerDrain = 1024;
const receiveBytes = 4096;

/**
 * What a socket receives: IPv4 messages with the IP header in front, plain ("ipv4") or behind an authentication header
 * ("ipv4-ah"); IPv6 messages alone.
 */
export type SocketKind = "ipv4" | "ipv4-ah" | "ipv6";

export interface SocketEvents {
  /** Valid during the call only. `source` as the kernel tells it. */
  onDatagram(datagram: Uint8Array, source: string): void;
  onError(error: Error): void;
}

/**
 * A raw socket that receives adverts on one interface: bound to the device, member of the VRRP group.
 *
 * Draining goes straight to the native half, because it must have happened when the call returns: raw-socket's own way
 * waits for the event loop. Its owner holds the reference; an unreferenced raw socket would be closed by the garbage
 * collector.
 */
export class VrrpSocket {
  readonly #socket: Socket;
  readonly #events: SocketEvents;
  readonly #buffer = Buffer.alloc(receiveBytes);
  #open = true;

  private constructor(socket: Socket, events: SocketEvents) {
    this.#socket = socket;
    this.#events = events;
    socket.on("message", (datagram: Buffer, source: string) => events.onDatagram(datagram, source));
    socket.on("error", (error: Error) => {
      if (!wouldBlock(error)) {
        events.onError(error);
      }
    });
    socket.on("close", () => {
      this.#open = false;
    });
  }

  /** Throws LbError LB_PERMISSION when this process may not open raw sockets, LB_VRRP_SOCKET for anything else. */
  static open(options: { kind: SocketKind; name: string; index: number }, events: SocketEvents): VrrpSocket {
    const socket = createRawSocket(options.kind);
    try {
      const device = Buffer.from(`${options.name}\0`);
      socket.setOption(SOL_SOCKET, SO_BINDTODEVICE, device, device.length);
      if (options.kind === "ipv6") {
        attachFilter(socket, hopLimitFilter);
        socket.setOption(IPPROTO_IPV6, IPV6_MULTICAST_ALL, 0);
        const membership = ipv6Membership(options.index);
        socket.setOption(IPPROTO_IPV6, IPV6_ADD_MEMBERSHIP, membership, membership.length);
      } else {
        if (options.kind === "ipv4-ah") {
          attachFilter(socket, vrrpBehindAuthenticationHeaderFilter);
        }
        socket.setOption(IPPROTO_IP, IP_MULTICAST_ALL, 0);
        const membership = ipv4Membership(options.index);
        socket.setOption(IPPROTO_IP, IP_ADD_MEMBERSHIP, membership, membership.length);
      }
      return new VrrpSocket(socket, events);
    } catch (error) {
      socket.close();
      throw socketError(error);
    }
  }

  /** False when it broke: open another one. */
  get isOpen(): boolean {
    return this.#open;
  }

  /** Hands over everything that has arrived, so that no deadline is judged while its answer waits in the queue. */
  drain(): void {
    for (let count = 0; this.#open && count < mostPerDrain; count++) {
      try {
        this.#socket.wrap.recv(this.#buffer, (buffer, bytes, source) => {
          this.#events.onDatagram(buffer.subarray(0, bytes), source);
        });
      } catch (error) {
        if (error instanceof Error && !wouldBlock(error)) {
          this.#events.onError(error);
        }
        return;
      }
    }
  }

  close(): void {
    if (this.#open) {
      this.#open = false;
      this.#socket.close();
    }
  }
}

/** Finds out early, and for a clear message, whether this process may open raw sockets. Throws LB_PERMISSION. */
export function assertRawSocketsAllowed(): void {
  createRawSocket("ipv4").close();
}

function createRawSocket(kind: SocketKind): Socket {
  try {
    return raw.createSocket({
      protocol: kind === "ipv4-ah" ? authenticationHeaderProtocol : vrrpProtocol,
      addressFamily: kind === "ipv6" ? raw.AddressFamily.IPv6 : raw.AddressFamily.IPv4,
    });
  } catch (error) {
    throw socketError(error);
  }
}

/** `struct sock_fprog`: number of instructions, and the address of the first. The kernel copies the program. */
function attachFilter(socket: Socket, program: Uint8Array): void {
  const instructions = Buffer.from(program);
  const pointerBytes = process.arch === "arm" || process.arch === "ia32" ? 4 : 8;
  const fprog = Buffer.alloc(pointerBytes * 2);
  const view = viewOf(fprog);
  view.setUint16(0, instructions.length / 8, LITTLE_ENDIAN);
  const address = addressing.buffer2address(instructions);
  if (pointerBytes === 4) {
    view.setUint32(4, Number(address), LITTLE_ENDIAN);
  } else {
    view.setBigUint64(8, address, LITTLE_ENDIAN);
  }
  socket.setOption(SOL_SOCKET, SO_ATTACH_FILTER, fprog, fprog.length);
}

function socketError(error: unknown): LbError {
  const said = error instanceof Error ? error.message : String(error);
  return said === "Operation not permitted"
    ? new LbError(
        "LB_PERMISSION",
        "VRRP needs a raw socket, and this process may not open one",
        "run lb as root, or give it CAP_NET_RAW and CAP_NET_ADMIN, or use --no-vrrp",
        { cause: error },
      )
    : new LbError(
        "LB_VRRP_SOCKET",
        `the VRRP socket could not be opened: ${said}`,
        "check that the interface allows multicast",
        { cause: error },
      );
}

/** raw-socket reports errno as strerror's text only. */
function wouldBlock(error: Error): boolean {
  return error.message === "Resource temporarily unavailable" || error.message === "Interrupted system call";
}

/** `struct ip_mreqn`: group, local address, interface index in the byte order of the machine. */
function ipv4Membership(index: number): Buffer {
  const request = Buffer.alloc(12);
  request.set(parseIpLiteral(vrrpMulticastGroup) ?? [], 0);
  viewOf(request).setInt32(8, index, LITTLE_ENDIAN);
  return request;
}

/** `struct ipv6_mreq`: group, interface index. */
function ipv6Membership(index: number): Buffer {
  const request = Buffer.alloc(20);
  request.set(parseIpLiteral(vrrpMulticastGroupV6) ?? [], 0);
  viewOf(request).setInt32(16, index, LITTLE_ENDIAN);
  return request;
}
