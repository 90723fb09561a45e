import { FIN, get, HOLD, head } from "./reference/origin.js";
import { type Scenario, theme } from "./reference/theme.js";

/** An answer that no client may get. */
const refused = (name: string, answer: string): Scenario => ({
  name,
  proxy: "web",
  servers: { reply: () => [answer, 20, FIN] },
  client: async (client) => {
    await client.ask(get("/"));
    await client.ask(get("/next"));
  },
  sees: ["502 of the proxy", "502 of the proxy"],
  log: ["502 PH--", "502 PH--"],
});

theme("malformed responses", { proxies: { web: { servers: { a: {} } } } }, [
  refused("an answer that is no HTTP is a 502", "SSH-2.0-OpenSSH_9.2\r\n\r\n"),
  refused("a status that is no number is a 502", head("HTTP/1.1 2x0 OK", "Content-Length: 0")),
  {
    name: "a status of two digits passes",
    proxy: "web",
    servers: { reply: () => [head("HTTP/1.1 20 OK", "Content-Length: 0"), 20, FIN] },
    client: async (client) => {
      await client.ask(get("/"));
    },
    sees: ["20"],
    log: ["20 ----"],
    tandem: { because: "unknown-version", sees: ["502 of the proxy"], log: ["502 PH--"], cells: "follow" },
  },
  refused("a Content-Length that is no number is a 502", head("HTTP/1.1 200 OK", "Content-Length: x")),
  refused(
    "Content-Lengths that differ are a 502",
    `${head("HTTP/1.1 200 OK", "Content-Length: 3", "Content-Length: 4")}abcd`,
  ),
  refused("a field without a colon is a 502", head("HTTP/1.1 200 OK", "Content-Length: 0", "nonsense")),
  refused("a space before a colon is a 502", head("HTTP/1.1 200 OK", "Content-Length : 0")),
  refused("a head without end is a 502", `HTTP/1.1 200 OK\r\nX-Thing: ${"x".repeat(40_000)}\r\n\r\n`),
  {
    name: "HTTP/2 in HTTP/1 passes",
    proxy: "web",
    servers: { reply: () => [head("HTTP/2.0 200 OK", "Content-Length: 0"), 20, FIN] },
    client: async (client) => {
      await client.ask(get("/"));
    },
    sees: ["200"],
    log: ["200 ----"],
    tandem: { because: "unknown-version", sees: ["502 of the proxy"], log: ["502 PH--"], cells: "follow" },
  },
  {
    name: "an answer without a reason passes",
    proxy: "web",
    servers: { reply: () => [`${head("HTTP/1.1 200 ", "Content-Length: 1")}x`] },
    client: async (client) => {
      await client.ask(get("/"));
    },
    sees: ['200 "x"'],
    log: ["200 ----"],
  },
  {
    name: "an answer in HTTP/1.0 passes",
    proxy: "web",
    servers: { reply: () => [head("HTTP/1.0 200 OK"), "old", FIN] },
    client: async (client) => {
      await client.ask(get("/1"));
    },
    sees: ['HTTP/1.0 200 OK\nbody "old", up to the end'],
    log: ["200 ----"],
    tandem: { because: "own-version", sees: ['200 "old", up to the end'] },
  },
  {
    name: "an answer whose chunk is none is cut",
    proxy: "web",
    servers: {
      reply: () => [
        head("HTTP/1.1 200 OK", "Transfer-Encoding: chunked"),
        "3\r\nabc\r\n",
        HOLD,
        "zz\r\n",
        60,
        FIN,
      ],
    },
    client: async (client, world) => {
      await client.send(get("/"));
      await client.heard("abc");
      world.letGo();
      await client.answer();
    },
    sees: ['200 "3\\r\\nabc\\r\\n", cut'],
    log: ["200 SD--"],
    tandem: { because: "broken-chunk", log: ["200 PD--"] },
  },
  {
    name: "a 999 passes",
    proxy: "web",
    servers: { reply: () => [head("HTTP/1.1 999 Who Knows", "Content-Length: 0")] },
    client: async (client) => {
      await client.ask(get("/"));
    },
    sees: ["999"],
    log: ["999 ----"],
    tandem: { because: "unknown-version", sees: ["502 of the proxy"], log: ["502 PH--"], cells: "follow" },
  },
]);
