import { type AddressInfo, createServer, type Socket } from "node:net";
import t, { type Test } from "tap";
import type { HttpCheckConfig, ServerConfig } from "../../../src/config/server-config.js";
import { probeServer } from "../../../src/proxy/health/probe.js";
import { defaultCheck } from "./check-config.js";

const http: HttpCheckConfig = {
  method: "GET",
  uri: "/health",
  expect: { kind: "status", ranges: [{ from: 200, to: 299 }] },
};

/** A server on a port of its own that does this with each connection. */
async function serve(t: Test, handle: (socket: Socket) => void): Promise<number> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    handle(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.teardown(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return (server.address() as AddressInfo).port;
}

function target(port: number, timeoutMs = 5000, host = "127.0.0.1"): ServerConfig {
  return {
    name: "web01",
    host,
    // The check has a port of its own.
    port: 1,
    check: { ...defaultCheck, port, timeoutMs },
  };
}

t.test("a server that takes a connection passes a TCP check", async (t) => {
  const port = await serve(t, () => {});
  t.match(await probeServer(target(port), null).result, { status: "L4OK", code: null, detail: "" });
});

t.test("one that refuses it fails with the C library's words", async (t) => {
  t.match(await probeServer(target(1), null).result, { status: "L4CON", detail: "Connection refused" });
});

t.test("an HTTP check sends its request and takes the status", async (t) => {
  let asked = "";
  const port = await serve(t, (socket) =>
    socket.on("data", (bytes) => {
      asked += bytes;
      // The answer comes in pieces.
      socket.write("HTTP/1.1 20");
      setTimeout(() => socket.write("0 OK\r\n"), 20);
    }),
  );
  t.match(await probeServer(target(port), http).result, { status: "L7OK", code: 200 });
  t.match(asked, new RegExp(`^GET /health HTTP/1\\.1\r\nHost: 127\\.0\\.0\\.1:${port}\r\n`));
});

t.test("an HTTP check that is answered with an error fails with its status", async (t) => {
  const port = await serve(t, (socket) => socket.end("HTTP/1.1 503 Service Unavailable\r\n\r\n"));
  t.match(await probeServer(target(port), http).result, {
    status: "L7STS",
    code: 503,
    detail: "Service Unavailable",
  });
});

t.test("a server that never answers fails by time-out, and its connection is closed", async (t) => {
  let closed: () => void = () => {};
  const isClosed = new Promise<void>((resolve) => {
    closed = resolve;
  });
  const port = await serve(t, (socket) => socket.on("close", closed).resume());
  t.match(await probeServer(target(port, 100), http).result, { status: "L7TOUT", code: null });
  await isClosed;
});

t.test(
  "a server that resets the connection is a socket error, one that ends it an invalid response",
  async (t) => {
    const reset = await serve(t, (socket) => socket.on("data", () => socket.resetAndDestroy()));
    t.match(await probeServer(target(reset), http).result, {
      status: "SOCKERR",
      detail: "Connection reset by peer",
    });
    const end = await serve(t, (socket) => socket.on("data", () => socket.end()));
    t.match(await probeServer(target(end), http).result, { status: "L7RSP" });
  },
);

t.test("a name that cannot be resolved says so", async (t) => {
  const result = await probeServer(target(80, 20_000, "no-such-host.invalid"), null).result;
  t.match(result, { status: "SOCKERR", detail: /cannot be resolved/ });
});

t.test("a probe that is called off tells nobody", async (t) => {
  const port = await serve(t, () => {});
  const probe = probeServer(target(port), http);
  probe.cancel();
  const waited = new Promise((resolve) => setTimeout(resolve, 50, "nothing"));
  t.equal(await Promise.race([probe.result, waited]), "nothing");
});
