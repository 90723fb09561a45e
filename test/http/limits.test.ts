import { delay, eventually } from "./peer.js";
import { forwardedGet, get, ok, scenario } from "./scenario.js";

scenario("beyond maxconn a client waits in the backlog until another has left", async (s, t) => {
  const server = await s.server();
  const proxy = s.proxy([server], { maxconn: 2 });
  const [first, second, third] = [await proxy.client(), await proxy.client(), await proxy.client()];
  await eventually(
    () => proxy.stats().frontend.limitReached === 1,
    () => "the limit is not reached",
  );
  third.send(get("/third"));
  second.send(get("/second"));
  const web = await server.accept();
  await web.expectMessage(forwardedGet("/second"));
  web.send(ok("second"));
  await second.expectMessage(ok("second"));
  await delay(200);
  t.match(proxy.stats().frontend, { sessionsCurrent: 2, sessionsMax: 2, connectionsTotal: 2 });
  t.match(proxy.events, [
    { message: "clients wait for others to leave", proxy: "http", reason: "maxconn of the proxy" },
  ]);
  first.fin();
  await first.expectFin();
  await web.expectMessage(forwardedGet("/third"));
  web.send(ok("third"));
  await third.expectMessage(ok("third"));
  t.equal(proxy.stats().frontend.sessionsMax, 2);
});

scenario("at maxconn clients come and go, each is served in the end", async (s, t) => {
  const server = await s.server();
  server.serve(async (web) => {
    for (;;) {
      const head = await web.receiveHead().catch(() => null);
      if (head === null) return;
      web.send(ok("x"));
    }
  });
  const proxy = s.proxy([server], { maxconn: 3 });
  const clients = await Promise.all(Array.from({ length: 30 }, () => proxy.client()));
  await Promise.all(
    clients.map(async (client) => {
      client.send(get("/"));
      await client.expectMessage(ok("x"));
      client.fin();
      await client.expectFin();
    }),
  );
  t.equal(proxy.stats().frontend.connectionsTotal, 30);
  t.equal(proxy.stats().frontend.sessionsMax, 3);
});
