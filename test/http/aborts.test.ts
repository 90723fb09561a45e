import type { Peer } from "./peer.js";
import { eventually } from "./peer.js";
import { forwarded, forwardedGet, get, head, ok, type RunningProxy, scenario } from "./scenario.js";

const post = head("POST /p HTTP/1.1", "Host: site", "Content-Length: 10");
const forwardedPost = head("POST /p HTTP/1.1", "Host: site", ...forwarded, "Content-Length: 10");

async function expectFreed(proxy: RunningProxy): Promise<void> {
  const left = () => {
    const { frontend, backend } = proxy.stats();
    return (
      frontend.sessionsCurrent +
      backend.sessionsCurrent +
      backend.usedConnections +
      proxy.instance.clients.size
    );
  };
  await eventually(
    () => left() === 0,
    () => `${left()} things are not freed`,
  );
}

scenario("a client that leaves before its request frees everything", async (s, t) => {
  const { proxy, client } = await s.one();
  client.reset();
  await expectFreed(proxy);
  const other = await proxy.client();
  other.fin();
  await other.expectFin();
  await expectFreed(proxy);
  t.match(proxy.stats().frontend, { requestErrors: 0, clientAborts: 0 });
});

for (const end of ["fin", "reset"] as const) {
  scenario(
    `a client that leaves in the middle of a head by a ${end} counts as a request error`,
    async (s, t) => {
      const { proxy, client } = await s.one();
      client.send("GET / HTT");
      await client.expectSilence(30);
      client[end]();
      await expectFreed(proxy);
      t.match(proxy.stats().frontend, { requestErrors: 1, requestsTotal: 1 });
      t.equal(proxy.stats().backend.requestsTotal, 0);
    },
  );
}

scenario("a client that ends its side in the middle of a request is told that this is none", async (s, t) => {
  const { server, proxy, client } = await s.one();
  const expectRefusal = async (peer: Peer) =>
    t.match((await peer.receiveAll()).toString("latin1"), /^HTTP\/1\.1 400 .*\r\nConnection: close\r\n/s);
  for (const partial of ["GET / HTT", get("/").slice(0, -2)]) {
    const other = await proxy.client();
    other.send(partial);
    other.fin();
    await expectRefusal(other);
  }
  client.send(post, "half");
  const web = await server.accept();
  await web.expectMessage(`${forwardedPost}half`);
  client.fin();
  await expectRefusal(client);
  await web.expectReset();
});

scenario("a client that leaves while its server is being connected frees everything", async (s, t) => {
  const proxy = s.proxy([await s.unresponsive()]);
  const client = await proxy.client();
  client.send(get("/"));
  await client.expectSilence(50);
  client.reset();
  await expectFreed(proxy);
  t.equal(proxy.stats().frontend.clientAborts, 1);
});

for (const end of ["fin", "reset"] as const) {
  scenario(
    `a client that leaves in the middle of its body by a ${end} takes the server's connection with it`,
    async (s, t) => {
      const { server, proxy, client } = await s.one();
      client.send(post, "half");
      const web = await server.accept();
      await web.expectMessage(`${forwardedPost}half`);
      client[end]();
      // Not a FIN: a server may take that for the end of what it got.
      await web.expectReset();
      await expectFreed(proxy);
      t.match(proxy.stats().backend, { clientAborts: 1, idleConnections: 0, responseErrors: 0 });
    },
  );
}

scenario(
  "a client that leaves while it waits for its answer takes the server's connection with it",
  async (s, t) => {
    const { server, proxy, client } = await s.one();
    client.send(get("/"));
    const web = await server.accept();
    await web.expectMessage(forwardedGet("/"));
    client.reset();
    await web.expectReset();
    await expectFreed(proxy);
    t.match(proxy.stats().backend, { clientAborts: 1, idleConnections: 0 });
  },
);

scenario(
  "a client that leaves in the middle of its answer takes the server's connection with it",
  async (s, t) => {
    const { server, proxy, client } = await s.one();
    client.send(get("/"));
    const web = await server.accept();
    await web.expectMessage(forwardedGet("/"));
    const begin = `${head("HTTP/1.1 200 OK", "Content-Length: 10")}half`;
    web.send(begin);
    await client.expectMessage(begin);
    client.reset();
    await web.expectReset();
    await expectFreed(proxy);
    t.match(proxy.stats().backend, { clientAborts: 1, idleConnections: 0, responseErrors: 0 });
  },
);

scenario("a client that closes without a reset is noticed when its answer comes", async (s) => {
  const { server, proxy, client } = await s.one();
  client.send(get("/"));
  const web = await server.accept();
  await web.expectMessage(forwardedGet("/"));
  client.destroy();
  web.send(head("HTTP/1.1 200 OK", "Content-Length: 10000000"));
  const sending = sendOn(web);
  await web.expectReset();
  await expectFreed(proxy);
  await sending;
});

/** Sends until the connection breaks. */
async function sendOn(peer: Peer): Promise<void> {
  while (peer.isOpen) {
    peer.send("x".repeat(10_000));
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

scenario("a client that leaves while the server is held back frees everything", async (s, t) => {
  const { server, proxy, client } = await s.one();
  client.send(get("/"));
  const web = await server.accept();
  await web.expectMessage(forwardedGet("/"));
  client.stopReading();
  web.send(head("HTTP/1.1 200 OK", "Content-Length: 50000000"), Buffer.alloc(50_000_000));
  await client.expectSilence(200);
  client.reset();
  await web.expectReset();
  await expectFreed(proxy);
  t.equal(proxy.stats().frontend.clientAborts, 1);
});

scenario("a client that leaves while it is held back frees everything", async (s) => {
  const { server, proxy, client } = await s.one();
  client.send(head("POST /p HTTP/1.1", "Host: site", "Content-Length: 50000000"));
  const web = await server.accept();
  await web.receiveHead();
  web.stopReading();
  client.send(Buffer.alloc(50_000_000));
  await web.expectSilence(200);
  client.reset();
  web.readOn();
  await web.expectReset();
  await expectFreed(proxy);
});

scenario(
  "a client that leaves between pipelined requests takes none of the later ones with it",
  async (s, t) => {
    const { server, proxy, client } = await s.one();
    client.send(get("/1") + get("/2"));
    const web = await server.accept();
    await web.expectMessage(forwardedGet("/1"));
    client.reset();
    await web.expectReset();
    await expectFreed(proxy);
    t.equal(proxy.stats().backend.requestsTotal, 1);
  },
);

scenario("after every kind of abort the next client is served", async (s) => {
  const { server, proxy, client } = await s.one();
  client.send(post, "half");
  await (await server.accept()).expectMessage(`${forwardedPost}half`);
  client.reset();
  const next = await proxy.client();
  next.send(get("/next"));
  const web = await server.accept();
  await web.expectMessage(forwardedGet("/next"));
  web.send(ok("next"));
  await next.expectMessage(ok("next"));
});
