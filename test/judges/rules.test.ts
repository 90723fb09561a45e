import { get, head, ok, post } from "./reference/origin.js";
import type { ProxySpec } from "./reference/proxy-spec.js";
import { type Deviation, type Scenario, theme } from "./reference/theme.js";

const lists: ProxySpec = {
  servers: { a: {} },
  haproxy: [
    "http-request deny if { path_beg /denied }",
    "http-request deny deny_status 429 if { path /busy }",
    "http-request deny deny_status 403 if { method DELETE }",
    "http-request deny deny_status 404 if { hdr(host) -i other.example }",
    "http-request deny deny_status 403 if { hdr(X-Bad) -m found }",
    "http-request deny deny_status 403 if { path_end .php } !{ src 10.0.0.0/8 }",
    "http-request deny deny_status 403 if { path /local } !{ src 127.0.0.0/8 }",
    'http-request redirect location "https://%[hdr(host)]%[url]" code 301 if { path_beg /old }',
    "http-request redirect location /elsewhere code 302 if { path /go }",
    "http-request redirect location /again code 308 if { path /same-method }",
    'http-request return status 200 content-type text/plain string "pong" if { path /ping }',
    'http-request return status 410 content-type text/plain string "gone" if { path /gone }',
    "http-request auth realm Area if { path_beg /private } !{ http_auth(people) }",
    "http-request set-header X-Set new if { path_beg /fields }",
    "http-request add-header X-Added two if { path_beg /fields }",
    "http-request del-header X-Gone if { path_beg /fields }",
    "http-request set-header X-Client %[src] if { path_beg /fields }",
    "http-request set-path /replaced if { path /set-path }",
    "http-request replace-path ^/v1/(.*) /api/\\1 if { path_beg /v1/ }",
  ],
  tandem: {
    rules: [
      { if: { path_beg: "/denied" }, deny: 403 },
      { if: { path: "/busy" }, deny: 429 },
      { if: { method: "DELETE" }, deny: 403 },
      { if: { host: "other.example" }, deny: 404 },
      { if: { hdr: { "X-Bad": true } }, deny: 403 },
      { if: { path_end: ".php" }, unless: { src: "10.0.0.0/8" }, deny: 403 },
      { if: { path: "/local" }, unless: { src: "127.0.0.0/8" }, deny: 403 },
      { if: { path_beg: "/old" }, redirect: { location: "https://%[host]%[url]", code: 301 } },
      { if: { path: "/go" }, redirect: { location: "/elsewhere" } },
      { if: { path: "/same-method" }, redirect: { location: "/again", code: 308 } },
      { if: { path: "/ping" }, return: { status: 200, content_type: "text/plain", body: "pong" } },
      { if: { path: "/gone" }, return: { status: 410, content_type: "text/plain", body: "gone" } },
      { if: { path_beg: "/private" }, auth: { realm: "Area", users: { ann: "s3cret" } } },
      { if: { path_beg: "/fields" }, set_header: { "X-Set": "new" } },
      { if: { path_beg: "/fields" }, add_header: { "X-Added": "two" } },
      { if: { path_beg: "/fields" }, del_header: "X-Gone" },
      { if: { path_beg: "/fields" }, set_header: { "X-Client": "%[src]" } },
      { if: { path: "/set-path" }, set_path: "/replaced" },
      { if: { path_beg: "/v1/" }, replace_path: { prefix: "/v1/", with: "/api/" } },
    ],
  },
};

const limited: ProxySpec = {
  servers: { a: {} },
  haproxy: [
    "stick-table type ip size 1k expire 1m store http_req_rate(1m)",
    "http-request track-sc0 src",
    "http-request deny deny_status 429 if { sc_http_req_rate(0) gt 3 }",
  ],
  tandem: { rules: [{ rate_limit: { requests: 3, per: "1m" } }] },
};

const asks = (
  name: string,
  request: string,
  sees: string,
  log: string,
  asked?: readonly string[],
  tandem?: Deviation,
): Scenario => ({
  name,
  proxy: "web",
  client: async (client) => {
    await client.ask(request);
  },
  sees: [sees],
  log: [log],
  ...(asked !== undefined && { asked }),
  ...(tandem !== undefined && { tandem }),
});

const asksWho: Deviation = {
  because: "charset",
  sees: ['401 of the proxy\nwww-authenticate: Basic realm="Area", charset="UTF-8"'],
};

const basic = (credentials: string): string =>
  `Authorization: Basic ${Buffer.from(credentials).toString("base64")}`;

theme(
  "rules",
  {
    proxies: { web: lists, limited },
    haproxyDefaults: ["userlist people", "  user ann insecure-password s3cret", "defaults", "  log global"],
  },
  [
    asks("deny is a 403", get("/denied/x"), "403 of the proxy", "403 PR--", []),
    asks("deny has the status that is asked for", get("/busy"), "429 of the proxy", "429 PR--", []),
    asks("deny goes by the method", head("DELETE /x HTTP/1.1", "Host: site"), "403 of the proxy", "403 PR--"),
    asks(
      "deny goes by the host",
      head("GET /x HTTP/1.1", "Host: Other.Example"),
      "404 of the proxy",
      "404 PR--",
    ),
    asks("deny goes by a field", get("/x", "X-Bad: 1"), "403 of the proxy", "403 PR--"),
    asks("deny goes by the path's end", get("/x.php?a=b"), "403 of the proxy", "403 PR--"),
    asks("a source that may passes", get("/local"), '200 "hello"', "200 ----"),
    asks("what no rule is about passes", get("/x"), '200 "hello"', "200 ----"),
    asks("redirect tells of another place", get("/old/page?q=1"), "301", "301 LR--", []),
    asks("redirect is a 302 by itself", get("/go"), "302 of the proxy\nlocation: /elsewhere", "302 LR--", []),
    asks("redirect keeps the method with 308", post("/same-method", ""), "308", "308 LR--", []),
    asks("return answers by itself", get("/ping"), '200 "pong"', "200 LR--", []),
    asks("return has the status that is asked for", get("/gone"), '410 "gone"', "410 LR--", []),
    asks("HEAD of a return has no body", head("HEAD /ping HTTP/1.1", "Host: site"), "200", "200 LR--", []),
    asks(
      "auth asks who it is",
      get("/private"),
      '401 of the proxy\nwww-authenticate: Basic realm="Area"',
      "401 LR--",
      [],
      asksWho,
    ),
    asks(
      "auth refuses a wrong password",
      get("/private", basic("ann:wrong")),
      '401 of the proxy\nwww-authenticate: Basic realm="Area"',
      "401 LR--",
      [],
      asksWho,
    ),
    asks("auth lets a right one pass", get("/private", basic("ann:s3cret")), '200 "hello"', "200 ----", [
      "a GET /private",
    ]),
    asks(
      "fields are set, added and deleted",
      get("/fields", "X-Set: old", "X-Added: one", "X-Gone: 1", "X-Kept: 1"),
      '200 "hello"',
      "200 ----",
      ["a GET /fields"],
    ),
    asks("a path is set and its query stays", get("/set-path?a=1"), '200 "hello"', "200 ----", [
      "a GET /replaced?a=1",
    ]),
    asks("a path's beginning is replaced", get("/v1/users/7?a=1"), '200 "hello"', "200 ----", [
      "a GET /api/users/7?a=1",
    ]),
    {
      name: "what answers by itself keeps the connection",
      proxy: "web",
      client: async (client) => {
        await client.ask(get("/ping"));
        await client.ask(get("/go"));
        await client.ask(get("/x"));
      },
      sees: ['200 "pong"', "302 of the proxy\nlocation: /elsewhere", '200 "hello"'],
      log: ["200 LR--", "302 LR--", "200 ----"],
    },
    {
      name: "a rate limit lets so many pass",
      proxy: "limited",
      servers: { reply: () => [ok("x")] },
      client: async (client) => {
        for (let i = 0; i < 5; i++) {
          await client.connect();
          await client.ask(get(`/${i}`));
        }
      },
      sees: ['200 "x"', '200 "x"', '200 "x"', "429 of the proxy", "429 of the proxy"],
      log: ["200 ----", "200 ----", "200 ----", "429 PR--", "429 PR--"],
      asked: ["a GET /0", "a GET /1", "a GET /2"],
      tandem: {
        because: "retry-after",
        sees: [
          '200 "x"',
          '200 "x"',
          '200 "x"',
          "429 of the proxy\nretry-after: 60",
          "429 of the proxy\nretry-after: 60",
        ],
      },
    },
  ],
);
