import { forwarded, forwardedGet, get, head, lastOk, ok, scenario } from "./scenario.js";

const post = (length: number) => head("POST /p HTTP/1.1", "Host: site", `Content-Length: ${length}`);
const forwardedPost = (length: number) =>
  head("POST /p HTTP/1.1", "Host: site", ...forwarded, `Content-Length: ${length}`);

/** Milliseconds that this takes. */
async function timed(wait: Promise<unknown>): Promise<number> {
  const start = performance.now();
  await wait;
  return performance.now() - start;
}

scenario("a client that sends nothing gets 408", async (s, t) => {
  const { proxy, client } = await s.one({ timeouts: { requestHeadMs: 200 } });
  t.match((await client.receiveAll()).toString("latin1"), /^HTTP\/1\.1 408 .*\r\nConnection: close\r\n/s);
  t.match(proxy.stats().frontend, { requestErrors: 1, responses4xx: 1, intercepted: 0, requestsTotal: 1 });
});

scenario("a head that dribbles in does not get more time for it", async (s, t) => {
  const { client } = await s.one({ timeouts: { requestHeadMs: 300 } });
  const dribble = client.sendSlowly(get("/", "X: a very long field").slice(0, 40), 20);
  const ms = await timed(client.receiveHead().then(({ line }) => t.match(line, /^HTTP\/1\.1 408 /)));
  t.ok(ms > 200 && ms < 1_000, `after ${ms} ms`);
  await dribble;
});

scenario("empty lines before the first request do not get more time for it", async (s, t) => {
  const { client } = await s.one({ timeouts: { requestHeadMs: 300 } });
  const dribble = client.sendSlowly(Array(40).fill("\r\n"), 20);
  const ms = await timed(client.receiveHead().then(({ line }) => t.match(line, /^HTTP\/1\.1 408 /)));
  t.ok(ms > 200 && ms < 1_000, `after ${ms} ms`);
  await dribble;
});

scenario("the second head on a connection has its own time, from its first byte on", async (s, t) => {
  const { server, client } = await s.one({ timeouts: { requestHeadMs: 300 } });
  client.send(get("/"));
  const web = await server.accept();
  await web.expectMessage(forwardedGet("/"));
  web.send(ok("1"));
  await client.expectMessage(ok("1"));
  await client.expectSilence(500);
  const dribble = client.sendSlowly(get("/", "X: a very long field").slice(0, 40), 20);
  const ms = await timed(client.receiveHead().then(({ line }) => t.match(line, /^HTTP\/1\.1 408 /)));
  t.ok(ms > 250 && ms < 1_000, `after ${ms} ms`);
  await dribble;
});

scenario("a kept connection on which no further request comes is closed without a word", async (s, t) => {
  const { server, proxy, client } = await s.one({ timeouts: { keepAliveMs: 600, requestHeadMs: 400 } });
  client.send(get("/"));
  const web = await server.accept();
  await web.expectMessage(forwardedGet("/"));
  web.send(ok("1"));
  await client.expectMessage(ok("1"));
  const ms = await timed(client.expectFin());
  t.ok(ms > 500 && ms < 5_000, `after ${ms} ms`);
  t.match(proxy.stats().frontend, { requestErrors: 0, responses4xx: 0 });
  // The server's connection rests no longer.
  await web.expectFin();
  t.equal(proxy.stats().backend.idleConnections, 0);
});

scenario("a body that stops coming gets 408", async (s, t) => {
  const { server, proxy, client } = await s.one({ timeouts: { clientMs: 300, serverMs: 100 } });
  client.send(post(10), "half");
  const web = await server.accept();
  await web.expectMessage(`${forwardedPost(10)}half`);
  t.match((await client.receiveAll()).toString("latin1"), /^HTTP\/1\.1 408 .*\r\nConnection: close\r\n/s);
  await web.expectReset();
  t.match(proxy.stats().frontend, { requestErrors: 1, clientAborts: 0 });
  t.match(proxy.stats().backend, { responseErrors: 0, responses4xx: 1 });
});

scenario("a body that goes on coming may take longer than the client's time-out", async (s) => {
  const { server, client } = await s.one({ timeouts: { clientMs: 400, serverMs: 400 } });
  client.send(post(10));
  const web = await server.accept();
  await web.expectMessage(forwardedPost(10));
  await client.sendSlowly("0123456789", 50);
  await web.expect("0123456789");
  web.send(ok("done"));
  await client.expectMessage(ok("done"));
});

scenario(
  "a server that does not answer in time gets the client a 504, and is not asked again",
  async (s, t) => {
    const { server, proxy, client } = await s.one({ timeouts: { serverMs: 200 } });
    client.send(get("/"));
    const web = await server.accept();
    await web.expectMessage(forwardedGet("/"));
    let line = "";
    const ms = await timed(
      client.receiveHead().then((head) => {
        line = head.line;
      }),
    );
    t.match(line, /^HTTP\/1\.1 504 /);
    t.ok(ms > 150 && ms < 5_000, `after ${ms} ms`);
    await web.expectReset();
    t.match(proxy.stats().backend, { responseErrors: 1, serverAborts: 0, responses5xx: 1, redispatches: 0 });
  },
);

scenario("a client may go on after a 504", async (s, t) => {
  const { server, client } = await s.one({ timeouts: { serverMs: 200 } });
  client.send(get("/"));
  const web = await server.accept();
  await web.expectMessage(forwardedGet("/"));
  const { line, field } = await client.receiveHead();
  t.match(line, /^HTTP\/1\.1 504 /);
  await client.receive(Number(field("content-length")));
  client.send(get("/2"));
  const other = await server.accept();
  await other.expectMessage(forwardedGet("/2"));
  other.send(ok("2"));
  await client.expectMessage(ok("2"));
});

scenario("the server's time does not begin before the request is whole", async (s, t) => {
  const { server, client } = await s.one({ timeouts: { serverMs: 200 } });
  client.send(post(4));
  const web = await server.accept();
  await web.expectMessage(forwardedPost(4));
  await client.expectSilence(400);
  client.send("body");
  await web.expect("body");
  const ms = await timed(client.receiveHead().then(({ line }) => t.match(line, /^HTTP\/1\.1 504 /)));
  t.ok(ms > 150 && ms < 5_000, `after ${ms} ms`);
});

scenario("a response that stops in its body is cut", async (s, t) => {
  const { server, proxy, client } = await s.one({ timeouts: { serverMs: 200 } });
  client.send(get("/"));
  const web = await server.accept();
  await web.expectMessage(forwardedGet("/"));
  web.send(`${head("HTTP/1.1 200 OK", "Content-Length: 10")}half`);
  await client.expectMessage(`${head("HTTP/1.1 200 OK", "Content-Length: 10")}half`);
  await client.expectReset();
  await web.expectReset();
  t.match(proxy.stats().backend, { responseErrors: 1, serverAborts: 1 });
  t.equal(proxy.stats().frontend.clientAborts, 0);
});

scenario("a response that goes on coming may take longer than the server's time-out", async (s) => {
  const { server, client } = await s.one({ timeouts: { serverMs: 800, clientMs: 800 } });
  client.send(get("/"));
  const web = await server.accept();
  await web.expectMessage(forwardedGet("/"));
  web.send(head("HTTP/1.1 200 OK", "Content-Length: 10"));
  await web.sendSlowly("0123456789", 120);
  await client.expectMessage(`${head("HTTP/1.1 200 OK", "Content-Length: 10")}0123456789`);
});

scenario(
  "an upload to a server that has begun its answer may take longer than the server's time-out",
  async (s) => {
    const { server, client } = await s.one({ timeouts: { serverMs: 800, clientMs: 800 } });
    client.send(post(10));
    const web = await server.accept();
    await web.expectMessage(forwardedPost(10));
    web.send(head("HTTP/1.1 200 OK", "Content-Length: 4"));
    await client.expectMessage(head("HTTP/1.1 200 OK", "Content-Length: 4", "Connection: close"));
    await client.sendSlowly("0123456789", 120);
    await web.expect("0123456789");
    web.send("done");
    await client.expect("done");
    await client.expectFin();
  },
);

scenario(
  "a client that does not read its answer is cut after the client's time-out, and its server freed",
  async (s, t) => {
    const { server, proxy, client } = await s.one({ timeouts: { clientMs: 300, serverMs: 100 } });
    client.send(get("/"));
    const web = await server.accept();
    await web.expectMessage(forwardedGet("/"));
    client.stopReading();
    web.send(head("HTTP/1.1 200 OK", "Content-Length: 50000000"), Buffer.alloc(50_000_000));
    await web.expectReset();
    t.match(proxy.stats().backend, { responseErrors: 0, usedConnections: 0, sessionsCurrent: 0 });
    t.equal(proxy.stats().frontend.clientAborts, 1);
  },
);

scenario("a server that does not read the request's body gets the client a 504", async (s, t) => {
  const { server, proxy, client } = await s.one({ timeouts: { clientMs: 1_000, serverMs: 2_000 } });
  client.send(post(50_000_000));
  const web = await server.accept();
  await web.expectMessage(forwardedPost(50_000_000));
  web.stopReading();
  client.send(Buffer.alloc(50_000_000));
  t.match((await client.receiveHead()).line, /^HTTP\/1\.1 504 /);
  t.match(proxy.stats().frontend, { requestErrors: 0, clientAborts: 0 });
  web.readOn();
  await web.expectEnd();
});

scenario("a client that asked for the end is not waited for", async (s, t) => {
  const { server, proxy, client } = await s.one();
  client.send(get("/", "Connection: close"));
  const web = await server.accept();
  await web.expectMessage(forwardedGet("/"));
  web.send(ok("all of it"));
  await client.expectMessage(lastOk("all of it"));
  await client.expectFin();
  t.equal(proxy.stats().frontend.sessionsCurrent, 0);
});

scenario(
  "a connection that the proxy has ended does not wait for ever for the client's end",
  async (s, t) => {
    const { server, proxy, client } = await s.one();
    client.send(get("/"));
    const web = await server.accept();
    await web.expectMessage(forwardedGet("/"));
    proxy.instance.handOver();
    web.send(ok(""));
    await client.expectMessage(head("HTTP/1.1 200 OK", "Content-Length: 0", "Connection: close"));
    await client.expectFin();
    t.equal(proxy.stats().frontend.sessionsCurrent, 1);
    const ms = await timed(
      (async () => {
        while (proxy.instance.clients.size > 0) await new Promise((resolve) => setTimeout(resolve, 20));
      })(),
    );
    t.ok(ms < 3_000, `after ${ms} ms`);
  },
);
