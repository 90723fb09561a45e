import { createHash } from "node:crypto";
import { eventually, type Peer } from "./peer.js";
import { forwarded, forwardedGet, get, head, ok, scenario } from "./scenario.js";

const million = 1_000_000;
const part = Buffer.from(Array.from({ length: million }, (_, i) => (i * 7919) % 251));
const parts = 48;
const total = parts * million;

/**
 * What a sender may get rid of when nobody reads: the kernel's buffers of two connections, and a little in the proxy. The
 * kernel lets the receive buffer of a fast reader grow, to 32 MB where `tcp_rmem` allows it.
 */
const mostInFlight = 44 * million;
/** What the proxy may hold of it. Its own chunks are counted with what this test's peers hold. */
const mostHeld = 6 * million;

/** Sends the parts as the other side takes them, from one buffer; tells how many bytes have left. */
function sendParts(peer: Peer): { readonly sent: () => number; readonly done: Promise<void> } {
  let written = 0;
  const done = (async () => {
    for (let i = 0; i < parts; i++) {
      await new Promise<void>((resolve, reject) =>
        peer.socket.write(part, (error) => (error ? reject(error) : resolve())),
      );
      written += part.length;
    }
  })();
  return { sent: () => written, done };
}

/** Resolves when the sender has not got rid of anything for a while. */
async function standstill(sent: () => number): Promise<void> {
  let before = -1;
  let since = performance.now();
  await eventually(
    () => {
      if (sent() !== before) {
        before = sent();
        since = performance.now();
      }
      return performance.now() - since > 250;
    },
    () => "the sender never stops",
    30_000,
  );
}

/** Hash of what comes, read and forgotten. */
async function hashOf(peer: Peer, bytes: number): Promise<string> {
  const hash = createHash("sha256");
  for (let left = bytes; left > 0; ) {
    const chunk = await peer.receive(Math.min(left, 100_000));
    hash.update(chunk);
    left -= chunk.length;
  }
  return hash.digest("hex");
}

const expectedHash = (() => {
  const hash = createHash("sha256");
  for (let i = 0; i < parts; i++) hash.update(part);
  return hash.digest("hex");
})();

const response = head("HTTP/1.1 200 OK", `Content-Length: ${total}`);

scenario(
  "a response to a client that does not read waits in the server, and then arrives exactly",
  async (s, t) => {
    const { server, client } = await s.one();
    client.send(get("/"));
    const web = await server.accept();
    await web.expectMessage(forwardedGet("/"));
    web.send(response);
    await client.expectMessage(response);
    client.stopReading();
    const before = process.memoryUsage().arrayBuffers;
    const { sent, done } = sendParts(web);
    await standstill(sent);
    const held = process.memoryUsage().arrayBuffers - before;
    t.ok(sent() < mostInFlight, `the server is stopped, after ${sent()} bytes`);
    t.ok(held < mostHeld, `the proxy holds little: ${held}`);
    client.readOn();
    t.equal(await hashOf(client, total), expectedHash);
    await done;
    client.send(get("/next"));
    await web.expectMessage(forwardedGet("/next"));
    web.send(ok("next"));
    await client.expectMessage(ok("next"));
  },
);

scenario("interim responses to a client that does not read wait in the server too", async (s, t) => {
  const { server, client } = await s.one();
  client.send(get("/"));
  const web = await server.accept();
  await web.expectMessage(forwardedGet("/"));
  client.stopReading();
  const hint = head("HTTP/1.1 103 Early Hints", `Link: <${"x".repeat(900)}>`);
  let sent = 0;
  let isOver = false;
  const flood = (async () => {
    while (!isOver) {
      await new Promise<void>((resolve) => web.socket.write(hint.repeat(100), () => resolve()));
      sent += 100 * hint.length;
    }
  })();
  await standstill(() => sent);
  t.ok(sent < mostInFlight, `the server is stopped, after ${sent} bytes`);
  client.readOn();
  isOver = true;
  await flood;
  for (let at = 0; at < sent; at += hint.length) await client.expect(hint);
  web.send(ok("at last"));
  await client.expectMessage(ok("at last"));
  client.send(get("/next"));
  await web.expectMessage(forwardedGet("/next"));
  web.send(ok("next"));
  await client.expectMessage(ok("next"));
});

scenario(
  "an upload to a server that does not read waits in the client, and then arrives exactly",
  async (s, t) => {
    const { server, client } = await s.one();
    client.send(head("PUT /up HTTP/1.1", "Host: site", `Content-Length: ${total}`));
    const web = await server.accept();
    await web.expectMessage(head("PUT /up HTTP/1.1", "Host: site", ...forwarded, `Content-Length: ${total}`));
    web.stopReading();
    const before = process.memoryUsage().arrayBuffers;
    const { sent, done } = sendParts(client);
    await standstill(sent);
    const held = process.memoryUsage().arrayBuffers - before;
    t.ok(sent() < mostInFlight, `the client is stopped, after ${sent()} bytes`);
    t.ok(held < mostHeld, `the proxy holds little: ${held}`);
    web.readOn();
    t.equal(await hashOf(web, total), expectedHash);
    await done;
    web.send(ok("thanks"));
    await client.expectMessage(ok("thanks"));
    client.send(get("/next"));
    await web.expectMessage(forwardedGet("/next"));
    web.send(ok("next"));
    await client.expectMessage(ok("next"));
  },
);

scenario("an upload that begins before the server is connected waits in the client", async (s, t) => {
  const proxy = s.proxy([await s.unresponsive(), await s.server()], { timeouts: { connectMs: 600 } });
  const client = await proxy.client();
  client.send(head("PUT /up HTTP/1.1", "Host: site", `Content-Length: ${total}`));
  const before = process.memoryUsage().arrayBuffers;
  const { sent, done } = sendParts(client);
  await standstill(sent);
  t.ok(sent() < mostInFlight, `the client is stopped, after ${sent()} bytes`);
  t.ok(process.memoryUsage().arrayBuffers - before < mostHeld, "the proxy holds little");
  const web = await s.servers[0].accept();
  await web.expectMessage(head("PUT /up HTTP/1.1", "Host: site", ...forwarded, `Content-Length: ${total}`));
  t.equal(await hashOf(web, total), expectedHash);
  await done;
  web.send(ok("thanks"));
  await client.expectMessage(ok("thanks"));
});

scenario("a client that pipelines and does not read is not served on without end", async (s, t) => {
  const { server, proxy, client } = await s.one();
  const body = "x".repeat(10_000);
  server.serve(async (web) => {
    for (;;) {
      const head = await web.receiveHead().catch(() => null);
      if (head === null) return;
      web.send(ok(body));
    }
  });
  client.stopReading();
  const count = 5_000;
  client.send(get("/").repeat(count));
  await standstill(() => proxy.stats().backend.requestsTotal);
  t.ok(proxy.stats().backend.requestsTotal < count / 2, `${proxy.stats().backend.requestsTotal} are served`);
  client.readOn();
  for (let i = 0; i < count; i++) await client.expectMessage(ok(body));
});

scenario("requests behind one that waits for its answer wait in the client", async (s, t) => {
  const { server, proxy, client } = await s.one();
  const many = get("/", `X: ${"x".repeat(900)}`).repeat(1_000);
  let sent = 0;
  let isOver = false;
  const flood = (async () => {
    while (!isOver) {
      await new Promise<void>((resolve) => client.socket.write(many, () => resolve()));
      sent += many.length;
    }
  })();
  const web = await server.accept();
  await web.receiveHead();
  await standstill(() => sent);
  t.ok(sent < mostInFlight, `the client is stopped, after ${sent} bytes`);
  t.ok(proxy.stats().frontend.bytesIn < million, `the proxy took ${proxy.stats().frontend.bytesIn} bytes`);
  isOver = true;
  client.reset();
  await flood;
  // The proxy does not look at the client before it has an answer for it.
  web.send(ok(""));
});
