import { get, head } from "./reference/origin.js";
import { type Scenario, theme } from "./reference/theme.js";

/** A request that is refused before a server hears of it. */
const refused = (name: string, request: string): Scenario => ({
  name,
  proxy: "web",
  client: async (client) => {
    await client.ask(request);
    await client.closed();
  },
  sees: ["400 of the proxy, closes", "closed"],
  log: ["400 PR--"],
  asked: [],
});

const post = (...fields: string[]): string => head("POST /x HTTP/1.1", "Host: site", ...fields);

theme("malformed requests", { proxies: { web: { servers: { a: {} } } } }, [
  refused("a line that is no request is refused", "THIS IS NOT HTTP\r\n\r\n"),
  refused("a method with a control byte is refused", "GE\x01T / HTTP/1.1\r\nHost: site\r\n\r\n"),
  refused("a space before a colon is refused", head("GET / HTTP/1.1", "Host: site", "X-Thing : 1")),
  refused("a field without a name is refused", head("GET / HTTP/1.1", "Host: site", ": 1")),
  refused("a field without a colon is refused", head("GET / HTTP/1.1", "Host: site", "X-Thing")),
  refused("a Content-Length that is no number is refused", post("Content-Length: 1x")),
  refused("a negative Content-Length is refused", post("Content-Length: -1")),
  refused("an empty Content-Length is refused", post("Content-Length: ")),
  refused("Content-Lengths that differ are refused", `${post("Content-Length: 3", "Content-Length: 4")}abcd`),
  refused("an overlong Content-Length is refused", post("Content-Length: 99999999999999999999999")),
  refused("chunked twice is refused", `${post("Transfer-Encoding: chunked, chunked")}0\r\n\r\n`),
  refused("a chunked HTTP/1.0 request is refused", "POST / HTTP/1.0\r\nTransfer-Encoding: gzip\r\n\r\n"),
  refused("Hosts that differ are refused", head("GET / HTTP/1.1", "Host: a", "Host: b")),
  refused("an authority that differs from Host is refused", head("GET http://a/ HTTP/1.1", "Host: b")),
  refused("a fragment in the target is refused", get("/x#y")),
  refused("a control byte in the target is refused", get("/x\x02y")),
  refused("raw UTF-8 in the target is refused", get("/\xc3\xa4")),
  refused("HTTP/0.9 is refused", "GET /\r\n\r\n"),
  refused("a version that is none is refused", head("GET / HTTP/1.x", "Host: site")),
  {
    name: "a chunk whose size is no number is refused",
    proxy: "web",
    client: async (client, world) => {
      await client.send(post("Transfer-Encoding: chunked"));
      await world.untilAsked(1);
      await client.ask("zz\r\nabc\r\n0\r\n\r\n");
      await client.closed();
    },
    sees: ["400 of the proxy, closes", "closed"],
    log: ["400 PH--"],
    tandem: { because: "broken-chunk", log: ["400 PR--"] },
  },
  {
    name: "a transfer coding that nobody can undo is refused",
    proxy: "web",
    client: async (client) => {
      await client.ask(`${post("Transfer-Encoding: gzip, chunked")}0\r\n\r\n`);
      await client.closed();
    },
    sees: ["422 of the proxy", "closed"],
    log: ["422 PR--"],
    asked: [],
    tandem: {
      because: "unknown-coding",
      sees: ["501 of the proxy, closes", "closed"],
      log: ["501 PR--"],
      asked: [],
      cells: { "FRONTEND hrsp_4xx": ["1", ""], "FRONTEND hrsp_5xx": ["", "1"] },
    },
  },
  {
    name: "HTTP/2.0 in a request line passes",
    proxy: "web",
    client: async (client) => {
      await client.ask(head("GET / HTTP/2.0", "Host: site"));
    },
    sees: ['200 "hello"'],
    log: ["200 ----"],
    tandem: {
      because: "unknown-version",
      sees: ["505 of the proxy, closes"],
      log: ["505 PR--"],
      asked: [],
      cells: "follow",
    },
  },
  {
    name: "lines that end with LF alone pass",
    proxy: "web",
    client: async (client) => {
      await client.ask("GET / HTTP/1.1\nHost: site\n\n");
    },
    sees: ['200 "hello"'],
    log: ["200 ----"],
    tandem: {
      because: "strict-syntax",
      sees: ["400 of the proxy, closes"],
      log: ["400 PR--"],
      asked: [],
      cells: "follow",
    },
  },
  {
    name: "a request without Host passes",
    proxy: "web",
    client: async (client) => {
      await client.ask(head("GET / HTTP/1.1"));
    },
    sees: ['200 "hello"'],
    log: ["200 ----"],
    tandem: {
      because: "strict-syntax",
      sees: ["400 of the proxy, closes"],
      log: ["400 PR--"],
      asked: [],
      cells: "follow",
    },
  },
  {
    name: "a control byte in a field passes",
    proxy: "web",
    client: async (client) => {
      await client.ask(get("/", "X-Thing: a\x01b"));
    },
    sees: ['200 "hello"'],
    log: ["200 ----"],
    tandem: {
      because: "strict-syntax",
      sees: ["400 of the proxy, closes"],
      log: ["400 PR--"],
      asked: [],
      cells: "follow",
    },
  },
  {
    name: "a field that goes on in the next line is one",
    proxy: "web",
    client: async (client) => {
      await client.ask(get("/", "X-Thing: a\r\n b"));
    },
    sees: ['200 "hello"'],
    log: ["200 ----"],
    tandem: {
      because: "strict-syntax",
      sees: ["400 of the proxy, closes"],
      log: ["400 PR--"],
      asked: [],
      cells: "follow",
    },
  },
]);
