/// <reference path="./untyped/syscall-napi.d.ts" />
import sys from "syscall-napi";
import { LbError } from "../errors.js";
import { errnoNameOfText } from "./errno.js";

/**
 * The one door to the system calls that Node has no word for. Each runs on the calling thread at once and takes some
 * µs, for none of them waits. Numbers in, numbers out; a failure is a `SystemCallError`.
 */
export class SystemCallError extends Error {
  /** Errno name, such as `EADDRINUSE`. */
  readonly code: string;
  readonly systemCall: string;

  constructor(systemCall: string, cause: unknown) {
    const text = cause instanceof Error ? cause.message : String(cause);
    const code = errnoNameOfText(text);
    super(`${systemCall}: ${code}`, { cause });
    this.name = "SystemCallError";
    this.code = code;
    this.systemCall = systemCall;
  }
}

export const Family = { unix: 1, ipv4: 2, ipv6: 10, netlink: 16, packet: 17 } as const;
export const SocketType = { stream: 1, raw: 3, nonBlocking: 0o4000, closeOnExec: 0o2000000 } as const;
/** `level, name` pairs of setsockopt. */
export const SocketOption = {
  reuseAddress: [1, 2],
  receiveBuffer: [1, 8],
  /** Read only: 1 while the socket listens. */
  acceptConnections: [1, 30],
  /** Beyond `net.core.rmem_max`; needs CAP_NET_ADMIN. */
  receiveBufferForce: [1, 33],
  priority: [1, 12],
  bindToDevice: [1, 25],
  ipv4FreeBind: [0, 15],
  ipv4MulticastInterface: [0, 32],
  ipv4MulticastLoop: [0, 34],
  ipv6MulticastInterface: [41, 17],
  ipv6MulticastLoop: [41, 19],
  ipv6Only: [41, 26],
  ipv6FreeBind: [41, 78],
} as const;

/** syscall-napi's own table leaves fcntl out. */
const FCNTL_NUMBERS: Partial<Record<NodeJS.Architecture, bigint>> = { x64: 72n, arm64: 25n, arm: 221n };
const F_DUPFD_CLOEXEC = 1030;
/** Never take the number of a standard stream that somebody closed. */
const FIRST_DESCRIPTOR = 3;

function call(name: string, number: bigint | undefined, ...args: (number | Uint8Array)[]): number {
  if (number === undefined) {
    throw new LbError(
      "LB_PLATFORM",
      `the number of the system call ${name} is not known for ${process.arch}`,
      "run on x86-64, arm64 or 32-bit arm",
    );
  }
  const values = args.map((arg) => (typeof arg === "number" ? BigInt(arg) : arg));
  try {
    return Number(sys.syscall.sync(number, ...values));
  } catch (error) {
    throw new SystemCallError(name, error);
  }
}

/** socket(2): a descriptor. Every one is close-on-exec. */
export function openSocket(family: number, type: number, protocol: number): number {
  return call("socket", sys.__NR_socket, family, type | SocketType.closeOnExec, protocol);
}

/** socketpair(2) of AF_UNIX stream sockets. */
export function openSocketPair(): [number, number] {
  const pair = new Int32Array(2);
  const bytes = new Uint8Array(pair.buffer);
  const type = SocketType.stream | SocketType.nonBlocking | SocketType.closeOnExec;
  call("socketpair", sys.__NR_socketpair, Family.unix, type, 0, bytes);
  return [pair[0], pair[1]];
}

/** setsockopt(2) with an int. */
export function setSocketOption(fd: number, [level, name]: readonly [number, number], value: number): void {
  setSocketOptionBytes(fd, [level, name], new Uint8Array(Int32Array.of(value).buffer));
}

/** setsockopt(2) with a structure or a text. */
export function setSocketOptionBytes(
  fd: number,
  [level, name]: readonly [number, number],
  value: Uint8Array,
): void {
  call("setsockopt", sys.__NR_setsockopt, fd, level, name, value, value.length);
}

/** getsockopt(2) of an int. */
export function getSocketOption(fd: number, [level, name]: readonly [number, number]): number {
  const value = new Int32Array(1);
  const length = Uint8Array.from([4, 0, 0, 0]);
  call("getsockopt", sys.__NR_getsockopt, fd, level, name, new Uint8Array(value.buffer), length);
  return value[0];
}

/** bind(2). */
export function bindSocket(fd: number, socketAddress: Uint8Array): void {
  call("bind", sys.__NR_bind, fd, socketAddress, socketAddress.length);
}

/** connect(2). */
export function connectSocket(fd: number, socketAddress: Uint8Array): void {
  call("connect", sys.__NR_connect, fd, socketAddress, socketAddress.length);
}

/** listen(2). */
export function listenOnSocket(fd: number, backlog: number): void {
  call("listen", sys.__NR_listen, fd, backlog);
}

/** shutdown(2) with SHUT_RD: a listening socket listens no longer, until `listenOnSocket`. */
export function shutDownReading(fd: number): void {
  call("shutdown", sys.__NR_shutdown, fd, 0);
}

/** sendto(2): the number of bytes taken. */
export function sendTo(fd: number, data: Uint8Array, socketAddress: Uint8Array): number {
  return call("sendto", sys.__NR_sendto, fd, data, data.length, 0, socketAddress, socketAddress.length);
}

/** read(2): the number of bytes that were there. Throws SystemCallError EAGAIN where there are none. */
export function readNow(fd: number, buffer: Uint8Array): number {
  return call("read", sys.__NR_read, fd, buffer, buffer.length);
}

/** fcntl(2) F_DUPFD_CLOEXEC: another descriptor of the same open socket. */
export function duplicate(fd: number): number {
  return call("fcntl", FCNTL_NUMBERS[process.arch], fd, F_DUPFD_CLOEXEC, FIRST_DESCRIPTOR);
}

/** dup3(2): `target` becomes another descriptor of `fd`'s socket; what it was before is closed. */
export function replaceDescriptor(fd: number, target: number): void {
  call("dup3", sys.__NR_dup3, fd, target, SocketType.closeOnExec);
}

/** eventfd(2): a counter that another thread waits on; writing to it never waits in practice. */
export function openEventDescriptor(): number {
  return call("eventfd2", sys.__NR_eventfd2, 0, SocketType.nonBlocking | SocketType.closeOnExec);
}

/** close(2). */
export function closeDescriptor(fd: number): void {
  call("close", sys.__NR_close, fd);
}
