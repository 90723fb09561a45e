import type { Config } from "../config/config.js";
import { describeAdminListen } from "../config/serialize.js";

export interface ReloadPlan {
  /** The present configuration with what can be applied of the new one. */
  readonly config: Config;
  /** Paths of values that take effect now. */
  readonly applied: readonly string[];
  /** Paths of values that wait for a restart. */
  readonly waiting: readonly string[];
  /** The data threads are replaced. */
  readonly proxies: boolean;
  /** The control thread is replaced. */
  readonly control: boolean;
}

const ofProxies = new Set(["proxies", "threads", "engine", "maxconn"]);
const ofControl = new Set([...ofProxies, "admin", "statsSocket", "node", "alerts"]);
/** They wait for a restart. */
const ofVrrp = new Set(["vrrp", "peerLink", "syncGroups", "tracking"]);

/**
 * What a reload does. Pure. `changed` are the paths in which `next` differs, as `changedValues` tells them. VRRP stays as
 * it is: an instance that is running is not moved by a reload.
 */
export function planReload(present: Config, next: Config, changed: readonly string[]): ReloadPlan {
  const parts = changed.map((path) => path.split(".", 1)[0]);
  return {
    config: {
      ...next,
      vrrp: present.vrrp,
      peerLink: present.peerLink,
      syncGroups: present.syncGroups,
      tracking: present.tracking,
    },
    applied: changed.filter((_, i) => !ofVrrp.has(parts[i])),
    waiting: changed.filter((_, i) => ofVrrp.has(parts[i])),
    proxies: parts.some((part) => ofProxies.has(part)),
    control: parts.some((part) => ofControl.has(part)),
  };
}

/** Whether the admin server stays on its socket. */
export function sameAdminListen(a: Config, b: Config): boolean {
  if (a.admin === null || b.admin === null) return a.admin === b.admin;
  return describeAdminListen(a.admin.listen) === describeAdminListen(b.admin.listen);
}
