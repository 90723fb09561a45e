import { LbError } from "../errors.js";
import { parseIpLiteral } from "../netlink/ip-literal.js";
import { LITTLE_ENDIAN, viewOf } from "../netlink/rtnetlink-message.js";
import {
  closeDescriptor,
  Family,
  openSocket,
  SocketOption,
  SocketType,
  sendTo,
  setSocketOption,
  setSocketOptionBytes,
} from "../netlink/system-calls.js";
import type { AdvertDatagram } from "./advert.js";

/** IPPROTO_RAW: the socket takes whole IP datagrams (as with IP_HDRINCL), and never receives one. */
const ipprotoRaw = 255;
/** TC_PRIO_CONTROL: ahead of bulk traffic in the interface's queue. */
const controlPriority = 7;

/**
 * Sends adverts of one family on one interface. The datagrams come with their IP headers, because an authentication
 * header covers the header and because each instance has its own source.
 */
export class AdvertSender {
  readonly #fd: number;
  readonly #index: number;
  #open = true;

  private constructor(fd: number, index: number) {
    this.#fd = fd;
    this.#index = index;
  }

  /** Throws LbError LB_VRRP_SOCKET. */
  static open(options: { name: string; index: number; family: 4 | 6 }): AdvertSender {
    const { name, index, family } = options;
    try {
      const type = SocketType.raw | SocketType.nonBlocking;
      const fd = openSocket(family === 4 ? Family.ipv4 : Family.ipv6, type, ipprotoRaw);
      try {
        prepare(fd, name, index, family);
      } catch (error) {
        closeDescriptor(fd);
        throw error;
      }
      return new AdvertSender(fd, index);
    } catch (cause) {
      const said = cause instanceof Error ? cause.message : String(cause);
      throw new LbError(
        "LB_VRRP_SOCKET",
        `the socket for adverts on ${name} could not be opened: ${said}`,
        "check that the interface allows multicast, and that lb has CAP_NET_RAW",
        { cause },
      );
    }
  }

  /** At once. Throws what the kernel says. */
  send({ destination, bytes }: AdvertDatagram): void {
    if (this.#open) {
      sendTo(this.#fd, bytes, socketAddress(destination, this.#index));
    }
  }

  close(): void {
    if (this.#open) {
      this.#open = false;
      closeDescriptor(this.#fd);
    }
  }
}

function prepare(fd: number, name: string, index: number, family: 4 | 6): void {
  setSocketOptionBytes(fd, SocketOption.bindToDevice, new TextEncoder().encode(`${name}\0`));
  setSocketOption(fd, SocketOption.priority, controlPriority);
  if (family === 4) {
    // struct ip_mreqn: group, local address, interface index.
    const request = new Uint8Array(12);
    viewOf(request).setInt32(8, index, LITTLE_ENDIAN);
    setSocketOptionBytes(fd, SocketOption.ipv4MulticastInterface, request);
    setSocketOption(fd, SocketOption.ipv4MulticastLoop, 0);
  } else {
    setSocketOption(fd, SocketOption.ipv6MulticastInterface, index);
    setSocketOption(fd, SocketOption.ipv6MulticastLoop, 0);
  }
}

/** `struct sockaddr_in` or `sockaddr_in6` without a port; a link-local address needs its interface. */
function socketAddress(destination: string, index: number): Uint8Array {
  const address = parseIpLiteral(destination) ?? new Uint8Array(4);
  const bytes = new Uint8Array(address.length === 4 ? 16 : 28);
  const view = viewOf(bytes);
  if (address.length === 4) {
    view.setUint16(0, Family.ipv4, LITTLE_ENDIAN);
    bytes.set(address, 4);
  } else {
    view.setUint16(0, Family.ipv6, LITTLE_ENDIAN);
    bytes.set(address, 8);
    view.setUint32(24, index, LITTLE_ENDIAN);
  }
  return bytes;
}
