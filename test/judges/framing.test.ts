import { chunked, FIN, get, head, ok, post, status } from "./reference/origin.js";
import { theme } from "./reference/theme.js";

const chunkedPost = (body: string, ...fields: string[]): string =>
  `${head("POST /x HTTP/1.1", "Host: site", "Transfer-Encoding: chunked", ...fields)}${body}`;
const chunkedOk = (body: string, ...fields: string[]): string =>
  `${head("HTTP/1.1 200 OK", "Transfer-Encoding: chunked", ...fields)}${body}`;
const large = "0123456789abcdef".repeat(65_536);

theme("framing", { proxies: { web: { servers: { a: {} } } } }, [
  {
    name: "a chunked request comes through",
    proxy: "web",
    servers: { reply: ({ body }) => [ok(body)] },
    client: async (client) => {
      await client.ask(chunkedPost(chunked("abc", "defgh")));
    },
    sees: ['200 "abcdefgh"'],
    log: ["200 ----"],
  },
  {
    name: "a chunked request that is empty comes through",
    proxy: "web",
    client: async (client) => {
      await client.ask(chunkedPost("0\r\n\r\n"));
      await client.ask(get("/next"));
    },
    sees: ['200 "hello"', '200 "hello"'],
    log: ["200 ----", "200 ----"],
  },
  {
    name: "chunks in single bytes come through",
    proxy: "web",
    servers: { reply: ({ body }) => [ok(body)] },
    client: async (client) => {
      await client.send(chunkedPost(""));
      for (const byte of chunked("abc", "de")) await client.send(byte, 3);
      await client.answer();
    },
    sees: ['200 "abcde"'],
    log: ["200 ----"],
  },
  {
    name: "a chunk's extensions are nobody's",
    proxy: "web",
    servers: { reply: ({ body }) => [ok(body)] },
    client: async (client) => {
      await client.ask(chunkedPost("3;a=b\r\nabc\r\n0;c\r\n\r\n"));
    },
    sees: ['200 "abc"'],
    log: ["200 ----"],
  },
  {
    name: "a chunked answer comes through",
    proxy: "web",
    servers: { reply: () => [chunkedOk("3\r\nabc\r\n"), 30, "2\r\nde\r\n0\r\n\r\n"] },
    client: async (client) => {
      await client.ask(get("/1"));
      await client.ask(get("/2"));
    },
    sees: ['200 "abcde"', '200 "abcde"'],
    log: ["200 ----", "200 ----"],
  },
  {
    name: "an answer's trailers come through",
    proxy: "web",
    servers: { reply: () => [chunkedOk("3\r\nabc\r\n0\r\nX-Sum: 7\r\n\r\n", "Trailer: X-Sum")] },
    client: async (client) => {
      await client.ask(get("/", "TE: trailers"));
    },
    sees: ['200 "abc(x-sum: 7)"'],
    log: ["200 ----"],
    tandem: { because: "hop-by-hop", asked: ["a GET /"] },
  },
  {
    name: "a request's trailers come through",
    proxy: "web",
    client: async (client) => {
      await client.ask(chunkedPost("3\r\nabc\r\n0\r\nX-Sum: 7\r\n\r\n", "Trailer: X-Sum"));
    },
    sees: ['200 "hello"'],
    log: ["200 ----"],
  },
  {
    name: "a chunked answer to HTTP/1.0 stays chunked",
    proxy: "web",
    servers: { reply: () => [chunkedOk(chunked("abc"))] },
    client: async (client) => {
      await client.ask(head("GET / HTTP/1.0", "Host: site"));
    },
    sees: ['200 "abc"'],
    log: ["200 ----"],
    tandem: { because: "own-version", sees: ['200 "abc", up to the end'], asked: ["a GET /"] },
  },
  {
    name: "an answer that ends with the server's connection ends with the client's",
    proxy: "web",
    servers: { reply: () => [head("HTTP/1.1 200 OK"), "abc", 20, "def", FIN] },
    client: async (client) => {
      await client.ask(get("/1"));
      await client.ask(get("/2"));
    },
    sees: ['200 "abcdef", up to the end', "no answer"],
    log: ["200 ----"],
  },
  {
    name: "a megabyte comes through in both directions",
    proxy: "web",
    servers: { reply: ({ body }) => [ok(body)] },
    client: async (client) => {
      await client.ask(post("/", large));
    },
    sees: ["200 1048576 bytes aea80000"],
    log: ["200 ----"],
  },
  {
    name: "two equal Content-Lengths are one",
    proxy: "web",
    servers: { reply: ({ body }) => [ok(body)] },
    client: async (client) => {
      await client.ask(
        `${head("POST / HTTP/1.1", "Host: site", "Content-Length: 3", "Content-Length: 3")}abc`,
      );
    },
    sees: ['200 "abc"'],
    log: ["200 ----"],
    tandem: {
      because: "one-length",
      sees: ["400 of the proxy, closes"],
      log: ["400 PR--"],
      asked: [],
      cells: "follow",
    },
  },
  {
    name: "a 204 has no body, whatever its head says",
    proxy: "web",
    servers: { reply: () => [head("HTTP/1.1 204 No Content", "X-Thing: 1")] },
    client: async (client) => {
      await client.ask(get("/1"));
      await client.ask(get("/2"));
    },
    sees: ["204", "204"],
    log: ["204 ----", "204 ----"],
  },
  {
    name: "a 304 keeps the Content-Length of what it stands for",
    proxy: "web",
    servers: { reply: () => [head("HTTP/1.1 304 Not Modified", "Content-Length: 500", 'ETag: "x"')] },
    client: async (client) => {
      await client.ask(get("/1", 'If-None-Match: "x"'));
      await client.ask(get("/2", 'If-None-Match: "x"'));
    },
    sees: ["304", "304"],
    log: ["304 ----", "304 ----"],
  },
  {
    name: "early hints come before the answer",
    proxy: "web",
    servers: { reply: () => [head("HTTP/1.1 103 Early Hints", "Link: </s.css>; rel=preload"), 40, ok("x")] },
    client: async (client) => {
      await client.ask(get("/"));
    },
    sees: ["103", '200 "x"'],
    log: ["200 ----"],
    tandem: {
      because: "interim",
      cells: { "FRONTEND hrsp_1xx": ["", "1"], "BACKEND hrsp_1xx": ["", "1"] },
    },
  },
  {
    name: "Expect: 100-continue is the server's to answer",
    proxy: "web",
    servers: { early: () => [head("HTTP/1.1 100 Continue")], reply: ({ body }) => [ok(body)] },
    client: async (client) => {
      await client.send(head("POST / HTTP/1.1", "Host: site", "Content-Length: 3", "Expect: 100-continue"));
      await client.pause(60);
      await client.send("abc");
      await client.answer();
    },
    sees: ["100", '200 "abc"'],
    log: ["200 ----"],
    tandem: {
      because: "interim",
      cells: { "FRONTEND hrsp_1xx": ["", "1"], "BACKEND hrsp_1xx": ["", "1"] },
    },
  },
  {
    name: "a server that refuses an expected body is heard before it is sent",
    proxy: "web",
    servers: { early: () => [status("417 Expectation Failed", "Connection: close"), FIN] },
    client: async (client) => {
      await client.send(head("POST / HTTP/1.1", "Host: site", "Content-Length: 3", "Expect: 100-continue"));
      await client.answer();
    },
    sees: ["417"],
    log: ["417 CD--"],
    tandem: {
      because: "early-answer",
      sees: ["417"],
      log: ["417 ----"],
      cells: { "a cli_abrt": ["1", ""], "BACKEND cli_abrt": ["1", ""] },
    },
  },
  {
    name: "an answer that comes before the body's end is relayed",
    proxy: "web",
    servers: { early: () => [status("413 Too Large", "Connection: close"), FIN] },
    client: async (client) => {
      await client.send(head("POST / HTTP/1.1", "Host: site", "Content-Length: 1000"), "part");
      await client.answer();
    },
    sees: ["413"],
    log: ["413 CD--"],
    tandem: {
      because: "early-answer",
      sees: ["413"],
      log: ["413 ----"],
      cells: { "a cli_abrt": ["1", ""], "BACKEND cli_abrt": ["1", ""] },
    },
  },
  {
    name: "of Content-Length and Transfer-Encoding in an answer the latter counts",
    proxy: "web",
    servers: { reply: () => [chunkedOk(chunked("abc"), "Content-Length: 99")] },
    client: async (client) => {
      await client.ask(get("/"));
    },
    sees: ['200 "abc"'],
    log: ["200 ----"],
    tandem: { because: "one-length", sees: ["502 of the proxy"], log: ["502 PH--"], cells: "follow" },
  },
  {
    name: "of Content-Length and Transfer-Encoding in a request the latter counts, and the connection closes",
    proxy: "web",
    servers: { reply: ({ body }) => [ok(body)] },
    client: async (client) => {
      await client.ask(chunkedPost(chunked("abc"), "Content-Length: 99"));
      await client.closed();
    },
    sees: ['200 "abc"', "closed"],
    log: ["200 ----"],
    tandem: {
      because: "one-length",
      sees: ["400 of the proxy, closes", "closed"],
      log: ["400 PR--"],
      asked: [],
      cells: "follow",
    },
  },
]);
