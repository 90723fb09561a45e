import type { Config } from "../config/config.js";
import { describeAdminListen } from "../config/serialize.js";

/** Which parts of the process a reload concerns. The running virtual routers are compared one by one, by VRRP itself. */
export interface ReloadPlan {
  /** The data threads are replaced. */
  readonly proxies: boolean;
  /** The control thread is replaced. */
  readonly control: boolean;
  /** The peer link has another secret or port, or is there or not. */
  readonly peerLink: boolean;
}

const ofProxies = new Set(["proxies", "threads", "engine", "maxconn"]);
const ofControl = new Set([
  ...ofProxies,
  "admin",
  "statsSocket",
  "node",
  "alerts",
  "tracking",
  "serverCertificates",
]);

/** What a reload does. Pure. `changed` are the paths in which `next` differs, as `changedValues` tells them. */
export function planReload(present: Config, next: Config, changed: readonly string[]): ReloadPlan {
  const parts = changed.map((path) => path.split(".", 1)[0]);
  const vrrpComesOrGoes = (present.vrrp.length === 0) !== (next.vrrp.length === 0);
  return {
    proxies: parts.some((part) => ofProxies.has(part)),
    control: vrrpComesOrGoes || parts.some((part) => ofControl.has(part)),
    peerLink: parts.includes("peerLink"),
  };
}

/** Whether the admin server stays on its socket. */
export function sameAdminListen(a: Config, b: Config): boolean {
  if (a.admin === null || b.admin === null) return a.admin === b.admin;
  return describeAdminListen(a.admin.listen) === describeAdminListen(b.admin.listen);
}
