import fc from "fast-check";
import { parseAddressRange } from "../../../src/config/address-range.js";
import { overlaps } from "../../../src/config/bind-section.js";
import type {
  Config,
  ProxyConfig,
  VirtualRoute,
  VirtualRule,
  VrrpInstanceConfig,
} from "../../../src/config/config.js";
import type { ConnectionRule } from "../../../src/config/connection-rule-section.js";
import {
  defaultMaxHeadBytes,
  defaultTimeouts,
  notifyNobody,
  trackNothing,
} from "../../../src/config/defaults.js";
import type { ResponseCondition, ResponseRule } from "../../../src/config/response-rule-section.js";
import type { Action, Condition, FieldCondition, Rule } from "../../../src/config/rule-config.js";
import type { TextTemplate } from "../../../src/config/text-template.js";
import type { BindTlsConfig } from "../../../src/config/tls-config.js";
import { accessLog, balance, httpCheck, retry, serverWords } from "./generate-servers.js";
import { withTracking } from "./generate-tracking.js";

/** Names, also such as look like numbers, booleans or members of every object. */
const name = fc
  .oneof(
    fc.stringMatching(/^[A-Za-z0-9_.:-]{1,12}$/),
    fc
      .constantFrom(
        "1",
        "0",
        "true",
        "null",
        "1e3",
        "__proto__",
        "constructor",
        "~",
        "-",
        "a:",
        "0x1f",
        "yes",
      )
      .filter((text) => text !== "~"),
  )
  .filter((text) => text !== "FRONTEND" && text !== "BACKEND");

const octet = fc.integer({ min: 0, max: 255 });
const ipv4 = fc.tuple(fc.integer({ min: 1, max: 126 }), octet, octet, octet).map((parts) => parts.join("."));
const ipv6 = fc.constantFrom("fd00::1", "2001:db8::2:1", "::1", "fe80::1:2:3:4");
const port = fc.integer({ min: 1, max: 65_535 });
const interfaceName = fc.constantFrom("eth1", "ens18", "br-lan", "bond0.7", "eth1@x");
const ms = fc.integer({ min: 1, max: 2_000_000_000 });
const text = fc.string({ minLength: 1, maxLength: 12, unit: "grapheme-ascii" });

const peerKey = fc.string({ minLength: 8, maxLength: 24, unit: "grapheme-ascii" });

/** What goes with an IPv4 instance of version 2, of version 3, and with an IPv6 instance. */
const kinds = fc.oneof(
  fc.record({
    version: fc.constant(2 as const),
    advertIntervalCs: fc.integer({ min: 1, max: 255 }).map((seconds) => seconds * 100),
    v3ChecksumAsV2: fc.constant(false),
    authentication: fc.oneof(
      fc.constant({ type: "none" } as const),
      fc
        .record({ type: fc.constantFrom("pass" as const, "ah" as const), password: text })
        .map(({ type, password }) => ({ type, password: password.slice(0, 8) })),
    ),
    ...overFamily(ipv4, 32),
  }),
  fc.record({
    version: fc.constant(3 as const),
    advertIntervalCs: fc.integer({ min: 1, max: 4095 }),
    v3ChecksumAsV2: fc.boolean(),
    authentication: fc.constant({ type: "none" } as const),
    ...overFamily(ipv4, 32),
  }),
  fc.record({
    version: fc.constant(3 as const),
    advertIntervalCs: fc.integer({ min: 1, max: 4095 }),
    v3ChecksumAsV2: fc.boolean(),
    authentication: fc.constant({ type: "none" } as const),
    ...overFamily(fc.constantFrom("fd00::1", "2001:db8::2:1", "fe80::51", "fe80::1:2:3:4"), 128),
  }),
);

function overFamily(address: fc.Arbitrary<string>, longest: number) {
  const virtualAddress = fc.record(
    {
      address,
      prefixLength: fc.integer({ min: 1, max: longest }),
      interface: interfaceName,
      scope: fc.constantFrom("global", "link", "host"),
      noTrack: fc.constant(true as const),
      ...(longest === 32 && { broadcast: fc.constantFrom("10.9.255.255", "192.168.33.127") }),
    },
    { requiredKeys: ["address", "prefixLength"] },
  );
  return {
    sourceAddress: fc.option(fc.constant(longest === 32 ? "10.9.8.7" : "fe80::99")),
    unicastPeers: fc.uniqueArray(address, { maxLength: 3 }),
    addresses: fc.uniqueArray(virtualAddress, {
      minLength: 1,
      maxLength: 4,
      selector: ({ address }) => address,
    }),
  };
}

const common = fc.record({
  name,
  interface: interfaceName,
  virtualRouterId: fc.integer({ min: 1, max: 255 }),
  priority: fc.integer({ min: 1, max: 255 }),
  preempt: fc.boolean(),
  leaseMs: fc.integer({ min: 1000, max: 100_000 }),
  gratuitousArp: fc.record({ repeat: fc.integer({ min: 0, max: 100 }), delayMs: ms, refreshMs: ms }),
  excludedAddresses: fc.subarray([
    { address: "203.0.113.7", prefixLength: 24 },
    { address: "2001:db8:1::7", prefixLength: 64, interface: "eth2" },
  ]),
  routes: fc.subarray<VirtualRoute>([
    { address: "0.0.0.0", prefixLength: 0, gateway: "10.0.0.1", table: 254, metric: 0 },
    { address: "fd01::", prefixLength: 16, kind: "blackhole", noTrack: true },
    { address: "10.9.0.0", prefixLength: 16, interface: "eth1", source: "10.9.0.1" },
  ]),
  rules: fc.subarray<VirtualRule>([
    { from: { address: "10.9.0.1", prefixLength: 32 }, table: 100, priority: 0, noTrack: true },
    { to: { address: "::", prefixLength: 0 }, inputInterface: "eth1", mark: 16, table: 4_294_967_295 },
  ]),
  preemptDelayMs: fc.constantFrom(0, 1, 2_500),
  startupDelayMs: fc.constantFrom(0, 60_000),
  accept: fc.boolean(),
  vmac: fc.constantFrom(null, "vrrp.9", "vmac0"),
  unicastTtl: fc.constantFrom(1, 64, 254),
  peerTtl: fc.record({ min: fc.integer({ min: 0, max: 127 }), max: fc.integer({ min: 127, max: 255 }) }),
  xmitBase: fc.boolean(),
  track: fc.constant(trackNothing),
  notify: fc.constant(notifyNobody),
  partnerPriority: fc.constant(null),
});

const instance: fc.Arbitrary<VrrpInstanceConfig> = fc
  .tuple(common, kinds)
  .map(([{ unicastTtl, peerTtl, xmitBase, ...instance }, changes]) => {
    const { unicastPeers, version } = changes;
    const [peer] = unicastPeers;
    return {
      ...instance,
      ...changes,
      ...(peer !== undefined && { unicastTtl }),
      ...(peer !== undefined && version === 2 && { peerTtls: [{ address: peer, ...peerTtl }] }),
      ...(instance.vmac !== null && (xmitBase || peer !== undefined) && { vmacXmitBase: true as const }),
    };
  });

const texts = (...values: string[]) => fc.subarray(values, { minLength: 1 });

const condition: fc.Arbitrary<Condition> = fc
  .record(
    {
      overTls: fc.boolean(),
      isCertified: fc.boolean(),
      hosts: texts("www.example.org", "*.example.org"),
      methods: texts("GET", "M-SEARCH"),
      paths: texts("/", "/a%20b"),
      pathBegins: texts("/api/", "/x"),
      pathEnds: texts(".php", "/"),
      sources: fc.subarray(
        ["10.0.0.0/8", "192.0.2.7", "fd00::/8", "::/0"].map((text) => {
          const range = parseAddressRange(text);
          if (range === null) throw new Error(text);
          return range;
        }),
        { minLength: 1 },
      ),
      fields: fc.subarray<FieldCondition>(
        [
          { name: "x-a", values: ["1", ""] },
          { name: "x-b", values: null },
        ],
        { minLength: 1 },
      ),
    },
    { requiredKeys: [] },
  )
  .filter((asked) => Object.keys(asked).length > 0);

const field = fc.constantFrom("X-A", "Host", "x_b");

const template = fc.constantFrom<TextTemplate>(
  ["https://", { word: "host" }, { word: "url" }],
  ["/x y"],
  [{ word: "src" }],
);

const action: fc.Arbitrary<Action> = fc.oneof(
  fc.record({ kind: fc.constant("deny" as const), status: fc.integer({ min: 400, max: 599 }) }),
  fc.record({
    kind: fc.constant("redirect" as const),
    status: fc.constantFrom(301, 308),
    location: template,
  }),
  fc.record({
    kind: fc.constant("return" as const),
    status: fc.constantFrom(200, 503),
    contentType: fc.constantFrom("text/plain", "application/json"),
    body: fc.constantFrom("", "ok: yes\n", "007"),
  }),
  fc.record({
    kind: fc.constant("auth" as const),
    realm: fc.constantFrom("r", "Members only"),
    users: fc.uniqueArray(
      fc.record({
        name: fc.constantFrom("ann", "1", "true", "b c"),
        password: fc.constantFrom("x", "0123", "p: #ä"),
      }),
      {
        minLength: 1,
        maxLength: 3,
        selector: (user) => user.name,
      },
    ),
  }),
  fc.record({
    kind: fc.constant("rate-limit" as const),
    requests: fc.integer({ min: 1, max: 1_000_000_000 }),
    periodMs: ms,
    by: fc.constantFrom("src" as const, { field: "x-key" }),
    status: fc.constantFrom(429, 503),
    keys: fc.integer({ min: 8, max: 10_000_000 }),
  }),
  fc.record({
    kind: fc.constantFrom("set-header" as const, "add-header" as const),
    name: field,
    value: template,
  }),
  fc.record({ kind: fc.constant("del-header" as const), name: field }),
  fc.record({
    kind: fc.constant("set-path" as const),
    path: fc.constantFrom<TextTemplate>(["/a"], ["/a", { word: "path" }]),
  }),
  fc.record({
    kind: fc.constant("replace-prefix" as const),
    prefix: fc.constantFrom("/", "/old/"),
    by: fc.constantFrom("/", "/new/"),
  }),
);

const rule: fc.Arbitrary<Rule> = fc.record({
  when: fc.option(condition),
  unless: fc.option(condition),
  action,
});

const bindTls: fc.Arbitrary<BindTlsConfig> = fc.record(
  {
    crt: fc.subarray(["/etc/lb/site.pem", "/etc/lb/certs/", "/a b"], { minLength: 1 }),
    alpn: fc.constantFrom(["http/1.1"], ["h2"], ["h2", "http/1.1"]),
    minVersion: fc.constant("TLSv1.3" as const),
    ciphers: fc.constantFrom("ECDHE+AESGCM", "HIGH:!aNULL"),
    clients: fc.record(
      {
        verify: fc.constantFrom("optional" as const, "required" as const),
        caFile: fc.constant("/etc/lb/ca.pem"),
        crlFile: fc.constant("/etc/lb/crl.pem"),
      },
      { requiredKeys: ["verify", "caFile"] },
    ),
    strictSni: fc.constant(true as const),
  },
  { requiredKeys: ["crt"] },
);
const responseCondition: fc.Arbitrary<ResponseCondition> = fc
  .record(
    {
      statuses: fc.constant([{ from: 200, to: 299 }]),
      fields: fc.constant([{ name: "server", values: null }]),
      request: condition.map(({ fields: _, ...words }) => words),
    },
    { requiredKeys: [] },
  )
  .map(({ request, ...rest }) => ({
    ...rest,
    ...(request !== undefined && Object.keys(request).length > 0 && { request }),
  }))
  .filter((words) => Object.keys(words).length > 0);

const responseRule: fc.Arbitrary<ResponseRule> = fc.record({
  when: fc.option(responseCondition),
  unless: fc.option(responseCondition),
  action: fc.constantFrom<ResponseRule["action"]>(
    { kind: "del-header", name: "Server" },
    { kind: "set-header", name: "X-A", value: ["at ", { word: "path" }] },
  ),
});

const forwardFor = fc.oneof(
  fc.constant(null),
  fc
    .record({
      except: fc.array(
        fc.constantFrom("127.0.0.0/8", "10.0.0.1", "fd00::/8").map((text) => parseAddressRange(text)),
        { maxLength: 2 },
      ),
      ifNone: fc.boolean(),
      header: fc.constantFrom("X-Forwarded-For", "X-Client-IP"),
    })
    .map(({ except, ...rest }) => ({ ...rest, except: except.filter((range) => range !== null) }))
    .filter(({ except, ifNone, header }) => except.length > 0 || ifNone || header === "X-Client-IP"),
);
const connectionRule: fc.Arbitrary<ConnectionRule> = fc.record({
  when: fc.constant(null),
  unless: fc.constant(null),
  action: fc.oneof(
    fc.constant({ kind: "reject" as const }),
    fc.record({
      kind: fc.constant("max-connections" as const),
      count: fc.integer({ min: 1, max: 1_000_000 }),
      keys: fc.integer({ min: 8, max: 10_000_000 }),
    }),
    fc.record({
      kind: fc.constant("rate-limit" as const),
      connections: fc.integer({ min: 1, max: 1_000_000_000 }),
      periodMs: ms,
      keys: fc.integer({ min: 8, max: 10_000_000 }),
    }),
  ),
});

const proxy: fc.Arbitrary<ProxyConfig> = fc
  .record(
    {
      name,
      listen: fc.array(
        fc.record(
          { address: fc.oneof(ipv4, ipv6), port, acceptProxy: fc.constant(true as const), tls: bindTls },
          { requiredKeys: ["address", "port"] },
        ),
        { minLength: 1, maxLength: 3 },
      ),
      balance,
      hashType: fc.constant("consistent" as const),
      allBackups: fc.constant(true as const),
      httpCheck,
      rules: fc.array(rule, { minLength: 1, maxLength: 4 }),
      uniqueIdHeader: fc.constantFrom("X-Request-ID", "x_id"),
      traceparent: fc.constant(true as const),
      forwardFor,
      responseRules: fc.array(responseRule, { minLength: 1, maxLength: 3 }),
      connectionRules: fc.array(connectionRule, { minLength: 1, maxLength: 3 }),
      servers: fc.uniqueArray(
        fc
          .tuple(
            fc.record({
              name,
              host: fc.oneof(ipv4, ipv6, fc.constantFrom("web01", "web.example", "a-b.c")),
              port,
            }),
            serverWords,
          )
          .map(([server, words]) => ({ ...server, ...words })),
        { minLength: 1, maxLength: 4, selector: (server) => server.name },
      ),
      timeouts: fc.record({
        connectMs: ms,
        requestHeadMs: ms,
        clientMs: ms,
        serverMs: ms,
        keepAliveMs: ms,
        tunnelMs: ms,
      }),
      maxHeadBytes: fc.integer({ min: 1024, max: 1_048_576 }),
      maxconn: fc.option(fc.integer({ min: 1, max: 10_000_000 })),
      log: accessLog,
      retry,
    },
    { requiredKeys: ["name", "listen", "balance", "servers", "timeouts", "maxHeadBytes", "maxconn"] },
  )
  .filter(({ listen, servers }) =>
    listen.every(
      (address, i) =>
        !listen.some((other, j) => j < i && overlaps(other, address)) &&
        !servers.some((server) => server.host === address.address && server.port === address.port),
    ),
  )
  .chain((item) => fc.oneof(fc.constant(item), tcp(item)));

/** The same as a proxy of `mode: tcp`, which has no words about requests. */
function tcp({
  balance,
  hashType,
  timeouts,
  rules: _rules,
  responseRules: _responseRules,
  uniqueIdHeader: _uniqueIdHeader,
  traceparent: _traceparent,
  forwardFor: _forwardFor,
  retry: _retry,
  ...rest
}: ProxyConfig): fc.Arbitrary<ProxyConfig> {
  const unseen = typeof balance !== "string" && balance.by !== "random";
  return fc.option(ms, { nil: undefined }).map((halfClosedMs) => ({
    ...rest,
    ...(hashType !== undefined && { hashType }),
    mode: "tcp",
    ...(rest.log?.format === "httplog" && { log: { ...rest.log, format: "tcplog" as const } }),
    balance: unseen ? "source" : balance,
    timeouts: {
      ...timeouts,
      requestHeadMs: defaultTimeouts.requestHeadMs,
      keepAliveMs: defaultTimeouts.keepAliveMs,
      ...(halfClosedMs !== undefined && { halfClosedMs }),
    },
    maxHeadBytes: defaultMaxHeadBytes,
  }));
}

/** Configurations that a file can hold. */
export const config: fc.Arbitrary<Config> = fc
  .record({
    node: text,
    vrrp: fc.uniqueArray(instance, { maxLength: 3, selector: (item) => item.name }),
    peerLink: fc.option(
      fc.record({
        key: fc.oneof(
          fc.record({ kind: fc.constant("text" as const), text: peerKey }),
          fc.record({
            kind: fc.constant("file" as const),
            path: fc.constantFrom("/etc/lb/peer.key", "/a b"),
          }),
        ),
        port,
      }),
    ),
    proxies: fc.uniqueArray(proxy, { maxLength: 3, selector: (item) => item.name }),
    admin: fc.option(
      fc
        .record({
          listen: fc.oneof(
            fc.record({ kind: fc.constant("interface" as const), interface: interfaceName, port }),
            fc.record({ kind: fc.constant("address" as const), address: ipv6, port: fc.constant(65_535) }),
          ),
          path: fc.constantFrom("/stats", "/", "/a/b-c.d"),
          user: text.filter((user) => !user.includes(":")),
          password: text,
          isDefault: fc.constant(false),
          acts: fc.boolean(),
        })
        .map(({ acts, ...admin }) => ({ ...admin, ...(acts && { pageActs: true as const }) })),
    ),
    statsSocket: fc.option(
      fc.record(
        {
          path: fc.constantFrom("/run/lb/s.sock", "/a b/c: d"),
          level: fc.constantFrom("user" as const, "operator" as const),
          mode: fc.constantFrom(0o600, 0o7, 0o777),
          user: fc.constantFrom("root", "0"),
          group: fc.constantFrom("adm", "12"),
          isDefault: fc.constant(false),
        },
        { requiredKeys: ["path", "isDefault"] },
      ),
    ),
    maxconn: fc.option(fc.integer({ min: 1, max: 10_000_000 })),
    threads: fc.integer({ min: 1, max: 64 }),
    engine: fc.constantFrom("auto", "direct", "portable"),
    drainTimeoutMs: fc.integer({ min: 0, max: 1_000_000 }),
  })
  .chain((plain) => withTracking(plain.vrrp).map((tracking): Config => ({ ...plain, ...tracking })))
  .filter(({ vrrp, proxies }) => vrrp.length + proxies.length > 0)
  .filter(({ vrrp }) => {
    const keys = vrrp.flatMap((item) => [
      `${item.interface} ${item.virtualRouterId}`,
      ...item.addresses.map(({ address }) => `${item.interface} ${address}`),
    ]);
    return new Set(keys).size === keys.length;
  })
  .filter(({ proxies, admin }) => {
    const all = proxies.flatMap((item) => item.listen);
    if (admin?.listen.kind === "address" && all.some(({ port }) => port === 65_535)) return false;
    return all.every((address, i) => !all.some((other, j) => j < i && overlaps(other, address)));
  })
  // Without VRRP there is no partner.
  .map((config) => (config.vrrp.length > 0 ? config : { ...config, peerLink: null }))
  // Plain objects, as the loader makes them.
  .map((config) => structuredClone(config));
