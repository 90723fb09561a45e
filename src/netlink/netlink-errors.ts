import { LbError } from "../errors.js";
import { errnoNameOfText, permissionError } from "./errno.js";
import type { Malformed } from "./rtnetlink-message.js";

/** What the kernel refuses, or does not answer, as LbError with what to do. */

const adviceByErrno: Readonly<Record<string, string>> = {
  ENODEV: "look at `ip link`: the interface is gone, or has another index after it was made anew",
  EINVAL: "check the address and its prefix length",
  EEXIST: "look at `ip address`: another entry stands in the way",
  ENOBUFS: "the kernel is out of memory for the request; look at `free` and `dmesg`",
};

/** The text by which node-netlink tells a time-out. */
export const timedOutText = "timeout reached";

/** Turns a refusal by one of these errnos into null. */
export function noneWhen(...errnos: string[]): (error: unknown) => null {
  return (error) => {
    if (error instanceof LbError && errnos.some((errno) => error.code === `LB_NETLINK_${errno}`)) return null;
    throw error;
  };
}

/** The kernel refuses what was asked, by that errno. */
export function refusalError(what: string, errno: string, options?: ErrorOptions): LbError {
  if (errno === "EPERM" || errno === "EACCES") return permissionError(what, "CAP_NET_ADMIN", options);
  return new LbError(
    `LB_NETLINK_${errno}`,
    `${what}: ${errno}`,
    adviceByErrno[errno] ?? "look up the error in errno(3), and at `ip address`",
    options,
  );
}

/** Of what node-netlink says by a text. */
export function talkError(what: string, cause: unknown): LbError {
  const text = cause instanceof Error ? cause.message : String(cause);
  if (text === timedOutText) return timeoutError(what, { cause });
  const errno = errnoNameOfText(text);
  return refusalError(what, /^E[A-Z0-9]+$/.test(errno) ? errno : "UNKNOWN", { cause });
}

export const timeoutCode = "LB_NETLINK_TIMEOUT";

function timeoutError(what: string, options?: ErrorOptions): LbError {
  return new LbError(
    timeoutCode,
    `${what}: no answer within a second`,
    "something holds every thread of libuv's pool, or the machine was frozen; a larger UV_THREADPOOL_SIZE helps",
    options,
  );
}

export function malformedError(what: string, { problem }: Malformed): LbError {
  return new LbError(
    "LB_NETLINK_MALFORMED",
    `what the kernel tells of ${what} cannot be read: ${problem}`,
    "report it, with the output of `uname -r` and `ip -d address`",
  );
}
