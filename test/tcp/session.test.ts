import { eventually, type Peer } from "../http/peer.js";
import { type RunningProxy, type Scenario, type ScriptedServer, scenario } from "../http/scenario.js";
import { stdoutLog } from "../http/sections.js";

const tcp = { mode: "tcp" } as const;

/** One server behind a proxy, a client, and the session between them. */
async function open(
  s: Scenario,
  timeouts: object = {},
): Promise<{ server: ScriptedServer; proxy: RunningProxy; client: Peer; web: Peer }> {
  const server = await s.server();
  const proxy = s.proxy([server], { config: tcp, timeouts });
  const client = await proxy.client();
  return { server, proxy, client, web: await server.accept() };
}

scenario("bytes pass as they are, both ways, whoever speaks first", async (s, t) => {
  const { client, web, proxy } = await open(s);
  web.send("220 hello\r\n");
  await client.expect("220 hello\r\n");
  client.send("GET / HTTP/1.1\r\n\r\n\0\xff");
  await web.expect("GET / HTTP/1.1\r\n\r\n\0\xff");
  client.fin();
  await web.expectFin();
  web.fin();
  await client.expectFin();
  const { frontend, servers, backend } = proxy.stats();
  for (const row of [frontend, servers[0], backend]) {
    t.match(row, { sessionsTotal: 1, bytesIn: 20, bytesOut: 11, requestsTotal: 0, clientAborts: 0 });
  }
  t.match(servers[0], { selections: 1, connectsTotal: 1, connectErrors: 0, serverAborts: 0 });
});

scenario("a client's FIN passes, and the server may go on", async (s) => {
  const { client, web } = await open(s);
  client.send("last words");
  client.fin();
  await web.expect("last words");
  await web.expectFin();
  web.send("and mine");
  await client.expect("and mine");
  web.fin();
  await client.expectFin();
});

scenario("a server's FIN passes, and the client may go on", async (s) => {
  const { client, web } = await open(s);
  web.send("last words");
  web.fin();
  await client.expect("last words");
  await client.expectFin();
  client.send("and mine");
  await web.expect("and mine");
  client.fin();
  await web.expectFin();
});

scenario("a client that says everything at once and ends is heard to the end", async (s) => {
  const server = await s.server();
  const proxy = s.proxy([server], { config: tcp });
  const client = await proxy.client();
  client.send("all of it");
  client.fin();
  const web = await server.accept();
  await web.expect("all of it");
  await web.expectFin();
  web.send("understood");
  web.fin();
  await client.expect("understood");
  await client.expectFin();
});

scenario("a reset goes through, and is counted where it came from", async (s, t) => {
  const { client, web, proxy, server } = await open(s);
  client.reset();
  await web.expectReset();
  t.match(proxy.stats().servers[0], { clientAborts: 1, serverAborts: 0, responseErrors: 0 });

  const second = await proxy.client();
  const other = await server.accept();
  second.send("hello");
  await other.expect("hello");
  other.reset();
  await second.expectReset();
  t.match(proxy.stats().servers[0], { clientAborts: 1, serverAborts: 1, responseErrors: 1 });
  t.match(proxy.stats().backend, { clientAborts: 1, serverAborts: 1, responseErrors: 1 });
  t.equal(proxy.stats().frontend.requestErrors, 0);
});

scenario("a side that does not read holds the other back, and the proxy holds nothing", async (s, t) => {
  const { client, web } = await open(s);
  const bytes = Buffer.alloc(48_000_000, "0123456789");
  for (const [from, to] of [
    [web, client],
    [client, web],
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
});

scenario("what was sent before a FIN reaches a slow reader, though its own side has ended", async (s, t) => {
  const { client, web } = await open(s);
  client.fin();
  await web.expectFin();
  client.stopReading();
  const bytes = Buffer.alloc(12_000_000, "to the client");
  web.send(bytes);
  web.fin();
  await client.expectSilence(200);
  client.readOn();
  t.ok((await client.receiveAll(20_000)).equals(bytes));
});

scenario(
  "a server that refuses is left for the next one, and the client hears nothing of it",
  async (s, t) => {
    const refusing = await s.refusing();
    const server = await s.server();
    const proxy = s.proxy([refusing, server], { config: { ...tcp, balance: "first" } });
    const client = await proxy.client();
    client.send("hello");
    const web = await server.accept();
    await web.expect("hello");
    const { servers, backend, frontend } = proxy.stats();
    t.match(servers[0], { connectErrors: 1, redispatches: 1, sessionsCurrent: 0, bytesIn: 0 });
    t.match(servers[1], { connectErrors: 0, sessionsCurrent: 1, bytesIn: 5 });
    t.match(backend, { sessionsTotal: 1, sessionsCurrent: 1, connectErrors: 1, redispatches: 1 });
    t.equal(frontend.sessionsCurrent, 1);
  },
);

scenario("a server that does not answer in time is left for the next one", async (s, t) => {
  const silent = await s.unresponsive();
  const server = await s.server();
  const proxy = s.proxy([silent, server], {
    config: { ...tcp, balance: "first" },
    timeouts: { connectMs: 150 },
  });
  const client = await proxy.client();
  const web = await server.accept();
  client.send("x");
  await web.expect("x");
  t.match(proxy.stats().servers[0], { connectErrors: 1, redispatches: 1 });
});

scenario("a server that is away for a moment gets its session when it is back", async (s, t) => {
  const server = await s.server();
  server.refuse();
  const proxy = s.proxy([server], { config: tcp });
  const client = await proxy.client();
  client.send("patience");
  await client.expectSilence(300);
  await server.listenAgain();
  const web = await server.accept();
  await web.expect("patience");
  const { retries, connectErrors } = proxy.stats().servers[0];
  t.ok(retries >= 1);
  t.equal(connectErrors, retries);
});

scenario("a client is reset when no server is in rotation, and the log says so", async (s, t) => {
  const refusing = await s.refusing();
  const proxy = s.proxy([refusing], {
    config: { ...tcp, servers: [{ name: "web01", host: "127.0.0.1", port: refusing.port, disabled: true }] },
  });
  const client = proxy.connect();
  await client.expectReset();
  t.match(proxy.stats().backend, { sessionsTotal: 1, selections: 0, connectsTotal: 0 });
  t.match(proxy.failures, [{ client: "127.0.0.1", termination: "SC--", retries: 0 }]);
});

scenario("a client that leaves while a server is looked for is counted as its abort", async (s, t) => {
  const silent = await s.unresponsive();
  const proxy = s.proxy([silent], { config: tcp });
  const client = await proxy.client();
  await client.expectSilence(50);
  t.equal(proxy.stats().backend.sessionsCurrent, 1);
  client.reset();
  await client.expectEnd();
  await eventually(
    () => proxy.instance.clients.size === 0,
    () => "the session is left",
  );
  t.match(proxy.stats().servers[0], { clientAborts: 1, connectErrors: 0 });
});

scenario("a session lives as long as something passes in one direction", async (s) => {
  const { client, web } = await open(s, { tunnelMs: 1_500 });
  for (let i = 0; i < 4; i++) {
    await web.expectSilence(500);
    client.send("ping");
    await web.expect("ping");
  }
});

scenario("a silent session is closed after its time-out, cleanly", async (s, t) => {
  const { client, web, proxy } = await open(s, { tunnelMs: 200 });
  await client.expectFin();
  await web.expectFin();
  t.match(proxy.stats().backend, { clientAborts: 1, serverAborts: 0, sessionsCurrent: 0 });
});

scenario("a side that stops reading for the whole time-out is reset, for bytes are lost", async (s) => {
  const { client, web } = await open(s, { tunnelMs: 400 });
  client.stopReading();
  web.send(Buffer.alloc(24_000_000));
  await web.expectEnd();
  client.readOn();
  await client.expectReset();
});

scenario("a session of which one side has ended has its own time-out", async (s) => {
  const { client, web } = await open(s, { tunnelMs: 20_000, halfClosedMs: 200 });
  await client.expectSilence(300);
  client.fin();
  await web.expectFin();
  await client.expectEnd();
});

scenario("a session goes on through a hand-over and a drain, and is reset at the deadline", async (s, t) => {
  const { client, web, proxy } = await open(s);
  proxy.instance.handOver();
  proxy.instance.drain();
  client.send("still");
  await web.expect("still");
  t.equal(proxy.instance.cut(), 1);
  await client.expectReset();
  await web.expectReset();
});

scenario("source keeps a client at its server; roundrobin goes round", async (s, t) => {
  const servers = [await s.server(), await s.server()];
  for (const balance of ["source", "roundrobin"] as const) {
    const proxy = s.proxy(servers, { config: { ...tcp, balance } });
    const before = servers.map(({ peers }) => peers.length);
    for (const server of servers) server.serve(async (peer) => peer.send("welcome"));
    for (let i = 0; i < 4; i++) await (await proxy.client()).expect("welcome");
    const got = servers.map(({ peers }, i) => peers.length - before[i]);
    if (balance === "source") t.same(got.toSorted(), [0, 4]);
    else t.same(got, [2, 2]);
  }
});

scenario("a backup serves when no other server is in rotation, weights share as they say", async (s, t) => {
  const [a, b, backup] = [await s.server(), await s.server(), await s.server()];
  for (const server of [a, b, backup]) server.serve(async (peer) => peer.send("welcome"));
  const address = (server: ScriptedServer) => ({ name: server.name, host: "127.0.0.1", port: server.port });
  const sharing = s.proxy([], {
    config: {
      ...tcp,
      servers: [{ ...address(a), weight: 3 }, address(b), { ...address(backup), backup: true }],
    },
  });
  for (let i = 0; i < 8; i++) await (await sharing.client()).expect("welcome");
  t.same(
    [a, b, backup].map(({ peers }) => peers.length),
    [6, 2, 0],
  );
  const alone = s.proxy([], {
    config: {
      ...tcp,
      servers: [
        { ...address(a), disabled: true },
        { ...address(backup), backup: true },
      ],
    },
  });
  await (await alone.client()).expect("welcome");
  t.equal(backup.peers.length, 1);
});

scenario("a session waits for a server of maxconn 1, and is told when it waits too long", async (s, t) => {
  const server = await s.server();
  const log = stdoutLog("tcplog");
  const proxy = s.proxy([server], {
    timeouts: { queueMs: 300 },
    config: {
      mode: "tcp",
      log,
      servers: [{ name: "a", host: "127.0.0.1", port: server.port, maxconn: 1 }],
    },
  });
  const first = await proxy.client();
  const web = await server.accept();
  first.send("one");
  await web.expect("one");
  const second = await proxy.client();
  second.send("two");
  await second.expectReset();
  const third = await proxy.client();
  third.send("three");
  await eventually(
    () => proxy.stats().backend.queueCurrent === 1,
    () => "nobody waits",
  );
  first.fin();
  await web.expectFin();
  web.fin();
  await (await server.accept()).expect("three");
  third.reset();
  await eventually(
    () => proxy.lines.length === 3,
    () => "not all are told of",
  );
  t.match(proxy.lines[0], / http\/<NOSRV> [3-9]\d\d\/-1\/[3-9]\d\d 0 sQ 2\/2\/1\/0\/0 0\/1$/);
  t.match(proxy.lines[1], / http\/a \d+\/\d+\/\d+ 0 -- .* 0\/0$/);
  t.match(proxy.lines[2], / http\/a \d+\/\d+\/\d+ 0 CD 1\/1\/0\/0\/0 0\/1$/);
});
