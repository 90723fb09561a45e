import { stringify } from "yaml";
import { describeEndpoint } from "./address.js";
import { writeStatsSocket } from "./admin-section.js";
import type { AdminConfig, Config, PeerLinkConfig, ProxyConfig, VrrpInstanceConfig } from "./config.js";
import { describeDuration } from "./duration.js";
import { writeProxy } from "./serialize-proxy.js";
import { writeGlobalDefs, writeNotify, writeTrack, writeTracking } from "./serialize-tracking.js";
import { escapeReferences } from "./variables.js";
import { describeVirtualAddress } from "./virtual-address.js";
import { describeVirtualRoute, describeVirtualRule } from "./virtual-route.js";
import { describePeers } from "./vrrp-addresses.js";

/**
 * Writes a configuration as a file that loads to the same configuration, defaults spelled out.
 *
 * `secrets` "hidden" puts `********` for the passwords: for eyes, not for loading.
 */
export function serializeConfig(config: Config, secrets: "shown" | "hidden"): string {
  const secret = (text: string): string => (secrets === "shown" ? text : "********");
  return stringify(
    escaped({
      node: config.node,
      ...(config.vrrp.length > 0 && {
        vrrp: byName(config.vrrp, (instance) => writeInstance(instance, secret)),
      }),
      ...writeTracking(config),
      ...writeGlobalDefs(config.alerts, secret),
      ...(config.peerLink !== null && { peer_link: writePeerLink(config.peerLink, secret) }),
      ...writeSide("proxies", config, undefined, secret),
      ...writeSide("frontends", config, "frontend", secret),
      ...writeSide("backends", config, "backend", secret),
      admin: config.admin === null ? false : writeAdmin(config.admin, secret),
      stats_socket: config.statsSocket === null ? false : writeStatsSocket(config.statsSocket),
      ...(config.maxconn !== null && { maxconn: config.maxconn }),
      threads: config.threads,
      engine: config.engine,
      drain_timeout: describeDuration(config.drainTimeoutMs),
    }),
    { aliasDuplicateObjects: false, defaultStringType: "PLAIN", lineWidth: 0 },
  );
}

/** A text with `${` in it must not become a reference when it is read again. */
function escaped(value: unknown): unknown {
  if (typeof value === "string") return escapeReferences(value);
  if (Array.isArray(value)) return value.map(escaped);
  if (value instanceof Map) return new Map([...value].map(([key, member]) => [key, escaped(member)]));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, escaped(member)]));
}

function writeSide(
  word: string,
  { proxies }: Config,
  wanted: ProxyConfig["side"],
  secret: (text: string) => string,
): object {
  const found = proxies.filter(({ side }) => side === wanted);
  return found.length === 0 ? {} : { [word]: byName(found, (proxy) => writeProxy(proxy, secret)) };
}

function byName<T extends { readonly name: string }>(
  items: readonly T[],
  write: (item: T) => object,
): Map<string, object> {
  // A Map, because an object would move names such as "1" to the front.
  return new Map(items.map((item) => [item.name, write(item)]));
}

function writeInstance(instance: VrrpInstanceConfig, secret: (text: string) => string): object {
  const { authentication, gratuitousArp } = instance;
  return {
    interface: instance.interface,
    virtual_router_id: instance.virtualRouterId,
    priority: instance.priority,
    version: instance.version,
    advert_int: `${instance.advertIntervalCs / 100}s`,
    ...(instance.v3ChecksumAsV2 && { v3_checksum_as_v2: true }),
    preempt: instance.preempt,
    ...(authentication.type !== "none" && {
      authentication: {
        auth_type: authentication.type.toUpperCase(),
        auth_pass: secret(authentication.password),
      },
    }),
    ...(instance.sourceAddress !== null && {
      [instance.unicastPeers.length > 0 ? "unicast_src_ip" : "mcast_src_ip"]: instance.sourceAddress,
    }),
    ...(instance.unicastPeers.length > 0 && { unicast_peer: describePeers(instance) }),
    ...(instance.unicastTtl !== undefined && { unicast_ttl: instance.unicastTtl }),
    virtual_ipaddress: instance.addresses.map(describeVirtualAddress),
    ...lines("virtual_ipaddress_excluded", instance.excludedAddresses.map(describeVirtualAddress)),
    ...lines("virtual_routes", instance.routes.map(describeVirtualRoute)),
    ...lines("virtual_rules", instance.rules.map(describeVirtualRule)),
    ...(instance.preemptDelayMs > 0 && { preempt_delay: describeDuration(instance.preemptDelayMs) }),
    ...(instance.startupDelayMs > 0 && { startup_delay: describeDuration(instance.startupDelayMs) }),
    ...(!instance.accept && { accept: false }),
    ...(instance.vmac !== null && { use_vmac: instance.vmac }),
    ...(instance.vmacXmitBase && { vmac_xmit_base: true }),
    lease: describeDuration(instance.leaseMs),
    garp_master_repeat: gratuitousArp.repeat,
    garp_master_delay: describeDuration(gratuitousArp.delayMs),
    garp_master_refresh: describeDuration(gratuitousArp.refreshMs),
    ...(instance.partnerPriority !== null && { partner_priority: instance.partnerPriority }),
    ...writeTrack(instance.track),
    ...writeNotify(instance.notify),
  };
}

function writePeerLink({ key, port }: PeerLinkConfig, secret: (text: string) => string): object {
  return { ...(key.kind === "text" ? { key: secret(key.text) } : { key_file: key.path }), port };
}

function lines(word: string, values: readonly string[]): object {
  return values.length === 0 ? {} : { [word]: values };
}

function writeAdmin(admin: AdminConfig, secret: (text: string) => string): object {
  return {
    bind: describeAdminListen(admin.listen),
    stats: {
      uri: admin.path,
      user: admin.user,
      password: secret(admin.password),
      ...(admin.pageActs === true && { admin: true }),
    },
  };
}

/** `eth1:80` or `127.0.0.1:8404`. */
export function describeAdminListen(listen: AdminConfig["listen"]): string {
  return listen.kind === "interface"
    ? `${listen.interface}:${listen.port}`
    : describeEndpoint(listen.address, listen.port);
}
