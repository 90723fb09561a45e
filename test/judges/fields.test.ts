import { get, head, ok } from "./reference/origin.js";
import type { ProxySpec } from "./reference/proxy-spec.js";
import type { Scenario } from "./reference/theme.js";
import { theme } from "./reference/theme.js";

/** A request whose fields are compared as the server gets them. */
const sends = (name: string, request: string, more: Partial<Scenario> = {}): Scenario => ({
  name,
  proxy: "web",
  client: async (client) => {
    await client.ask(request);
  },
  sees: ['200 "hello"'],
  log: ["200 ----"],
  ...more,
});

const dropped: Partial<Scenario> = { tandem: { because: "hop-by-hop", asked: ["a GET /"] } };

const exceptHere: ProxySpec = {
  servers: { a: {} },
  ipv6: true,
  haproxy: ["option forwardfor except 127.0.0.0/8"],
  tandem: { forwardfor: { except: "127.0.0.0/8" } },
};
const ifNone: ProxySpec = {
  servers: { a: {} },
  haproxy: [
    "option forwardfor if-none",
    "http-request set-header X-Forwarded-For 192.0.2.1 if { path /rule }",
  ],
  tandem: {
    forwardfor: { if_none: true },
    rules: [{ if: { path: "/rule" }, set_header: { "X-Forwarded-For": "192.0.2.1" } }],
  },
};
const elsewhere: ProxySpec = {
  servers: { a: {} },
  haproxy: ["option forwardfor header X-Client_IP if-none"],
  tandem: { forwardfor: { header: "X-Client_IP", if_none: true } },
};
const proxies = {
  web: { servers: { a: {} }, ipv6: true },
  small: { servers: { a: {} } },
  except: exceptHere,
  "if-none": ifNone,
  elsewhere,
};

theme("fields", { proxies }, [
  sends("a client of an excepted network is not told", get("/"), { proxy: "except" }),
  sends("what it has said of another one stays", get("/", "X-Forwarded-For: 10.9.8.7"), { proxy: "except" }),
  sends("forwardfor if-none: a request without the field gets it", get("/"), { proxy: "if-none" }),
  sends(
    "forwardfor if-none: a request that has the field does not",
    get("/", "x-forwarded-FOR: 10.9.8.7", "X-A: 1"),
    { proxy: "if-none" },
  ),
  sends("forwardfor if-none: nor one that a rule has given it", get("/rule"), { proxy: "if-none" }),
  sends("forwardfor header: another field", get("/"), { proxy: "elsewhere" }),
  sends("forwardfor header: and that one counts", get("/", "X-client_ip: 1", "X-Forwarded-For: 2"), {
    proxy: "elsewhere",
  }),
  sends("fields of one name keep their order", get("/", "X-A: 1", "X-B: 1", "X-A: 2")),
  sends("an X-Forwarded-For that is there stays", get("/", "X-Forwarded-For: 10.9.8.7")),
  sends("an empty field stays", get("/", "X-Empty:")),
  sends("bytes above 127 stay", get("/", "X-Name: J\xf6rg")),
  sends("spaces around a value go", get("/", "X-Thing:  \t a b \t ")),
  sends("an absolute target is the server's too", head("GET http://site/x HTTP/1.1", "Host: site"), {
    tandem: { because: "origin-form", asked: ["a GET /x"] },
  }),
  sends("an asterisk is a target", head("OPTIONS * HTTP/1.1", "Host: site")),
  sends("a long target passes", get(`/${"x".repeat(6_000)}`), {
    tandem: { because: "long-line", log: ["200 ----"] },
  }),
  sends("a large head passes", get("/", `Cookie: ${"c".repeat(8_000)}`)),
  sends("many fields pass", get("/", ...Array.from({ length: 80 }, (_, i) => `X-${i}: ${i}`))),
  sends("fields named in Connection pass", get("/", "Connection: X-Own, keep-alive", "X-Own: 1"), dropped),
  sends(
    "Keep-Alive and Proxy-Connection pass",
    get("/", "Keep-Alive: timeout=5", "Proxy-Connection: keep-alive"),
    dropped,
  ),
  sends("an Upgrade that no Connection names passes", get("/", "Upgrade: h2c"), dropped),
  sends("TE passes", get("/", "TE: trailers", "Connection: TE"), dropped),
  sends("Proxy-Authorization passes", get("/", "Proxy-Authorization: Basic eDp5"), dropped),
  {
    name: "a head that is too large is refused",
    proxy: "web",
    client: async (client) => {
      await client.ask(get("/", `X-Large: ${"x".repeat(40_000)}`));
    },
    sees: ["400 of the proxy, closes"],
    log: ["400 PR--"],
    asked: [],
    tandem: { because: "large-head", sees: ["431 of the proxy, closes"], log: ["431 PR--"] },
  },
  {
    name: "a target that is too long is refused",
    proxy: "web",
    client: async (client) => {
      await client.ask(get(`/${"x".repeat(40_000)}`));
    },
    sees: ["400 of the proxy, closes"],
    log: ["400 PR--"],
    asked: [],
    tandem: { because: "large-head", sees: ["414 of the proxy, closes"], log: ["414 PR--"] },
  },
  {
    name: "an answer's fields come through in their order",
    proxy: "web",
    servers: {
      reply: () => [
        ok("x", "Set-Cookie: a=1", "Set-Cookie: b=2", "X-Name: J\xf6rg", "Server: own", "Via: 1.1 x"),
      ],
    },
    client: async (client) => {
      const { fields } = await client.ask(get("/"));
      client.note(fields.filter((field) => field.startsWith("set-cookie")).join(" "));
    },
    sees: ['200 "x"', "set-cookie: a=1 set-cookie: b=2"],
    log: ["200 ----"],
  },
  {
    name: "an answer's own hop-by-hop fields",
    proxy: "web",
    servers: { reply: () => [ok("x", "Connection: X-Own", "X-Own: 1", "Proxy-Connection: close")] },
    client: async (client) => {
      await client.ask(get("/"));
    },
    sees: ['200 "x"'],
    log: ["200 ----"],
    tandem: { because: "hop-by-hop", sees: ['200 "x"'] },
  },
  {
    name: "a large head of an answer passes",
    proxy: "web",
    servers: { reply: () => [ok("x", `X-Large: ${"x".repeat(8_000)}`)] },
    client: async (client) => {
      await client.ask(get("/"));
    },
    sees: ['200 "x"'],
    log: ["200 ----"],
  },
]);
