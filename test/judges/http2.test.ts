import { once } from "node:events";
import { FIN, HOLD, head, ok, RST, status } from "./reference/origin.js";
import { type Scenario, theme } from "./reference/theme.js";

/** What comes first of the answer has come to the client before the server does the rest. */
const askAndLetGo: Scenario["client"] = async (client, world) => {
  const { raw, answer } = (await client.http2()).open({});
  await once(raw, "data");
  world.letGo();
  client.note(await answer);
};

/** Each asks over HTTP/2; the servers speak HTTP/1.1. */
const scenarios: readonly Scenario[] = [
  {
    name: "a request over HTTP/2 is one of HTTP/1.1 to the server",
    proxy: "web",
    client: async (client) => {
      const http2 = await client.http2();
      client.note(await http2.ask({ ":path": "/a?b", "user-agent": "x", cookie: ["a=1", "b=2"] }));
    },
    sees: ['200 "hello"'],
    log: ["200 ----"],
    asked: ["a GET /a?b"],
  },
  {
    name: "several streams of one connection, each with its answer",
    proxy: "web",
    servers: { reply: ({ target }) => [ok(target)] },
    client: async (client) => {
      const http2 = await client.http2();
      const answers = await Promise.all(["/1", "/2", "/3"].map((path) => http2.ask({ ":path": path })));
      for (const answer of answers) client.note(answer);
    },
    sees: ['200 "/1"', '200 "/2"', '200 "/3"'],
    log: ["200 ----", "200 ----", "200 ----"],
    anyOrder: true,
  },
  {
    name: "a body with a length, and one without: it goes on in chunks",
    proxy: "web",
    servers: { reply: ({ body }) => [ok(`${body.length}`)] },
    client: async (client) => {
      const http2 = await client.http2();
      client.note(await http2.ask({ ":method": "POST", "content-length": "5" }, "12345"));
      client.note(await http2.ask({ ":method": "POST" }, "123456"));
    },
    sees: ['200 "5"', '200 "6"'],
    log: ["200 ----", "200 ----"],
  },
  {
    name: "answers without a body: HEAD, 204, 304",
    proxy: "web",
    servers: {
      reply: ({ method, target }) => {
        if (method === "HEAD") return [head("HTTP/1.1 200 OK", "Content-Length: 7")];
        return [head(target === "/204" ? "HTTP/1.1 204 No Content" : "HTTP/1.1 304 Not Modified", "ETag: x")];
      },
    },
    client: async (client) => {
      const http2 = await client.http2();
      client.note(await http2.ask({ ":method": "HEAD" }));
      client.note(await http2.ask({ ":path": "/204" }));
      client.note(await http2.ask({ ":path": "/304" }));
    },
    sees: ["200", "204", "304"],
    log: ["200 ----", "204 ----", "304 ----"],
  },
  {
    name: "chunks become DATA, and trailers stay trailers",
    proxy: "web",
    servers: {
      reply: () => [
        head("HTTP/1.1 200 OK", "Transfer-Encoding: chunked", "Trailer: X-Sum"),
        "5\r\nhello\r\n",
        20,
        "1\r\n!\r\n0\r\nX-Sum: 1\r\n\r\n",
      ],
    },
    client: async (client) => {
      client.note(await (await client.http2()).ask({}));
    },
    sees: ['200 "hello!" (x-sum: 1)'],
    log: ["200 ----"],
  },
  {
    name: "a body up to the server's end is whole",
    proxy: "web",
    servers: { reply: () => [head("HTTP/1.1 200 OK"), "all of it", FIN] },
    client: async (client) => {
      client.note(await (await client.http2()).ask({}));
    },
    sees: ['200 "all of it"'],
    log: ["200 ----"],
  },
  {
    name: "fields of one name, and fields about a connection",
    proxy: "web",
    servers: {
      reply: () => [
        ok("x", "Set-Cookie: a=1", "Set-Cookie: b=2", "Vary: a", "Vary: b", "Connection: keep-alive"),
      ],
    },
    client: async (client) => {
      client.note(await (await client.http2()).ask({}));
    },
    sees: ['200 "x"'],
    log: ["200 ----"],
  },
  {
    name: "interim responses pass",
    proxy: "web",
    servers: {
      early: () => [status("100 Continue").replace("Content-Length: 0\r\n", "")],
      reply: ({ body }) => [ok(body)],
    },
    client: async (client) => {
      const http2 = await client.http2();
      const { raw, answer } = http2.open(
        { ":method": "PUT", expect: "100-continue", "content-length": "4" },
        false,
      );
      await new Promise((resolve) => raw.once("continue", resolve));
      raw.end("body");
      client.note(await answer);
    },
    sees: ['200 "body"'],
    log: ["200 ----"],
    tandem: {
      because: "interim",
      cells: { "FRONTEND hrsp_1xx": ["", "1"], "BACKEND hrsp_1xx": ["", "1"] },
    },
  },
  {
    name: "OPTIONS of the whole server",
    proxy: "web",
    client: async (client) => {
      client.note(await (await client.http2()).ask({ ":method": "OPTIONS", ":path": "*" }));
    },
    sees: ['200 "hello"'],
    log: ["200 ----"],
    asked: ["a OPTIONS *"],
  },
  {
    name: "no server can be reached: 503 on the stream, and the connection goes on",
    proxy: "nobody",
    client: async (client) => {
      const http2 = await client.http2();
      client.note(await http2.ask({}));
      client.note(await http2.ask({ ":method": "HEAD" }));
    },
    sees: ["503 of the proxy", "503 of the proxy"],
    log: ["503 SC--", "503 SC--"],
  },
  {
    name: "a dead server's requests go to the next",
    proxy: "retry",
    client: async (client) => {
      const http2 = await client.http2();
      client.note(await http2.ask({ ":method": "POST", "content-length": "3" }, "abc"));
    },
    sees: ['200 "hello"'],
    log: ["200 ----"],
    tandem: { because: "attempts", cells: "follow" },
  },
  {
    name: "rules: a refusal, a redirect, an answer",
    proxy: "rules",
    client: async (client) => {
      const http2 = await client.http2();
      for (const path of ["/deny", "/go", "/ping", "/on"]) client.note(await http2.ask({ ":path": path }));
    },
    sees: ["403 of the proxy", "302 of the proxy\nlocation: /elsewhere", '200 "pong"', '200 "hello"'],
    log: ["403 PR--", "302 LR--", "200 LR--", "200 ----"],
  },
  {
    name: "a cookie keeps a client at its server",
    proxy: "sticky",
    client: async (client) => {
      const http2 = await client.http2();
      client.note(await http2.ask({ ":path": "/1" }));
      client.note(await http2.ask({ ":path": "/2", cookie: ["x=y", "SRV=b"] }));
      client.note(await http2.ask({ ":path": "/3", cookie: ["SRV=b", "x=y"] }));
    },
    sees: ['200 "hello"', '200 "hello"', '200 "hello"'],
    log: ["200 --NI", "200 --VN", "200 --VN"],
    asked: ["a GET /1", "b GET /2", "b GET /3"],
  },
  {
    name: "a server whose answer is none: 502",
    proxy: "web",
    servers: { reply: () => ["nonsense\r\n\r\n"] },
    client: async (client) => {
      client.note(await (await client.http2()).ask({ ":method": "POST", "content-length": "0" }));
    },
    sees: ["502 of the proxy"],
    log: ["502 PH--"],
  },
  {
    name: "a server that is too slow: 504",
    proxy: "impatient",
    servers: { reply: () => [HOLD] },
    client: async (client) => {
      client.note(await (await client.http2()).ask({}));
    },
    sees: ["504 of the proxy"],
    log: ["504 sH--"],
  },
  {
    name: "a client that stops in its body",
    proxy: "impatient",
    client: async (client) => {
      const { raw, answer } = (await client.http2()).open(
        { ":method": "POST", "content-length": "10" },
        false,
      );
      raw.write("half");
      client.note(await answer);
    },
    sees: ["504 of the proxy"],
    log: ["504 sH--"],
    tandem: { because: "client-late", sees: ["408 of the proxy"], log: ["408 cD--"], cells: "follow" },
  },
  {
    name: "a client that rests is told that the connection ends",
    proxy: "impatient",
    client: async (client) => {
      const http2 = await client.http2();
      client.note(await http2.ask({}));
      await http2.end();
      client.note("ended");
    },
    sees: ['200 "hello"', "ended"],
    log: ["200 ----"],
  },
  {
    name: "a client that never asks is not logged",
    proxy: "impatient",
    client: async (client) => {
      await (await client.http2()).end();
      client.note("ended");
    },
    sees: ["ended"],
    log: [],
  },
  {
    name: "a length that the server does not keep: the stream is reset",
    proxy: "web",
    servers: { reply: () => [head("HTTP/1.1 200 OK", "Content-Length: 10"), "abc", HOLD, FIN] },
    client: askAndLetGo,
    sees: ['200 "abc", reset: PROTOCOL_ERROR'],
    log: ["200 SD--"],
    tandem: { because: "cut-stream", sees: ['200 "abc", reset: INTERNAL_ERROR'] },
  },
  {
    name: "chunks that break off look whole",
    proxy: "web",
    servers: {
      reply: () => [head("HTTP/1.1 200 OK", "Transfer-Encoding: chunked"), "3\r\nabc\r\n", HOLD, FIN],
    },
    client: askAndLetGo,
    sees: ['200 "abc"'],
    log: ["200 SD--"],
    tandem: { because: "cut-stream", sees: ['200 "abc", reset: INTERNAL_ERROR'] },
  },
  {
    name: "a reset that should have been an end looks like one",
    proxy: "web",
    servers: { reply: () => [head("HTTP/1.1 200 OK"), "abc", HOLD, RST] },
    client: askAndLetGo,
    sees: ['200 "abc"'],
    log: ["200 SD--"],
    tandem: { because: "cut-stream", sees: ['200 "abc", reset: INTERNAL_ERROR'] },
  },
  {
    name: "a client gives a stream up before its answer",
    proxy: "web",
    servers: { reply: () => [HOLD, ok("late")] },
    client: async (client, world) => {
      const { raw, answer } = (await client.http2()).open({});
      await world.untilAsked(1);
      raw.destroy(new Error("given up"));
      void answer.catch(() => {});
      await world.untilLogged(1);
      world.letGo();
    },
    sees: [],
    log: ["-1 CD--"],
    tandem: { because: "client-gone", log: ["-1 CH--"], cells: "follow" },
  },
  {
    name: "a head that is too large",
    proxy: "web",
    client: async (client) => {
      client.note(await (await client.http2()).ask({ "x-large": "x".repeat(20_000) }));
    },
    sees: ["no answer, reset: INTERNAL_ERROR"],
    log: ["0 PR--"],
    tandem: { because: "large-head", sees: ["431 of the proxy"], log: ["431 PR--"], cells: "follow" },
  },
  {
    name: "a server that answers before the request's body is there",
    proxy: "impatient",
    servers: {
      early: () => [`${head("HTTP/1.1 413 Too Large", "Content-Length: 2", "Connection: close")}no`, FIN],
    },
    client: async (client) => {
      const { raw, answer } = (await client.http2()).open(
        { ":method": "POST", "content-length": "100000" },
        false,
      );
      raw.write("half");
      client.note(await answer);
    },
    sees: ['413 "no", reset: CANCEL'],
    log: ["413 cD--"],
    tandem: { because: "early-answer", sees: ['413 "no"'], log: ["413 ----"], cells: "follow" },
  },
];

const impatient = { client: 800, server: 800, "http-request": 800, "http-keep-alive": 800 };

theme(
  "HTTP/2 to clients",
  {
    servers: ["a", "b"],
    proxies: {
      web: { servers: { a: {} }, tls: true },
      nobody: { servers: { gone: { at: "nobody" } }, tls: true },
      retry: { servers: { gone: { at: "nobody" }, a: {} }, balance: "first", tls: true },
      impatient: { servers: { a: {} }, tls: true, timeouts: impatient },
      sticky: {
        servers: {
          a: { haproxy: "cookie a", tandem: { cookie: "a" } },
          b: { haproxy: "cookie b", tandem: { cookie: "b" } },
        },
        tls: true,
        haproxy: ["cookie SRV insert indirect nocache"],
        tandem: { cookie: { name: "SRV", mode: "insert", indirect: true, nocache: true } },
      },
      rules: {
        servers: { a: {} },
        tls: true,
        haproxy: [
          "http-request deny if { path /deny }",
          "http-request redirect location /elsewhere code 302 if { path /go }",
          'http-request return status 200 content-type text/plain string "pong" if { path /ping }',
        ],
        tandem: {
          rules: [
            { if: { path: "/deny" }, deny: 403 },
            { if: { path: "/go" }, redirect: { location: "/elsewhere" } },
            { if: { path: "/ping" }, return: { status: 200, content_type: "text/plain", body: "pong" } },
          ],
        },
      },
    },
  },
  scenarios,
);
