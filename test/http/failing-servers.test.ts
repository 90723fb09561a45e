import { delay } from "./peer.js";
import { forwarded, forwardedGet, get, head, ok, scenario } from "./scenario.js";

const post = head("POST /p HTTP/1.1", "Host: site", "Content-Length: 4");
const forwardedPost = head("POST /p HTTP/1.1", "Host: site", ...forwarded, "Content-Length: 4");
const put = `${head("PUT /p HTTP/1.1", "Host: site", "Content-Length: 4")}body`;
const forwardedPut = `${head("PUT /p HTTP/1.1", "Host: site", ...forwarded, "Content-Length: 4")}body`;
const status = (code: number) => new RegExp(`^HTTP/1\\.1 ${code} `);

// —— servers that cannot be reached ——

for (const [method, request, atServer] of [
  ["GET", get("/"), forwardedGet("/")],
  ["POST", `${post}body`, `${forwardedPost}body`],
]) {
  scenario(`a ${method} whose server refuses the connection goes to the next one`, async (s, t) => {
    const live = await s.server();
    const proxy = s.proxy([await s.refusing(), live]);
    const client = await proxy.client();
    client.send(request);
    const web = await live.accept();
    await web.expectMessage(atServer);
    web.send(ok("here"));
    await client.expectMessage(ok("here"));
    const { servers } = proxy.stats();
    t.match(servers[0], { connectErrors: 1, redispatches: 1, connectsTotal: 1, selections: 1 });
    t.match(servers[1], { connectErrors: 0, redispatches: 0, responses2xx: 1 });
    t.equal(proxy.events.length, 1);
    t.match(proxy.events[0], { server: "refusing", reason: "ECONNREFUSED" });
  });
}

scenario(
  "a server that could not be reached is not asked again for a second, and the log says it once",
  async (s, t) => {
    const live = await s.server();
    const proxy = s.proxy([await s.refusing(), live]);
    live.serve(async (web) => {
      for (;;) {
        if ((await web.receiveHead().catch(() => null)) === null) return;
        web.send(ok("here"));
      }
    });
    const client = await proxy.client();
    for (let i = 0; i < 6; i++) {
      client.send(get("/"));
      await client.expectMessage(ok("here"));
    }
    t.equal(proxy.stats().servers[0].connectErrors, 1);
    t.equal(proxy.events.length, 1);
    await delay(1_050);
    for (let i = 0; i < 2; i++) {
      client.send(get("/"));
      await client.expectMessage(ok("here"));
    }
    t.equal(proxy.stats().servers[0].connectErrors, 2);
    t.equal(proxy.events.length, 1);
  },
);

scenario("when every server refuses the client gets 503 and may try again", async (s, t) => {
  const proxy = s.proxy([await s.refusing("a"), await s.refusing("b")]);
  const client = await proxy.client();
  for (let i = 1; i <= 2; i++) {
    client.send(get("/"));
    const head = await client.receiveHead();
    t.match(head.line, status(503));
    t.equal(head.field("connection"), undefined);
    await client.receive(Number(head.field("content-length")));
    t.equal(proxy.stats().backend.responses5xx, i);
  }
  t.match(proxy.stats().backend, { connectErrors: 4, redispatches: 2 });
});

scenario("a 503 to a POST whose body still comes closes the connection", async (s, t) => {
  const proxy = s.proxy([await s.refusing()]);
  const client = await proxy.client();
  client.send(post);
  t.match((await client.receiveAll()).toString("latin1"), /^HTTP\/1\.1 503 .*\r\nConnection: close\r\n/s);
});

scenario(
  "a server that does not take the connection in time loses the request to the next one",
  async (s, t) => {
    const live = await s.server();
    const proxy = s.proxy([await s.unresponsive(), live], { timeouts: { connectMs: 200, clientMs: 150 } });
    const client = await proxy.client();
    client.send(`${post}body`);
    const web = await live.accept();
    await web.expectMessage(`${forwardedPost}body`);
    web.send(ok("here"));
    await client.expectMessage(ok("here"));
    t.match(proxy.stats().servers[0], { connectErrors: 1, redispatches: 1 });
  },
);

// —— connections that die before the response ——

scenario(
  "a GET whose kept connection the server has just closed is sent again, unseen by the client",
  async (s, t) => {
    for (const end of ["fin", "reset"] as const) {
      const { server, proxy, client } = await s.one();
      client.send(get("/1"));
      const web = await server.accept();
      await web.expectMessage(forwardedGet("/1"));
      web.send(ok("1"));
      await client.expectMessage(ok("1"));
      // The server gets the request and ends the connection for it had been about to.
      client.send(get("/2"));
      await web.expectMessage(forwardedGet("/2"));
      web[end]();
      const other = await server.accept();
      await other.expectMessage(forwardedGet("/2"));
      other.send(ok("2"));
      await client.expectMessage(ok("2"));
      t.match(proxy.stats().backend, { retries: 1, redispatches: 0, responses5xx: 0 });
      t.equal(proxy.events.length, 0);
    }
  },
);

scenario("a PUT with a small body is sent again whole", async (s) => {
  const { server, client } = await s.one();
  client.send(get("/1"));
  const web = await server.accept();
  await web.expectMessage(forwardedGet("/1"));
  web.send(ok("1"));
  await client.expectMessage(ok("1"));
  client.send(put);
  await web.expectMessage(forwardedPut);
  web.fin();
  const other = await server.accept();
  await other.expectMessage(forwardedPut);
  other.send(ok("2"));
  await client.expectMessage(ok("2"));
});

scenario("a PUT that is sent again goes on with the rest of its body", async (s) => {
  const { server, client } = await s.one();
  client.send(get("/1"));
  const web = await server.accept();
  await web.expectMessage(forwardedGet("/1"));
  web.send(ok("1"));
  await client.expectMessage(ok("1"));
  client.send(put.slice(0, -2));
  await web.expectMessage(forwardedPut.slice(0, -2));
  web.reset();
  const other = await server.accept();
  await other.expectMessage(forwardedPut.slice(0, -2));
  client.send("dy");
  await other.expect("dy");
  other.send(ok("2"));
  await client.expectMessage(ok("2"));
});

scenario("a POST whose kept connection dies gets 502, for nobody knows whether it was done", async (s, t) => {
  const { server, proxy, client } = await s.one();
  client.send(get("/1"));
  const web = await server.accept();
  await web.expectMessage(forwardedGet("/1"));
  web.send(ok("1"));
  await client.expectMessage(ok("1"));
  client.send(`${post}body`);
  await web.expectMessage(`${forwardedPost}body`);
  web.reset();
  t.match((await client.receiveHead()).line, status(502));
  t.match(proxy.stats().backend, { responseErrors: 1, serverAborts: 0, retries: 0, redispatches: 0 });
});

scenario("a POST does not take a connection that has been idle for a second", async (s) => {
  const { server, client } = await s.one();
  client.send(get("/1"));
  const web = await server.accept();
  await web.expectMessage(forwardedGet("/1"));
  web.send(ok("1"));
  await client.expectMessage(ok("1"));
  await delay(1_050);
  client.send(`${post}body`);
  const other = await server.accept();
  await other.expectMessage(`${forwardedPost}body`);
  other.send(ok("2"));
  await client.expectMessage(ok("2"));
});

scenario("a GET whose fresh connection dies before a byte of the answer moves on, once", async (s, t) => {
  const [first, second, third] = [await s.server(), await s.server(), await s.server()];
  const proxy = s.proxy([first, second, third]);
  const client = await proxy.client();
  client.send(get("/1"));
  const web1 = await first.accept();
  await web1.expectMessage(forwardedGet("/1"));
  web1.reset();
  const web2 = await second.accept();
  await web2.expectMessage(forwardedGet("/1"));
  web2.send(ok("1"));
  await client.expectMessage(ok("1"));
  t.match(proxy.stats().backend, { redispatches: 1, retries: 0 });

  client.send(get("/2"));
  const web3 = await third.accept();
  await web3.expectMessage(forwardedGet("/2"));
  web3.fin();
  // The next in turn would be the first, which is held back: it failed a moment ago.
  await web2.expectMessage(forwardedGet("/2"));
  web2.fin();
  // That was a kept connection, so the same server is asked again over a new one.
  const web4 = await second.accept();
  await web4.expectMessage(forwardedGet("/2"));
  web4.reset();
  t.match((await client.receiveHead()).line, status(502));
});

scenario(
  "a GET whose fresh connection dies before a byte gets 502 when there is no other server",
  async (s, t) => {
    const { server, proxy, client } = await s.one();
    client.send(get("/"));
    const web = await server.accept();
    await web.expectMessage(forwardedGet("/"));
    web.fin();
    t.match((await client.receiveHead()).line, status(502));
    t.match(proxy.stats().backend, { responseErrors: 1, serverAborts: 0, redispatches: 0, responses5xx: 1 });
  },
);

scenario("a request with a body that moves on to a kept connection goes on with its body", async (s) => {
  const [first, second] = [await s.server(), await s.server()];
  const client = await s.proxy([first, second]).client();
  client.send(get("/1"));
  const web1 = await first.accept();
  await web1.expectMessage(forwardedGet("/1"));
  web1.send(head("HTTP/1.1 200 OK", "Content-Length: 0", "Connection: close"));
  await client.expectMessage(ok(""));
  client.send(get("/2"));
  const web2 = await second.accept();
  await web2.expectMessage(forwardedGet("/2"));
  web2.send(ok("2"));
  await client.expectMessage(ok("2"));
  // The first server is gone now; the second one's connection lies in the pool.
  first.refuse();
  client.send(put);
  await web2.expectMessage(forwardedPut);
  web2.send(ok("3"));
  await client.expectMessage(ok("3"));
});

// —— responses that break off ——

scenario("a response that breaks off never looks whole: the client's connection is reset", async (s, t) => {
  const server = await s.server();
  const proxy = s.proxy([server]);
  const begins = [
    `${head("HTTP/1.1 200 OK", "Content-Length: 10")}half`,
    `${head("HTTP/1.1 200 OK", "Transfer-Encoding: chunked")}4\r\nhalf\r\n`,
  ];
  for (const response of begins) {
    for (const end of ["fin", "reset"] as const) {
      const client = await proxy.client();
      client.send(get("/"));
      const web = await server.accept();
      await web.expectMessage(forwardedGet("/"));
      web.send(response);
      await client.expectMessage(response);
      web[end]();
      await client.expectReset();
    }
  }
  t.match(proxy.stats().backend, { responseErrors: 4, serverAborts: 4 });
  t.equal(proxy.stats().frontend.clientAborts, 0);
});

scenario("a response until close that ends by a reset is cut", async (s) => {
  const { server, client } = await s.one();
  client.send(get("/"));
  const web = await server.accept();
  await web.expectMessage(forwardedGet("/"));
  web.send(`${head("HTTP/1.1 200 OK")}half`);
  await client.expectMessage(`${head("HTTP/1.1 200 OK", "Connection: close")}half`);
  web.reset();
  await client.expectReset();
});

scenario("a response until close that comes together with a reset is cut", async (s, t) => {
  const { server, proxy, client } = await s.one();
  client.send(get("/"));
  const web = await server.accept();
  await web.expectMessage(forwardedGet("/"));
  web.send(`${head("HTTP/1.1 200 OK")}half`);
  web.reset();
  await client.expectReset();
  t.match(proxy.stats().backend, { responseErrors: 1, serverAborts: 1 });
});

scenario("an HTTP/1.0 client cannot take half a chunked body for the whole", async (s) => {
  const { server, client } = await s.one();
  client.send(head("GET / HTTP/1.0", "Host: site"));
  const web = await server.accept();
  await web.expectMessage(forwardedGet("/"));
  web.send(`${head("HTTP/1.1 200 OK", "Transfer-Encoding: chunked")}4\r\nhalf\r\n`);
  await client.expectMessage(`${head("HTTP/1.1 200 OK", "Connection: close")}half`);
  web.fin();
  await client.expectReset();
});

scenario("a response that dies in its head is answered with 502, and not sent again", async (s, t) => {
  const { server, proxy, client } = await s.one();
  client.send(get("/"));
  const web = await server.accept();
  await web.expectMessage(forwardedGet("/"));
  web.send("HTTP/1.1 200 O");
  await delay(20);
  web.fin();
  t.match((await client.receiveHead()).line, status(502));
  t.match(proxy.stats().backend, { responseErrors: 1, serverAborts: 0, responses5xx: 1 });
});

for (const [name, response] of [
  ["is not HTTP", "SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n"],
  [
    "has Content-Length and Transfer-Encoding",
    head("HTTP/1.1 200 OK", "Content-Length: 3", "Transfer-Encoding: chunked"),
  ],
  ["has two lengths", head("HTTP/1.1 200 OK", "Content-Length: 3", "Content-Length: 4")],
  ["folds a field", head("HTTP/1.1 200 OK", "X: a", " b", "Content-Length: 0")],
  ["has a NUL in a field", head("HTTP/1.1 200 OK", "X: a\0b", "Content-Length: 0")],
  ["has a head without end", `HTTP/1.1 200 OK\r\nX: ${"x".repeat(20_000)}`],
  ["begins its chunks with nonsense", `${head("HTTP/1.1 200 OK", "Transfer-Encoding: chunked")}xyz\r\n`],
]) {
  scenario(`a response that ${name} is answered with 502, and the log says why`, async (s, t) => {
    const { server, proxy, client } = await s.one();
    client.send(get("/"));
    const web = await server.accept();
    await web.expectMessage(forwardedGet("/"));
    web.send(response);
    t.match((await client.receiveHead()).line, status(502));
    await web.expectEnd();
    t.match(proxy.stats().backend, { responseErrors: 1, responses5xx: 1 });
    t.equal(proxy.events.length, 1);
  });
}

scenario("an error in the chunks of a response cuts it", async (s) => {
  const { server, client } = await s.one();
  client.send(get("/"));
  const web = await server.accept();
  await web.expectMessage(forwardedGet("/"));
  const begin = `${head("HTTP/1.1 200 OK", "Transfer-Encoding: chunked")}4\r\ngood\r\n`;
  web.send(begin);
  await client.expectMessage(begin);
  web.send("-1\r\nbad\r\n");
  await client.expectReset();
  await web.expectEnd();
});
