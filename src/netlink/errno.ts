import { getSystemErrorName } from "node:util";
import { LbError } from "../errors.js";

/**
 * syscall-napi throws away the errno and keeps the C library's text for it: these are glibc's texts of the errors that
 * our calls can meet (errno(3)).
 */
const NAMES_BY_TEXT: ReadonlyMap<string, string> = new Map([
  ["Operation not permitted", "EPERM"],
  ["Interrupted system call", "EINTR"],
  ["No such file or directory", "ENOENT"],
  ["No such device or address", "ENXIO"],
  ["Bad file descriptor", "EBADF"],
  ["Resource temporarily unavailable", "EAGAIN"],
  ["Cannot allocate memory", "ENOMEM"],
  ["Permission denied", "EACCES"],
  ["Device or resource busy", "EBUSY"],
  ["No such device", "ENODEV"],
  ["Invalid argument", "EINVAL"],
  ["Too many open files in system", "ENFILE"],
  ["Too many open files", "EMFILE"],
  ["Socket operation on non-socket", "ENOTSOCK"],
  ["Message too long", "EMSGSIZE"],
  ["Protocol not available", "ENOPROTOOPT"],
  ["Protocol not supported", "EPROTONOSUPPORT"],
  ["Operation not supported", "EOPNOTSUPP"],
  ["Address family not supported by protocol", "EAFNOSUPPORT"],
  ["Address already in use", "EADDRINUSE"],
  ["Cannot assign requested address", "EADDRNOTAVAIL"],
  ["Network is down", "ENETDOWN"],
  ["Network is unreachable", "ENETUNREACH"],
  ["No buffer space available", "ENOBUFS"],
  ["Connection refused", "ECONNREFUSED"],
  ["No route to host", "EHOSTUNREACH"],
]);

/** The name of an errno text, or the text itself when it is none of the known ones. */
export function errnoNameOfText(text: string): string {
  return NAMES_BY_TEXT.get(text) ?? text;
}

/** The name of a positive errno number, such as ENODEV of 19. */
export function errnoName(errno: number): string {
  return getSystemErrorName(-errno);
}

/** EPERM and EACCES: what the process may not do. */
export function permissionError(what: string, capability: string, options?: ErrorOptions): LbError {
  return new LbError(
    "LB_PERMISSION",
    `${what}: not permitted`,
    `run as root, or give the process ${capability} (systemd: AmbientCapabilities=${capability})`,
    options,
  );
}
