import { forwardedGet, get, head, ok, scenario } from "./scenario.js";

/** What makes a request be refused, with the status that it gets. The server must see nothing of any of them. */
const refused: readonly (readonly [name: string, status: number, request: string])[] = [
  ["has Content-Length and Transfer-Encoding", 400, post("Content-Length: 4", "Transfer-Encoding: chunked")],
  ["has Transfer-Encoding and Content-Length", 400, post("Transfer-Encoding: chunked", "Content-Length: 4")],
  ["has two lengths", 400, post("Content-Length: 4", "Content-Length: 5")],
  ["has a list of lengths", 400, post("Content-Length: 4, 4")],
  ["has a signed length", 400, post("Content-Length: +4")],
  ["has a hexadecimal length", 400, post("Content-Length: 0x4")],
  ["has an empty length", 400, post("Content-Length: ")],
  ["has a length beyond 2^53", 400, post("Content-Length: 18446744073709551620")],
  ["is chunked twice", 400, post("Transfer-Encoding: chunked, chunked")],
  ["is not chunked last", 400, post("Transfer-Encoding: chunked, gzip")],
  ["spells chunked with a vertical tab", 400, post("Transfer-Encoding: \x0bchunked")],
  ["has a coding that nobody knows", 400, post("Transfer-Encoding: xchunked")],
  ["has a coding before chunked", 501, post("Transfer-Encoding: gzip, chunked")],
  ["is HTTP/1.0 and chunked", 400, head("POST / HTTP/1.0", "Host: site", "Transfer-Encoding: chunked")],
  ["has a space before a colon", 400, get("/", "Transfer-Encoding : chunked")],
  ["folds a field", 400, get("/", "X: a", " b")],
  ["begins its fields with a space", 400, head("GET / HTTP/1.1", " Host: site")],
  ["has a field without a name", 400, get("/", ": value")],
  ["has a field without a colon", 400, get("/", "Nothing")],
  ["has a NUL in a value", 400, get("/", "X: a\0b")],
  ["has a bare CR in a value", 400, get("/", "X: a\rContent-Length: 5")],
  ["has a control byte in a name", 400, get("/", "X\x01: a")],
  ["ends its lines with LF alone", 400, "GET / HTTP/1.1\nHost: site\n\n"],
  ["ends its head with LF alone", 400, "GET / HTTP/1.1\r\nHost: site\r\n\n"],
  ["has no Host", 400, head("GET / HTTP/1.1")],
  ["has two Hosts", 400, head("GET / HTTP/1.1", "Host: a", "Host: b")],
  ["has a Host that is none", 400, head("GET / HTTP/1.1", "Host: a b")],
  ["has a Host that differs from its target", 400, head("GET http://a/ HTTP/1.1", "Host: b")],
  ["has a fragment", 400, get("/#f")],
  ["has a space in its target", 400, get("/a b")],
  ["has raw UTF-8 in its target", 400, get("/\xc3\xa4")],
  ["has a target of no known form", 400, get("a")],
  ["has an authority with user information", 400, head("GET http://u@site/ HTTP/1.1", "Host: site")],
  ["names Content-Length in Connection", 400, post("Connection: Content-Length", "Content-Length: 4")],
  ["is HTTP/0.9", 400, "GET /\r\n\r\n"],
  ["is TLS", 400, "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"],
  ["is the preface of HTTP/2", 505, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"],
  ["is HTTP/3.0", 505, head("GET / HTTP/3.0", "Host: site")],
  ["has a version that is none", 400, head("GET / HTTP/1.10", "Host: site")],
  ["writes http small", 400, head("GET / http/1.1", "Host: site")],
  ["is CONNECT", 405, head("CONNECT site:443 HTTP/1.1", "Host: site:443")],
  ["has a head that is too large", 431, get("/", `X: ${"x".repeat(20_000)}`)],
  ["has a target that is too long", 414, get(`/${"x".repeat(20_000)}`)],
  ["has too many fields", 431, get("/", ...Array<string>(200).fill("X: y"))],
];

function post(...fields: string[]): string {
  return `${head("POST / HTTP/1.1", "Host: site", ...fields)}4\r\nbody\r\n0\r\n\r\n`;
}

for (const [name, status, request] of refused) {
  scenario(`a request that ${name} gets ${status}, and no server hears of it`, async (s, t) => {
    const { proxy, client } = await s.one();
    // What follows must not be served either: who knows where it begins.
    client.send(request + get("/smuggled"));
    const answer = (await client.receiveAll()).toString("latin1");
    t.match(answer, new RegExp(`^HTTP/1\\.1 ${status} .*\r\nConnection: close\r\n`, "s"));
    t.equal(answer.match(/^HTTP\/1\.1 \d/gm)?.length, 1, "one answer");
    t.match(proxy.stats().backend, { requestsTotal: 0, connectsTotal: 0 });
    t.match(proxy.stats().frontend, { requestsTotal: 1, requestErrors: 1, intercepted: 0 });
  });
}

scenario("a request that is refused does not reach a connection that is already there", async (s, t) => {
  const { server, client } = await s.one();
  client.send(get("/1"));
  const web = await server.accept();
  await web.expectMessage(forwardedGet("/1"));
  web.send(ok("1"));
  await client.expectMessage(ok("1"));
  client.send(post("Content-Length: 4", "Transfer-Encoding: chunked"));
  t.match((await client.receiveAll()).toString("latin1"), /^HTTP\/1\.1 400 /);
  await web.expectSilence(50);
});

scenario("a pipelined request that is refused gets its answer after those before it", async (s, t) => {
  const { server, client } = await s.one();
  client.send(get("/1") + get("/2", "bad name: x"));
  const web = await server.accept();
  await web.expectMessage(forwardedGet("/1"));
  web.send(ok("1"));
  await client.expectMessage(ok("1"));
  t.match((await client.receiveAll()).toString("latin1"), /^HTTP\/1\.1 400 /);
});

for (const [name, chunk] of [
  ["a size that is none", "xyz\r\n"],
  ["a negative size", "-1\r\n"],
  ["a size with 0x", "0x4\r\nbody\r\n"],
  ["a size beyond 2^53", "FFFFFFFFFFFFFFFFF\r\n"],
  ["a bare LF behind the size", "4\nbody\r\n"],
  ["no end of line behind the data", "4\r\nbodyX\r\n"],
  ["a space behind the size", "4 \r\nbody\r\n"],
  ["a NUL in an extension", "4;a=\0\r\nbody\r\n"],
  ["extensions without end", `4;${"x".repeat(10_000)}\r\nbody\r\n`],
  ["a length in its trailer", "0\r\nContent-Length: 5\r\n\r\n"],
  ["a folded trailer", "0\r\nX: a\r\n b\r\n\r\n"],
]) {
  scenario(
    `a chunked request with ${name} gets 400, and its server's connection is not used again`,
    async (s, t) => {
      const { server, proxy, client } = await s.one();
      const fields = ["Host: site", "Transfer-Encoding: chunked"];
      client.send(head("POST / HTTP/1.1", ...fields));
      const web = await server.accept();
      await web.receiveHead();
      client.send(`2\r\nok\r\n${chunk}`);
      t.match((await client.receiveAll()).toString("latin1"), /^HTTP\/1\.1 400 .*\r\nConnection: close\r\n/s);
      // Not a clean end, which a server could take for that of the body.
      await web.expectReset();
      t.notMatch(web.takeAll().toString("latin1"), /body|0\r\n/);
      t.match(proxy.stats().frontend, { requestErrors: 1 });
      t.match(proxy.stats().backend, { idleConnections: 0, responses4xx: 1, responseErrors: 0 });
    },
  );
}

scenario("an error in a body that came with its head gets 400 over a kept connection too", async (s, t) => {
  const { server, client } = await s.one();
  client.send(get("/1"));
  const web = await server.accept();
  await web.expectMessage(forwardedGet("/1"));
  web.send(ok("1"));
  await client.expectMessage(ok("1"));
  client.send(`${head("POST / HTTP/1.1", "Host: site", "Transfer-Encoding: chunked")}nonsense`);
  t.match((await client.receiveAll()).toString("latin1"), /^HTTP\/1\.1 400 /);
  await web.expectReset();
});

scenario("an error answer to HEAD has no body", async (s, t) => {
  const proxy = s.proxy([await s.refusing()]);
  const client = await proxy.client();
  for (const request of [
    head("HEAD / HTTP/1.1", "Host: site"),
    head("HEAD / HTTP/1.1", "Host: site"),
    head("HEAD / HTTP/1.1", "Host: site", "Host: other"),
  ]) {
    client.send(request);
    const { line, field } = await client.receiveHead();
    t.match(line, /^HTTP\/1\.1 (503|400) /);
    t.ok(Number(field("content-length")) > 0);
  }
  await client.expectFin();
});

scenario(
  "an HTTP/1.0 client's connection is closed after an error answer that does not speak of keep-alive",
  async (s, t) => {
    const proxy = s.proxy([await s.refusing()]);
    const client = await proxy.client();
    client.send(head("GET / HTTP/1.0", "Connection: keep-alive"));
    t.match((await client.receiveAll()).toString("latin1"), /^HTTP\/1\.1 503 /);
  },
);

scenario("a head of just the allowed size passes, and one byte more does not", async (s, t) => {
  const { server, client } = await s.one({ maxHeadBytes: 1_000 });
  const padded = (size: number) => get("/", `X: ${"x".repeat(size - get("/", "X: ").length)}`);
  client.send(padded(1_000));
  const web = await server.accept();
  await web.receiveHead();
  web.send(ok("fits"));
  await client.expectMessage(ok("fits"));
  client.send(padded(1_001));
  t.match((await client.receiveHead()).line, /^HTTP\/1\.1 431 /);
});
