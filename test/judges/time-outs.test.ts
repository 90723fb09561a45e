import { get, head, ok } from "./reference/origin.js";
import { theme } from "./reference/theme.js";

const short = { "http-request": 300, client: 300, server: 300, "http-keep-alive": 300, tunnel: 300 };

/** For what takes longer than this in pieces that do not. */
const patient = {
  "http-request": 1_000,
  client: 1_000,
  server: 1_000,
  "http-keep-alive": 1_000,
  tunnel: 1_000,
};

const proxies = {
  web: { servers: { a: {} }, timeouts: short },
  patient: { servers: { a: {} }, timeouts: patient },
};

theme("time-outs", { proxies }, [
  {
    name: "a client that says nothing is closed with a 408",
    proxy: "web",
    client: async (client) => {
      await client.answer();
      await client.closed();
    },
    sees: ["408 of the proxy, closes", "closed"],
    log: ["408 cR--"],
    tandem: { because: "no-request", cells: { "FRONTEND h1_total_streams": ["", "1"] } },
  },
  {
    name: "a client that stops in its head gets 408",
    proxy: "web",
    client: async (client) => {
      await client.ask("GET / HTTP/1.1\r\nHo");
      await client.closed();
    },
    sees: ["408 of the proxy, closes", "closed"],
    log: ["408 cR--"],
  },
  {
    name: "a head in slow drops gets 408, however busy it looks",
    proxy: "web",
    client: async (client) => {
      for (const byte of "GET / HTTP") await client.send(byte, 60);
      await client.answer();
    },
    sees: ["408 of the proxy, closes"],
    log: ["408 cR--"],
  },
  {
    name: "a kept connection on which nothing comes is closed without a word",
    proxy: "web",
    client: async (client) => {
      await client.ask(get("/"));
      await client.closed();
    },
    sees: ['200 "hello"', "closed"],
    log: ["200 ----"],
  },
  {
    name: "a server that says nothing is a 504",
    proxy: "web",
    servers: { reply: () => [1_000] },
    client: async (client) => {
      await client.ask(get("/"));
    },
    sees: ["504 of the proxy"],
    log: ["504 sH--"],
  },
  {
    name: "a server that stops in its body cuts the answer",
    proxy: "web",
    servers: { reply: () => [`${head("HTTP/1.1 200 OK", "Content-Length: 10")}abc`, 1_000] },
    client: async (client) => {
      await client.ask(get("/"));
    },
    sees: ['200 "abc", cut'],
    log: ["200 sD--"],
    tandem: { because: "stalled", cells: { "a eresp": ["", "1"], "BACKEND eresp": ["", "1"] } },
  },
  {
    name: "a client that stops in its body",
    proxy: "web",
    client: async (client) => {
      await client.ask(`${head("POST / HTTP/1.1", "Host: site", "Content-Length: 10")}abc`);
    },
    sees: ["504 of the proxy, closes"],
    log: ["504 sH--"],
    tandem: {
      because: "client-late",
      sees: ["408 of the proxy, closes"],
      log: ["408 cD--"],
      cells: "follow",
    },
  },
  {
    name: "a body that comes in slow drops may take its time",
    proxy: "patient",
    servers: { reply: ({ body }) => [ok(body)] },
    client: async (client) => {
      await client.send(head("POST / HTTP/1.1", "Host: site", "Content-Length: 6"));
      for (const byte of "slowly") await client.send(250, byte);
      await client.answer();
    },
    sees: ['200 "slowly"'],
    log: ["200 ----"],
  },
  {
    name: "an answer in slow drops may take its time",
    proxy: "patient",
    servers: {
      reply: () => [head("HTTP/1.1 200 OK", "Content-Length: 4"), 300, "a", 300, "b", 300, "c", 300, "d"],
    },
    client: async (client) => {
      await client.ask(get("/"));
    },
    sees: ['200 "abcd"'],
    log: ["200 ----"],
  },
]);
