import { LbError } from "../errors.js";
import { permissionError } from "./errno.js";
import { parseIpLiteral } from "./ip-literal.js";
import { LITTLE_ENDIAN, viewOf } from "./rtnetlink-message.js";
import {
  bindSocket,
  duplicate,
  Family,
  getSocketOption,
  listenOnSocket,
  openSocket,
  closeDescriptor as release,
  SocketOption,
  SocketType,
  SystemCallError,
  setSocketOption,
  shutDownReading,
} from "./system-calls.js";

/** What the kernel allows at most is `net.core.somaxconn`, 4096 by default. */
const DEFAULT_BACKLOG = 4096;

/**
 * A listening TCP socket that the main thread opens for the data threads: each of them adopts a duplicate with
 * `net.createServer().listen({ fd, backlog })`. Say the backlog again there: Node calls listen(2) once more, with 511
 * unless it is told otherwise.
 *
 * The address need not be this node's (IP_FREEBIND), so a backup listens on the virtual address before it holds it.
 * `0.0.0.0` and `::` are every address of their own family: an IPv6 socket takes no IPv4 (IPV6_V6ONLY), whatever the
 * machine's sysctl says. Needs no privilege on unprivileged ports. `port` 0: the kernel chooses one.
 *
 * Errors: LB_LISTEN_IN_USE, LB_PERMISSION, LB_LISTEN.
 */
export function openListeningSocket(options: { address: string; port: number; backlog?: number }): number {
  const { address, port, backlog = DEFAULT_BACKLOG } = options;
  const bytes = parseIpLiteral(address);
  const name = bytes?.length === 16 ? `[${address}]:${port}` : `${address}:${port}`;
  if (bytes === null) {
    throw new LbError(
      "LB_LISTEN",
      `cannot listen on ${name}: not an IP address`,
      "give an IPv4 or IPv6 literal, without a zone",
    );
  }
  const ipv6 = bytes.length === 16;
  let fd: number | null = null;
  try {
    fd = openSocket(ipv6 ? Family.ipv6 : Family.ipv4, SocketType.stream | SocketType.nonBlocking, 0);
    setSocketOption(fd, SocketOption.reuseAddress, 1);
    if (ipv6) setSocketOption(fd, SocketOption.ipv6Only, 1);
    setSocketOption(fd, ipv6 ? SocketOption.ipv6FreeBind : SocketOption.ipv4FreeBind, 1);
    bindSocket(fd, internetAddress(bytes, port));
    listenOnSocket(fd, backlog);
    return fd;
  } catch (error) {
    if (fd !== null) release(fd);
    throw listenError(name, port, error);
  }
}

/** Another descriptor of the same socket, close-on-exec: what one thread closes stays open for the others. */
export function duplicateDescriptor(fd: number): number {
  try {
    return duplicate(fd);
  } catch (error) {
    throw descriptorError(`duplicating descriptor ${fd}`, error);
  }
}

/** The socket is closed with the last of its descriptors. */
export function closeDescriptor(fd: number): void {
  try {
    release(fd);
  } catch (error) {
    throw descriptorError(`closing descriptor ${fd}`, error);
  }
}

/** `struct sockaddr_in` (ip(7)) or `struct sockaddr_in6` (ipv6(7)). */
function internetAddress(bytes: Uint8Array, port: number): Uint8Array {
  const ipv6 = bytes.length === 16;
  const address = new Uint8Array(ipv6 ? 28 : 16);
  const view = viewOf(address);
  view.setUint16(0, ipv6 ? Family.ipv6 : Family.ipv4, LITTLE_ENDIAN);
  view.setUint16(2, port);
  address.set(bytes, ipv6 ? 8 : 4);
  return address;
}

function listenError(name: string, port: number, cause: unknown): LbError {
  if (!(cause instanceof SystemCallError)) {
    return cause instanceof LbError
      ? cause
      : new LbError("LB_LISTEN", `cannot listen on ${name}: ${String(cause)}`, "report it", { cause });
  }
  switch (cause.code) {
    case "EADDRINUSE":
      return new LbError(
        "LB_LISTEN_IN_USE",
        `cannot listen on ${name}: another process does`,
        `find it with \`ss -ltnp 'sport = :${port}'\`, and stop it or choose another port`,
        { cause },
      );
    case "EPERM":
    case "EACCES":
      return permissionError(`listening on ${name}`, "CAP_NET_BIND_SERVICE", { cause });
    case "EAFNOSUPPORT":
      return new LbError(
        "LB_LISTEN",
        `cannot listen on ${name}: this kernel has no ${name.startsWith("[") ? "IPv6" : "IPv4"}`,
        "listen on an address of the other family",
        { cause },
      );
    default:
      return new LbError(
        "LB_LISTEN",
        `cannot listen on ${name}: ${cause.code} (${cause.systemCall})`,
        "look up the error in bind(2) and listen(2)",
        { cause },
      );
  }
}

/** Whether the socket still listens: anybody who has it may have shut it down, for all at once. */
export function isListening(descriptor: number): boolean {
  try {
    return getSocketOption(descriptor, SocketOption.acceptConnections) === 1;
  } catch {
    return false;
  }
}

/**
 * Lets clients connect, or not: then they are refused, and who waits in the backlog is reset. The address stays this process's.
 * Errors: LB_DESCRIPTOR.
 */
export function setListening(descriptor: number, isOpen: boolean): void {
  try {
    if (isOpen) listenOnSocket(descriptor, DEFAULT_BACKLOG);
    else shutDownReading(descriptor);
  } catch (error) {
    throw descriptorError(`${isOpen ? "opening" : "closing"} descriptor ${descriptor} to clients`, error);
  }
}

function descriptorError(what: string, cause: unknown): LbError {
  const reason = cause instanceof SystemCallError ? cause.code : String(cause);
  return new LbError(
    "LB_DESCRIPTOR",
    `${what}: ${reason}`,
    "raise the limit of open files (LimitNOFILE), or report it",
    {
      cause,
    },
  );
}
