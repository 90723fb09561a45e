import type { Peer } from "./peer.js";
import type { RunningProxy, ScriptedServer } from "./scenario.js";
import { forwarded, forwardedGet, get, head, lastOk, ok, scenario } from "./scenario.js";

const asked = head("GET /ws HTTP/1.1", "Host: site", "Connection: Upgrade", "Upgrade: websocket");
const forwardedAsked = head(
  "GET /ws HTTP/1.1",
  "Host: site",
  "Upgrade: websocket",
  ...forwarded,
  "Connection: Upgrade",
);
const agreed = head("HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade");

/** A tunnel from client to server. */
async function open({ server, client }: { server: ScriptedServer; client: Peer }): Promise<Peer> {
  client.send(asked);
  const web = await server.accept();
  await web.expectMessage(forwardedAsked);
  web.send(agreed);
  await client.expectMessage(agreed);
  return web;
}

scenario("an upgrade that the server agrees to becomes a tunnel, in both directions", async (s) => {
  const one = await s.one();
  const web = await open(one);
  one.client.send("\0ping\r\n\r\n");
  await web.expect("\0ping\r\n\r\n");
  web.send("HTTP/1.1 is over");
  await one.client.expect("HTTP/1.1 is over");
});

scenario("bytes that come early in a tunnel are not lost on either side", async (s) => {
  const { server, client } = await s.one();
  client.send(`${asked}early client`);
  const web = await server.accept();
  await web.expectMessage(forwardedAsked);
  web.send(`${agreed}early server`);
  await client.expectMessage(`${agreed}early server`);
  await web.expect("early client");
});

scenario("a client's FIN passes through the tunnel, and the server may go on", async (s, t) => {
  const one = await s.one();
  const web = await open(one);
  one.client.send("last words");
  one.client.fin();
  await web.expect("last words");
  await web.expectFin();
  web.send("and mine");
  await one.client.expect("and mine");
  web.fin();
  await one.client.expectFin();
  t.equal(one.proxy.stats().frontend.clientAborts, 0);
});

scenario("a server's FIN passes through the tunnel, and the client may go on", async (s, t) => {
  const one = await s.one();
  const web = await open(one);
  web.send("last words");
  web.fin();
  await one.client.expect("last words");
  await one.client.expectFin();
  one.client.send("and mine");
  await web.expect("and mine");
  one.client.fin();
  await web.expectFin();
  t.equal(one.proxy.stats().frontend.clientAborts, 0);
});

scenario(
  "what a client sent before its FIN reaches a slow server, also when the server has ended its side",
  async (s, t) => {
    const one = await s.one();
    const web = await open(one);
    web.fin();
    await one.client.expectFin();
    web.stopReading();
    const bytes = Buffer.alloc(12_000_000, "to the server");
    one.client.send(bytes);
    one.client.fin();
    await web.expectSilence(200);
    web.readOn();
    t.ok((await web.receiveAll(20_000)).equals(bytes));
  },
);

scenario(
  "what a server sent before its FIN reaches a slow client, also when the client has ended its side",
  async (s, t) => {
    const one = await s.one();
    const web = await open(one);
    one.client.fin();
    await web.expectFin();
    one.client.stopReading();
    const bytes = Buffer.alloc(12_000_000, "to the client");
    web.send(bytes);
    web.fin();
    await one.client.expectSilence(200);
    one.client.readOn();
    t.ok((await one.client.receiveAll(20_000)).equals(bytes));
  },
);

scenario("a reset of either side goes through the tunnel", async (s) => {
  const one = await s.one();
  const web = await open(one);
  one.client.reset();
  await web.expectReset();

  const client = await one.proxy.client();
  const other = await open({ server: one.server, client });
  other.reset();
  await client.expectReset();
});

scenario(
  "a tunnel holds back a side whose other side does not read, without holding what it sends",
  async (s, t) => {
    const one = await s.one();
    const web = await open(one);
    const bytes = Buffer.alloc(48_000_000, "0123456789");
    for (const [from, to] of [
      [web, one.client],
      [one.client, web],
    ]) {
      to.stopReading();
      const before = process.memoryUsage().arrayBuffers;
      const sent = from.sendLarge(bytes);
      await to.expectSilence(300);
      t.ok(process.memoryUsage().arrayBuffers - before < 8_000_000, "the proxy does not hold the bytes");
      t.ok(from.socket.writableLength > 0, "the sender waits");
      to.readOn();
      t.ok((await to.receive(bytes.length)).equals(bytes));
      await sent;
    }
  },
);

scenario("a tunnel lives as long as something passes in it, whatever the server's time-out", async (s) => {
  const one = await s.one({ timeouts: { serverMs: 100, clientMs: 100, tunnelMs: 400 } });
  const web = await open(one);
  for (let i = 0; i < 4; i++) {
    await web.expectSilence(200);
    one.client.send("ping");
    await web.expect("ping");
  }
  for (let i = 0; i < 4; i++) {
    await one.client.expectSilence(200);
    web.send("pong");
    await one.client.expect("pong");
  }
});

scenario("a tunnel that was held back keeps its own time-out when it goes on", async (s) => {
  const one = await s.one({ timeouts: { serverMs: 150, clientMs: 150, tunnelMs: 900 } });
  const web = await open(one);
  const bytes = Buffer.alloc(12_000_000, "x");
  one.client.stopReading();
  const sent = web.sendLarge(bytes);
  await one.client.expectSilence(300);
  one.client.readOn();
  await one.client.receive(bytes.length);
  await sent;
  await one.client.expectSilence(400);
  web.send("still there");
  await one.client.expect("still there");
});

scenario("a tunnel in which nothing passes is closed after its time-out", async (s, t) => {
  const one = await s.one({ timeouts: { tunnelMs: 200 } });
  const web = await open(one);
  await one.client.expectEnd();
  await web.expectEnd();
  t.equal(one.proxy.stats().frontend.clientAborts, 1, "as HAProxy counts it");
});

scenario("a 101 that nobody asked for is a broken response", async (s, t) => {
  const { server, client } = await s.one();
  client.send(get("/"));
  const web = await server.accept();
  await web.expectMessage(forwardedGet("/"));
  web.send(agreed);
  t.match((await client.receiveHead()).line, /^HTTP\/1\.1 502 /);
  await web.expectEnd();
});

scenario("a server that does not switch answers as usual, and pipelined requests follow", async (s) => {
  const { server, client } = await s.one();
  client.send(asked + get("/2"));
  const web = await server.accept();
  await web.expectMessage(forwardedAsked);
  web.send(ok("no"));
  await client.expectMessage(ok("no"));
  await web.expectMessage(forwardedGet("/2"));
  web.send(ok("2"));
  await client.expectMessage(ok("2"));
});

scenario("an upgrade to another HTTP is not passed on", async (s) => {
  const { server, client } = await s.one();
  client.send(
    get(
      "/",
      "Connection: Upgrade, HTTP2-Settings",
      "Upgrade: h2c",
      "HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA",
    ),
  );
  const web = await server.accept();
  await web.expectMessage(forwardedGet("/"));
  web.send(ok("1.1"));
  await client.expectMessage(ok("1.1"));
});

scenario("a tunnel counts as a session until both sides have ended", async (s, t) => {
  const one = await s.one();
  const rows = (proxy: RunningProxy) => {
    const { frontend, servers, backend } = proxy.stats();
    return [
      frontend.sessionsCurrent,
      servers[0].sessionsCurrent,
      backend.sessionsCurrent,
      backend.usedConnections,
    ];
  };
  const web = await open(one);
  one.client.fin();
  await web.expectFin();
  t.same(rows(one.proxy), [1, 1, 1, 1]);
  web.send(lastOk("x"));
  web.fin();
  await one.client.receiveAll();
  t.same(rows(one.proxy), [0, 0, 0, 0]);
});
