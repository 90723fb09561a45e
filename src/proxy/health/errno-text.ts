import { getSystemErrorMap } from "node:util";

/** As the C library says it, and so HAProxy. */
const errnoTexts: Readonly<Record<string, string>> = {
  ECONNREFUSED: "Connection refused",
  EHOSTUNREACH: "No route to host",
  ENETUNREACH: "Network is unreachable",
  ECONNRESET: "Connection reset by peer",
  ETIMEDOUT: "Connection timed out",
};

/** What an error of a socket is called in `last_chk` and the log. */
export function describeErrno(error: NodeJS.ErrnoException): string {
  const { code, errno } = error;
  if (error.syscall === "getaddrinfo") return `the name cannot be resolved (${code})`;
  if (code !== undefined && Object.hasOwn(errnoTexts, code)) return errnoTexts[code];
  const [, text] = (errno === undefined ? undefined : getSystemErrorMap().get(errno)) ?? [];
  return text ?? code ?? "unknown error";
}
