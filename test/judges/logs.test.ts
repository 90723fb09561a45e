import { ECHO, get, head, ok, status } from "./reference/origin.js";
import { theme } from "./reference/theme.js";

theme(
  "access logs",
  {
    proxies: {
      web: { servers: { a: {} } },
      quiet: { servers: { a: {} }, log: { dontlognull: true } },
      errors: { servers: { a: {} }, log: { dontlogNormal: true } },
      six: { servers: { a: {} }, ipv6: true },
      sixTcp: { mode: "tcp", servers: { a: {} }, ipv6: true },
    },
  },
  [
    {
      name: "a quote in the target is escaped",
      proxy: "web",
      client: async (client) => {
        await client.ask(get('/a"b'));
      },
      sees: ['200 "hello"'],
      log: ["200 ----"],
    },
    {
      name: "a target that is no ASCII is escaped",
      proxy: "web",
      client: async (client) => {
        await client.ask(get("/%e4?<script>|{}"));
      },
      sees: ['200 "hello"'],
      log: ["200 ----"],
    },
    {
      name: "a long target is logged whole",
      proxy: "web",
      client: async (client) => {
        await client.ask(get(`/${"long".repeat(180)}`));
      },
      sees: ['200 "hello"'],
      log: ["200 ----"],
    },
    {
      name: "a connection on which nothing comes has a line",
      proxy: "web",
      client: async (client) => {
        await client.connect();
        client.fin();
        await client.answer();
      },
      sees: ["400 of the proxy, closes"],
      log: ["400 CR--"],
      tandem: {
        because: "nothing-asked",
        sees: ["no answer"],
        cells: { "FRONTEND ereq": ["1", ""], "FRONTEND hrsp_4xx": ["1", ""], "FRONTEND req_tot": ["1", ""] },
      },
    },
    {
      name: "dontlognull leaves that line out",
      proxy: "quiet",
      client: async (client) => {
        await client.connect();
        client.fin();
        await client.answer();
        await client.connect();
        await client.ask(get("/"));
      },
      sees: ["400 of the proxy, closes", '200 "hello"'],
      log: ["200 ----"],
      tandem: {
        because: "nothing-asked",
        sees: ["no answer", '200 "hello"'],
        cells: { "FRONTEND ereq": ["1", ""], "FRONTEND hrsp_4xx": ["1", ""], "FRONTEND req_tot": ["2", "1"] },
      },
    },
    {
      name: "dontlog-normal leaves what went well out",
      proxy: "errors",
      servers: { reply: ({ target }) => (target === "/bad" ? [status("500 Oops")] : [ok("x")]) },
      client: async (client) => {
        await client.ask(get("/good"));
        await client.ask(get("/bad"));
        await client.ask(get("/good"));
      },
      sees: ['200 "x"', "500", '200 "x"'],
      log: ["500 ----"],
    },
    {
      name: "a line for each request of a connection",
      proxy: "web",
      servers: { reply: ({ target }) => (target === "/missing" ? [status("404 Not Found")] : [ok("x")]) },
      client: async (client) => {
        await client.ask(get("/there"));
        await client.ask(get("/missing"));
        await client.ask(head("HEAD /there HTTP/1.0", "Host: site"));
      },
      sees: ['200 "x"', "404", "200"],
      log: ["200 ----", "404 ----", "200 ----"],
      tandem: { because: "own-version", asked: ["a GET /there", "a GET /missing", "a HEAD /there"] },
    },
    {
      name: "a client of IPv6 is forwarded and logged with its address",
      proxy: "six",
      address: "::1",
      client: async (client) => {
        await client.ask(get("/1"));
        await client.ask(head("GET /2 HTTP/1.1", "Host: [::1]:8080", "X-Forwarded-For: 2001:db8::7"));
      },
      sees: ['200 "hello"', '200 "hello"'],
      log: ["200 ----", "200 ----"],
    },
    {
      name: "a client of IPv6 whose request is none is refused as others are",
      proxy: "six",
      address: "::1",
      client: async (client) => {
        await client.ask("NONSENSE\r\n\r\n");
        await client.closed();
      },
      sees: ["400 of the proxy, closes", "closed"],
      log: ["400 PR--"],
    },
    {
      name: "a session of mode tcp over IPv6 is logged with its address",
      proxy: "sixTcp",
      address: "::1",
      servers: { greeting: () => ["hi", ECHO] },
      client: async (client) => {
        await client.bytes(2);
        client.fin();
        await client.closed();
      },
      sees: ['bytes "hi"', "closed"],
      log: ["--"],
    },
  ],
);
