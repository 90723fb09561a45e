import type { InvalidMessage } from "../../src/proxy/invalid-messages.js";
import { Cause } from "../../src/proxy/log/termination.js";
import type { SessionReport } from "../../src/proxy/session-report.js";
import { eventually } from "./peer.js";
import { get, head, ok, type RunningProxy, scenario } from "./scenario.js";

/** What operators see of live connections, and of messages that broke a rule. */

const brief = ({ kind, proxy, otherSide, server, reason, bytes, at }: InvalidMessage) => ({
  ...{ kind, proxy, otherSide, server, reason, at },
  text: Buffer.from(bytes).toString("latin1"),
});

scenario("an invalid request is kept for show errors, and only the last one", async (s, t) => {
  const server = await s.server();
  const proxy = s.proxy([server]);
  for (const field of ["X : first", "X : second"]) {
    const client = await proxy.client();
    client.send(get("/", field));
    await client.receiveAll();
  }
  t.same(proxy.invalid.list().map(brief), [
    {
      ...{ kind: "request", proxy: "http", otherSide: null, server: null, reason: "space-before-colon" },
      ...{ at: null, text: get("/", "X : second") },
    },
  ]);
});

scenario(
  "of a request whose body breaks the piece that broke is kept, with the place and its server",
  async (s, t) => {
    const { server, proxy, client } = await s.one();
    client.send(head("POST / HTTP/1.1", "Host: site", "Transfer-Encoding: chunked"));
    await (await server.accept()).receiveHead();
    client.send("2\r\nab\r\nq\r\n");
    await client.receiveAll();
    const [kept] = proxy.invalid.list().map(brief);
    t.match(kept, { kind: "request", otherSide: "http", reason: "bad-chunk-size" });
    t.equal(kept.text[kept.at ?? -1], "q");
    t.equal(kept.server, server.name);
  },
);

scenario("an invalid response is kept for show errors", async (s, t) => {
  const { server, proxy, client } = await s.one();
  for (const [text, reason, wrong] of [
    [head("HTTP/1.1 200 OK", "Bad\x01: x"), "field-name-invalid", null],
    [`${head("HTTP/1.1 200 OK", "Transfer-Encoding: chunked")}zz\r\n`, "bad-chunk-size", "zz"],
    [
      head("HTTP/1.1 101 Switching Protocols", "Connection: upgrade", "Upgrade: x"),
      "unasked-upgrade",
      "HTTP",
    ],
  ] as const) {
    client.send(get("/"));
    const peer = await server.accept();
    await peer.receiveHead();
    peer.send(text);
    await client.receiveHead();
    const [kept] = proxy.invalid.list().map(brief);
    t.match(kept, { kind: "response", proxy: "http", otherSide: "http", server: server.name, reason, text });
    t.equal(kept.at, wrong === null ? null : text.indexOf(wrong));
  }
});

const sessions = (proxy: RunningProxy): SessionReport[] =>
  proxy.instance.clients.list().map((client) => client.report(proxy.instance.engine.now()));
const isIn = (proxy: RunningProxy, state: SessionReport["state"]) =>
  eventually(
    () => sessions(proxy)[0]?.state === state,
    () => `it is ${sessions(proxy)[0]?.state} and not ${state}`,
  );

scenario("a session tells how far it has come", async (s, t) => {
  const { server, proxy, client } = await s.one();
  await isIn(proxy, "idle");
  client.send("GET /");
  await isIn(proxy, "request");
  client.send(`x HTTP/1.1\r\nHost: site\r\n\r\n`);
  const peer = await server.accept();
  await peer.receiveHead();
  await isIn(proxy, "wait");
  const [waiting] = sessions(proxy);
  t.match(waiting, {
    ...{ clientAddress: "127.0.0.1", frontend: "http", overTls: false, request: "GET /x HTTP/1.1" },
    exchange: { backend: "http", server: server.name, responseMs: -1, retries: 0 },
  });
  t.ok((waiting.exchange?.connectMs ?? -1) >= 0);
  peer.send(head("HTTP/1.1 200 OK", "Content-Length: 2"));
  await isIn(proxy, "response");
  peer.send("ok");
  await isIn(proxy, "idle");
  t.equal(sessions(proxy)[0].exchange, null);
  client.send(`${head("POST / HTTP/1.1", "Host: site", "Content-Length: 4")}ab`);
  await isIn(proxy, "body");
});

scenario("a session that is killed ends both of its connections, and is told of as killed", async (s, t) => {
  const { server, proxy, client } = await s.one();
  client.send(get("/"));
  const peer = await server.accept();
  await peer.receiveHead();
  for (const session of proxy.instance.clients.list()) session.kill(Cause.killed);
  t.equal((await client.receiveHead()).line, "HTTP/1.1 502 Bad Gateway");
  await peer.expectReset();
  t.match(proxy.failures, [{ termination: "KH--" }]);
  const other = await proxy.client();
  other.send(get("/"));
  const next = await server.accept();
  await next.receiveHead();
  next.send(ok("ok"));
  await other.expect(ok("ok"));
});

scenario("what a server that is marked down has not answered another one does", async (s, t) => {
  const [first, second] = [await s.server(), await s.server()];
  const proxy = s.proxy([first, second]);
  const client = await proxy.client();
  client.send(get("/"));
  const down = await first.accept();
  await down.receiveHead();
  for (const session of proxy.instance.clients.list()) session.kill(Cause.markedDown);
  await down.expectReset();
  const up = await second.accept();
  await up.receiveHead();
  up.send(ok("ok"));
  await client.expect(ok("ok"));

  client.send(head("POST / HTTP/1.1", "Host: site", "Content-Length: 0"));
  await isIn(proxy, "wait");
  for (const session of proxy.instance.clients.list()) session.kill(Cause.markedDown);
  t.equal((await client.receiveHead()).line, "HTTP/1.1 502 Bad Gateway", "a POST is not sent twice");
  t.match(proxy.failures, [{ termination: "DH--" }]);
});

scenario(
  "a server that moves gets the next request at its new address, its idle connections are closed",
  async (s, t) => {
    const [first, second] = [await s.server(), await s.server()];
    const proxy = s.proxy([first]);
    const client = await proxy.client();
    const serve = async (server: typeof first) => {
      client.send(get("/"));
      const peer = await server.accept();
      await peer.receiveHead();
      peer.send(ok("ok"));
      await client.expect(ok("ok"));
      return peer;
    };
    const old = await serve(first);
    proxy.states.setTarget(0, 0, { host: null, port: second.port, checkPort: null });
    await serve(second);
    await old.expectEnd();
    t.equal(proxy.stats().servers[0].idleConnections, 1);
  },
);

scenario(
  "a request that is at a server while that moves ends there, and its connection is not used again",
  async (s) => {
    const [first, second] = [await s.server(), await s.server()];
    const proxy = s.proxy([first]);
    const client = await proxy.client();
    client.send(get("/"));
    const old = await first.accept();
    await old.receiveHead();
    proxy.states.setTarget(0, 0, { host: null, port: second.port, checkPort: null });
    old.send(ok("old"));
    await client.expect(ok("old"));
    client.send(get("/"));
    const peer = await second.accept();
    await peer.receiveHead();
    peer.send(ok("new"));
    await client.expect(ok("new"));
  },
);
