import { FIN, get, HOLD, head, ok, post, RST } from "./reference/origin.js";
import { type Scenario, theme } from "./reference/theme.js";

const half = head("HTTP/1.1 200 OK", "Content-Length: 10");

/** What comes first of the answer has come to the client before the server does the rest. */
const askAndLetGo: Scenario["client"] = async (client, world) => {
  await client.send(get("/"));
  await client.heard("abc");
  world.letGo();
  await client.answer();
};

theme(
  "failing servers",
  {
    proxies: {
      web: { servers: { a: {} }, retries: 0 },
      refused: { servers: { a: { at: "nobody" } }, retries: 0 },
      none: { servers: { a: { disabled: true } }, retries: 0 },
      pair: { balance: "first", servers: { a: {}, b: {} } },
      byItself: { balance: "first", servers: { a: {}, b: {} }, haproxy: ["retry-on conn-failure"] },
      thrice: { servers: { a: { at: "nobody" } }, retries: 3 },
      unsafe: { balance: "first", servers: { a: {}, b: {} } },
    },
  },
  [
    {
      name: "a server that refuses is a 503",
      proxy: "refused",
      client: async (client) => {
        await client.ask(get("/"));
      },
      sees: ["503 of the proxy"],
      log: ["503 SC--"],
    },
    {
      name: "where no server is up it is a 503",
      proxy: "none",
      client: async (client) => {
        await client.ask(get("/"));
      },
      sees: ["503 of the proxy"],
      log: ["503 SC--"],
      tandem: { because: "no-server", cells: { "BACKEND econ": ["1", ""] } },
    },
    {
      name: "a server that resets is a 502",
      proxy: "web",
      servers: { reply: () => [RST] },
      client: async (client) => {
        await client.ask(post("/", "x"));
      },
      sees: ["502 of the proxy"],
      log: ["502 SH--"],
      tandem: { because: "attempts", cells: { "a eresp": ["2", "1"], "BACKEND eresp": ["2", "1"] } },
    },
    {
      name: "a server that closes without a word is a 502",
      proxy: "web",
      servers: { reply: () => [FIN] },
      client: async (client) => {
        await client.ask(post("/", "x"));
      },
      sees: ["502 of the proxy"],
      log: ["502 SH--"],
    },
    {
      name: "a head that breaks off is a 502",
      proxy: "web",
      servers: { reply: () => ["HTTP/1.1 200 O", 20, FIN] },
      client: async (client) => {
        await client.ask(get("/"));
      },
      sees: ["502 of the proxy"],
      log: ["502 SH--"],
    },
    {
      name: "a body that breaks off is cut",
      proxy: "web",
      servers: { reply: () => [half, "abc", HOLD, FIN] },
      client: askAndLetGo,
      sees: ['200 "abc", cut'],
      log: ["200 SD--"],
    },
    {
      name: "a body that a reset breaks off is cut",
      proxy: "web",
      servers: { reply: () => [half, "abc", HOLD, RST] },
      client: askAndLetGo,
      sees: ['200 "abc", cut'],
      log: ["200 SD--"],
    },
    {
      name: "a chunked body that breaks off is cut",
      proxy: "web",
      servers: {
        reply: () => [head("HTTP/1.1 200 OK", "Transfer-Encoding: chunked"), "3\r\nabc\r\n", HOLD, FIN],
      },
      client: askAndLetGo,
      sees: ['200 "3\\r\\nabc\\r\\n", cut'],
      log: ["200 SD--"],
    },
    {
      name: "a kept connection that the server has closed meanwhile costs no request",
      proxy: "web",
      servers: { reply: ({ target }) => (target === "/1" ? [ok("one"), 30, FIN] : [ok("two")]) },
      client: async (client) => {
        await client.ask(get("/1"));
        await client.pause(500);
        await client.ask(get("/2"));
      },
      sees: ['200 "one"', '200 "two"'],
      log: ["200 ----", "200 ----"],
    },
    {
      name: "a client that resets while it waits",
      proxy: "web",
      servers: { reply: () => [HOLD, ok("late")] },
      client: async (client, world) => {
        await client.send(get("/"));
        await world.untilAsked(1);
        client.reset();
        // Tandem is done with it then; HAProxy waits for the answer all the same.
        if (world.peer !== "haproxy") await world.untilLogged(1);
        world.letGo();
      },
      sees: [],
      log: ["200 CD--"],
      tandem: { because: "client-gone", log: ["-1 CH--"], cells: "follow" },
    },
    {
      name: "a client that resets in its body",
      proxy: "web",
      client: async (client, world) => {
        await client.send(head("POST / HTTP/1.1", "Host: site", "Content-Length: 10"), "abc");
        await world.untilAsked(1);
        client.reset();
      },
      sees: [],
      log: ["-1 CD--"],
      tandem: {
        because: "unheard",
        cells: { "FRONTEND hrsp_other": ["1", ""], "BACKEND hrsp_other": ["1", ""] },
      },
    },
    {
      name: "a client that resets in an answer",
      proxy: "web",
      servers: { reply: () => [half, "abc", HOLD, "d", 100, "e", 100, "f"] },
      client: async (client, world) => {
        await client.send(get("/"));
        await client.heard("abc");
        client.reset();
        world.letGo();
        await client.pause(350);
      },
      sees: [],
      log: ["200 CD--"],
    },
    {
      name: "a killed server's GET is a 502, unless retry-on says otherwise",
      proxy: "byItself",
      servers: { reply: ({ server }) => (server === "a" ? [RST] : [ok("b")]) },
      client: async (client) => {
        await client.ask(get("/"));
      },
      sees: ["502 of the proxy"],
      log: ["502 SH--"],
      asked: ["a GET /"],
      tandem: {
        because: "replay",
        sees: ['200 "b"'],
        log: ["200 ----"],
        asked: ["a GET /", "b GET /"],
        cells: "follow",
      },
    },
    {
      name: "the only server is tried again every second",
      proxy: "thrice",
      client: async (client) => {
        await client.ask(get("/"));
      },
      sees: ["503 of the proxy"],
      log: ["503 SC--"],
      tandem: { because: "retry-at-once", log: ["503 SC--"], cells: "follow" },
    },
    {
      name: "a killed server's GET goes to the next one",
      proxy: "pair",
      servers: { reply: ({ server }) => (server === "a" ? [RST] : [ok("b")]) },
      client: async (client) => {
        await client.ask(get("/"));
      },
      sees: ['200 "b"'],
      log: ["200 ----"],
      asked: ["a GET /", "b GET /"],
      tandem: { because: "attempts", cells: { "a wretr": ["1", ""], "BACKEND wretr": ["1", ""] } },
    },
    {
      name: "a killed server's POST goes to the next one as well",
      proxy: "unsafe",
      servers: { reply: ({ server }) => (server === "a" ? [RST] : [ok("b")]) },
      client: async (client) => {
        await client.ask(post("/", "once"));
      },
      sees: ['200 "b"'],
      log: ["200 ----"],
      asked: ["a POST /", "b POST /"],
      tandem: {
        because: "safe-replay",
        sees: ["502 of the proxy"],
        log: ["502 SH--"],
        asked: ["a POST /"],
        cells: "follow",
      },
    },
  ],
);
