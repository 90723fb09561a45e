import { LbError } from "../errors.js";
import { permissionError } from "./errno.js";
import { parseIpLiteral } from "./ip-literal.js";
import { ALL_NODES_MAC, ETHERTYPE_IPV6, neighbourAdvertisementFrame } from "./neighbour-advertisement.js";
import { LITTLE_ENDIAN, viewOf } from "./rtnetlink-message.js";
import { closeDescriptor, Family, openSocket, SocketType, SystemCallError, sendTo } from "./system-calls.js";

const ETHERTYPE_ARP = 0x0806;
const BROADCAST = new Uint8Array(6).fill(0xff);

/**
 * A gratuitous ARP request (RFC 5227 §3, RFC 9568 §6.4.1): "who has ADDRESS? tell ADDRESS at MAC", to everybody. Hosts
 * that know the address learn its new MAC, and bridges the MAC's new port. A request and not a reply, and the target's
 * MAC all ones, as keepalived does. Pure; 42 bytes.
 *
 * Throws a TypeError when `mac` is not six bytes or `address` not an IPv4 literal.
 */
export function gratuitousArpFrame(mac: Uint8Array, address: string): Uint8Array {
  const ip = parseIpLiteral(address);
  if (mac.length !== 6) throw new TypeError(`a MAC address has 6 bytes, not ${mac.length}`);
  if (ip?.length !== 4) throw new TypeError(`'${address}' is not an IPv4 address`);
  const frame = new Uint8Array(42);
  const view = viewOf(frame);
  frame.set(BROADCAST, 0);
  frame.set(mac, 6);
  view.setUint16(12, ETHERTYPE_ARP);
  view.setUint16(14, 1); // hardware: Ethernet
  view.setUint16(16, 0x0800); // protocol: IPv4
  frame[18] = 6;
  frame[19] = 4;
  view.setUint16(20, 1); // a request
  frame.set(mac, 22);
  frame.set(ip, 28);
  frame.set(BROADCAST, 32);
  frame.set(ip, 38);
  return frame;
}

/**
 * Announces addresses on one interface, IPv4 by gratuitous ARP and IPv6 by neighbour advertisements: an AF_PACKET
 * socket of protocol 0, which receives nothing.
 */
export class ArpSocket {
  readonly #fd: number;
  readonly #ipv4: Uint8Array;
  readonly #ipv6: Uint8Array;
  #closed = false;

  private constructor(fd: number, interfaceIndex: number) {
    this.#fd = fd;
    this.#ipv4 = packetAddress(interfaceIndex, ETHERTYPE_ARP, BROADCAST);
    this.#ipv6 = packetAddress(interfaceIndex, ETHERTYPE_IPV6, ALL_NODES_MAC);
  }

  /** Errors: LB_PERMISSION (CAP_NET_RAW), LB_ARP. An interface that is missing is told by `announce`. */
  static open(interfaceIndex: number): ArpSocket {
    try {
      return new ArpSocket(openSocket(Family.packet, SocketType.raw, 0), interfaceIndex);
    } catch (error) {
      throw arpError("opening a socket for gratuitous ARP", error);
    }
  }

  /**
   * Sends one frame, at once and on this thread. Throws LB_ARP when the interface is down (ENETDOWN) or gone (ENXIO,
   * ENODEV); the link monitor tells the same, so a caller may log it and go on. `isRouter` counts for IPv6 alone.
   */
  announce(mac: Uint8Array, address: string, isRouter = false): void {
    if (this.#closed) throw arpError(`announcing ${address}`, new Error("the socket is closed"));
    try {
      if (address.includes(":")) {
        sendTo(this.#fd, neighbourAdvertisementFrame(mac, address, isRouter), this.#ipv6);
      } else {
        sendTo(this.#fd, gratuitousArpFrame(mac, address), this.#ipv4);
      }
    } catch (error) {
      throw arpError(`announcing ${address}`, error);
    }
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    closeDescriptor(this.#fd);
  }
}

/** `struct sockaddr_ll` (packet(7)): family(2) protocol(2, network order) index(4) type(2) kind(1) length(1) address(8). */
function packetAddress(interfaceIndex: number, etherType: number, destination: Uint8Array): Uint8Array {
  const address = new Uint8Array(20);
  const view = viewOf(address);
  view.setUint16(0, Family.packet, LITTLE_ENDIAN);
  view.setUint16(2, etherType);
  view.setInt32(4, interfaceIndex, LITTLE_ENDIAN);
  address[11] = destination.length;
  address.set(destination, 12);
  return address;
}

function arpError(what: string, cause: unknown): LbError {
  if (cause instanceof SystemCallError && (cause.code === "EPERM" || cause.code === "EACCES")) {
    return permissionError(what, "CAP_NET_RAW", { cause });
  }
  const reason = cause instanceof SystemCallError ? cause.code : String(cause);
  return new LbError("LB_ARP", `${what}: ${reason}`, "look at `ip link`: is the interface there, and up?", {
    cause,
  });
}
