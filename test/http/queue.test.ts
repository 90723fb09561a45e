import type { ProxyConfig } from "../../src/config/config.js";
import { eventually } from "./peer.js";
import { forwardedGet, get, head, ok, type ScriptedServer, scenario } from "./scenario.js";
import { plainCookie, stdoutLog } from "./sections.js";

const log = stdoutLog("httplog");

const limited = (
  servers: readonly ScriptedServer[],
  words: { readonly maxconn?: number; readonly maxqueue?: number; readonly cookie?: string },
  more: Partial<ProxyConfig> = {},
) => ({
  config: {
    log,
    servers: servers.map(({ name, port }) => ({ name, host: "127.0.0.1", port, ...words })),
    ...more,
  },
});
/** `Tw`, state and the two queues of a line of httplog. */
const queueOf = (line: string | undefined) =>
  /\/(\d+)\/-?\d+\/-?\d+\/\d+ \d+ \d+ - - (\S{4}) \S+ (\d+)\/(\d+) "/.exec(line ?? "")?.slice(2);

scenario("a second request waits for its turn at a server of maxconn 1", async (s, t) => {
  const server = await s.server();
  const proxy = s.proxy([server], limited([server], { maxconn: 1 }));
  const [first, second, third] = [await proxy.client(), await proxy.client(), await proxy.client()];
  first.send(get("/1"));
  const web = await server.accept();
  await web.expectMessage(forwardedGet("/1"));
  second.send(get("/2"));
  await eventually(
    () => proxy.stats().backend.queueCurrent === 1,
    () => "nobody waits",
  );
  third.send(get("/3"));
  await eventually(
    () => proxy.stats().backend.queueCurrent === 2,
    () => "only one waits",
  );
  t.match(proxy.stats().servers[0], { sessionsCurrent: 1, queueCurrent: 0 });
  web.send(ok("1"));
  await first.expectMessage(ok("1"));
  // Over the connection that the first one left.
  await web.expectMessage(forwardedGet("/2"));
  web.send(ok("2"));
  await second.expectMessage(ok("2"));
  await web.expectMessage(forwardedGet("/3"));
  web.send(ok("3"));
  await third.expectMessage(ok("3"));
  t.match(proxy.stats().backend, { queueCurrent: 0, queueMax: 2, connectsTotal: 1, reuses: 2 });
  t.equal(proxy.stats().servers[0].sessionsMax, 1);
  t.ok(proxy.stats().servers[0].queueTimeMax > 0);
  t.same(proxy.lines.map(queueOf), [
    ["----", "0", "0"],
    ["----", "0", "1"],
    ["----", "0", "2"],
  ]);
});

scenario("a body that waits goes with its request", async (s) => {
  const server = await s.server();
  const proxy = s.proxy([server], limited([server], { maxconn: 1 }));
  const [first, second] = [await proxy.client(), await proxy.client()];
  first.send(get("/1"));
  const web = await server.accept();
  await web.receiveHead();
  second.send(head("POST /2 HTTP/1.1", "Host: site", "Content-Length: 10"), "01234");
  await eventually(
    () => proxy.stats().backend.queueCurrent === 1,
    () => "nobody waits",
  );
  second.send("56789");
  web.send(ok("1"));
  await first.expectMessage(ok("1"));
  await web.receiveHead();
  await web.expect("0123456789");
  web.send(ok("2"));
  await second.expectMessage(ok("2"));
});

scenario("timeout queue: 503, and the log says sQ", async (s, t) => {
  const server = await s.server();
  const proxy = s.proxy([server], {
    ...limited([server], { maxconn: 1 }),
    timeouts: { queueMs: 200 },
  });
  const [first, second] = [await proxy.client(), await proxy.client()];
  first.send(get("/1"));
  const web = await server.accept();
  await web.receiveHead();
  second.send(get("/2"));
  t.match((await second.receiveHead()).line, /^HTTP\/1\.1 503 /);
  t.equal(proxy.stats().backend.queueCurrent, 0);
  web.send(ok("1"));
  await first.expectMessage(ok("1"));
  const [late] = proxy.lines;
  t.match(late, / http http\/<NOSRV> 0\/[2-9]\d\d\/-1\/-1\/[2-9]\d\d 503 \d+ - - sQ-- /);
});

scenario("a client that leaves the queue is counted and gone", async (s, t) => {
  const server = await s.server();
  const proxy = s.proxy([server], limited([server], { maxconn: 1 }));
  const [first, second] = [await proxy.client(), await proxy.client()];
  first.send(get("/1"));
  const web = await server.accept();
  await web.receiveHead();
  second.send(get("/2"));
  await eventually(
    () => proxy.stats().backend.queueCurrent === 1,
    () => "nobody waits",
  );
  second.reset();
  await eventually(
    () => proxy.stats().backend.queueCurrent === 0,
    () => "it still waits",
  );
  web.send(ok("1"));
  await first.expectMessage(ok("1"));
  t.match(proxy.lines[0], / -1 0 - - CQ-- /);
  t.match(proxy.stats().backend, { clientAborts: 1 });
});

scenario("a server that takes no connection gives its place back", async (s, t) => {
  const second = await s.server();
  const refusing = await s.refusing();
  const proxy = s.proxy([refusing, second], {
    config: {
      servers: [
        { name: "a", host: "127.0.0.1", port: refusing.port, maxconn: 1 },
        { name: "b", host: "127.0.0.1", port: second.port, maxconn: 1 },
      ],
    },
  });
  for (let i = 0; i < 3; i++) {
    const client = await proxy.client();
    client.send(get("/"));
    const web = i === 0 ? await second.accept() : second.peers[0];
    await web.expectMessage(forwardedGet("/"));
    web.send(ok("b"));
    await client.expectMessage(ok("b"));
  }
  t.equal(proxy.stats().backend.queueMax, 0);
});

scenario("clients of a full server wait for it up to maxqueue, the others go elsewhere", async (s, t) => {
  const [first, second] = [await s.server(), await s.server()];
  const cookie = { ...plainCookie, indirect: true };
  const words = { maxconn: 1, maxqueue: 1 };
  const proxy = s.proxy([first, second], {
    config: {
      log,
      cookie,
      servers: [
        { name: "a", host: "127.0.0.1", port: first.port, cookie: "a", ...words },
        { name: "b", host: "127.0.0.1", port: second.port, cookie: "b", ...words },
      ],
    },
  });
  const clients = [await proxy.client(), await proxy.client(), await proxy.client()];
  clients[0].send(get("/1", "Cookie: SRV=a"));
  const a = await first.accept();
  await a.receiveHead();
  clients[1].send(get("/2", "Cookie: SRV=a"));
  await eventually(
    () => proxy.stats().servers[0].queueCurrent === 1,
    () => "nobody waits for a",
  );
  clients[2].send(get("/3", "Cookie: SRV=a"));
  const b = await second.accept();
  await b.expectMessage(forwardedGet("/3"));
  b.send(ok("b"));
  t.equal((await clients[2].receiveHead()).field("set-cookie"), "SRV=b; path=/");
  a.send(ok("1"));
  await clients[0].expectMessage(ok("1"));
  await a.expectMessage(forwardedGet("/2"));
  a.send(ok("2"));
  await clients[1].expectMessage(ok("2"));
  t.match(proxy.stats().servers[0], { queueMax: 1, queueCurrent: 0 });
  t.equal(proxy.stats().backend.queueMax, 0);
});
