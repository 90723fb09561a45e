import type { AddressInfo, Socket } from "node:net";
import { createServer, type Server, type TLSSocket, type TlsOptions } from "node:tls";
import type { ProxyConfig } from "../../src/config/config.js";
import type { ServerTlsConfig } from "../../src/config/tls-config.js";
import { probeServer } from "../../src/proxy/health/probe.js";
import { encodeProxyHeader } from "../../src/proxy/proxy-protocol/encode.js";
import type { Certificates } from "../../src/proxy/tls/certificate.js";
import { Peer } from "./peer.js";
import {
  forwardedGet,
  get,
  head,
  lastOk,
  ok,
  type ProxyOptions,
  portableOnly,
  type Scenario,
  scenario,
} from "./scenario.js";
import { freshCertificate } from "./tls-peer.js";

const site = freshCertificate("site.example");
const stranger = freshCertificate("stranger.example");
const ours = freshCertificate("lb.example");

const certificates: Certificates = {
  byPath: new Map([["/own", [ours]]]),
  authorities: new Map([
    ["/ca", site.chain],
    ["/others", stranger.chain],
  ]),
};

const overTls = (name: string, script: Parameters<typeof scenario>[1]): void =>
  scenario(name, script, portableOnly);

/** A server inside of TLS. */
interface SecureServer {
  readonly port: number;
  readonly peers: Peer[];
  readonly sockets: TLSSocket[];
  accept(): Promise<Peer>;
}

async function secureServer(s: Scenario, options: TlsOptions = {}): Promise<SecureServer> {
  const peers: Peer[] = [];
  const sockets: TLSSocket[] = [];
  const arrivals: ((peer: Peer) => void)[] = [];
  const waiting: Peer[] = [];
  const server: Server = createServer(
    { cert: site.chain, key: site.key, allowHalfOpen: true, ...options },
    (socket) => {
      const peer = new Peer(socket, `secure server, connection ${peers.length + 1}`);
      peers.push(peer);
      sockets.push(socket);
      const taker = arrivals.shift();
      if (taker === undefined) waiting.push(peer);
      else taker(peer);
    },
  );
  // Also those whose handshake came to nothing.
  const connections: Socket[] = [];
  server.on("connection", (socket) => connections.push(socket));
  server.on("tlsClientError", () => {});
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  s.atEnd(() => {
    for (const socket of [...sockets, ...connections]) socket.destroy();
    server.close();
  });
  return {
    port: (server.address() as AddressInfo).port,
    peers,
    sockets,
    accept: () => {
      const peer = waiting.shift();
      return peer !== undefined ? Promise.resolve(peer) : new Promise((resolve) => arrivals.push(resolve));
    },
  };
}

function towards(
  port: number,
  tls: ServerTlsConfig,
  config: Partial<ProxyConfig> = {},
  sendProxy?: 1 | 2,
): ProxyOptions {
  const server = { name: "web01", host: "127.0.0.1", port, tls, ...(sendProxy && { sendProxy }) };
  return { config: { servers: [server], ...config }, tls: { certificates, ticketKeys: new Uint8Array(48) } };
}

const trusting: ServerTlsConfig = { verify: "required", caFile: "/ca", sni: "site.example" };

overTls("requests go to a server over TLS, and its connection is kept for others", async (s, t) => {
  const server = await secureServer(s);
  const proxy = s.proxy([], towards(server.port, trusting));
  const client = await proxy.client();
  client.send(get("/1"));
  const web = await server.accept();
  await web.expectMessage(forwardedGet("/1"));
  web.send(ok("one"));
  await client.expectMessage(ok("one"));
  const other = await proxy.client();
  other.send(get("/2", "Connection: close"));
  await web.expectMessage(forwardedGet("/2"));
  web.send(ok("two"));
  await other.expectMessage(lastOk("two"));
  t.equal(server.sockets[0].servername, "site.example", "the name is asked for");
  t.match(proxy.stats().servers[0], { connectsTotal: 1, reuses: 1 });
  proxy.instance.drain();
});

overTls("large bodies pass both ways", async (s, t) => {
  const server = await secureServer(s);
  const proxy = s.proxy([], towards(server.port, trusting));
  const client = await proxy.client();
  const bytes = Buffer.alloc(5_000_000, "0123456789abcdefghijklmnopqrstuvwxyz");
  client.send(head("POST / HTTP/1.1", "Host: site", `Content-Length: ${bytes.length}`));
  const sent = client.sendLarge(bytes);
  const web = await server.accept();
  await web.receiveHead();
  t.ok((await web.receive(bytes.length)).equals(bytes));
  await sent;
  web.send(head("HTTP/1.1 200 OK", `Content-Length: ${bytes.length}`));
  const answered = web.sendLarge(bytes);
  await client.receiveHead();
  t.ok((await client.receive(bytes.length)).equals(bytes));
  await answered;
  proxy.instance.drain();
});

const refused: readonly { readonly what: string; readonly tls: ServerTlsConfig; readonly reason: RegExp }[] =
  [
    {
      what: "is signed by a stranger",
      tls: { verify: "required", caFile: "/others" },
      reason: /SELF_SIGNED_CERT|UNABLE_TO_VERIFY/,
    },
    {
      what: "is trusted by nobody",
      tls: { verify: "required" },
      reason: /SELF_SIGNED_CERT|UNABLE_TO_VERIFY/,
    },
    {
      what: "has another name",
      tls: { verify: "required", caFile: "/ca", sni: "other.example" },
      reason: /ERR_TLS_CERT_ALTNAME_INVALID/,
    },
  ];

for (const { what, tls, reason } of refused) {
  overTls(`a server whose certificate ${what} gets no request`, async (s, t) => {
    const server = await secureServer(s);
    const proxy = s.proxy([], towards(server.port, tls));
    const client = await proxy.client();
    client.send(get("/"));
    t.match((await client.receiveHead()).line, / 503 /);
    t.match(proxy.events.find(({ event }) => event === "server")?.reason, reason);
    t.match(proxy.stats().servers[0], { connectErrors: 1 });
    for (const peer of server.peers) t.equal(peer.takeAll().length, 0);
    client.takeAll();
  });
}

overTls("verify: none takes any certificate, and an address alone asks for no name", async (s, t) => {
  const server = await secureServer(s);
  for (const tls of [{ verify: "none" }, { verify: "required", caFile: "/ca" }] as const) {
    const proxy = s.proxy([], towards(server.port, tls));
    const client = await proxy.client();
    client.send(get("/", "Connection: close"));
    const web = await server.accept();
    await web.receiveHead();
    web.send(ok(""));
    await client.expectMessage(lastOk(""));
    t.equal(server.sockets.at(-1)?.servername || false, false);
    proxy.instance.drain();
  }
});

overTls("a server that speaks no TLS, or none in time, is as one that refuses", async (s, t) => {
  const plain = await s.server();
  plain.serve(async (web) => web.send("220 no TLS here\r\n"));
  const proxy = s.proxy([], towards(plain.port, trusting));
  const client = await proxy.client();
  client.send(get("/"));
  t.match((await client.receiveHead()).line, / 503 /);
  const silent = await s.server();
  silent.serve(async () => {});
  const waiting = s.proxy([], { ...towards(silent.port, trusting), timeouts: { connectMs: 200 } });
  const second = await waiting.client();
  second.send(get("/"));
  t.match((await second.receiveHead()).line, / 503 /);
  t.match(waiting.failures, [{ termination: "sC--" }]);
});

overTls("a server that asks for a certificate is shown ours", async (s, t) => {
  const server = await secureServer(s, { requestCert: true, ca: ours.chain });
  const proxy = s.proxy([], towards(server.port, { ...trusting, crt: "/own" }));
  const client = await proxy.client();
  client.send(get("/", "Connection: close"));
  const web = await server.accept();
  await web.receiveHead();
  t.equal(server.sockets[0].authorized, true);
  t.equal(server.sockets[0].getPeerCertificate().subject.CN, "lb.example");
  web.send(ok(""));
  await client.expectMessage(lastOk(""));
  proxy.instance.drain();
});

overTls("mode tcp: bytes go into TLS, behind a PROXY header in front of it", async (s, t) => {
  const front = await s.server();
  const proxy = s.proxy([], towards(front.port, trusting, { mode: "tcp" }, 2));
  const client = await proxy.client();
  client.send("hello");
  const entry = await front.accept();
  const { localPort = 0 } = client.socket;
  const header = encodeProxyHeader(2, {
    source: { address: "127.0.0.1", port: localPort },
    destination: { address: "127.0.0.1", port: proxy.port },
  });
  await entry.expect(header);
  const hello = await entry.receive(3);
  t.equal(hello[0], 22, "a handshake record follows");
  client.reset();
  await entry.expectEnd();
});

overTls("mode tcp: a session inside of TLS, to the end of both sides", async (s) => {
  const server = await secureServer(s);
  const proxy = s.proxy([], towards(server.port, trusting, { mode: "tcp" }));
  const client = await proxy.client();
  client.send("hello");
  const web = await server.accept();
  await web.expect("hello");
  web.send("and hello");
  await client.expect("and hello");
  client.fin();
  await web.expectFin();
  web.fin();
  await client.expectFin();
});

overTls("checks over TLS: passed, refused, timed out, in HAProxy's words", async (s, t) => {
  const server = await secureServer(s);
  const times = { intervalMs: 1000, fastIntervalMs: 1000, downIntervalMs: 1000, rise: 1, fall: 1 };
  const probe = (port: number, tls: ServerTlsConfig, timeoutMs = 2000) =>
    probeServer(
      {
        name: "web01",
        host: "127.0.0.1",
        port,
        tls,
        check: { ...times, port, timeoutMs, overTls: true },
      },
      null,
      certificates,
    ).result;
  t.match(await probe(server.port, trusting), { status: "L6OK" });
  t.match(await probe(server.port, { verify: "required", caFile: "/others" }), { status: "L6RSP" });
  const plain = await s.server();
  plain.serve(async (web) => web.send("220 no TLS here\r\n"));
  t.match(await probe(plain.port, trusting), { status: "L6RSP" });
  const silent = await s.server();
  silent.serve(async () => {});
  t.match(await probe(silent.port, trusting, 200), { status: "L6TOUT" });
  t.match(await probe((await s.refusing()).port, trusting), { status: "L4CON" });

  const asked = probeServer(
    {
      name: "web01",
      host: "127.0.0.1",
      port: server.port,
      tls: trusting,
      check: { ...times, port: server.port, timeoutMs: 2000, overTls: true },
    },
    { method: "GET", uri: "/", expect: { kind: "status", ranges: [{ from: 200, to: 200 }] } },
    certificates,
  ).result;
  const answer = async (): Promise<never> => {
    for (;;) {
      const web = await server.accept();
      web.receiveHead().then(
        () => web.send(ok("fine")),
        () => {},
      );
    }
  };
  void answer();
  t.match(await asked, { status: "L7OK", code: 200 });
});
