import fc from "fast-check";
import type { Balance } from "../../../src/config/balance.js";
import type { AccessLogConfig } from "../../../src/config/log-config.js";
import type { RetryConfig } from "../../../src/config/retry-section.js";
import type {
  AgentConfig,
  CheckConfig,
  HttpCheckConfig,
  ServerConfig,
} from "../../../src/config/server-config.js";

const ms = fc.integer({ min: 10, max: 2_000_000_000 });
const port = fc.integer({ min: 1, max: 65_535 });
const count = fc.integer({ min: 1, max: 1000 });
const status = fc.integer({ min: 100, max: 599 });

export const balance: fc.Arbitrary<Balance> = fc.oneof(
  fc.constantFrom("roundrobin" as const, "leastconn" as const, "source" as const, "first" as const),
  fc.record({
    by: fc.constant("uri" as const),
    whole: fc.boolean(),
    length: fc.nat(99_999),
    depth: fc.nat(99_999),
  }),
  fc.record({ by: fc.constant("hdr" as const), field: fc.constantFrom("host", "x-user", "x_y", "a.b") }),
  fc.record({ by: fc.constant("random" as const), draws: fc.integer({ min: 1, max: 32 }) }),
);

const check: fc.Arbitrary<CheckConfig> = fc.record(
  {
    intervalMs: ms,
    fastIntervalMs: ms,
    downIntervalMs: ms,
    rise: count,
    fall: count,
    port,
    timeoutMs: ms,
    sendProxy: fc.constant(true as const),
    overTls: fc.constant(true as const),
    observe: fc.record({
      layer: fc.constantFrom("layer4" as const, "layer7" as const),
      errorLimit: fc.integer({ min: 1, max: 1_000_000 }),
      onError: fc.constantFrom("fastinter", "fail-check", "sudden-death", "mark-down"),
    }),
  },
  {
    requiredKeys: ["intervalMs", "fastIntervalMs", "downIntervalMs", "rise", "fall", "port", "timeoutMs"],
  },
);

const agent: fc.Arbitrary<AgentConfig> = fc.record(
  {
    host: fc.constantFrom("10.0.0.9", "fd00::9", "agents.example.org"),
    port,
    intervalMs: ms,
    timeoutMs: ms,
    send: fc.constantFrom("", "status\n", "a: b # c"),
  },
  { requiredKeys: ["port", "intervalMs", "timeoutMs"] },
);

/** What a server has beside its name and address. */
export const serverWords: fc.Arbitrary<Omit<ServerConfig, "name" | "host" | "port">> = fc.record(
  {
    weight: fc.integer({ min: 0, max: 256 }).filter((weight) => weight !== 1),
    backup: fc.constant(true as const),
    disabled: fc.constant(true as const),
    slowStartMs: ms,
    sendProxy: fc.constantFrom(1 as const, 2 as const),
    maxconn: count,
    cookie: fc.constantFrom("web01", "0", "a=b"),
    tls: fc.record(
      {
        verify: fc.constantFrom("required" as const, "none" as const),
        caFile: fc.constant("/etc/lb/ca.pem"),
        sni: fc.constantFrom("www.example.org", "1"),
        crt: fc.constant("/a b"),
      },
      { requiredKeys: ["verify"] },
    ),
    check,
    agent,
    onMarkedDown: fc.constant("shutdown-sessions" as const),
    onMarkedUp: fc.constant("shutdown-backup-sessions" as const),
  },
  { requiredKeys: [] },
);

const range = fc.tuple(status, status).map(([a, b]) => ({ from: Math.min(a, b), to: Math.max(a, b) }));

export const httpCheck: fc.Arbitrary<HttpCheckConfig> = fc.record(
  {
    method: fc.constantFrom("GET", "HEAD", "OPTIONS", "X-PING"),
    uri: fc.constantFrom("/", "*", "/health?a=b#c", "/%20"),
    host: fc.constantFrom("www.example.org", "[fd00::1]:8080", "1234"),
    expect: fc.oneof(
      fc.record({ kind: fc.constant("status" as const), ranges: fc.array(range, { minLength: 1 }) }),
      fc.record({
        kind: fc.constant("string" as const),
        text: fc.string({ minLength: 1, unit: "grapheme-ascii" }),
      }),
    ),
  },
  { requiredKeys: ["method", "uri", "expect"] },
);

export const accessLog: fc.Arbitrary<AccessLogConfig> = fc
  .record({
    targets: fc.uniqueArray(
      fc.oneof(
        fc.constant({ kind: "stdout" as const }),
        fc.record({
          kind: fc.constant("file" as const),
          path: fc.constantFrom("/var/log/lb.log", "/a b: c"),
        }),
        fc.record({ kind: fc.constant("unix" as const), path: fc.constantFrom("/dev/log", "/run/log#1") }),
        fc.record({
          kind: fc.constant("udp" as const),
          host: fc.constantFrom("192.0.2.9", "fd00::1", "loghost"),
          port,
        }),
      ),
      { minLength: 1, maxLength: 3, selector: ({ kind }) => kind },
    ),
    format: fc.constantFrom("json" as const, "httplog" as const, "tcplog" as const),
    facility: fc.constantFrom("kern" as const, "local7" as const),
    dontLogNull: fc.boolean(),
    dontLogNormal: fc.boolean(),
  })
  // Where no line goes to syslog the facility is not written.
  .map((log) =>
    log.targets.some(({ kind }) => kind === "udp" || kind === "unix") ? log : { ...log, facility: "local0" },
  );

export const retry: fc.Arbitrary<RetryConfig> = fc.record(
  {
    retries: fc.nat(100),
    onConnectFailure: fc.boolean(),
    onEmptyResponse: fc.boolean(),
    onResponseTimeout: fc.boolean(),
    onStatuses: fc.subarray([404, 500, 502, 503, 504]),
    budgetPercent: fc.integer({ min: 1, max: 100 }),
  },
  { requiredKeys: ["retries", "onConnectFailure", "onEmptyResponse", "onResponseTimeout", "onStatuses"] },
);
