import { closeDescriptor, Family, openSocket, SocketType, sendTo } from "../netlink/system-calls.js";

/** SOCK_DGRAM, socket(2). */
const datagram = 2;

/** Sends datagrams to Unix sockets without waiting, which Node has no word for. */
export class UnixDatagramSocket {
  private readonly descriptor = openSocket(Family.unix, datagram | SocketType.nonBlocking, 0);

  /** Throws SystemCallError: `ENOENT`, `ECONNREFUSED` (nobody reads there), `EAGAIN` (its queue is full), … */
  send(bytes: Uint8Array, address: Uint8Array): void {
    sendTo(this.descriptor, bytes, address);
  }

  close(): void {
    closeDescriptor(this.descriptor);
  }
}

/** `struct sockaddr_un`, unix(7): a path ends with NUL, an abstract name (`@…`) begins with it. */
export function unixAddress(name: string): Uint8Array {
  const path = Buffer.from(name.startsWith("@") ? `\0${name.slice(1)}` : `${name}\0`);
  const address = Buffer.alloc(2 + path.length);
  address.writeUInt16LE(Family.unix, 0);
  path.copy(address, 2);
  return address;
}
