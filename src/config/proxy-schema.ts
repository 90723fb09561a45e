import Type from "typebox";
import { bindSchema } from "./bind-schema.js";
import { connectionRulesSchema } from "./connection-rule-section.js";
import { cookieSchema } from "./cookie-section.js";
import { forwardForSchema } from "./forwardfor-section.js";
import { accessLogSchema } from "./log-schema.js";
import { responseRulesSchema } from "./response-rule-section.js";
import { rulesSchema } from "./rule-schema.js";
import { closed, milliseconds, named, oneOrMore, text, truth, whole } from "./schema-words.js";
import { defaultServerSchema, httpCheckSchema, serverSchema } from "./server-schema.js";

/** The shapes of `proxies:`, `frontends:` and `backends:`: a proxy has the words of both sides. */

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
  forwardfor: forwardForSchema,
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

export type ProxyShape = Type.Static<typeof proxySchema>;
export type FrontendShape = Type.Static<typeof frontendSchema>;
