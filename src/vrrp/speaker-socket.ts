import raw, { type Socket } from "raw-socket";
import { LbError } from "../errors.js";
import { ipv4Bytes } from "./ipv4.js";
import { vrrpMulticastGroup, vrrpProtocol } from "./packet-v2.js";

/** Names of <linux/in.h> and <asm-generic/socket.h>; raw-socket passes numbers through. */
const IPPROTO_IP = 0;
const IP_TOS = 1;
const IP_MULTICAST_IF = 32;
const IP_MULTICAST_TTL = 33;
const IP_MULTICAST_LOOP = 34;
const IP_ADD_MEMBERSHIP = 35;
const IP_MULTICAST_ALL = 49;
const SOL_SOCKET = 1;
const SO_PRIORITY = 12;
const SO_BINDTODEVICE = 25;

/** The precedence that keepalived sends, too. */
const internetworkControl = 0xc0;
/** TC_PRIO_CONTROL: ahead of bulk traffic in the interface's queue. */
const controlPriority = 7;
/** More adverts than that in one go are a flood; the rest waits for the next turn of the event loop. */
const mostPerDrain = 1024;
const receiveBytes = 4096;

export interface SocketEvents {
  /** An IPv4 datagram, header first. Valid during the call only. */
  onDatagram(datagram: Uint8Array): void;
  onError(error: Error): void;
}

/**
 * The raw socket of one interface: protocol 112, bound to the device, member of the VRRP group.
 *
 * Sending and draining go straight to the native half, because they must have happened when the call returns:
 * raw-socket's own queue waits for the event loop. Its owner holds the reference; an unreferenced raw socket would
 * be closed by the garbage collector.
 */
export class VrrpSocket {
  readonly #socket: Socket;
  readonly #events: SocketEvents;
  readonly #index: number;
  readonly #buffer = Buffer.alloc(receiveBytes);
  #open = true;

  private constructor(socket: Socket, index: number, events: SocketEvents) {
    this.#socket = socket;
    this.#index = index;
    this.#events = events;
    socket.on("message", (datagram: Buffer) => events.onDatagram(datagram));
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
  static open(options: { name: string; index: number; source: string }, events: SocketEvents): VrrpSocket {
    const socket = createRawSocket();
    try {
      const device = Buffer.from(`${options.name}\0`);
      socket.setOption(SOL_SOCKET, SO_BINDTODEVICE, device, device.length);
      socket.setOption(SOL_SOCKET, SO_PRIORITY, controlPriority);
      socket.setOption(IPPROTO_IP, IP_MULTICAST_ALL, 0);
      socket.setOption(IPPROTO_IP, IP_MULTICAST_LOOP, 0);
      socket.setOption(IPPROTO_IP, IP_MULTICAST_TTL, 255);
      socket.setOption(IPPROTO_IP, IP_TOS, internetworkControl);
      const membership = multicastRequest("0.0.0.0", options.index);
      socket.setOption(IPPROTO_IP, IP_ADD_MEMBERSHIP, membership, membership.length);
      const opened = new VrrpSocket(socket, options.index, events);
      opened.setSource(options.source);
      return opened;
    } catch (error) {
      socket.close();
      throw socketError(error);
    }
  }

  /** False when it broke: open another one. */
  get isOpen(): boolean {
    return this.#open;
  }

  /** IP_MULTICAST_IF sets the source address as well, so the kernel never picks a virtual address for it. */
  setSource(source: string): void {
    const request = multicastRequest(source, this.#index);
    this.#socket.setOption(IPPROTO_IP, IP_MULTICAST_IF, request, request.length);
  }

  /** Sends one message to the group, at once. Throws what the kernel says. */
  send(message: Uint8Array): void {
    if (this.#open) {
      const { buffer, byteOffset, byteLength } = message;
      const bytes = Buffer.from(buffer, byteOffset, byteLength);
      this.#socket.wrap.send(bytes, 0, byteLength, vrrpMulticastGroup, () => {});
    }
  }

  /** Hands over everything that has arrived, so that no deadline is judged while its answer waits in the queue. */
  drain(): void {
    for (let count = 0; this.#open && count < mostPerDrain; count++) {
      try {
        this.#socket.wrap.recv(this.#buffer, (buffer, bytes) => {
          this.#events.onDatagram(buffer.subarray(0, bytes));
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
  createRawSocket().close();
}

function createRawSocket(): Socket {
  try {
    return raw.createSocket({ protocol: vrrpProtocol, addressFamily: raw.AddressFamily.IPv4 });
  } catch (error) {
    throw socketError(error);
  }
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
function multicastRequest(address: string, index: number): Buffer {
  const request = Buffer.alloc(12);
  request.set(ipv4Bytes(vrrpMulticastGroup), 0);
  request.set(ipv4Bytes(address), 4);
  request.set(new Uint8Array(Int32Array.of(index).buffer), 8);
  return request;
}
