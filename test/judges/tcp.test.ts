import { ECHO, FIN, RST } from "./reference/origin.js";
import { theme } from "./reference/theme.js";

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
      servers: { greeting: () => ["abc", 50, RST] },
      client: async (client) => {
        await client.bytes(3);
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
