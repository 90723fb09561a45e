import { encodeAddressChange } from "./address-message.js";
import {
  encodeMessage,
  LITTLE_ENDIAN,
  Malformed,
  MessageFlag,
  MessageType,
  parseMessages,
  viewOf,
} from "./rtnetlink-message.js";
import { closeDescriptor, Family, openSocket, readNow, SocketType, sendTo } from "./system-calls.js";

const routeProtocol = 0;
/** struct sockaddr_nl: the kernel, and no group. */
const kernelAddress = new Uint8Array(12);
viewOf(kernelAddress).setUint16(0, Family.netlink, LITTLE_ENDIAN);

/**
 * Adds an address by two system calls on this thread, some 50 µs: the kernel does what a netlink request asks for while it
 * is being sent, and its answer can be read at once. `RouteSocket` goes through a pool of threads, which takes 2 ms, and
 * ten times as much on a busy machine: time in which a new master's clients still talk to a dead one.
 */
export class ImmediateAddress {
  readonly #answer = new Uint8Array(1024);
  #fd: number | null = null;
  #sequence = 0;

  /** False: it did not work, for whatever reason. Who asks another way learns it. */
  put(entry: Parameters<typeof encodeAddressChange>[0]): boolean {
    try {
      this.#fd ??= openSocket(Family.netlink, SocketType.raw | SocketType.nonBlocking, routeProtocol);
      this.#sequence++;
      const message = encodeMessage({
        type: MessageType.newAddress,
        flags: MessageFlag.request | MessageFlag.ack | MessageFlag.create | MessageFlag.replace,
        sequence: this.#sequence,
        payload: encodeAddressChange(entry),
      });
      sendTo(this.#fd, message, kernelAddress);
      return this.#isAcknowledged(readNow(this.#fd, this.#answer));
    } catch {
      this.close();
      return false;
    }
  }

  close(): void {
    if (this.#fd !== null) closeDescriptor(this.#fd);
    this.#fd = null;
  }

  /** struct nlmsgerr: an errno of 0 is the acknowledgement. */
  #isAcknowledged(length: number): boolean {
    const messages = parseMessages(this.#answer.subarray(0, length));
    if (messages instanceof Malformed) return false;
    return messages.some(
      ({ type, sequence, payload }) =>
        type === MessageType.error &&
        sequence === this.#sequence &&
        viewOf(payload).getInt32(0, LITTLE_ENDIAN) === 0,
    );
  }
}
