import { parseServerAddress } from "./address.js";
import { type Context, each } from "./context.js";
import type { AccessLogConfig, LogTarget } from "./log-config.js";
import type { AccessLogShape } from "./log-schema.js";
import { type Parsed, parsed, quote, refused } from "./problem.js";
import type { Path } from "./source.js";

const advice = "write stdout, file:/var/log/lb.log, /dev/log, or a syslog server such as 127.0.0.1:514";

/** Reads a proxy's `log:`; null: no access log. */
export function readAccessLog(
  path: Path,
  shape: AccessLogShape | undefined,
  context: Context,
): AccessLogConfig | null {
  if (shape === undefined || shape === false) return null;
  const words = shape === true ? {} : shape;
  const entries = each([...path, "to"], words.to);
  const targets: LogTarget[] = [];
  for (const [at, text] of entries) {
    const target = context.take(at, parseLogTarget(text), null);
    if (target !== null) targets.push(target);
  }
  const facility = words.facility ?? "local0";
  const isSyslog = ({ kind }: LogTarget): boolean => kind === "udp" || kind === "unix";
  if (words.facility !== undefined && targets.length > 0 && !targets.some(isSyslog)) {
    context.warning(
      [...path, "facility"],
      "facility says nothing where no line goes to syslog",
      "leave it out, or add to: /dev/log",
      "key",
    );
  }
  return {
    targets: entries.length === 0 ? [{ kind: "stdout" }] : targets,
    format: words.format ?? "json",
    facility,
    dontLogNull: words.dontlognull ?? false,
    dontLogNormal: words.dontlog_normal ?? false,
  };
}

/** `sun_path` holds 108 bytes, one of them the final zero. */
const longestSocketPath = 107;

/** As HAProxy's `log` has it: a path is a Unix socket, an address a syslog server (port 514); a file says so. */
export function parseLogTarget(text: string): Parsed<LogTarget | null> {
  if (text === "stdout") return parsed({ kind: "stdout" });
  if (text.startsWith("file:")) {
    const path = text.slice("file:".length);
    return path.startsWith("/")
      ? parsed({ kind: "file", path })
      : refused(`${quote(path)} is no absolute path`, "write file: and an absolute path");
  }
  const socket = text.startsWith("unix:") ? text.slice("unix:".length) : text;
  if (socket.startsWith("/")) {
    return socket.length <= longestSocketPath
      ? parsed({ kind: "unix", path: socket })
      : refused(`${quote(socket)} is too long for a socket`, `use at most ${longestSocketPath} bytes`);
  }
  const address = text.startsWith("udp://") ? text.slice("udp://".length) : text;
  if (address === "" || address === "stderr" || socket !== text)
    return refused(`${quote(text)} is no place for a log`, advice);
  const hasPort = /^(?:[^:]*|\[.*\]):\d+$/.test(address);
  const endpoint = parseServerAddress(hasPort ? address : `${address}:514`);
  return endpoint.ok
    ? parsed({ kind: "udp", ...endpoint.value })
    : refused(`${quote(text)} is no place for a log`, advice);
}

/** Written so that it can be read back. */
export function describeLogTarget(target: LogTarget): string {
  switch (target.kind) {
    case "stdout":
      return "stdout";
    case "file":
      return `file:${target.path}`;
    case "unix":
      return target.path;
    case "udp":
      return target.host.includes(":") ? `[${target.host}]:${target.port}` : `${target.host}:${target.port}`;
  }
}

/** As the file has it. */
export function writeAccessLog(log: AccessLogConfig): object {
  return {
    to: log.targets.map(describeLogTarget),
    format: log.format,
    // Where no line goes to syslog it says nothing.
    ...(log.targets.some(({ kind }) => kind === "udp" || kind === "unix") && { facility: log.facility }),
    ...(log.dontLogNull && { dontlognull: true }),
    ...(log.dontLogNormal && { dontlog_normal: true }),
  };
}
