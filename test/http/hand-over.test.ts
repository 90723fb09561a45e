import { delay } from "./peer.js";
import { forwardedGet, get, head, lastOk, ok, scenario } from "./scenario.js";

// —— the address moves: `handOver` ——

scenario(
  "a hand-over ends connections that rest, and keeps the servers' for who still comes",
  async (s, t) => {
    const { server, proxy, client } = await s.one();
    client.send(get("/"));
    const web = await server.accept();
    await web.expectMessage(forwardedGet("/"));
    web.send(ok("1"));
    await client.expectMessage(ok("1"));
    const silent = await proxy.client();
    await delay(1_050);
    proxy.instance.handOver();
    await client.expectFin();
    await silent.expectFin();
    t.equal(proxy.stats().backend.idleConnections, 1);
    const late = await proxy.client();
    late.send(get("/2"));
    await web.expectMessage(forwardedGet("/2"));
    web.send(ok("2"));
    await late.expectMessage(lastOk("2"));
    await late.expectFin();
  },
);

scenario("a hand-over does not end a connection whose next request may be on its way", async (s) => {
  const { server, proxy, client } = await s.one();
  client.send(get("/1"));
  const web = await server.accept();
  await web.expectMessage(forwardedGet("/1"));
  web.send(ok("1"));
  await client.expectMessage(ok("1"));
  proxy.instance.handOver();
  client.send(get("/2") + get("/3"));
  await web.expectMessage(forwardedGet("/2"));
  web.send(ok("2"));
  await client.expectMessage(lastOk("2"));
  await client.expectFin();
  await web.expectSilence(50);
});

scenario("a hand-over lets an exchange finish, and says Connection: close in its answer", async (s) => {
  const { server, proxy, client } = await s.one();
  client.send(get("/"));
  const web = await server.accept();
  await web.expectMessage(forwardedGet("/"));
  proxy.instance.handOver();
  await client.expectSilence(50);
  web.send(ok("last"));
  await client.expectMessage(lastOk("last"));
  await client.expectFin();
});

scenario("a response that promised to keep the connection open keeps it for one more request", async (s) => {
  const { server, proxy, client } = await s.one();
  client.send(get("/1"));
  const web = await server.accept();
  await web.expectMessage(forwardedGet("/1"));
  web.send(`${head("HTTP/1.1 200 OK", "Content-Length: 8")}half`);
  await client.expectMessage(`${head("HTTP/1.1 200 OK", "Content-Length: 8")}half`);
  proxy.instance.handOver();
  web.send("half");
  await client.expect("half");
  client.send(get("/2"));
  await web.expectMessage(forwardedGet("/2"));
  web.send(ok("2"));
  await client.expectMessage(lastOk("2"));
  await client.expectFin();
});

scenario("a hand-over lets a body that has begun arrive whole", async (s) => {
  const { server, proxy, client } = await s.one();
  client.send(head("POST / HTTP/1.1", "Host: site", "Content-Length: 8"), "half");
  const web = await server.accept();
  await web.receiveHead();
  await web.expect("half");
  proxy.instance.handOver();
  client.send("half");
  await web.expect("half");
  web.send(ok("last"));
  await client.expectMessage(lastOk("last"));
  await client.expectFin();
});

scenario("a hand-over lets a head that has begun become a request", async (s) => {
  const { server, proxy, client } = await s.one();
  client.send(get("/").slice(0, 10));
  await client.expectSilence(1_050);
  proxy.instance.handOver();
  client.send(get("/").slice(10));
  const web = await server.accept();
  await web.expectMessage(forwardedGet("/"));
  web.send(ok("last"));
  await client.expectMessage(lastOk("last"));
  await client.expectFin();
});

scenario("a client that comes during a hand-over is served once", async (s) => {
  const server = await s.server();
  const proxy = s.proxy([server]);
  proxy.instance.handOver();
  const client = await proxy.client();
  client.send(get("/1") + get("/2"));
  const web = await server.accept();
  await web.expectMessage(forwardedGet("/1"));
  web.send(ok("1"));
  await client.expectMessage(lastOk("1"));
  await client.expectFin();
  await web.expectSilence(50);
});

scenario("during a hand-over an answer of the proxy's own says Connection: close as well", async (s, t) => {
  const proxy = s.proxy([await s.refusing()]);
  proxy.instance.handOver();
  const client = await proxy.client();
  client.send(get("/"));
  t.match((await client.receiveAll()).toString("latin1"), /^HTTP\/1\.1 503 .*\r\nConnection: close\r\n/s);
});

// —— nothing new comes: `drain` ——

scenario("a drain ends every connection that waits, on both sides", async (s, t) => {
  const { server, proxy, client } = await s.one();
  client.send(get("/"));
  const web = await server.accept();
  await web.expectMessage(forwardedGet("/"));
  web.send(ok("1"));
  await client.expectMessage(ok("1"));
  proxy.instance.drain();
  await client.expectFin();
  await web.expectFin();
  t.equal(proxy.stats().backend.idleConnections, 0);
});

scenario("a drain lets exchanges finish, and keeps no connection after them", async (s) => {
  const { server, proxy, client } = await s.one();
  client.send(get("/"));
  const web = await server.accept();
  await web.expectMessage(forwardedGet("/"));
  web.send(`${head("HTTP/1.1 200 OK", "Content-Length: 8")}half`);
  await client.expectMessage(`${head("HTTP/1.1 200 OK", "Content-Length: 8")}half`);
  const waiting = await proxy.client();
  waiting.send(get("/2"));
  const other = await server.accept();
  await other.expectMessage(forwardedGet("/2"));
  proxy.instance.drain();
  web.send("half");
  await client.expect("half");
  await client.expectFin();
  await web.expectFin();
  other.send(ok("2"));
  await waiting.expectMessage(lastOk("2"));
  await waiting.expectFin();
  await other.expectFin();
});

scenario("the end of the last client of a drain is told", async (s) => {
  const { server, proxy, client } = await s.one();
  client.send(get("/"));
  const web = await server.accept();
  await web.expectMessage(forwardedGet("/"));
  const emptied = new Promise<void>((resolve) => {
    proxy.instance.emptied = resolve;
  });
  proxy.instance.drain();
  web.send(ok("1"));
  await client.expectMessage(lastOk("1"));
  client.fin();
  await emptied;
});

scenario("a cut ends everything at once, and what is unfinished does not look whole", async (s, t) => {
  const { server, proxy, client } = await s.one();
  client.send(get("/"));
  const web = await server.accept();
  await web.expectMessage(forwardedGet("/"));
  web.send(`${head("HTTP/1.1 200 OK", "Content-Length: 8")}half`);
  await client.expectMessage(`${head("HTTP/1.1 200 OK", "Content-Length: 8")}half`);
  const waiting = await proxy.client();
  waiting.send(get("/2"));
  const other = await server.accept();
  await other.expectMessage(forwardedGet("/2"));
  t.equal(proxy.instance.cut(), 2);
  await client.expectReset();
  await waiting.expectReset();
  await web.expectReset();
  await other.expectReset();
  t.equal(proxy.instance.clients.size, 0);
  t.equal(proxy.stats().frontend.clientAborts, 0);
});
