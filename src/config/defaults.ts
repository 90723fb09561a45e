import type { AdminConfig, Config, ProxyConfig, ProxyTimeouts, VrrpInstanceConfig } from "./config.js";
import type { Confinement } from "./confinement.js";
import type { AlertConfig, FitnessConfig, MailConfig, NotifyConfig, TrackConfig } from "./tracking-config.js";

/** What the machine says of itself, passed in because this folder asks nobody. */
export interface Machine {
  readonly hostname: string;
  readonly cores: number;
  /** Of the service for which the configuration is; null or missing: nothing confines it. */
  readonly confinement?: Confinement | null;
}

/**
 * Time that the kernel keeps the virtual address without a refresh. It is refreshed every third of it, so 3 s lets
 * two refreshes fail and a stall of almost 2 s pass; and it stays below the 3.0–4.0 s after which the partner takes
 * over at `advert_int` 1, so a killed node has lost the address by then. Partners that take over sooner leave a second.
 */
const longLeaseMs = 3000;
/** The shortest that the kernel counts. */
const shortLeaseMs = 1000;

export function defaultLeaseMs(advertIntervalCs: number): number {
  return advertIntervalCs * 30 >= longLeaseMs ? longLeaseMs : shortLeaseMs;
}

/** keepalived's priority where none is given. */
export const defaultPriority = 100;

export const defaultGratuitousArp: VrrpInstanceConfig["gratuitousArp"] = {
  repeat: 5,
  delayMs: 5000,
  refreshMs: 60_000,
};

export const trackNothing: TrackConfig = { interfaces: [], scripts: [], files: [], processes: [] };

export const notifyNobody: NotifyConfig = {
  master: null,
  backup: null,
  fault: null,
  stop: null,
  any: null,
  priorityChanges: false,
  smtpAlert: false,
};

/**
 * Threads and sockets are this node's own: without them the partner serves better. Servers may be down for both, so
 * they only lower the priority, by more than the gap that most pairs have; the control thread is worth a small one.
 */
export const defaultFitness: FitnessConfig = {
  threads: "fault",
  listeners: "fault",
  servers: -50,
  control: -5,
};

export const defaultMail: Pick<MailConfig, "host" | "port" | "connectTimeoutMs" | "tls"> = {
  host: "127.0.0.1",
  port: 25,
  connectTimeoutMs: 30_000,
  tls: "auto",
};

export const defaultAlerts: AlertConfig = { fifo: null, mail: null, scriptTimeoutMs: 30_000 };

export const defaultTimeouts: ProxyTimeouts = {
  connectMs: 5000,
  requestHeadMs: 10_000,
  clientMs: 60_000,
  serverMs: 60_000,
  keepAliveMs: 60_000,
  tunnelMs: 3_600_000,
};

/** For a client of mode tcp to say which server it wants; what HAProxy's manual advises for tcp-request inspect-delay. */
export const defaultInspectMs = 5000;

/** HAProxy's tune.bufsize: the largest head that it takes. */
export const defaultMaxHeadBytes = 16_384;

export const defaultDrainTimeoutMs = 30_000;

/** Below the range from which the kernel takes ports for outgoing connections; IANA has nothing there that balancers run. */
export const defaultPeerPort = 3112;

export const defaultStatsSocket = { path: "/run/lb/stats.sock", isDefault: true } as const;

export const defaultAdminPath = "/stats";
export const defaultAdminUser = "admin";
/** Known to everybody: whoever runs with it is warned at each start. */
export const defaultAdminPassword = "supersecret";

/** The admin server that nobody asked for: on the VRRP interface's own address, or on this machine alone. */
export function defaultAdminListen(vrrp: readonly VrrpInstanceConfig[]): AdminConfig["listen"] {
  return vrrp.length > 0
    ? { kind: "interface", interface: vrrp[0].interface, port: 80 }
    : { kind: "address", address: "127.0.0.1", port: 8404 };
}

/** What an instance does not have or do where nothing is said of it. */
export const plainInstance = {
  excludedAddresses: [],
  routes: [],
  rules: [],
  preemptDelayMs: 0,
  startupDelayMs: 0,
  accept: true,
  vmac: null,
} as const satisfies Partial<VrrpInstanceConfig>;

export const demoInstance: VrrpInstanceConfig = {
  name: "VI_1",
  interface: "eth1",
  virtualRouterId: 51,
  priority: defaultPriority,
  preempt: true,
  version: 2,
  advertIntervalCs: 100,
  v3ChecksumAsV2: false,
  authentication: { type: "none" },
  sourceAddress: null,
  unicastPeers: [],
  addresses: [{ address: "192.168.33.84", prefixLength: 24 }],
  ...plainInstance,
  leaseMs: defaultLeaseMs(100),
  gratuitousArp: defaultGratuitousArp,
  track: trackNothing,
  notify: notifyNobody,
  partnerPriority: null,
};

export const demoProxy: ProxyConfig = {
  name: "http",
  listen: [{ address: "192.168.33.84", port: 80 }],
  balance: "roundrobin",
  servers: [
    { name: "web01", host: "192.168.33.68", port: 80 },
    { name: "web02", host: "192.168.33.69", port: 80 },
  ],
  timeouts: defaultTimeouts,
  maxHeadBytes: defaultMaxHeadBytes,
  maxconn: null,
};

/** What `lb` does when there is no file: the two balancers of the demo. */
export function demoConfig(machine: Machine): Config {
  return {
    node: machine.hostname,
    vrrp: [demoInstance],
    syncGroups: [],
    tracking: { scripts: [], files: [], processes: [] },
    fitness: defaultFitness,
    alerts: defaultAlerts,
    peerLink: null,
    proxies: [demoProxy],
    admin: {
      listen: defaultAdminListen([demoInstance]),
      path: defaultAdminPath,
      user: defaultAdminUser,
      password: defaultAdminPassword,
      isDefault: true,
    },
    statsSocket: defaultStatsSocket,
    maxconn: null,
    threads: machine.cores,
    engine: "auto",
    drainTimeoutMs: defaultDrainTimeoutMs,
  };
}
