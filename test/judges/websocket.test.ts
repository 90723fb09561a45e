import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import t, { type Test } from "tap";
import WebSocket, { WebSocketServer } from "ws";
import { Peer } from "./reference/peer.js";

/** The most used WebSocket library of the registry at both ends; what comes back must be what was sent, byte for byte. */
const sizes = [0, 1, 125, 126, 127, 4_096, 65_535, 65_536, 65_537, 1_048_576, 5_000_000];
const digest = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

async function startServer(t: Test): Promise<number> {
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1", perMessageDeflate: { threshold: 0 } });
  t.teardown(() => {
    for (const client of server.clients) client.terminate();
    server.close();
  });
  server.on("connection", (socket) => {
    socket.on("message", (data, isBinary) => {
      if (!isBinary && data.toString() === "close me") socket.close(4_001, "as you wish");
      else if (!isBinary && data.toString() === "go away") socket.terminate();
      else socket.send(data, { binary: isBinary });
    });
  });
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

for (const engine of ["direct", "portable"] as const)
  t.test(`WebSockets through the proxy (${engine})`, async (t) => {
    const port = await startServer(t);
    const peer = await Peer.start(engine, {
      servers: [],
      proxies: { web: { servers: { a: { at: String(port) } } } },
    });
    t.teardown(() => peer.stop());
    const open = async (perMessageDeflate: boolean): Promise<WebSocket> => {
      const socket = new WebSocket(`ws://127.0.0.1:${peer.ports.web}/`, { perMessageDeflate });
      t.teardown(() => socket.terminate());
      await once(socket, "open");
      return socket;
    };
    const echo = async (socket: WebSocket, send: () => void): Promise<Buffer> => {
      const back = once(socket, "message");
      send();
      const [data] = await back;
      return Buffer.isBuffer(data) ? data : Buffer.concat([data].flat());
    };

    for (const compressed of [false, true]) {
      const how = compressed ? "compressed" : "plain";
      const socket = await open(compressed);
      for (const size of sizes) {
        const sent = randomBytes(size);
        const got = await echo(socket, () => socket.send(sent, { binary: true }));
        t.equal(digest(got), digest(sent), `${size} bytes come back, ${how}`);
      }
      const text = "grüße ✓ ".repeat(5_000);
      t.equal((await echo(socket, () => socket.send(text))).toString(), text, `a text comes back, ${how}`);
      const parts = Array.from({ length: 50 }, (_, i) => randomBytes(i * 37));
      const whole = await echo(socket, () => {
        for (const [i, part] of parts.entries())
          socket.send(part, { binary: true, fin: i === parts.length - 1 });
      });
      t.equal(digest(whole), digest(Buffer.concat(parts)), `a message in 50 fragments comes back, ${how}`);
      for (const payload of ["", "x", "y".repeat(125)]) {
        const pong = once(socket, "pong");
        socket.ping(payload);
        t.equal(String((await pong)[0]), payload, `a ping of ${payload.length} bytes is answered, ${how}`);
      }
      const closed = once(socket, "close");
      socket.close(4_000, "enough");
      t.same((await closed).map(String), ["4000", "enough"], `a close comes back, ${how}`);
    }

    const asked = await open(false);
    const answered = once(asked, "close");
    asked.send("close me");
    t.same((await answered).map(String), ["4001", "as you wish"], "a server's close comes through");

    const left = await open(false);
    const gone = once(left, "close");
    left.send("go away");
    t.equal(String((await gone)[0]), "1006", "a server that breaks off is noticed");

    const crowd = await Promise.all(Array.from({ length: 50 }, () => open(false)));
    const echoes = await Promise.all(
      crowd.map((socket, i) => echo(socket, () => socket.send(`client ${i}`))),
    );
    t.same(
      echoes.map(String),
      crowd.map((_, i) => `client ${i}`),
      "fifty at once get each their own",
    );

    const burst = await open(false);
    let count = 0;
    let inOrder = true;
    const all = new Promise<void>((resolve) => {
      burst.on("message", (data) => {
        if (String(data) !== String(count)) inOrder = false;
        count += 1;
        if (count === 2_000) resolve();
      });
    });
    for (let i = 0; i < 2_000; i++) burst.send(String(i));
    await all;
    t.ok(inOrder, "2,000 messages in a row come back in their order");
  });
