/** What a proxy and its servers are, said once and written for both: as haproxy.cfg and as lb.yaml. */
export interface ProxySpec {
  readonly mode?: "http" | "tcp";
  readonly balance?: string;
  readonly hashType?: "map-based" | "consistent";
  readonly servers: Readonly<Record<string, ServerSpec>>;
  /** Ms, in the words of both; those left out are ten seconds. */
  readonly timeouts?: Partial<Record<TimeoutWord, number>>;
  readonly retries?: number;
  readonly retryOn?: readonly string[];
  readonly httpCheck?: { readonly method: string; readonly uri: string; readonly status?: string };
  readonly allBackups?: boolean;
  readonly maxconn?: number;
  /** Every client begins with a PROXY header. */
  readonly acceptProxy?: boolean;
  /** Speaks TLS with its clients, and HTTP/2 with those who can. */
  readonly tls?: boolean;
  /** Listens on ::1 as well. */
  readonly ipv6?: boolean;
  /** Lines for HAProxy's section alone. */
  readonly haproxy?: readonly string[];
  /** Words for Tandem's alone. */
  readonly tandem?: Readonly<Record<string, unknown>>;
  /** No log line is written for what nothing came on, or nothing went wrong in. */
  readonly log?: { readonly dontlognull?: boolean; readonly dontlogNormal?: boolean };
}

export interface ServerSpec {
  /** A server of the scenario by its name, a port, or `nobody`: where nobody listens. Default: the server's own name. */
  readonly at?: string;
  readonly weight?: number;
  readonly backup?: boolean;
  readonly disabled?: boolean;
  readonly check?: Readonly<
    Partial<Record<"inter" | "fastinter" | "downinter" | "rise" | "fall", number>>
  > & {
    readonly observe?: string;
    readonly errorLimit?: number;
    readonly onError?: string;
  };
  /** Version of the PROXY header that connections begin with. */
  readonly sendProxy?: 1 | 2;
  /** Words of HAProxy's server line alone. */
  readonly haproxy?: string;
  /** Words of Tandem's alone. */
  readonly tandem?: Readonly<Record<string, unknown>>;
}

type TimeoutWord =
  | "connect"
  | "client"
  | "server"
  | "http-request"
  | "http-keep-alive"
  | "tunnel"
  | "queue"
  | "inspect-delay";

/** Where the proxies of one peer listen, log, and find their servers. */
export interface Places {
  readonly ports: Readonly<Record<string, number>>;
  readonly server: (name: string) => number;
  readonly logPort: number;
  readonly statsSocket: string;
  /** Certificate and key for those that speak TLS. */
  readonly certificate: string;
}

const unreachedMs = 10_000;
const timeoutWords = ["connect", "client", "server", "http-request", "http-keep-alive", "tunnel"] as const;
const timeout = (spec: ProxySpec, word: TimeoutWord): number => spec.timeouts?.[word] ?? unreachedMs;

/** What Tandem does by itself: X-Forwarded-Proto, and connections to servers that all clients share. */
const asTandem = (spec: ProxySpec): string[] => [
  ...["http-reuse always", "option forwardfor"],
  `http-request set-header X-Forwarded-Proto ${spec.tls ? "https" : "http"}`,
];

export function haproxyConfig(
  proxies: Readonly<Record<string, ProxySpec>>,
  places: Places,
  extra: readonly string[] = [],
): string {
  const lines = [
    "global",
    "  nbthread 1",
    "  maxconn 2000",
    `  log 127.0.0.1:${places.logPort} local0`,
    `  stats socket ${places.statsSocket} level admin`,
    "defaults",
    "  log global",
    ...extra,
  ];
  for (const [name, spec] of Object.entries(proxies)) {
    const http = spec.mode !== "tcp";
    const tls = spec.tls ? ` ssl crt ${places.certificate} alpn h2,http/1.1` : "";
    const accept = `${spec.acceptProxy ? " accept-proxy" : ""}${tls}`;
    lines.push(`listen ${name}`, `  bind 127.0.0.1:${places.ports[name]}${accept}`);
    if (spec.ipv6) lines.push(`  bind [::1]:${places.ports[name]}${accept}`);
    lines.push(`  mode ${spec.mode ?? "http"}`, http ? "  option httplog" : "  option tcplog");
    if (http) lines.push(...asTandem(spec).map((line) => `  ${line}`));
    if (spec.log?.dontlognull) lines.push("  option dontlognull");
    if (spec.log?.dontlogNormal) lines.push("  option dontlog-normal");
    for (const word of timeoutWords)
      if (word !== "tunnel" || spec.timeouts?.tunnel !== undefined)
        lines.push(`  timeout ${word} ${timeout(spec, word)}ms`);
    if (spec.timeouts?.queue !== undefined) lines.push(`  timeout queue ${spec.timeouts.queue}ms`);
    const inspectMs = spec.timeouts?.["inspect-delay"];
    if (inspectMs !== undefined) lines.push(`  tcp-request inspect-delay ${inspectMs}ms`);
    lines.push(`  balance ${spec.balance ?? "roundrobin"}`);
    if (spec.hashType !== undefined) lines.push(`  hash-type ${spec.hashType}`);
    if (spec.maxconn !== undefined) lines.push(`  maxconn ${spec.maxconn}`);
    if (spec.allBackups) lines.push("  option allbackups");
    lines.push("  option redispatch 1", `  retries ${spec.retries ?? Object.keys(spec.servers).length - 1}`);
    lines.push("  default-server pool-purge-delay 60s");
    if (http) lines.push(`  retry-on ${(spec.retryOn ?? ["conn-failure", "empty-response"]).join(" ")}`);
    const check = spec.httpCheck;
    if (check !== undefined) {
      lines.push("  option httpchk", `  http-check send meth ${check.method} uri ${check.uri}`);
      if (check.status !== undefined) lines.push(`  http-check expect status ${check.status}`);
    }
    lines.push(...(spec.haproxy ?? []).map((line) => `  ${line}`));
    for (const [server, words] of Object.entries(spec.servers))
      lines.push(`  server ${server} 127.0.0.1:${places.server(words.at ?? server)}${serverWords(words)}`);
  }
  return `${lines.join("\n")}\n`;
}

function serverWords(spec: ServerSpec): string {
  const words: string[] = [];
  if (spec.weight !== undefined) words.push(`weight ${spec.weight}`);
  if (spec.backup) words.push("backup");
  if (spec.disabled) words.push("disabled");
  if (spec.sendProxy !== undefined) words.push(spec.sendProxy === 1 ? "send-proxy" : "send-proxy-v2");
  if (spec.check !== undefined) {
    const { observe, errorLimit, onError, ...times } = spec.check;
    words.push("check");
    for (const [word, value] of Object.entries(times))
      words.push(`${word} ${value}${word === "rise" || word === "fall" ? "" : "ms"}`);
    if (observe !== undefined) words.push(`observe ${observe}`);
    if (errorLimit !== undefined) words.push(`error-limit ${errorLimit}`);
    if (onError !== undefined) words.push(`on-error ${onError}`);
  }
  if (spec.haproxy !== undefined) words.push(spec.haproxy);
  return words.map((word) => ` ${word}`).join("");
}

/** JSON is YAML. */
export function tandemConfig(
  proxies: Readonly<Record<string, ProxySpec>>,
  places: Places,
  engine: string,
  extra: Readonly<Record<string, unknown>> = {},
): string {
  const entries = Object.entries(proxies).map(([name, spec]) => [name, tandemProxy(name, spec, places)]);
  const config = {
    engine,
    threads: 1,
    maxconn: 2000,
    admin: false,
    stats_socket: places.statsSocket,
    proxies: Object.fromEntries(entries),
    ...extra,
  };
  return `${JSON.stringify(config, null, 2)}\n`;
}

function tandemProxy(name: string, spec: ProxySpec, places: Places): Record<string, unknown> {
  const http = spec.mode !== "tcp";
  const words = timeoutWords.filter(
    (word) =>
      (http || word === "connect" || word === "client" || word === "server" || word === "tunnel") &&
      (word !== "tunnel" || spec.timeouts?.tunnel !== undefined),
  );
  return {
    mode: spec.mode ?? "http",
    bind: {
      address: [`127.0.0.1:${places.ports[name]}`, ...(spec.ipv6 ? [`[::1]:${places.ports[name]}`] : [])],
      accept_proxy: spec.acceptProxy === true,
      ...(spec.tls && { tls: { crt: places.certificate, alpn: ["h2", "http/1.1"] } }),
    },
    balance: spec.balance ?? "roundrobin",
    ...(spec.hashType !== undefined && { hash_type: spec.hashType }),
    ...(spec.maxconn !== undefined && { maxconn: spec.maxconn }),
    ...(spec.allBackups && { allbackups: true }),
    ...(http && spec.retries !== undefined && { retries: spec.retries }),
    ...(spec.retryOn !== undefined && { retry_on: spec.retryOn }),
    ...(spec.httpCheck !== undefined && {
      http_check: {
        method: spec.httpCheck.method,
        uri: spec.httpCheck.uri,
        ...(spec.httpCheck.status !== undefined && { expect: { status: spec.httpCheck.status } }),
      },
    }),
    timeout: {
      ...Object.fromEntries(words.map((word) => [word, timeout(spec, word)])),
      ...(spec.timeouts?.queue !== undefined && { queue: spec.timeouts.queue }),
      ...(spec.timeouts?.["inspect-delay"] !== undefined && {
        "inspect-delay": spec.timeouts["inspect-delay"],
      }),
    },
    log: {
      to: `127.0.0.1:${places.logPort}`,
      format: http ? "httplog" : "tcplog",
      ...(spec.log?.dontlognull && { dontlognull: true }),
      ...(spec.log?.dontlogNormal && { dontlog_normal: true }),
    },
    servers: Object.fromEntries(
      Object.entries(spec.servers).map(([server, words]) => [server, tandemServer(server, words, places)]),
    ),
    ...spec.tandem,
  };
}

function tandemServer(name: string, spec: ServerSpec, places: Places): Record<string, unknown> {
  const { errorLimit, onError, ...check } = spec.check ?? {};
  return {
    address: `127.0.0.1:${places.server(spec.at ?? name)}`,
    ...(spec.weight !== undefined && { weight: spec.weight }),
    ...(spec.backup && { backup: true }),
    ...(spec.disabled && { disabled: true }),
    ...(spec.sendProxy !== undefined && { [spec.sendProxy === 1 ? "send_proxy" : "send_proxy_v2"]: true }),
    ...(spec.check !== undefined && {
      check: {
        ...check,
        ...(errorLimit !== undefined && { error_limit: errorLimit }),
        ...(onError !== undefined && { on_error: onError }),
      },
    }),
    ...spec.tandem,
  };
}
