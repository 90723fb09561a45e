import { Socket } from "node:net";
import { LbError } from "../errors.js";
import { type LinkEvent, parseLinkEvent } from "./link-event.js";
import { encodeLinkRequest } from "./link-message.js";
import {
  encodeMessage,
  LITTLE_ENDIAN,
  Malformed,
  MessageFlag,
  MessageType,
  parseMessages,
  viewOf,
} from "./rtnetlink-message.js";
import {
  bindSocket,
  closeDescriptor,
  Family,
  openSocket,
  openSocketPair,
  replaceDescriptor,
  SocketOption,
  SocketType,
  SystemCallError,
  sendTo,
  setSocketOption,
} from "./system-calls.js";

export type { LinkEvent } from "./link-event.js";

export interface Monitor {
  close(): void;
}

const NETLINK_ROUTE = 0;
/** RTMGRP_LINK, RTMGRP_IPV4_IFADDR, RTMGRP_IPV6_IFADDR. */
const GROUPS = 0x1 | 0x10 | 0x100;
/** Room for a few thousand events while the main thread is busy. */
const RECEIVE_BUFFER_BYTES = 4 << 20;

const SELF_CHECK_SEQUENCE = 0xffff_0001;
const SELF_CHECK_TIMEOUT_MS = 1000;
/** Every namespace has one, and its index is always 1. */
const LOOPBACK_INDEX = 1;

/**
 * Watches links and addresses of this network namespace. Event-driven: it needs neither a timer nor a thread.
 *
 * `onEvent` gets events in the kernel's order, some 0.1 ms after they happened. When the kernel had to drop events, it
 * gets `resync` and the watch goes on. `onError` gets an LbError: LB_NETLINK_MALFORMED is followed by a `resync` and
 * the watch goes on; after LB_NETLINK_MONITOR it has ended, and the caller may open another one.
 *
 * Throws LB_NETLINK_MONITOR when no socket can be opened. Keeps the process alive until it is closed.
 */
export function openMonitor(
  onEvent: (event: LinkEvent) => void,
  onError: (error: Error) => void,
  receiveBufferBytes: number = RECEIVE_BUFFER_BYTES,
): Monitor {
  let closed = false;
  let watch = openWatch();
  return {
    close: () => {
      closed = true;
      watch.close();
    },
  };

  function openWatch(): Watch {
    try {
      return new Watch(receiveBufferBytes, onDatagram, onEnd);
    } catch (cause) {
      throw monitorError("the netlink monitor cannot be opened", cause);
    }
  }

  function onDatagram(datagram: Uint8Array): void {
    const messages = parseMessages(datagram);
    if (messages instanceof Malformed) {
      onMalformed(messages);
      return;
    }
    for (const message of messages) {
      if (closed) return;
      if (message.sequence === SELF_CHECK_SEQUENCE) {
        watch.confirm();
        continue;
      }
      const event = parseLinkEvent(message);
      if (event instanceof Malformed) onMalformed(event);
      else if (event !== null) onEvent(event);
    }
  }

  function onMalformed({ problem }: Malformed): void {
    onError(
      new LbError(
        "LB_NETLINK_MALFORMED",
        `an event of the kernel cannot be read: ${problem}`,
        "report it, with the output of `uname -r` and `ip -d link`",
      ),
    );
    onEvent({ kind: "resync" });
  }

  function onEnd(error: NodeJS.ErrnoException): void {
    if (error.code !== "ENOBUFS") {
      onError(monitorError("the netlink monitor ended", error));
      return;
    }
    // The kernel had no room for an event, and Node gives up a socket that has told an error. What happens before the
    // next one is open is not lost, for the caller looks again afterwards.
    try {
      watch = openWatch();
    } catch (cause) {
      onError(cause instanceof Error ? cause : new Error(String(cause)));
      return;
    }
    onEvent({ kind: "resync" });
  }
}

/**
 * One netlink socket in the event loop.
 *
 * Node reads from TCP, UDP and Unix sockets only, and looks at the descriptor's kind once, when the `net.Socket` is
 * made. So it gets one end of a Unix socket pair, and before the event loop turns, that descriptor's number is given to
 * the netlink socket (dup3). From there on, epoll reports and read(2) yields one datagram of the kernel at a time. The
 * other ways cost more: a thread that blocks in read(2) holds one of the four of libuv's pool for ever and keeps
 * process.exit() from returning, and polling is late.
 *
 * Should a future Node register the descriptor sooner, no event would ever come; so the watch begins with a question of
 * its own, and the missing answer is an error and not silence.
 */
class Watch {
  readonly #socket: Socket;
  readonly #selfCheck: NodeJS.Timeout;
  #confirmed = false;

  constructor(
    receiveBufferBytes: number,
    onDatagram: (datagram: Uint8Array) => void,
    onEnd: (error: NodeJS.ErrnoException) => void,
  ) {
    const netlinkFd = openNetlinkSocket(receiveBufferBytes);
    try {
      const [fd, otherEnd] = openSocketPair();
      closeDescriptor(otherEnd);
      this.#socket = new Socket({ fd, readable: true, writable: false });
      replaceDescriptor(netlinkFd, fd);
      askForLoopback(fd);
    } finally {
      closeDescriptor(netlinkFd);
    }

    let ended = false;
    const end = (error: NodeJS.ErrnoException): void => {
      if (ended) return;
      ended = true;
      this.close();
      onEnd(error);
    };
    this.#socket.on("data", onDatagram);
    this.#socket.on("error", end);
    this.#socket.on("end", () => end(new Error("end of file")));
    this.#selfCheck = setTimeout(() => {
      // After a stall, timers are served before sockets: let the answer be read first.
      setImmediate(() => {
        if (this.#confirmed || this.#socket.destroyed) return;
        end(new Error("the event loop does not report the netlink socket"));
      });
    }, SELF_CHECK_TIMEOUT_MS).unref();
  }

  confirm(): void {
    this.#confirmed = true;
    clearTimeout(this.#selfCheck);
  }

  close(): void {
    clearTimeout(this.#selfCheck);
    this.#socket.destroy();
  }
}

function openNetlinkSocket(receiveBufferBytes: number): number {
  const fd = openSocket(Family.netlink, SocketType.raw | SocketType.nonBlocking, NETLINK_ROUTE);
  try {
    setSocketOption(fd, SocketOption.receiveBuffer, receiveBufferBytes);
    try {
      setSocketOption(fd, SocketOption.receiveBufferForce, receiveBufferBytes);
    } catch (error) {
      if (!(error instanceof SystemCallError && error.code === "EPERM")) throw error;
    }
    bindSocket(fd, netlinkAddress(GROUPS));
    return fd;
  } catch (error) {
    closeDescriptor(fd);
    throw error;
  }
}

function askForLoopback(fd: number): void {
  const question = encodeMessage({
    type: MessageType.getLink,
    flags: MessageFlag.request,
    sequence: SELF_CHECK_SEQUENCE,
    payload: encodeLinkRequest({ index: LOOPBACK_INDEX }),
  });
  sendTo(fd, question, netlinkAddress(0));
}

/** `struct sockaddr_nl`: family(2) pad(2) port id(4) groups(4); port id 0 is the kernel, or one that it chooses. */
function netlinkAddress(groups: number): Uint8Array {
  const address = new Uint8Array(12);
  viewOf(address).setUint16(0, Family.netlink, LITTLE_ENDIAN);
  viewOf(address).setUint32(8, groups, LITTLE_ENDIAN);
  return address;
}

function monitorError(message: string, cause: unknown): LbError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new LbError(
    "LB_NETLINK_MONITOR",
    `${message}: ${reason}`,
    "without it, changes of links and addresses are noticed late; report it, with the versions of Node and the kernel",
    { cause },
  );
}
