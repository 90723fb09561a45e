import { randomBytes } from "node:crypto";
import type { ProxyConfig } from "../../src/config/config.js";
import type { BindTlsConfig } from "../../src/config/tls-config.js";
import { encodeProxyHeader } from "../../src/proxy/proxy-protocol/encode.js";
import type { Certificate, Certificates, ThreadTls } from "../../src/proxy/tls/certificate.js";
import { eventually } from "./peer.js";
import { get, head, lastOk, ok, type ProxyOptions, portableOnly, scenario } from "./scenario.js";
import { freshCertificate, type TlsPeer, tlsClient } from "./tls-peer.js";

const site = freshCertificate("site.example", { names: ["*.site.example"] });
const shop = freshCertificate("shop.example", { key: "rsa" });
const renewed = freshCertificate("site.example");

const all = (...found: readonly Certificate[]): Certificates => ({
  byPath: new Map([["/certs", found]]),
  authorities: new Map(),
});
const threadTls = (...found: readonly Certificate[]): ThreadTls => ({
  certificates: all(...found),
  ticketKeys: randomBytes(48),
});

interface Words {
  readonly tls?: Partial<BindTlsConfig>;
  readonly acceptProxy?: true;
  readonly config?: Partial<ProxyConfig>;
  readonly timeouts?: ProxyOptions["timeouts"];
  readonly certificates?: readonly Certificate[];
}

/** A proxy that speaks TLS with its clients. */
function secured({
  tls,
  acceptProxy,
  config,
  timeouts,
  certificates = [site, shop],
}: Words = {}): ProxyOptions {
  const address = { address: "127.0.0.1", port: 0, tls: { crt: ["/certs"], ...tls } };
  return {
    config: { listen: [{ ...address, ...(acceptProxy && { acceptProxy }) }], ...config },
    ...(timeouts !== undefined && { timeouts }),
    tls: threadTls(...certificates),
  };
}

const secureGet = (path: string, source = "127.0.0.1"): string =>
  head(`GET ${path} HTTP/1.1`, "Host: site", "X-Forwarded-Proto: https", `X-Forwarded-For: ${source}`);

const commonName = (client: TlsPeer) => client.tls.getPeerCertificate().subject.CN;

const overTls = (name: string, script: Parameters<typeof scenario>[1]): void =>
  scenario(name, script, portableOnly);

overTls("requests over TLS: the server is told of https, and the connection serves several", async (s, t) => {
  const server = await s.server();
  const proxy = s.proxy([server], secured());
  const client = await tlsClient(proxy);
  for (const path of ["/1", "/2"]) {
    client.send(get(path));
    const web = path === "/1" ? await server.accept() : server.peers[0];
    await web.expectMessage(secureGet(path));
    web.send(ok(path));
    await client.expectMessage(ok(path));
  }
  t.match(proxy.stats().frontend, { connectionsTotal: 1, requestsTotal: 2, requestErrors: 0 });
  t.equal(client.tls.getProtocol(), "TLSv1.3");
});

overTls("the last answer arrives whole and is followed by TLS's own end", async (s) => {
  const server = await s.server();
  const proxy = s.proxy([server], secured());
  const client = await tlsClient(proxy);
  client.send(get("/", "Connection: close"));
  const web = await server.accept();
  await web.receiveHead();
  web.send(ok("bye"));
  await client.expectMessage(lastOk("bye"));
  await client.expectFin();
});

overTls("large bodies pass both ways, and a slow client holds the server back", async (s, t) => {
  const server = await s.server();
  const proxy = s.proxy([server], secured());
  const client = await tlsClient(proxy);
  const bytes = Buffer.alloc(8_000_000, "0123456789abcdefghijklmnopqrstuvwxyz");
  client.send(head("POST / HTTP/1.1", "Host: site", `Content-Length: ${bytes.length}`));
  const sent = client.sendLarge(bytes);
  const web = await server.accept();
  await web.receiveHead();
  t.ok((await web.receive(bytes.length)).equals(bytes));
  await sent;
  client.stopReading();
  const before = process.memoryUsage().arrayBuffers;
  const answer = Buffer.alloc(48_000_000, bytes);
  web.send(head("HTTP/1.1 200 OK", `Content-Length: ${answer.length}`));
  const answered = web.sendLarge(answer);
  await client.expectSilence(500);
  t.ok(web.socket.writableLength > 0, "the server waits");
  t.ok(process.memoryUsage().arrayBuffers - before < 60_000_000, "the proxy does not hold the bytes");
  client.readOn();
  await client.receiveHead();
  t.ok((await client.receive(answer.length)).equals(answer));
  await answered;
});

overTls("the certificate goes by the name that the client asks for", async (s, t) => {
  const server = await s.server();
  const proxy = s.proxy([server], secured());
  const shown = async (servername?: string) =>
    commonName(await tlsClient(proxy, servername === undefined ? {} : { servername }));
  t.equal(await shown("shop.example"), "shop.example", "its very name");
  t.equal(await shown("SHOP.example"), "shop.example", "in any case");
  t.equal(await shown("www.site.example"), "site.example", "a wildcard");
  t.equal(await shown("a.b.shop.example"), "site.example", "no name: the first");
  t.equal(await shown(), "site.example", "nothing asked: the first");
});

overTls("TLS 1.2 is spoken unless min_version says otherwise, and nothing older", async (s, t) => {
  const server = await s.server();
  const usual = s.proxy([server], secured());
  const client = await tlsClient(usual, { maxVersion: "TLSv1.2" });
  t.equal(client.tls.getProtocol(), "TLSv1.2");
  const strict = s.proxy([server], secured({ tls: { minVersion: "TLSv1.3" } }));
  await t.rejects(tlsClient(strict, { maxVersion: "TLSv1.2" }));
  await eventually(
    () => strict.failures.length > 0,
    () => "the failure is not told of",
  );
  t.match(strict.failures, [{ reason: "SSL handshake failure", frontend: "http", bind: 1 }]);
});

overTls("a session is resumed with the ticket that another thread gave", async (s, t) => {
  const server = await s.server();
  const options = secured();
  const [one, other] = [s.proxy([server], options), s.proxy([server], options)];
  const first = await tlsClient(one);
  const ticket = new Promise<Buffer>((resolve) => first.tls.once("session", resolve));
  const second = await tlsClient(other, { session: await ticket });
  t.equal(second.tls.isSessionReused(), true);
});

overTls("renewed certificates are for who comes next; who is here goes on", async (s, t) => {
  const server = await s.server();
  const proxy = s.proxy([server], secured({ certificates: [site] }));
  const before = await tlsClient(proxy);
  proxy.instance.renewCertificates(all(renewed));
  const after = await tlsClient(proxy);
  const fingerprint = (client: TlsPeer) => client.tls.getPeerCertificate().fingerprint256;
  t.not(fingerprint(before), fingerprint(after));
  for (const client of [before, after]) {
    client.send(get("/"));
    const web = client === before ? await server.accept() : server.peers[0];
    await web.receiveHead();
    web.send(ok("still here"));
    await client.expectMessage(ok("still here"));
  }
});

overTls("a PROXY header stands in front of the handshake", async (s) => {
  const server = await s.server();
  const proxy = s.proxy([server], secured({ acceptProxy: true }));
  const claimed = {
    source: { address: "192.0.2.7", port: 4711 },
    destination: { address: "198.51.100.1", port: 443 },
  };
  for (const version of [1, 2] as const) {
    const client = await tlsClient(proxy, {}, encodeProxyHeader(version, claimed));
    client.send(get("/"));
    const web = version === 1 ? await server.accept() : server.peers[0];
    await web.expectMessage(secureGet("/", "192.0.2.7"));
    web.send(ok(""));
    await client.expectMessage(ok(""));
  }
});

overTls("a PROXY header and the client's first words may come in one piece", async (s, t) => {
  const server = await s.server();
  const proxy = s.proxy([server], secured({ acceptProxy: true }));
  // Held back until the client's hello lies behind the header.
  const client = proxy.connect();
  client.send(
    Buffer.concat([encodeProxyHeader(1, null), Buffer.from("not TLS at all, but long enough\r\n\r\n")]),
  );
  await client.expectEnd();
  t.match(proxy.failures, [{ reason: "SSL handshake failure" }]);
});

overTls("who speaks no TLS is refused and told of; who says nothing is not", async (s, t) => {
  const server = await s.server();
  const proxy = s.proxy([server], secured());
  const plain = await proxy.client();
  plain.send(get("/"));
  await plain.expectEnd();
  const silent = await proxy.client();
  silent.fin();
  await silent.expectEnd();
  t.match(proxy.failures, [{ reason: "SSL handshake failure" }]);
  t.equal(proxy.failures.length, 1);
  t.match(proxy.stats().frontend, {
    connectionsTotal: 2,
    requestsTotal: 0,
    sessionsTotal: 0,
    sessionsCurrent: 0,
  });
});

overTls("a handshake that takes too long is ended", async (s, t) => {
  const server = await s.server();
  const proxy = s.proxy([server], secured({ timeouts: { requestHeadMs: 200 } }));
  const client = await proxy.client();
  // The beginning of a TLS record, and no more.
  client.send(Buffer.from("1603010200010001fc0303", "hex"));
  await client.expectEnd();
  t.match(proxy.failures, [{ reason: "Timeout during SSL handshake" }]);
});

overTls("a client that leaves in the middle leaves nothing behind", async (s, t) => {
  const server = await s.server();
  const proxy = s.proxy([server], secured());
  const client = await tlsClient(proxy);
  client.send(head("POST / HTTP/1.1", "Host: site", "Content-Length: 10"), "half");
  const web = await server.accept();
  await web.receiveHead();
  client.reset();
  await web.expectEnd();
  t.equal(proxy.stats().frontend.clientAborts, 1);
});

overTls("a response that is cut does not look whole", async (s) => {
  const server = await s.server();
  const proxy = s.proxy([server], secured());
  const client = await tlsClient(proxy);
  client.send(get("/"));
  const web = await server.accept();
  await web.receiveHead();
  web.send(`${head("HTTP/1.1 200 OK", "Content-Length: 100")}only a part`);
  await client.receiveHead();
  await client.expect("only a part");
  web.reset();
  await client.expectReset();
});

overTls("mode tcp: what TLS carried goes on in the clear, both ways and to the end", async (s, t) => {
  const server = await s.server();
  const proxy = s.proxy([server], secured({ tls: { alpn: ["x", "y"] }, config: { mode: "tcp" } }));
  const client = await tlsClient(proxy, { ALPNProtocols: ["y"] });
  t.equal(client.tls.alpnProtocol, "y");
  const web = await server.accept();
  client.send("hello");
  await web.expect("hello");
  web.send("and hello");
  await client.expect("and hello");
  web.fin();
  await client.expectFin();
  client.fin();
  await web.expectFin();
});

overTls("a client that offers other protocols is served where none is configured", async (s, t) => {
  const server = await s.server();
  const proxy = s.proxy([server], secured());
  const client = await tlsClient(proxy, { ALPNProtocols: ["h2", "http/1.1"] });
  t.equal(client.tls.alpnProtocol, false);
});

overTls("rules know of TLS: ssl_fc and %[scheme]", async (s, t) => {
  const server = await s.server();
  const rules: ProxyConfig["rules"] = [
    {
      when: { overTls: true },
      unless: null,
      action: { kind: "redirect", status: 302, location: [{ word: "scheme" }, "://elsewhere.example/"] },
    },
    { when: { overTls: false }, unless: null, action: { kind: "deny", status: 403 } },
  ];
  const overIt = await tlsClient(s.proxy([server], secured({ config: { rules } })));
  overIt.send(get("/"));
  const redirected = await overIt.receiveHead();
  t.equal(redirected.field("location"), "https://elsewhere.example/");
  const plain = await s.proxy([server], { config: { rules } }).client();
  plain.send(get("/"));
  t.match((await plain.receiveHead()).line, / 403 /);
});

overTls("an upgrade makes a tunnel inside of TLS, which each side ends by itself", async (s, t) => {
  const server = await s.server();
  const proxy = s.proxy([server], secured());
  const client = await tlsClient(proxy);
  const upgrade = ["Connection: Upgrade", "Upgrade: websocket"];
  client.send(get("/ws", ...upgrade));
  const web = await server.accept();
  const asked = await web.receiveHead();
  t.equal(asked.field("upgrade"), "websocket");
  web.send(head("HTTP/1.1 101 Switching Protocols", ...upgrade), "from the server");
  t.match((await client.receiveHead()).line, / 101 /);
  await client.expect("from the server");
  client.send("from the client");
  await web.expect("from the client");
  web.fin();
  await client.expectFin();
  client.send("last words");
  client.fin();
  await web.expect("last words");
  await web.expectFin();
});
