import { FIN, get, head, ok, post } from "./reference/origin.js";
import { theme } from "./reference/theme.js";

theme("keep-alive and closing", { proxies: { web: { servers: { a: {} } } } }, [
  {
    name: "a connection carries request after request",
    proxy: "web",
    client: async (client) => {
      for (const path of ["/1", "/2", "/3"]) await client.ask(get(path));
    },
    sees: ['200 "hello"', '200 "hello"', '200 "hello"'],
    log: ["200 ----", "200 ----", "200 ----"],
    asked: ["a GET /1", "a GET /2", "a GET /3"],
  },
  {
    name: "Connection: close closes after the answer",
    proxy: "web",
    client: async (client) => {
      await client.ask(get("/", "Connection: close"));
      await client.closed();
    },
    sees: ['200 "hello"', "closed"],
    log: ["200 ----"],
  },
  {
    name: "HTTP/1.0 is answered and closed",
    proxy: "web",
    client: async (client) => {
      await client.ask(head("GET / HTTP/1.0", "Host: site"));
      await client.closed();
    },
    sees: ['200 "hello"', "closed"],
    log: ["200 ----"],
    tandem: { because: "own-version", asked: ["a GET /"] },
  },
  {
    name: "HTTP/1.0 with keep-alive stays",
    proxy: "web",
    client: async (client) => {
      await client.ask(head("GET /1 HTTP/1.0", "Host: site", "Connection: keep-alive"));
      await client.ask(head("GET /2 HTTP/1.0", "Host: site"));
      await client.closed();
    },
    sees: ['200 "hello"', '200 "hello"', "closed"],
    log: ["200 ----", "200 ----"],
    tandem: { because: "own-version", asked: ["a GET /1", "a GET /2"] },
  },
  {
    name: "a server that closes its connection leaves the client's open",
    proxy: "web",
    servers: { reply: () => [ok("bye", "Connection: close"), FIN] },
    client: async (client) => {
      await client.ask(get("/1"));
      await client.ask(get("/2"));
    },
    sees: ['200 "bye"', '200 "bye"'],
    log: ["200 ----", "200 ----"],
  },
  {
    name: "a server's Keep-Alive field is its own affair",
    proxy: "web",
    servers: { reply: () => [ok("x", "Connection: keep-alive", "Keep-Alive: timeout=5")] },
    client: async (client) => {
      await client.ask(get("/"));
    },
    sees: ['200 "x"'],
    log: ["200 ----"],
    tandem: { because: "hop-by-hop", sees: ['200 "x"'] },
  },
  {
    name: "pipelined requests are answered in order",
    proxy: "web",
    servers: { reply: ({ target }) => [target === "/1" ? 80 : 0, ok(target)] },
    client: async (client) => {
      await client.send(get("/1") + get("/2") + get("/3"));
      for (let i = 0; i < 3; i++) await client.answer();
    },
    sees: ['200 "/1"', '200 "/2"', '200 "/3"'],
    log: ["200 ----", "200 ----", "200 ----"],
    asked: ["a GET /1", "a GET /2", "a GET /3"],
  },
  {
    name: "a pipelined request behind a body is found",
    proxy: "web",
    servers: { reply: ({ body, target }) => [ok(`${target} ${body}`)] },
    client: async (client) => {
      await client.send(post("/1", "abc") + get("/2"));
      await client.answer();
      await client.answer();
    },
    sees: ['200 "/1 abc"', '200 "/2 "'],
    log: ["200 ----", "200 ----"],
  },
  {
    name: "what comes behind a Connection: close is not looked at",
    proxy: "web",
    client: async (client) => {
      await client.ask(get("/1", "Connection: close") + get("/2"));
      await client.closed();
    },
    sees: ['200 "hello"', "closed"],
    log: ["200 ----"],
    asked: ["a GET /1"],
  },
  {
    name: "a client that has sent its FIN gets its answer",
    proxy: "web",
    servers: { reply: () => [60, ok("late")] },
    client: async (client) => {
      await client.send(get("/"));
      client.fin();
      await client.answer();
      await client.closed();
    },
    sees: ['200 "late"', "closed"],
    log: ["200 ----"],
  },
  {
    name: "a head in pieces is one",
    proxy: "web",
    client: async (client) => {
      await client.ask("GE", 20, "T / HTTP/1.1\r\nHo", 20, "st: site\r", 20, "\n\r", 20, "\n");
    },
    sees: ['200 "hello"'],
    log: ["200 ----"],
  },
  {
    name: "empty lines before a request are passed over",
    proxy: "web",
    client: async (client) => {
      await client.ask(`\r\n${get("/")}`);
    },
    sees: ['200 "hello"'],
    log: ["200 ----"],
  },
]);
