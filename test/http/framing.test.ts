import { forwarded, forwardedGet, get, head, ok, scenario } from "./scenario.js";

const post = (path: string, ...fields: string[]) => head(`POST ${path} HTTP/1.1`, "Host: site", ...fields);
const forwardedPost = (path: string, ...fields: string[]) =>
  head(`POST ${path} HTTP/1.1`, "Host: site", ...forwarded, ...fields);

const chunked = "Transfer-Encoding: chunked";

scenario("an answer to HEAD has its Content-Length and no body, and the connections go on", async (s) => {
  const { server, client } = await s.one();
  client.send(head("HEAD / HTTP/1.1", "Host: site"));
  const web = await server.accept();
  await web.expectMessage(head("HEAD / HTTP/1.1", "Host: site", ...forwarded));
  web.send(head("HTTP/1.1 200 OK", "Content-Length: 612"));
  await client.expectMessage(head("HTTP/1.1 200 OK", "Content-Length: 612"));
  client.send(get("/next"));
  await web.expectMessage(forwardedGet("/next"));
  web.send(ok("next"));
  await client.expectMessage(ok("next"));
});

scenario("an answer to HEAD that speaks of chunks has no body either", async (s, t) => {
  const { server, client } = await s.one();
  client.send(head("HEAD / HTTP/1.1", "Host: site") + get("/next"));
  const web = await server.accept();
  await web.expectMessage(head("HEAD / HTTP/1.1", "Host: site", ...forwarded));
  web.send(head("HTTP/1.1 200 OK", chunked));
  const { line } = await client.receiveHead();
  t.equal(line, "HTTP/1.1 200 OK");
  await web.expectMessage(forwardedGet("/next"));
  web.send(ok("next"));
  await client.expectMessage(ok("next"));
});

for (const status of ["204 No Content", "304 Not Modified"]) {
  scenario(`a ${status} has no body, whatever its Content-Length says`, async (s) => {
    const { server, client } = await s.one();
    client.send(get("/1"));
    const web = await server.accept();
    await web.expectMessage(forwardedGet("/1"));
    web.send(head(`HTTP/1.1 ${status}`, "ETag: x", "Content-Length: 612"));
    // A 304 may tell the length of what it does not send, a 204 must not (RFC 9110 §8.6).
    const length = status.startsWith("304") ? ["Content-Length: 612"] : [];
    await client.expectMessage(head(`HTTP/1.1 ${status}`, "ETag: x", ...length));
    client.send(get("/2"));
    await web.expectMessage(forwardedGet("/2"));
    web.send(ok("2"));
    await client.expectMessage(ok("2"));
  });
}

scenario("the body that a server sends behind a 204 is dropped with its connection", async (s) => {
  const { server, client } = await s.one();
  client.send(get("/1"));
  const web = await server.accept();
  await web.expectMessage(forwardedGet("/1"));
  web.send(`${head("HTTP/1.1 204 No Content", "Content-Length: 5")}wrong`);
  await client.expectMessage(head("HTTP/1.1 204 No Content"));
  await web.expectEnd();
  client.send(get("/2"));
  const other = await server.accept();
  await other.expectMessage(forwardedGet("/2"));
  other.send(ok("2"));
  await client.expectMessage(ok("2"));
});

scenario("a request body of known length goes to the server as it comes", async (s) => {
  const { server, client } = await s.one();
  client.send(post("/up", "Content-Length: 10"), "01234");
  const web = await server.accept();
  await web.expectMessage(forwardedPost("/up", "Content-Length: 10"));
  await web.expect("01234");
  client.send("56789");
  await web.expect("56789");
  web.send(ok("thanks"));
  await client.expectMessage(ok("thanks"));
  client.send(get("/next"));
  await web.expectMessage(forwardedGet("/next"));
  web.send(ok("next"));
  await client.expectMessage(ok("next"));
});

scenario(
  "a chunked request goes to the server chunk by chunk, extensions and trailers with it",
  async (s) => {
    const { server, client } = await s.one();
    const body = "5;a=b\r\nhello\r\n0005\r\nworld\r\n0\r\nX-Sum: 1\r\n\r\n";
    client.send(post("/up", "Trailer: X-Sum", chunked));
    const web = await server.accept();
    await web.expectMessage(head("POST /up HTTP/1.1", "Host: site", "Trailer: X-Sum", ...forwarded, chunked));
    await client.sendSlowly(body, 1);
    await web.expect(body);
    web.send(ok("thanks"));
    await client.expectMessage(ok("thanks"));
  },
);

scenario(
  "a chunked response goes to the client chunk by chunk, extensions and trailers with it",
  async (s) => {
    const { server, client } = await s.one();
    client.send(get("/"));
    const web = await server.accept();
    await web.expectMessage(forwardedGet("/"));
    const body = "5;a=b\r\nhello\r\n0005\r\nworld\r\n0\r\nX-Sum: 1\r\n\r\n";
    await web.sendSlowly(head("HTTP/1.1 200 OK", chunked) + body, 1);
    await client.expectMessage(head("HTTP/1.1 200 OK", chunked) + body);
    client.send(get("/next"));
    await web.expectMessage(forwardedGet("/next"));
    web.send(ok("next"));
    await client.expectMessage(ok("next"));
  },
);

scenario("a POST with Content-Length 0 is whole with its head", async (s) => {
  const { server, client } = await s.one();
  client.send(post("/1", "Content-Length: 0") + get("/2"));
  const web = await server.accept();
  await web.expectMessage(forwardedPost("/1", "Content-Length: 0"));
  web.send(ok("1"));
  await client.expectMessage(ok("1"));
  await web.expectMessage(forwardedGet("/2"));
  web.send(ok("2"));
  await client.expectMessage(ok("2"));
});

scenario("a POST without a length has no body", async (s) => {
  const { server, client } = await s.one();
  client.send(post("/1"));
  const web = await server.accept();
  await web.expectMessage(forwardedPost("/1"));
  web.send(ok("1"));
  await client.expectMessage(ok("1"));
});

for (const [framing, field, body] of [
  ["a known length", "Content-Length: 4", "body"],
  ["chunks", chunked, "4\r\nbody\r\n0\r\n\r\n"],
]) {
  scenario(`a request behind a body of ${framing} in the same packet is the next one`, async (s) => {
    const { server, client } = await s.one();
    client.send(post("/1", field) + body + get("/2"));
    const web = await server.accept();
    await web.expectMessage(forwardedPost("/1", field) + body);
    await web.expectSilence(50);
    web.send(ok("1"));
    await client.expectMessage(ok("1"));
    await web.expectMessage(forwardedGet("/2"));
    web.send(ok("2"));
    await client.expectMessage(ok("2"));
    // Over a pooled connection head and body leave in the same turn.
    client.send(post("/3", field) + body + get("/4"));
    await web.expectMessage(forwardedPost("/3", field) + body);
    web.send(ok("3"));
    await client.expectMessage(ok("3"));
    await web.expectMessage(forwardedGet("/4"));
    web.send(ok("4"));
    await client.expectMessage(ok("4"));
  });
}

scenario("a client that has sent FIN behind its body still gets the answer", async (s) => {
  const { server, client } = await s.one();
  client.send(`${post("/1", "Content-Length: 4")}body`);
  client.fin();
  const web = await server.accept();
  await web.expectMessage(`${forwardedPost("/1", "Content-Length: 4")}body`);
  web.send(ok("1"));
  await client.expectMessage(ok("1"));
  await client.expectFin();
});

scenario("empty lines behind a body are no request", async (s) => {
  const { server, client } = await s.one({ timeouts: { requestHeadMs: 200, keepAliveMs: 600 } });
  client.send(`${post("/1", "Content-Length: 4")}body\r\n`);
  const web = await server.accept();
  await web.expectMessage(`${forwardedPost("/1", "Content-Length: 4")}body`);
  web.send(ok("1"));
  await client.expectMessage(ok("1"));
  await client.expectSilence(350);
  client.send(get("/2"));
  await web.expectMessage(forwardedGet("/2"));
  web.send(ok("2"));
  await client.expectMessage(ok("2"));
  await client.expectFin();
});

scenario("a response that ends with its connection ends the client's too", async (s) => {
  const { server, client } = await s.one();
  client.send(get("/"));
  const web = await server.accept();
  await web.expectMessage(forwardedGet("/"));
  web.send(`${head("HTTP/1.1 200 OK", "Content-Type: text/plain")}some`);
  await client.expectMessage(
    `${head("HTTP/1.1 200 OK", "Content-Type: text/plain", "Connection: close")}some`,
  );
  web.send(" more");
  await client.expect(" more");
  web.fin();
  await client.expectFin();
});

scenario("a large body arrives whole and unchanged, in both directions", async (s, t) => {
  const { server, client } = await s.one();
  const body = Buffer.alloc(3_000_000, "0123456789abcdefghijklmnopqrstuvwxyz\n");
  client.send(post("/", `Content-Length: ${body.length}`));
  const web = await server.accept();
  await web.expectMessage(forwardedPost("/", `Content-Length: ${body.length}`));
  const [, uploaded] = await Promise.all([client.sendLarge(body), web.receive(body.length)]);
  t.ok(uploaded.equals(body), "the upload is exact");
  web.send(head("HTTP/1.1 200 OK", `Content-Length: ${body.length}`));
  await client.expectMessage(head("HTTP/1.1 200 OK", `Content-Length: ${body.length}`));
  const [, downloaded] = await Promise.all([web.sendLarge(body), client.receive(body.length)]);
  t.ok(downloaded.equals(body), "the download is exact");
});

// —— HTTP/1.0 clients ——

scenario("an HTTP/1.0 client gets a chunked body without its chunks, and the end by a close", async (s) => {
  const { server, client } = await s.one();
  client.send(head("GET / HTTP/1.0", "Host: site", "Connection: keep-alive"));
  const web = await server.accept();
  await web.expectMessage(forwardedGet("/"));
  await web.sendSlowly(
    [
      `${head("HTTP/1.1 200 OK", chunked)}5\r\nhel`,
      "lo\r\n1;x",
      "=y\r\n \r\n5\r\nworld\r",
      "\n0\r\nX-Sum: 1\r\n\r\n",
    ],
    20,
  );
  await client.expectMessage(`${head("HTTP/1.1 200 OK", "Connection: close")}hello world`);
  await client.expectFin();
});

scenario("an HTTP/1.0 client's connection is closed after the answer", async (s, t) => {
  const { server, client } = await s.one();
  client.send(head("GET / HTTP/1.0"));
  const web = await server.accept();
  const { line, fields } = await web.receiveHead();
  t.equal(line, "GET / HTTP/1.1");
  t.match(fields[0], /^Host: 127\.0\.0\.1:\d+$/);
  web.send(ok("1"));
  await client.expectMessage(`${head("HTTP/1.1 200 OK", "Content-Length: 1", "Connection: close")}1`);
  await client.expectFin();
});

scenario("an HTTP/1.0 client that asks for keep-alive gets it", async (s) => {
  const { server, client } = await s.one();
  for (const [i, body] of ["1", "2"].entries()) {
    client.send(head("GET / HTTP/1.0", "Host: site", "Connection: keep-alive"));
    const web = i === 0 ? await server.accept() : server.peers[0];
    await web.expectMessage(forwardedGet("/"));
    web.send(ok(body));
    await client.expectMessage(
      `${head("HTTP/1.1 200 OK", "Content-Length: 1", "Connection: keep-alive")}${body}`,
    );
  }
});
