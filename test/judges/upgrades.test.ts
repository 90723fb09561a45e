import { ECHO, FIN, get, head, ok } from "./reference/origin.js";
import { theme } from "./reference/theme.js";

const upgrade = get(
  "/chat",
  "Connection: Upgrade",
  "Upgrade: websocket",
  "Sec-WebSocket-Version: 13",
  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
);
const switching = head(
  "HTTP/1.1 101 Switching Protocols",
  "Connection: Upgrade",
  "Upgrade: websocket",
  "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=",
);

theme(
  "upgrades",
  { proxies: { web: { servers: { a: {} } }, short: { servers: { a: {} }, timeouts: { tunnel: 300 } } } },
  [
    {
      name: "an upgraded connection is a tunnel",
      proxy: "web",
      servers: { reply: () => [switching, ECHO] },
      client: async (client) => {
        await client.ask(upgrade);
        await client.send("\x01\x05hello");
        await client.bytes(7);
        client.fin();
        await client.closed();
      },
      sees: ["101", 'bytes "\\u0001\\u0005hello"', "closed"],
      log: ["101 ----"],
    },
    {
      name: "what a server says right behind its 101 is the client's",
      proxy: "web",
      servers: { reply: () => [`${switching}\x01\x02hi`, 50, FIN] },
      client: async (client) => {
        await client.ask(upgrade);
        await client.bytes(4);
        await client.closed();
      },
      sees: ["101", 'bytes "\\u0001\\u0002hi"', "closed"],
      log: ["101 ----"],
    },
    {
      name: "an upgrade that a server does not want is an answer like any other",
      proxy: "web",
      servers: { reply: () => [ok("no")] },
      client: async (client) => {
        await client.ask(upgrade);
        await client.ask(get("/next"));
      },
      sees: ['200 "no"', '200 "no"'],
      log: ["200 ----", "200 ----"],
    },
    {
      name: "a 101 that nobody asked for is a 502",
      proxy: "web",
      servers: { reply: () => [switching, 20, FIN] },
      client: async (client) => {
        await client.ask(get("/"));
      },
      sees: ["502 of the proxy"],
      log: ["502 PH--"],
      tandem: { because: "unheard", cells: { "a hrsp_1xx": ["1", ""] } },
    },
    {
      name: "a tunnel in which nobody says anything ends",
      proxy: "short",
      servers: { reply: () => [switching, ECHO] },
      client: async (client) => {
        await client.ask(upgrade);
        await client.closed();
      },
      sees: ["101", "closed"],
      log: ["101 cD--"],
    },
  ],
);
