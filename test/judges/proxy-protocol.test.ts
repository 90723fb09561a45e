import { ECHO, get } from "./reference/origin.js";
import { theme } from "./reference/theme.js";

const from = (address: string): string => `PROXY TCP4 ${address} 10.0.0.1 4711 80\r\n`;

/** Version 2: signature, command and family, length, then addresses and ports. */
const binary = (command: number, family: number, body: readonly number[]): string =>
  `\r\n\r\n\0\r\nQUIT\n${String.fromCharCode(command, family, 0, body.length, ...body)}`;
const fromInBinary = binary(0x21, 0x11, [192, 0, 2, 7, 10, 0, 0, 1, 0x12, 0x67, 0, 80]);

theme(
  "the PROXY protocol",
  {
    proxies: {
      web: { servers: { a: {} }, acceptProxy: true, timeouts: { "http-request": 2_000, client: 2_000 } },
      tcp: { mode: "tcp", servers: { a: {} }, acceptProxy: true },
      first: { servers: { a: { sendProxy: 1 } } },
      second: { servers: { a: { sendProxy: 2 } } },
      both: { servers: { a: { sendProxy: 1 } }, acceptProxy: true },
    },
  },
  [
    {
      name: "a client is whom the header of version 1 names",
      proxy: "web",
      client: async (client) => {
        await client.ask(`${from("192.0.2.7")}${get("/1")}`);
        await client.ask(get("/2"));
      },
      sees: ['200 "hello"', '200 "hello"'],
      log: ["200 ----", "200 ----"],
    },
    {
      name: "a client is whom the header of version 2 names",
      proxy: "web",
      client: async (client) => {
        await client.ask(fromInBinary + get("/"));
      },
      sees: ['200 "hello"'],
      log: ["200 ----"],
    },
    {
      name: "a header of version 1 in pieces is none",
      proxy: "web",
      client: async (client) => {
        await client.ask("PRO", 200, "XY TCP4 192.0.2.7 10.0.0.1 47", 30, "11 80\r\n", 30, get("/"));
      },
      sees: ["no answer"],
      log: ["127.0.0.1 web/1: Truncated PROXY protocol header received"],
      tandem: {
        because: "header-in-pieces",
        sees: ['200 "hello"'],
        log: ["200 ----"],
        asked: ["a GET /"],
        cells: "follow",
      },
    },
    {
      name: "IPv6 addresses are taken too",
      proxy: "web",
      client: async (client) => {
        await client.ask(`PROXY TCP6 2001:db8::7 2001:db8::1 4711 80\r\n${get("/")}`);
      },
      sees: ['200 "hello"'],
      log: ["200 ----"],
    },
    {
      name: "UNKNOWN keeps the connection's own address",
      proxy: "web",
      client: async (client) => {
        await client.ask(`PROXY UNKNOWN\r\n${get("/")}`);
      },
      sees: ['200 "hello"'],
      log: ["200 ----"],
    },
    {
      name: "LOCAL keeps the connection's own address",
      proxy: "web",
      client: async (client) => {
        await client.ask(binary(0x20, 0, []) + get("/"));
      },
      sees: ['200 "hello"'],
      log: ["200 ----"],
    },
    {
      name: "a connection without a header is closed without an answer",
      proxy: "web",
      client: async (client) => {
        await client.send(get("/"));
        await client.closed();
      },
      sees: ["closed"],
      log: ["127.0.0.1 web/1: Received something which does not look like a PROXY protocol header"],
      asked: [],
      tandem: { because: "refused-header", cells: { "FRONTEND h1_total_connections": ["", "1"] } },
    },
    {
      name: "a header with an address that is none is taken for another",
      proxy: "web",
      client: async (client) => {
        await client.ask(`PROXY TCP4 192.0.2.700 10.0.0.1 4711 80\r\n${get("/")}`);
      },
      sees: ['200 "hello"'],
      log: ["200 ----"],
      tandem: {
        because: "address-range",
        sees: ["no answer"],
        log: ["127.0.0.1 web/1: Received an invalid PROXY protocol header"],
        asked: [],
        cells: "follow",
      },
    },
    {
      name: "in mode tcp the header is taken off",
      proxy: "tcp",
      servers: { greeting: () => [ECHO] },
      client: async (client) => {
        await client.send(`${from("192.0.2.7")}hello`);
        await client.bytes(5);
        client.fin();
        await client.closed();
      },
      sees: ['bytes "hello"', "closed"],
      log: ["--"],
    },
    {
      name: "a server learns of the client by version 1",
      proxy: "first",
      client: async (client) => {
        await client.ask(get("/1"));
        await client.ask(get("/2"));
      },
      sees: ['200 "hello"', '200 "hello"'],
      log: ["200 ----", "200 ----"],
    },
    {
      name: "a server learns of the client by version 2",
      proxy: "second",
      client: async (client) => {
        await client.ask(get("/"));
      },
      sees: ['200 "hello"'],
      log: ["200 ----"],
    },
    {
      name: "what came in goes on",
      proxy: "both",
      client: async (client) => {
        await client.ask(`${from("192.0.2.7")}${get("/")}`);
        await client.connect();
        await client.ask(`${from("192.0.2.8")}${get("/")}`);
      },
      sees: ['200 "hello"', '200 "hello"'],
      log: ["200 ----", "200 ----"],
    },
  ],
);
