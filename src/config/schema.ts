import Type from "typebox";
import { bindSchema } from "./bind-schema.js";
import { connectionRulesSchema } from "./connection-rule-section.js";
import { cookieSchema } from "./cookie-section.js";
import { accessLogSchema } from "./log-schema.js";
import { responseRulesSchema } from "./response-rule-section.js";
import { rulesSchema } from "./rule-schema.js";
import {
  closed,
  milliseconds,
  named,
  oneOrMore,
  plainText,
  seconds,
  text,
  truth,
  whole,
} from "./schema-words.js";
import { defaultServerSchema, httpCheckSchema, serverSchema } from "./server-schema.js";
import {
  fitnessSchema,
  globalDefsSchema,
  notifyWords,
  scriptSchema,
  syncGroupSchema,
  trackFileSchema,
  trackProcessSchema,
  trackWords,
} from "./tracking-schema.js";

/**
 * The shape of `lb.yaml`, as JSON Schema. `title` says in an error message what was expected; `description` is the
 * documentation. Everything may be left out here: what must be there depends on the rest, and `load.ts` checks it.
 */

export const vrrpSchema = Type.Object(
  {
    interface: text("an interface's name", "Interface that carries the adverts and the addresses."),
    virtual_router_id: whole(1, 255, "Number of the virtual router, the same on both nodes."),
    priority: whole(1, 255, "The higher one is master; 255 is for the owner of the address. Default 100."),
    version: whole(2, 3, "Version of VRRP, the same on both nodes. Default 2; IPv6 needs 3 and has it."),
    advert_int: seconds(
      "Time between adverts, the same on both nodes: whole seconds in version 2, 10ms to 40.95s in version 3. Default 1s.",
    ),
    v3_checksum_as_v2: truth(
      "Version 3: send the checksum of the message alone (RFC 9568), for a router that wants no pseudo-header. Both are understood. Default false.",
    ),
    preempt: truth("Whether a higher priority takes over from a living master. Default true."),
    authentication: Type.Optional(
      Type.Object(
        {
          auth_type: Type.Optional(
            Type.Enum(["PASS", "AH", "none"], {
              title: "PASS, AH or none",
              description:
                "RFC 2338: simple text, or an IP authentication header with HMAC-MD5. Version 2 only.",
            }),
          ),
          auth_pass: plainText("a password", "At most 8 characters count, as in keepalived."),
        },
        { ...closed, title: "auth_type and auth_pass" },
      ),
    ),
    virtual_ipaddress: oneOrMore(
      "an address such as 192.168.33.84/24",
      "The addresses that the master holds, all IPv4 or all IPv6; the same on both nodes. Behind one: dev, scope, label, brd, no_track.",
    ),
    virtual_ipaddress_excluded: oneOrMore(
      "an address such as 192.168.34.84/24 dev eth2",
      "Addresses that the master holds too, of either family, and that are not in the adverts.",
    ),
    virtual_routes: oneOrMore(
      "a route such as 10.0.0.0/8 via 192.168.33.1",
      "Routes that the master has, in the words of ip route; no_track: not put back.",
    ),
    virtual_rules: oneOrMore(
      "a rule such as from 192.168.33.84 table 100",
      "Routing rules that the master has, in the words of ip rule; no_track: not put back.",
    ),
    preempt_delay: seconds("How long a living master of lower priority is left in peace. Default 0s."),
    startup_delay: seconds("How long after the start nothing is done; as vrrp_startup_delay. Default 0s."),
    accept: truth(
      "Whether a master that is not the owner takes packets to the virtual addresses itself; false needs nft. Default true.",
    ),
    use_vmac: Type.Optional(
      Type.Union([Type.Boolean(), Type.String({ minLength: 1 })], {
        title: "true, false or an interface's name",
        description:
          "Whether adverts and addresses are on a macvlan with the virtual router's MAC, made for it; its name, default vrrp.ID. Default false.",
      }),
    ),
    vmac_xmit_base: truth(
      "With use_vmac: adverts go over the interface itself, and only the addresses are on the macvlan. Default false.",
    ),
    unicast_peer: oneOrMore(
      "an address such as 192.168.33.81",
      "The partners' addresses: adverts go to them instead of the multicast group, and are taken from them alone; IPv4: behind one, min_ttl and max_ttl.",
    ),
    unicast_ttl: whole(1, 255, "With unicast_peer: TTL or hop limit of the adverts. Default 255."),
    unicast_src_ip: text(
      "an address such as 192.168.33.80",
      "With unicast_peer: this node's source of adverts. Default: the interface's own address.",
    ),
    mcast_src_ip: text(
      "an address such as 192.168.33.80",
      "Without unicast_peer: this node's source of adverts. Default: the interface's own address.",
    ),
    lease: seconds("Lifetime that the kernel gives the addresses between two refreshes. Default 3s."),
    garp_master_repeat: whole(0, 100, "Gratuitous ARPs sent at once by a new master. Default 5."),
    garp_master_delay: seconds("When a new master repeats them; 0: never. Default 5s."),
    garp_master_refresh: seconds("How often a master repeats one for ever; 0: never. Default 60s."),
    partner_priority: whole(1, 254, "The partner's, so that `lb check` can say which weight is too small."),
    ...trackWords,
    ...notifyWords,
  },
  { ...closed, title: "a mapping with interface, virtual_router_id and virtual_ipaddress" },
);

export const peerLinkSchema = Type.Object(
  {
    key: plainText("a secret of at least 8 characters", "The secret that both nodes share."),
    key_file: text("an absolute path", "The file that holds the secret, instead of key."),
    port: whole(1, 65_535, "TCP port of the link, the same on both nodes. Default 3112."),
  },
  { ...closed, title: "a mapping with key or key_file, and port" },
);

const clientTimeouts = {
  "http-request": milliseconds("For a whole request head. Default 10s."),
  client: milliseconds("Silence of a client in the middle of an exchange. Default 60s."),
  "http-keep-alive": milliseconds("Between two requests of one connection. Default 60s."),
  "inspect-delay": milliseconds(
    "Mode tcp, with rules that ask for req_ssl_sni: for a client's first message, and then default_backend serves it. Default 5s.",
  ),
  "client-fin": milliseconds("Mode tcp: silence once one side has ended. Default: tunnel."),
};

const serverTimeouts = {
  connect: milliseconds("To open a connection to a server. Default 5s."),
  queue: milliseconds("Waiting for a server that has maxconn. Default: connect."),
  server: milliseconds("Silence of a server in the middle of an exchange. Default 60s."),
  tunnel: milliseconds(
    "Silence in an upgraded connection, default 1h; in a session of mode tcp, default the shorter of client and server.",
  ),
  "server-fin": milliseconds("Like client-fin; the shorter of the two counts."),
};

const mode = Type.Optional(
  Type.Enum(["http", "tcp"], {
    title: "http or tcp",
    description: "tcp: bytes pass unread, such as TLS that the servers terminate. Default http.",
  }),
);

const errorfiles = Type.Optional(
  Type.Record(Type.String({ minLength: 1 }), Type.String({ minLength: 1, title: "a file's path" }), {
    title: "a mapping such as { 503: /etc/lb/errors/503.http }",
    description: "Files with the whole answer that clients get instead of the proxy's own, by status.",
  }),
);

const clientSide = {
  bind: bindSchema,
  connection_rules: connectionRulesSchema,
  rules: rulesSchema,
  response_rules: responseRulesSchema,
  unique_id_header: text(
    "a field's name such as X-Request-ID",
    "The field that carries each request's id: a client's own passes, else one is made.",
  ),
  traceparent: truth("Requests without a valid W3C traceparent get one. Default false."),
  max_head_bytes: whole(1024, 1_048_576, "Largest request or response head. Default 16384."),
  maxconn: whole(1, 10_000_000, "Clients at once; further ones wait. Default: no limit of its own."),
  log: Type.Optional(accessLogSchema),
  errorfiles,
};

const serverSide = {
  balance: text(
    "roundrobin, leastconn, source, uri, hdr(name), random or first",
    "Who gets the next request. Default roundrobin.",
  ),
  hash_type: Type.Optional(
    Type.Enum(["map-based", "consistent"], {
      title: "map-based or consistent",
      description:
        "Where source, uri and hdr send a request: by weight alone, or so that few keys move when a server comes or goes. Default map-based.",
    }),
  ),
  allbackups: truth("All backup servers serve when no other is up, not the first of them. Default false."),
  retries: whole(0, 100, "How often one request may move to another server. Default: to each of them once."),
  retry_on: oneOrMore(
    "conn-failure, empty-response, response-timeout, all-retryable-errors or a status such as 503",
    "What makes a request that may be sent twice move. Default conn-failure and empty-response.",
  ),
  retry_budget: whole(1, 100, "Replays beside requests, in percent. Default: no limit."),
  pipelining: whole(
    2,
    16,
    "Most GET and HEAD requests of different clients that may leave in one packet to a server that answers fast, and be answered one behind the other. Saves much CPU under load; docs/performance.md says what it risks. Direct engine only. Default: each has its own connection.",
  ),
  errorfiles,
  cookie: Type.Optional(cookieSchema),
  http_check: Type.Optional(httpCheckSchema),
  default_server: Type.Optional(defaultServerSchema),
  servers: named(serverSchema, "a mapping such as { web01: 192.168.33.68:80 }", "The servers by name."),
};

/** HAProxy's `listen`: both sides of a proxy in one. */
export const proxySchema = Type.Object(
  {
    mode,
    ...clientSide,
    ...serverSide,
    timeout: Type.Optional(
      Type.Object(
        { ...serverTimeouts, ...clientTimeouts },
        { ...closed, title: "a mapping such as { connect: 5s, client: 60s }" },
      ),
    ),
  },
  { ...closed, title: "a mapping with bind and servers" },
);

export const frontendSchema = Type.Object(
  {
    mode,
    ...clientSide,
    default_backend: text("a backend's name", "The backend, or the proxy, whose servers serve its clients."),
    timeout: Type.Optional(
      Type.Object(clientTimeouts, { ...closed, title: "a mapping such as { client: 60s }" }),
    ),
  },
  { ...closed, title: "a mapping with bind and default_backend" },
);

export const backendSchema = Type.Object(
  {
    mode,
    ...serverSide,
    timeout: Type.Optional(
      Type.Object(serverTimeouts, { ...closed, title: "a mapping such as { connect: 5s, server: 60s }" }),
    ),
  },
  { ...closed, title: "a mapping with servers" },
);

export const adminSchema = Type.Object(
  {
    bind: text(
      "an address such as eth1:80 or 127.0.0.1:8404",
      "Where the stats page is. An interface's name: its own first IPv4 address.",
    ),
    stats: Type.Optional(
      Type.Object(
        {
          uri: text("a path such as /stats", "Path of the stats page. Default /stats."),
          user: plainText("a user's name", "Default admin."),
          password: plainText("a password", "Default supersecret, with a warning."),
          admin: Type.Optional(
            Type.Boolean({
              title: "true or false",
              description:
                "The stats page changes states of servers too, HAProxy's `stats admin if TRUE`; not with the default password. Default false.",
            }),
          ),
        },
        { ...closed, title: "a mapping with uri, user, password and admin" },
      ),
    ),
  },
  { ...closed, title: "a mapping with bind and stats, or false" },
);

export const statsSocketSchema = Type.Object(
  {
    path: text("a path such as /run/lb/stats.sock", "Where the socket is. Default /run/lb/stats.sock."),
    level: Type.Optional(
      Type.Enum(["user", "operator", "admin"], {
        title: "user, operator or admin",
        description:
          "What who opens it may do: user reads, and not where servers are; operator reads everything; admin changes things too. Default admin.",
      }),
    ),
    mode: plainText("an octal mode such as 660", "Of the socket's file. Default 660."),
    user: plainText("a user's name", "Owner of the file. Default: the process's."),
    group: plainText("a group's name", "Group of the file. Default: the process's."),
  },
  { ...closed, title: "a mapping such as { path: /run/lb/stats.sock, level: operator }" },
);

export const fileSchema = Type.Object(
  {
    include: oneOrMore(
      "a path such as conf.d/*.yaml",
      "Further files, beside this one if the path is relative; what they have joins what stands here, member by member.",
    ),
    node: plainText("a name", "Name of this node. Default: the host name."),
    vrrp: named(
      vrrpSchema,
      "a mapping of instances by name, such as VI_1",
      "Virtual addresses shared with the partner.",
    ),
    vrrp_script: named(scriptSchema, "a mapping of scripts by name", "Scripts that instances track."),
    vrrp_track_file: named(trackFileSchema, "a mapping of files by name", "Files that instances track."),
    vrrp_track_process: named(
      trackProcessSchema,
      "a mapping of processes by name",
      "Processes that instances track.",
    ),
    vrrp_sync_group: named(syncGroupSchema, "a mapping of groups by name", "Instances that go together."),
    fitness: Type.Optional(fitnessSchema),
    global_defs: Type.Optional(globalDefsSchema),
    peer_link: Type.Optional(peerLinkSchema),
    proxies: named(proxySchema, "a mapping of proxies by name, such as http", "HTTP and TCP balancers."),
    frontends: named(
      frontendSchema,
      "a mapping of frontends by name",
      "Where clients come in, apart from the servers.",
    ),
    backends: named(backendSchema, "a mapping of backends by name", "Servers that frontends share."),
    admin: Type.Optional(
      Type.Union([adminSchema, Type.Literal(false)], {
        title: "a mapping with bind and stats, or false",
        description: "The admin server. Left out: none.",
      }),
    ),
    stats_socket: Type.Optional(
      Type.Union([Type.String({ minLength: 1 }), statsSocketSchema, Type.Literal(false)], {
        title: "a path such as /run/lb/stats.sock, a mapping with path, or false",
        description: "HAProxy's stats socket. Default /run/lb/stats.sock.",
      }),
    ),
    maxconn: whole(1, 10_000_000, "Clients at once, of all proxies. Default: what the open files allow."),
    threads: whole(1, 64, "Data threads. Default: one per core."),
    engine: Type.Optional(
      Type.Enum(["auto", "direct", "portable"], {
        title: "auto, direct or portable",
        description: "How bytes move. Default auto.",
      }),
    ),
    drain_timeout: Type.Optional(
      Type.Union([Type.String(), Type.Number()], {
        title: "a time such as 30s",
        description:
          "How long a stop waits for what is in flight, after the addresses are handed over. Default 30s.",
      }),
    ),
  },
  { ...closed, title: "a mapping with vrrp, proxies and admin" },
);

export type FileShape = Type.Static<typeof fileSchema>;
export type VrrpShape = Type.Static<typeof vrrpSchema>;
export type PeerLinkShape = Type.Static<typeof peerLinkSchema>;
export type ProxyShape = Type.Static<typeof proxySchema>;
export type FrontendShape = Type.Static<typeof frontendSchema>;
export type BackendShape = Type.Static<typeof backendSchema>;
export type StatsSocketShape = Type.Static<typeof statsSocketSchema>;
export type AdminShape = Type.Static<typeof adminSchema>;

/** Words of keepalived and HAProxy that a user may well write here, and what to do instead. */
export const foreignWords: Readonly<Record<string, string>> = {
  state: "leave it out: every node starts as a backup, and the priorities elect the master",
  nopreempt: "write preempt: false",
  no_accept: "write accept: false",
  vrrp_startup_delay: "write startup_delay: in the instance",
  track_bfd: "leave it out: BFD is not spoken",
  track_file: "write vrrp_track_file: at the top, and track_file: in the instance",
  notify_master_rx_lower_pri:
    "leave it out: the log tells of another master, and this one advertises at once",
  quorum_max: "leave it out: too many processes are not noticed",
  param_match: "leave it out: with arguments the whole command line is compared",
  notify_deleted: "write notify_stop: it runs for an instance that a reload removes, too",
  global_tracking: "leave it out: what a group and its members track counts for all of them",
  sync_group_tracking_weight: "leave it out: weights count in a group too",
  lvs_notify_fifo: "leave it out: write notify_fifo",
  option: "leave it out: keep-alive, X-Forwarded-For and redispatch are always on",
  server: "write servers: { web01: 192.168.33.68:80 }",
  httpchk: "write http_check: { uri: /health }",
  "http-check": "write http_check: { uri: /health, expect: { status: 200 } }",
  option_httpchk: "write http_check: { uri: /health }",
  "on-marked-down": "write on_marked_down: shutdown-sessions",
  "on-marked-up": "write on_marked_up: shutdown-backup-sessions",
  "agent-check": "write agent_check: { port: 9707 }",
  "agent-port": "write agent_check: { port: 9707 }",
  "agent-addr": "write agent_check: { port: 9707, addr: 192.168.33.68 }",
  "agent-inter": "write agent_check: { port: 9707, inter: 2s }",
  "agent-send": 'write agent_check: { port: 9707, send: "status\\n" }',
  acl: "write the condition into a rule, rules: [{ if: { path_beg: /admin }, deny: 403 }]",
  "http-request": "write rules: [{ if: { path_beg: /admin }, deny: 403 }]",
  "tcp-request": "write connection_rules: [{ max_connections: 50 }], or timeout: { inspect-delay: 5s }",
  "http-response": "write response_rules: [{ set_header: { X-Frame-Options: DENY } }]",
  redirect: "write rules: [{ redirect: { location: 'https://%[host]%[url]' } }]",
  "retry-on": "write retry_on: [conn-failure, empty-response]",
  redispatch: "leave it out: a retry always goes to another server",
  "accept-proxy": "write bind: { address: …, accept_proxy: true }",
  "send-proxy": "write send_proxy: true",
  "send-proxy-v2": "write send_proxy_v2: true",
  "check-send-proxy": "write check: { send_proxy: true }",
  httplog: "write log: { format: httplog }",
  tcplog: "write log: { format: tcplog }",
  errorfile: "write errorfiles: { 503: /etc/lb/errors/503.http }",
  errorloc: "write rules: [{ redirect: … }] for requests; errors are answered by errorfiles:",
  "dontlog-normal": "write log: { dontlog_normal: true }",
  auth: "write user: and password:",
  listen: "write proxies: { http: { bind: …, servers: … } }",
  frontend: "write frontends: { web: { bind: …, default_backend: … } }",
  backend: "write backends: { app: { servers: … } }",
  use_backend: "write it into a rule, rules: [{ if: { path_beg: /api/ }, use_backend: api }]",
  vrrp_instance: "write vrrp: { VI_1: { … } }",
  virtual_server: "write proxies: { http: { bind: …, servers: … } }",
};
