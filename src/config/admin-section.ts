import { parseAdminListen } from "./address.js";
import type { AdminShape, StatsSocketShape } from "./admin-schema.js";
import { overlaps } from "./bind-section.js";
import type { AdminConfig, ProxyConfig, StatsSocketConfig, VrrpInstanceConfig } from "./config.js";
import type { Context } from "./context.js";
import {
  defaultAdminListen,
  defaultAdminPassword,
  defaultAdminPath,
  defaultAdminUser,
  defaultStatsSocket,
} from "./defaults.js";
import { quote } from "./problem.js";
import type { FileShape } from "./schema.js";

/** Reads `admin:`. Nobody gets an admin server by a file that does not ask for one. */
export function readAdmin(
  shape: AdminShape | false | undefined,
  vrrp: readonly VrrpInstanceConfig[],
  proxies: readonly ProxyConfig[],
  context: Context,
): AdminConfig | null {
  if (shape === undefined || shape === false) return null;
  const fallback = defaultAdminListen(vrrp);
  const listen =
    shape.bind === undefined
      ? fallback
      : context.take(["admin", "bind"], parseAdminListen(shape.bind), fallback);
  if (listen.kind === "address") {
    const clash = proxies.find((proxy) => proxy.listen.some((address) => overlaps(address, listen)));
    if (clash !== undefined) {
      context.problem(
        shape.bind === undefined ? ["admin"] : ["admin", "bind"],
        `the proxy ${clash.name} listens on ${shape.bind ?? `port ${listen.port}`} too`,
        "choose another port for the admin server",
        shape.bind === undefined ? "key" : "value",
      );
    }
  }
  const path = shape.stats?.uri ?? defaultAdminPath;
  if (!/^\/[\w.~/-]*$/.test(path)) {
    context.problem(["admin", "stats", "uri"], `${quote(path)} is not a path`, "write, for example, /stats");
  }
  const user = context.text(["admin", "stats", "user"], shape.stats?.user, defaultAdminUser);
  if (user.includes(":")) {
    // RFC 7617 §2: the user-id ends at the first colon.
    context.problem(["admin", "stats", "user"], "a user's name cannot hold a colon", "choose another name");
  }
  const password = context.text(["admin", "stats", "password"], shape.stats?.password, defaultAdminPassword);
  const acts = shape.stats?.admin === true ? { pageActs: true as const } : {};
  return { listen, path, user, password, ...acts, isDefault: false };
}

/** Reads `stats_socket:`. */
export function readStatsSocket(
  shape: FileShape["stats_socket"],
  context: Context,
): StatsSocketConfig | null {
  if (shape === undefined) return defaultStatsSocket;
  if (shape === false) return null;
  const isShort = typeof shape === "string";
  const path = (isShort ? shape : shape.path) ?? defaultStatsSocket.path;
  const result = checkSocketPath(path);
  if (result !== null)
    context.problem(isShort ? ["stats_socket"] : ["stats_socket", "path"], result.message, result.advice);
  return { path, ...(isShort ? {} : readSocketAccess(shape, context)), isDefault: false };
}

function readSocketAccess(
  { level, mode, user, group }: StatsSocketShape,
  context: Context,
): Pick<StatsSocketConfig, "level" | "mode" | "user" | "group"> {
  const digits = context.text(["stats_socket", "mode"], mode, "660");
  if (!/^0?[0-7]{3}$/.test(digits))
    context.problem(["stats_socket", "mode"], `${quote(digits)} is no mode`, "write three octal digits");
  return {
    ...(level !== undefined && level !== "admin" && { level }),
    ...(digits !== "660" && digits !== "0660" && { mode: Number.parseInt(digits, 8) }),
    ...(user !== undefined && { user: context.text(["stats_socket", "user"], user, "") }),
    ...(group !== undefined && { group: context.text(["stats_socket", "group"], group, "") }),
  };
}

/** Writes `stats_socket:` as the file has it. */
export function writeStatsSocket({ path, level, mode, user, group }: StatsSocketConfig): string | object {
  const words = {
    ...(level !== undefined && { level }),
    ...(mode !== undefined && { mode: mode.toString(8).padStart(3, "0") }),
    ...(user !== undefined && { user }),
    ...(group !== undefined && { group }),
  };
  return Object.keys(words).length === 0 ? path : { path, ...words };
}

/** A Unix socket's path: absolute, and short enough for `sockaddr_un` (107 bytes). */
export function checkSocketPath(path: string): { readonly message: string; readonly advice: string } | null {
  if (!path.startsWith("/") || path.endsWith("/") || path.includes("\0")) {
    return {
      message: `${quote(path)} is not an absolute path`,
      advice: "write, for example, /run/lb/stats.sock",
    };
  }
  if (new TextEncoder().encode(path).length > 107) {
    return { message: "this path is longer than a socket's may be", advice: "use at most 107 bytes" };
  }
  return null;
}
