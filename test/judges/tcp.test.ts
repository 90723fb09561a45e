import type { Client } from "./reference/client.js";
import { clientHello } from "./reference/client-hello.js";
import { ECHO, FIN, HOLD, RST } from "./reference/origin.js";
import { type Scenario, theme } from "./reference/theme.js";

const big = "x".repeat(300_000);

theme(
  "mode tcp",
  {
    proxies: {
      tcp: { mode: "tcp", servers: { a: {} }, retries: 0 },
      moved: { mode: "tcp", balance: "first", servers: { dead: { at: "nobody" }, b: {} }, retries: 1 },
      refused: { mode: "tcp", servers: { a: { at: "nobody" } }, retries: 3 },
      none: { mode: "tcp", servers: { a: { disabled: true } } },
      short: { mode: "tcp", servers: { a: {} }, timeouts: { client: 300, server: 300 } },
      turns: { mode: "tcp", servers: { a: {}, b: {} } },
      limited: { mode: "tcp", servers: { a: {} }, maxconn: 1 },
    },
  },
  [
    {
      name: "bytes pass in both directions",
      proxy: "tcp",
      servers: { greeting: () => [ECHO] },
      client: async (client) => {
        await client.send("hello");
        await client.bytes(5);
        await client.send("\0\xff\r\n");
        await client.bytes(4);
        client.fin();
        await client.closed();
      },
      sees: ['bytes "hello"', 'bytes "\\u0000ÿ\\r\\n"', "closed"],
      log: ["--"],
    },
    {
      name: "a server may speak first",
      proxy: "tcp",
      servers: { greeting: () => ["220 ready\r\n", ECHO] },
      client: async (client) => {
        await client.bytes(11);
        client.fin();
        await client.closed();
      },
      sees: ['bytes "220 ready\\r\\n"', "closed"],
      log: ["--"],
    },
    {
      name: "many bytes pass",
      proxy: "tcp",
      servers: { greeting: () => [ECHO] },
      client: async (client) => {
        await client.send(big);
        const bytes = await client.bytes(big.length);
        client.seen.length = 0;
        client.note(bytes === big ? "the same" : "others");
        client.fin();
        await client.closed();
      },
      sees: ["the same", "closed"],
      log: ["--"],
    },
    {
      name: "a server's FIN leaves the client's way open",
      proxy: "tcp",
      servers: { greeting: () => ["bye", FIN] },
      client: async (client) => {
        await client.closed();
        client.fin();
        await client.pause(50);
      },
      sees: ['closed after "bye"'],
      log: ["--"],
    },
    {
      name: "a server that resets ends the session",
      proxy: "tcp",
      servers: { greeting: () => ["abc", HOLD, RST] },
      client: async (client, world) => {
        await client.bytes(3);
        world.letGo();
        await client.closed();
      },
      sees: ['bytes "abc"', "closed"],
      log: ["SD"],
    },
    {
      name: "a client that resets ends the session",
      proxy: "tcp",
      servers: { greeting: () => ["abc", 50] },
      client: async (client) => {
        await client.bytes(3);
        client.reset();
        await client.pause(80);
      },
      sees: ['bytes "abc"'],
      log: ["CD"],
    },
    {
      name: "a server that refuses closes the client",
      proxy: "refused",
      client: async (client) => {
        await client.closed();
      },
      sees: ["closed"],
      log: ["SC"],
      tandem: {
        because: "attempts",
        cells: {
          "a econ": ["1", "4"],
          "BACKEND econ": ["1", "4"],
          "a lbtot": ["1", "4"],
          "BACKEND lbtot": ["1", "4"],
        },
      },
    },
    {
      name: "where no server is up the client is closed",
      proxy: "none",
      client: async (client) => {
        await client.closed();
      },
      sees: ["closed"],
      log: ["SC"],
      tandem: { because: "no-server", cells: { "BACKEND econ": ["1", ""] } },
    },
    {
      name: "a refused session moves to the next server",
      proxy: "moved",
      servers: { greeting: (server) => [server, FIN] },
      client: async (client) => {
        await client.closed();
        client.fin();
        await client.pause(50);
      },
      sees: ['closed after "b"'],
      log: ["--"],
      tandem: { because: "attempts", cells: { "dead econ": ["", "1"], "BACKEND econ": ["", "1"] } },
    },
    {
      name: "a session in which nobody says anything ends",
      proxy: "short",
      servers: { greeting: () => ["x"] },
      client: async (client) => {
        await client.bytes(1);
        await client.closed();
      },
      sees: ['bytes "x"', "closed"],
      log: ["cD"],
    },
    {
      name: "sessions take turns",
      proxy: "turns",
      servers: { greeting: (server) => [server, FIN] },
      client: async (client) => {
        for (let i = 0; i < 4; i++) {
          await client.connect();
          await client.closed();
          client.fin();
        }
        await client.pause(50);
      },
      sees: ['closed after "a"', 'closed after "b"', 'closed after "a"', 'closed after "b"'],
      log: ["--", "--", "--", "--"],
    },
    {
      name: "above maxconn a client waits",
      proxy: "limited",
      servers: { greeting: () => ["hi", ECHO] },
      client: async (client) => {
        await client.connect();
        await client.bytes(2);
        await client.connect();
        await client.silent(150);
        client.use(1);
        client.fin();
        await client.closed();
        client.use(2);
        await client.bytes(2);
        client.fin();
        await client.closed();
      },
      sees: ['bytes "hi"', "silent", "closed", 'bytes "hi"', "closed"],
      log: ["--", "--"],
    },
  ],
);

const hello = clientHello("WWW.example.org");
const other = clientHello("else.example.org");
const plain = "GET / HTTP/1.0\r\n\r\n";

/** A session that says this, hears it from its server, and ends. */
const echoed =
  (...pieces: (string | number)[]) =>
  async (client: Client): Promise<void> => {
    await client.send(...pieces);
    const sent = pieces.filter((piece) => typeof piece === "string").join("");
    const bytes = await client.bytes(sent.length);
    client.seen.length = 0;
    client.note(bytes === sent ? "the same" : "others");
    client.fin();
    await client.closed();
  };
const echo: Pick<Scenario, "servers" | "sees" | "log"> = {
  servers: { greeting: () => [ECHO] },
  sees: ["the same", "closed"],
  log: ["--"],
};

theme(
  "mode tcp, servers by the name that a TLS client asks for",
  {
    proxies: {
      front: {
        mode: "tcp",
        servers: { a: {} },
        timeouts: { "inspect-delay": 1_000 },
        haproxy: [
          "tcp-request content accept if { req.ssl_hello_type 1 }",
          "use_backend named if { req.ssl_sni -i www.example.org }",
          "use_backend many if { req.ssl_sni -i -m end .many.example } !{ src 192.0.2.0/24 }",
        ],
        tandem: {
          rules: [
            { if: { req_ssl_sni: "www.example.org" }, use_backend: "named" },
            { if: { req_ssl_sni: "*.many.example" }, unless: { src: "192.0.2.0/24" }, use_backend: "many" },
          ],
        },
      },
      near: {
        mode: "tcp",
        servers: { a: {} },
        haproxy: ["use_backend named if { src 127.0.0.0/8 }"],
        tandem: { rules: [{ if: { src: "127.0.0.0/8" }, use_backend: "named" }] },
      },
      named: { mode: "tcp", servers: { b: {} } },
      many: { mode: "tcp", servers: { c: {} } },
    },
  },
  [
    { ...echo, name: "the name chooses the backend, in any case", proxy: "front", client: echoed(hello) },
    {
      ...echo,
      name: "names may end alike",
      proxy: "front",
      client: echoed(clientHello("a.b.many.example")),
    },
    { ...echo, name: "another name has no backend of its own", proxy: "front", client: echoed(other) },
    { ...echo, name: "who names nothing has none either", proxy: "front", client: echoed(clientHello(null)) },
    {
      ...echo,
      name: "a message in pieces is waited for",
      proxy: "front",
      client: echoed(hello.slice(0, 3), 30, hello.slice(3, 70), 30, hello.slice(70), "more"),
    },
    { ...echo, name: "what is no TLS does not wait", proxy: "front", client: echoed(plain) },
    {
      ...echo,
      name: "who says half of it gets the default backend when the delay is over",
      proxy: "front",
      client: echoed(hello.slice(0, 50)),
    },
    { ...echo, name: "where a client comes from chooses too", proxy: "near", client: echoed("hello") },
    {
      name: "who says nothing gets the default backend when the delay is over",
      proxy: "front",
      servers: { greeting: () => ["220 ready\r\n", ECHO] },
      client: async (client) => {
        await client.bytes(11);
        client.fin();
        await client.closed();
      },
      sees: ['bytes "220 ready\\r\\n"', "closed"],
      log: ["--"],
    },
    {
      name: "who ends in the middle of it gets the default backend",
      proxy: "front",
      servers: { greeting: () => [ECHO] },
      client: async (client) => {
        await client.send(hello.slice(0, 50));
        client.fin();
        await client.closed();
        client.seen.length = 0;
        client.note("closed");
      },
      sees: ["closed"],
      log: ["--"],
    },
    {
      name: "a client that resets meanwhile comes to no backend",
      proxy: "front",
      client: async (client) => {
        await client.send(hello.slice(0, 50), 200);
        client.reset();
      },
      sees: [],
      log: ["CR"],
      tandem: { because: "unsent", cells: { "BACKEND bin": ["50", ""] } },
    },
  ],
);
