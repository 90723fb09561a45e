import { forwardedGet, get, head, lastOk, ok, scenario } from "./scenario.js";

scenario("a request goes to the server and the response comes back", async (s, t) => {
  const { server, proxy, client } = await s.one();
  client.send(get("/a?b=c"));
  const web = await server.accept();
  await web.expectMessage(forwardedGet("/a?b=c"));
  web.send(ok("hello"));
  await client.expectMessage(ok("hello"));

  const { frontend, backend } = proxy.stats();
  t.equal(frontend.bytesIn, get("/a?b=c").length);
  t.equal(frontend.bytesOut, ok("hello").length);
  t.equal(backend.bytesIn, forwardedGet("/a?b=c").length);
  t.equal(backend.bytesOut, ok("hello").length);
  t.equal(frontend.responses2xx, 1);
  t.equal(backend.responses2xx, 1);
  t.equal(backend.idleConnections, 1);
});

scenario(
  "the requests of one connection take turns over the servers, on connections that are kept",
  async (s, t) => {
    const servers = [await s.server(), await s.server()];
    const proxy = s.proxy(servers);
    const client = await proxy.client();
    const peers = [];
    for (const [i, server] of servers.entries()) {
      client.send(get(`/${i}`));
      const web = await server.accept();
      peers.push(web);
      await web.expectMessage(forwardedGet(`/${i}`));
      web.send(ok(`from ${i}`));
      await client.expectMessage(ok(`from ${i}`));
    }
    for (let i = 2; i < 6; i++) {
      client.send(get(`/${i}`));
      await peers[i % 2].expectMessage(forwardedGet(`/${i}`));
      peers[i % 2].send(ok(`from ${i % 2}`));
      await client.expectMessage(ok(`from ${i % 2}`));
    }
    t.same(
      proxy
        .stats()
        .servers.map(({ connectsTotal, reuses, selections, idleConnections, usedConnections }) => ({
          connectsTotal,
          reuses,
          selections,
          idleConnections,
          usedConnections,
        })),
      servers.map(() => ({
        connectsTotal: 1,
        reuses: 2,
        selections: 3,
        idleConnections: 1,
        usedConnections: 0,
      })),
    );
  },
);

scenario("a connection to a server that one client left behind serves the next client", async (s, t) => {
  const { server, proxy, client } = await s.one();
  client.send(get("/1"));
  const web = await server.accept();
  await web.expectMessage(forwardedGet("/1"));
  web.send(ok("1"));
  await client.expectMessage(ok("1"));
  client.fin();
  await client.expectFin();

  const next = await proxy.client();
  next.send(get("/2"));
  await web.expectMessage(forwardedGet("/2"));
  t.equal(proxy.stats().backend.usedConnections, 1);
  t.equal(proxy.stats().backend.idleConnections, 0);
  web.send(ok("2"));
  await next.expectMessage(ok("2"));
});

scenario("a head that comes byte by byte is one request", async (s) => {
  const { server, client } = await s.one();
  await client.sendSlowly(get("/slow", "Cookie: a=b"), 1);
  const web = await server.accept();
  await web.expectMessage(forwardedGet("/slow", "Cookie: a=b"));
  await web.sendSlowly(ok("and so is the answer"), 1);
  await client.expectMessage(ok("and so is the answer"));
  await client.sendSlowly(["\r\n\r", "\nGET /again HT", "TP/1.1\r\nHost: site\r", "\n\r", "\n"], 5);
  await web.expectMessage(forwardedGet("/again"));
  web.send(ok(""));
  await client.expectMessage(ok(""));
});

scenario("pipelined requests are answered in their order, also by different servers", async (s) => {
  const [first, second] = [await s.server(), await s.server()];
  const client = await s.proxy([first, second]).client();
  client.send(get("/1") + get("/2") + get("/3").slice(0, 20));
  const web1 = await first.accept();
  await web1.expectMessage(forwardedGet("/1"));
  client.send(get("/3").slice(20));
  await web1.expectSilence(50);
  web1.send(ok("one"));
  await client.expectMessage(ok("one"));
  const web2 = await second.accept();
  await web2.expectMessage(forwardedGet("/2"));
  web2.send(ok("two"));
  await client.expectMessage(ok("two"));
  await web1.expectMessage(forwardedGet("/3"));
  web1.send(ok("three"));
  await client.expectMessage(ok("three"));
});

scenario(
  "very many pipelined requests wait in the kernel, not in the proxy, and are all answered",
  async (s) => {
    const { server, client } = await s.one();
    const count = 5_000;
    server.serve(async (web) => {
      for (let i = 0; i < count; i++) {
        await web.expectMessage(forwardedGet(`/${i}`));
        web.send(ok(`${i}`));
      }
    });
    client.send(Array.from({ length: count }, (_, i) => get(`/${i}`)).join(""));
    for (let i = 0; i < count; i++) await client.expectMessage(ok(`${i}`));
  },
);

scenario(
  "Connection: close ends the connection after the answer, and what follows is not served",
  async (s) => {
    const { server, client } = await s.one();
    client.send(get("/last", "Connection: close") + get("/never"));
    const web = await server.accept();
    await web.expectMessage(forwardedGet("/last"));
    web.send(ok("bye"));
    await client.expectMessage(lastOk("bye"));
    await client.expectFin();
    await web.expectSilence(50);
  },
);

scenario("a client that has sent FIN behind its request still gets the answer", async (s) => {
  const { server, client } = await s.one();
  client.send(get("/"));
  client.fin();
  const web = await server.accept();
  await web.expectMessage(forwardedGet("/"));
  web.send(ok("late"));
  await client.expectMessage(ok("late"));
  await client.expectFin();
});

scenario("a client that has sent FIN behind pipelined requests gets all answers", async (s) => {
  const { server, client } = await s.one();
  client.send(get("/1") + get("/2"));
  client.fin();
  const web = await server.accept();
  await web.expectMessage(forwardedGet("/1"));
  web.send(ok("1"));
  await client.expectMessage(ok("1"));
  await web.expectMessage(forwardedGet("/2"));
  web.send(ok("2"));
  await client.expectMessage(ok("2"));
  await client.expectFin();
});

scenario("a server that says Connection: close is taken at its word", async (s) => {
  const { server, client } = await s.one();
  client.send(get("/1"));
  const web = await server.accept();
  await web.expectMessage(forwardedGet("/1"));
  web.send(lastOk("1"));
  await client.expectMessage(ok("1"));
  await web.expectFin();
  client.send(get("/2"));
  const other = await server.accept();
  await other.expectMessage(forwardedGet("/2"));
  other.send(ok("2"));
  await client.expectMessage(ok("2"));
});

scenario("an HTTP/1.0 server's connection is kept only if it says so", async (s) => {
  const { server, client } = await s.one();
  client.send(get("/1"));
  const web = await server.accept();
  await web.expectMessage(forwardedGet("/1"));
  web.send(`${head("HTTP/1.0 200 OK", "Content-Length: 1", "Connection: keep-alive")}1`);
  await client.expectMessage(ok("1"));
  client.send(get("/2"));
  await web.expectMessage(forwardedGet("/2"));
  web.send(`${head("HTTP/1.0 200 OK", "Content-Length: 1")}2`);
  await client.expectMessage(ok("2"));
  await web.expectFin();
});

scenario("a connection on which the server said more than its answer is not used again", async (s) => {
  const { server, client } = await s.one();
  client.send(get("/1"));
  const web = await server.accept();
  await web.expectMessage(forwardedGet("/1"));
  web.send(`${ok("1")}${ok("poison")}`);
  await client.expectMessage(ok("1"));
  await web.expectEnd();
  client.send(get("/2"));
  const other = await server.accept();
  await other.expectMessage(forwardedGet("/2"));
  other.send(ok("2"));
  await client.expectMessage(ok("2"));
});

scenario("an idle connection on which the server speaks unasked is dropped", async (s, t) => {
  const { server, proxy, client } = await s.one();
  client.send(get("/1"));
  const web = await server.accept();
  await web.expectMessage(forwardedGet("/1"));
  web.send(ok("1"));
  await client.expectMessage(ok("1"));
  web.send(head("HTTP/1.1 408 Request Time-out", "Content-Length: 0", "Connection: close"));
  await web.expectEnd();
  t.equal(proxy.stats().backend.idleConnections, 0);
  client.send(get("/2"));
  const other = await server.accept();
  await other.expectMessage(forwardedGet("/2"));
  other.send(ok("2"));
  await client.expectMessage(ok("2"));
});

scenario("an idle connection that the server closes leaves the pool", async (s, t) => {
  const { server, proxy, client } = await s.one();
  client.send(get("/1"));
  const web = await server.accept();
  await web.expectMessage(forwardedGet("/1"));
  web.send(ok("1"));
  await client.expectMessage(ok("1"));
  web.fin();
  await web.expectFin();
  t.equal(proxy.stats().backend.idleConnections, 0);
});
