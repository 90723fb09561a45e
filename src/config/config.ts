import type { RouteEntry, RuleEntry } from "../netlink/route-message.js";
import type { Balance } from "./balance.js";
import type { ConnectionRule } from "./connection-rule-section.js";
import type { CookieConfig } from "./cookie-config.js";
import type { ErrorFile } from "./error-file.js";
import type { ForwardForConfig } from "./forwardfor-section.js";
import type { AccessLogConfig } from "./log-config.js";
import type { ResponseRule } from "./response-rule-section.js";
import type { RetryConfig } from "./retry-section.js";
import type { Rule } from "./rule-config.js";
import type { HttpCheckConfig, ServerConfig } from "./server-config.js";
import type { BindTlsConfig } from "./tls-config.js";
import type {
  AlertConfig,
  FitnessConfig,
  NotifyConfig,
  SyncGroupConfig,
  TrackConfig,
  TrackedThings,
} from "./tracking-config.js";

export type { ServerConfig } from "./server-config.js";

/**
 * The effective configuration: what the file, the flags and the defaults come to. Immutable.
 *
 * Words are the ones that keepalived and HAProxy use; a bare number carries its unit in its name.
 */
export interface Config {
  /** Name of this node in logs, `show info` and the stats page. */
  readonly node: string;
  readonly vrrp: readonly VrrpInstanceConfig[];
  readonly syncGroups: readonly SyncGroupConfig[];
  readonly tracking: TrackedThings;
  readonly fitness: FitnessConfig;
  readonly alerts: AlertConfig;
  /** The authenticated connection between the partners; null: there is none, and VRRP alone decides. */
  readonly peerLink: PeerLinkConfig | null;
  /** What the file has as `proxies:`, then `frontends:`, then `backends:`. Their names are all different. */
  readonly proxies: readonly ProxyConfig[];
  readonly admin: AdminConfig | null;
  readonly statsSocket: StatsSocketConfig | null;
  /** Client connections of all proxies together; null: what the descriptors allow. */
  readonly maxconn: number | null;
  /** Data threads. */
  readonly threads: number;
  readonly engine: "auto" | "direct" | "portable";
  /** How long SIGTERM waits for exchanges in flight, after the address has been handed over. */
  readonly drainTimeoutMs: number;
}

export interface PeerLinkConfig {
  /** The secret that both nodes share, or the file that holds it. */
  readonly key:
    | { readonly kind: "text"; readonly text: string }
    | { readonly kind: "file"; readonly path: string };
  /** TCP port, the same on both nodes. */
  readonly port: number;
}

export interface VrrpInstanceConfig {
  readonly name: string;
  readonly interface: string;
  /** 1–255. */
  readonly virtualRouterId: number;
  /** 1–255; 255 is the address owner's. */
  readonly priority: number;
  readonly preempt: boolean;
  readonly version: 2 | 3;
  /** VRRPv2: 100–25500, a whole number of seconds. VRRPv3: 1–4095. */
  readonly advertIntervalCs: number;
  /** VRRPv3 over IPv4: the checksum sent covers the message alone, as RFC 9568 has it and as VRRPv2's does. */
  readonly v3ChecksumAsV2: boolean;
  readonly authentication:
    | { readonly type: "none" }
    | { readonly type: "pass" | "ah"; readonly password: string };
  /** This node's source of adverts; null: the interface's own address, link-local for IPv6. */
  readonly sourceAddress: string | null;
  /** To whom adverts go, and from whom alone they are taken; empty: the multicast group. */
  readonly unicastPeers: readonly string[];
  /** TTL or hop limit of adverts to unicast peers; left out: 255. */
  readonly unicastTtl?: number;
  /** Between which TTLs adverts of a unicast peer are taken; a peer that is not named here: any. */
  readonly peerTtls?: readonly PeerTtl[];
  /** In the adverts; all of one family, which is the instance's. */
  readonly addresses: readonly VirtualAddress[];
  /** Held like the others, of either family, and not in the adverts. */
  readonly excludedAddresses: readonly VirtualAddress[];
  /** There while this node is master. */
  readonly routes: readonly VirtualRoute[];
  readonly rules: readonly VirtualRule[];
  /** A master of lower priority is left in peace for so long. */
  readonly preemptDelayMs: number;
  /** Nothing is said or listened to for so long after the start. */
  readonly startupDelayMs: number;
  /** Whether the master, if it is not the owner, takes packets to the virtual addresses for itself. */
  readonly accept: boolean;
  /** Name of the macvlan with the virtual router's MAC that carries adverts and addresses; null: the interface itself. */
  readonly vmac: string | null;
  /** Adverts go over the interface itself, and only the addresses are on the macvlan. Left out: both are on it. */
  readonly vmacXmitBase?: true;
  /** Lifetime that the kernel gives the virtual address between two refreshes. */
  readonly leaseMs: number;
  readonly gratuitousArp: GratuitousArpConfig;
  readonly track: TrackConfig;
  readonly notify: NotifyConfig;
  /** What the partner's configuration says, if this one knows: for warnings only. */
  readonly partnerPriority: number | null;
}

/** An instance speaks over the family of its addresses. */
export function familyOf(instance: Pick<VrrpInstanceConfig, "addresses">): 4 | 6 {
  return instance.addresses[0]?.address.includes(":") ? 6 : 4;
}

/** Both ends included, 0–255. */
export interface PeerTtl {
  readonly address: string;
  readonly min: number;
  readonly max: number;
}

export interface VirtualAddress {
  /** Literal; IPv6 in the form of RFC 5952. */
  readonly address: string;
  readonly prefixLength: number;
  /** Where it goes, if not to the instance's own interface. */
  readonly interface?: string;
  readonly scope?: AddressScope;
  /** IPv4: the name that ifconfig shows. */
  readonly label?: string;
  /** IPv4: the broadcast address. Left out: none. */
  readonly broadcast?: string;
  /** Somebody who removes it is left to have his way: it comes back when the node becomes master again. */
  readonly noTrack?: true;
}

/** A route, in the words of `ip route`. */
export interface VirtualRoute extends Omit<RouteEntry, "index"> {
  readonly interface?: string;
  /** Put when the node becomes master, and not again when somebody removes it. */
  readonly noTrack?: true;
}

/** A rule, in the words of `ip rule`. */
export interface VirtualRule extends RuleEntry {
  /** Put when the node becomes master, and not again when somebody removes it. */
  readonly noTrack?: true;
}

export type AddressScope = "global" | "site" | "link" | "host" | "nowhere";

/** keepalived: vrrp_garp_master_repeat, _delay, _refresh. */
export interface GratuitousArpConfig {
  readonly repeat: number;
  readonly delayMs: number;
  /** 0: no slow refresh. */
  readonly refreshMs: number;
}

export interface ProxyConfig {
  readonly name: string;
  /** Left out: both, HAProxy's `listen`. A frontend has no servers, a backend no addresses of its own. */
  readonly side?: "frontend" | "backend";
  /** Of a frontend: the name of the backend, or of the listen, whose servers serve its clients. */
  readonly defaultBackend?: string;
  readonly listen: readonly ListenAddress[];
  /** Left out: HTTP. In `tcp` bytes pass unread. */
  readonly mode?: "tcp";
  readonly balance: Balance;
  /** Left out: map-based. */
  readonly hashType?: "consistent";
  /** All backup servers share when no other is up. Left out: the first of them serves. */
  readonly allBackups?: true;
  /** Left out: a check is a connection and no more. */
  readonly httpCheck?: HttpCheckConfig;
  /** Who may connect. Left out: everybody. */
  readonly connectionRules?: readonly ConnectionRule[];
  /** What is done with requests before a server is chosen. Left out: nothing. */
  readonly rules?: readonly Rule[];
  /** The field that carries each request's id. Left out: it gets none. */
  readonly uniqueIdHeader?: string;
  /** Where servers hear the client's address; null: nowhere. Left out: in X-Forwarded-For, always. */
  readonly forwardFor?: ForwardForConfig | null;
  /** Requests without a valid W3C traceparent get one. */
  readonly traceparent?: true;
  /** What is changed of servers' responses. Left out: nothing. */
  readonly responseRules?: readonly ResponseRule[];
  readonly servers: readonly ServerConfig[];
  readonly timeouts: ProxyTimeouts;
  /** Largest request or response head, request line included. */
  readonly maxHeadBytes: number;
  /** Client connections of this proxy; null: no limit of its own. Further clients wait in the kernel's backlog. */
  readonly maxconn: number | null;
  /** Left out: from servers that cannot be reached to all others, after an empty response to one other. */
  readonly retry?: RetryConfig;
  /** Most safe requests that may leave in one packet to a server, to be answered one behind the other; left out: 1. */
  readonly pipelining?: number;
  /** Left out: no access log. */
  readonly log?: AccessLogConfig;
  /** Keeps clients at their servers. Left out: nothing does. */
  readonly cookie?: CookieConfig;
  /** What clients get instead of the proxy's own errors. Left out: those. */
  readonly errorFiles?: readonly ErrorFile[];
}

/** `address` is an IPv4 or IPv6 literal; `0.0.0.0` or `::` is every address. */
export interface ListenAddress {
  readonly address: string;
  readonly port: number;
  /** Each connection begins with a PROXY header, which says whose it is. Left out: none is expected. */
  readonly acceptProxy?: true;
  /** Left out: no TLS. */
  readonly tls?: BindTlsConfig;
}

/** HAProxy: timeout connect, http-request, client, server, http-keep-alive, tunnel. */
export interface ProxyTimeouts {
  readonly connectMs: number;
  readonly requestHeadMs: number;
  readonly clientMs: number;
  readonly serverMs: number;
  readonly keepAliveMs: number;
  /** Silence in both directions of an upgraded connection, or of a session of `mode: tcp`. */
  readonly tunnelMs: number;
  /** The same once one side of a session of `mode: tcp` has ended: client-fin, server-fin. Left out: `tunnelMs`. */
  readonly halfClosedMs?: number;
  /** In `mode: tcp`, for a client's first message, where rules ask for the name in it: inspect-delay. Left out: they do not. */
  readonly inspectMs?: number;
  /** In the queue for a server that has maxconn: timeout queue. Left out: `connectMs`. */
  readonly queueMs?: number;
}

export interface AdminConfig {
  /** A literal address, or the interface whose own first IPv4 address is taken. */
  readonly listen:
    | { readonly kind: "address"; readonly address: string; readonly port: number }
    | { readonly kind: "interface"; readonly interface: string; readonly port: number };
  /** Path of the stats page, `/stats`. */
  readonly path: string;
  readonly user: string;
  readonly password: string;
  /** The stats page acts on servers, HAProxy's `stats admin`. Left out: it reads. */
  readonly pageActs?: true;
  /** Nobody asked for it: if it cannot be opened, that is a warning and not the end. */
  readonly isDefault: boolean;
}

/** HAProxy's: user only reads, and not where servers are; operator reads everything; admin changes things too. */
export type SocketLevel = "user" | "operator" | "admin";

export interface StatsSocketConfig {
  readonly path: string;
  /** What who opens it may do. Left out: admin. */
  readonly level?: SocketLevel;
  /** Of the socket's file. Left out: 0660. */
  readonly mode?: number;
  /** Owners of the socket's file, by name or number. Left out: the process's. */
  readonly user?: string;
  readonly group?: string;
  /** Nobody asked for it: if it cannot be opened, that is a warning and not the end. */
  readonly isDefault: boolean;
}
