import { parseAddressRange } from "../../src/config/address-range.js";
import type { ProxyConfig, ServerConfig } from "../../src/config/config.js";
import { encodeProxyHeader } from "../../src/proxy/proxy-protocol/encode.js";
import type { Endpoints } from "../../src/proxy/proxy-protocol/endpoints.js";
import { parseProxyHeader } from "../../src/proxy/proxy-protocol/parse.js";
import { eventually, type Peer } from "./peer.js";
import {
  get,
  head,
  lastOk,
  ok,
  type RunningProxy,
  type Scenario,
  type ScriptedServer,
  scenario,
} from "./scenario.js";
import { stdoutLog } from "./sections.js";

const claimed: Endpoints = {
  source: { address: "192.0.2.7", port: 4711 },
  destination: { address: "198.51.100.1", port: 80 },
};

const httplog = stdoutLog("httplog");

/** A proxy whose clients begin with a PROXY header. */
function accepting(config: Partial<ProxyConfig> = {}): { config: Partial<ProxyConfig> } {
  return { config: { listen: [{ address: "127.0.0.1", port: 0, acceptProxy: true }], ...config } };
}

const toldGet = (path: string, source: string): string =>
  head(`GET ${path} HTTP/1.1`, "Host: site", "X-Forwarded-Proto: http", `X-Forwarded-For: ${source}`);

for (const version of [1, 2] as const) {
  scenario(`version ${version}: the client is whom the header names`, async (s, t) => {
    const { server, client, proxy } = await s.one(accepting({ log: httplog }));
    client.send(Buffer.concat([encodeProxyHeader(version, claimed), Buffer.from(get("/1"))]));
    const web = await server.accept();
    await web.expectMessage(toldGet("/1", "192.0.2.7"));
    web.send(ok("one"));
    await client.expectMessage(ok("one"));
    // The header stands before the first request alone.
    client.send(get("/2"));
    await web.expectMessage(toldGet("/2", "192.0.2.7"));
    web.send(ok("two"));
    await client.expectMessage(ok("two"));
    t.match(proxy.lines, [/^192\.0\.2\.7:4711 \[/, /^192\.0\.2\.7:4711 \[/]);
    t.match(proxy.stats().frontend, { connectionsTotal: 1, requestsTotal: 2, requestErrors: 0 });
  });

  scenario(`version ${version}: the header may come byte by byte`, async (s) => {
    const { server, client } = await s.one(accepting());
    const all = Buffer.concat([encodeProxyHeader(version, claimed), Buffer.from(get("/"))]);
    await client.sendSlowly(
      Array.from(all, (byte) => Uint8Array.of(byte)),
      1,
    );
    const web = await server.accept();
    await web.expectMessage(toldGet("/", "192.0.2.7"));
    web.send(ok(""));
    await client.expectMessage(ok(""));
  });

  scenario(`version ${version}: LOCAL and UNKNOWN keep the connection's own address`, async (s) => {
    const { server, client } = await s.one(accepting());
    client.send(encodeProxyHeader(version, null), get("/"));
    const web = await server.accept();
    await web.expectMessage(toldGet("/", "127.0.0.1"));
    web.send(ok(""));
    await client.expectMessage(ok(""));
  });

  scenario(`version ${version}: in mode tcp what comes behind the header goes on`, async (s, t) => {
    const server = await s.server();
    const proxy = s.proxy([server], accepting({ mode: "tcp" }));
    const client = await proxy.client();
    client.send(Buffer.concat([encodeProxyHeader(version, claimed), Buffer.from("hello")]));
    client.send(", and more");
    client.fin();
    const web = await server.accept();
    await web.expect("hello, and more");
    await web.expectFin();
    web.send("bye");
    web.fin();
    await client.expect("bye");
    await client.expectFin();
    t.match(proxy.stats().servers[0], { bytesIn: 15, bytesOut: 3 });
  });

  scenario(`version ${version}: large data behind the header arrives whole in mode tcp`, async (s, t) => {
    const server = await s.server();
    const proxy = s.proxy([server], accepting({ mode: "tcp" }));
    const client = await proxy.client();
    const bytes = Buffer.alloc(4_000_000, "0123456789abcdefghijklmnopqrstuvwxyz");
    const sent = client.sendLarge(Buffer.concat([encodeProxyHeader(version, claimed), bytes]));
    const web = await server.accept();
    t.ok((await web.receive(bytes.length)).equals(bytes));
    await sent;
  });
}

scenario("rules see the address that the header names", async (s, t) => {
  const range = parseAddressRange("192.0.2.0/24");
  if (range === null) throw new Error("no range");
  const server = await s.server();
  server.serve(async (web) => {
    await web.receiveHead();
    web.send(lastOk("served"));
    web.fin();
  });
  const deny = { when: { sources: [range] }, unless: null, action: { kind: "deny", status: 403 } } as const;
  const proxy = s.proxy([server], accepting({ rules: [deny] }));
  const statusFor = async (ends: Endpoints | null): Promise<string> => {
    const client = await proxy.client();
    client.send(encodeProxyHeader(2, ends), get("/"));
    return (await client.receiveHead()).line;
  };
  t.equal(await statusFor(claimed), "HTTP/1.1 403 Forbidden");
  t.equal(await statusFor(null), "HTTP/1.1 200 OK");
});

scenario("balance: source goes by the address that the header names", async (s, t) => {
  for (const mode of ["http", "tcp"] as const) {
    const servers = [await s.server(), await s.server(), await s.server()];
    for (const [i, server] of servers.entries()) {
      server.serve(async (web) => {
        await web.receiveHead();
        web.send(lastOk(`${i}`));
        web.fin();
      });
    }
    const words = { balance: "source", ...(mode === "tcp" && { mode }) } as const;
    const proxy = s.proxy(servers, accepting(words));
    const serverOf = async (address: string): Promise<string> => {
      const client = await proxy.client();
      client.send(encodeProxyHeader(1, { ...claimed, source: { address, port: 1 } }), get("/"));
      await client.receiveHead();
      return (await client.receive(1)).toString();
    };
    const chosen = new Set<string>();
    for (let i = 1; i < 20; i++) {
      const first = await serverOf(`192.0.2.${i}`);
      t.equal(await serverOf(`192.0.2.${i}`), first, "the same source, the same server");
      chosen.add(first);
    }
    t.ok(chosen.size > 1, "not all go to one");
  }
});

const refused: readonly { readonly what: string; readonly bytes: string; readonly log: RegExp }[] = [
  {
    what: "a request without a header",
    bytes: get("/"),
    log: /\] http\/1: Received something which does not look like a PROXY protocol header$/,
  },
  {
    what: "a header that breaks a rule",
    bytes: "PROXY TCP4 nobody nowhere 1 2\r\n",
    log: /\] http\/1: Received an invalid PROXY protocol header$/,
  },
];

for (const { what, bytes, log } of refused) {
  scenario(`${what} closes the connection, and is counted and logged as in HAProxy`, async (s, t) => {
    const { client, proxy } = await s.one(accepting({ log: httplog }));
    client.send(bytes);
    await client.expectEnd();
    t.equal(client.takeAll().length, 0, "nothing is answered");
    t.match(proxy.lines, [log]);
    t.match(proxy.stats().frontend, {
      connectionsTotal: 1,
      sessionsCurrent: 0,
      sessionsTotal: 0,
      requestErrors: 0,
    });
  });
}

scenario("a header that does not come in time closes the connection", async (s, t) => {
  const { client, proxy } = await s.one({ ...accepting(), timeouts: { requestHeadMs: 200 } });
  client.send("PROXY TCP4 192.0");
  await client.expectEnd();
  t.match(proxy.failures, [
    { reason: "Timeout while waiting for PROXY protocol header", frontend: "http", bind: 1 },
  ]);
});

scenario("who ends before the header is told of only when something came", async (s, t) => {
  const server = await s.server();
  const proxy = s.proxy([server], accepting());
  const silent = await proxy.client();
  silent.fin();
  await silent.expectEnd();
  const cut = await proxy.client();
  cut.send("PROXY TC");
  cut.fin();
  await cut.expectEnd();
  t.match(proxy.failures, [{ reason: "Truncated PROXY protocol header received" }]);
  t.equal(proxy.failures.length, 1);
});

scenario(
  "a connection that waits for its header counts against maxconn, and a drain ends it",
  async (s, t) => {
    const server = await s.server();
    const proxy = s.proxy([server], { ...accepting(), maxconn: 1 });
    const client = await proxy.client();
    await eventually(
      () => proxy.stats().frontend.sessionsCurrent === 1,
      () => "it does not count",
    );
    proxy.instance.drain();
    await client.expectEnd();
    t.equal(proxy.stats().frontend.sessionsCurrent, 0);
  },
);

// —— to servers ——

/** Servers that are sent a header. */
function telling(version: 1 | 2, servers: readonly ScriptedServer[]): Partial<ProxyConfig> {
  return {
    servers: servers.map(
      ({ name, port }): ServerConfig => ({ name, host: "127.0.0.1", port, sendProxy: version }),
    ),
  };
}

/** The header that a server is sent for a client: its own address, and where it came to. */
function headerOf(version: 1 | 2, client: Peer, proxy: RunningProxy): Uint8Array {
  const { localPort = 0 } = client.socket;
  return encodeProxyHeader(version, {
    source: { address: "127.0.0.1", port: localPort },
    destination: { address: "127.0.0.1", port: proxy.port },
  });
}

const plainGet = (path: string): string => toldGet(path, "127.0.0.1");

async function tellingProxy(s: Scenario, version: 1 | 2, config: Partial<ProxyConfig> = {}) {
  const server = await s.server();
  const proxy = s.proxy([server], { config: { ...telling(version, [server]), ...config } });
  return { server, proxy, client: await proxy.client() };
}

for (const version of [1, 2] as const) {
  scenario(
    `version ${version}: a server is told of each client once, and over its own connection`,
    async (s, t) => {
      const { server, proxy, client } = await tellingProxy(s, version);
      client.send(get("/1"));
      const web = await server.accept();
      await web.expect(headerOf(version, client, proxy));
      await web.expectMessage(plainGet("/1"));
      web.send(ok("one"));
      await client.expectMessage(ok("one"));
      client.send(get("/2"));
      await web.expectMessage(plainGet("/2"));
      web.send(ok("two"));
      await client.expectMessage(ok("two"));
      t.equal(proxy.stats().backend.idleConnections, 1);

      // Another client gets a connection of its own, although one is idle.
      const other = await proxy.client();
      other.send(get("/3"));
      const second = await server.accept();
      await second.expect(headerOf(version, other, proxy));
      await second.expectMessage(plainGet("/3"));
      second.send(ok("three"));
      await other.expectMessage(ok("three"));
      t.match(proxy.stats().servers[0], { connectsTotal: 2, reuses: 1, idleConnections: 2 });

      client.fin();
      await web.expectEnd();
      t.equal(second.isOpen, true, "the other client's stays");
    },
  );

  scenario(
    `version ${version}: in mode tcp the header comes first, also where the server speaks first`,
    async (s) => {
      const { server, proxy, client } = await tellingProxy(s, version, { mode: "tcp" });
      const web = await server.accept();
      await web.expect(headerOf(version, client, proxy));
      web.send("220 hello\r\n");
      await client.expect("220 hello\r\n");
      client.send("QUIT\r\n");
      await web.expect("QUIT\r\n");
      web.fin();
      client.fin();
      await client.expectFin();
    },
  );

  scenario(`version ${version}: what a header has named is passed on as it came`, async (s) => {
    for (const mode of ["http", "tcp"] as const) {
      const server = await s.server();
      const words = { ...telling(version, [server]), ...(mode === "tcp" && { mode }) };
      const proxy = s.proxy([server], accepting(words));
      const client = await proxy.client();
      const overIPv6: Endpoints = {
        source: { address: "2001:db8::1", port: 1 },
        destination: { address: "2001:db8::2", port: 443 },
      };
      client.send(Buffer.concat([encodeProxyHeader(2, overIPv6), Buffer.from(get("/"))]));
      const web = await server.accept();
      await web.expect(encodeProxyHeader(version, overIPv6));
      if (mode === "http") await web.expectMessage(toldGet("/", "2001:db8::1"));
      else await web.expect(get("/"));
      web.reset();
    }
  });
}

scenario("a connection of its own that the server has closed is opened anew, with its header", async (s) => {
  const { server, proxy, client } = await tellingProxy(s, 1);
  client.send(get("/1"));
  const web = await server.accept();
  await web.expect(headerOf(1, client, proxy));
  await web.expectMessage(plainGet("/1"));
  web.send(ok("one"));
  await client.expectMessage(ok("one"));
  web.fin();
  await web.expectEnd();
  client.send(get("/2", "Connection: close"));
  const second = await server.accept();
  await second.expect(headerOf(1, client, proxy));
  await second.expectMessage(plainGet("/2"));
  second.send(ok("two"));
  await client.expectMessage(lastOk("two"));
});

scenario("a body behind the header arrives", async (s) => {
  const { server, proxy, client } = await tellingProxy(s, 2);
  client.send(`${head("POST / HTTP/1.1", "Host: site", "Content-Length: 5")}hello`);
  const web = await server.accept();
  const header = headerOf(2, client, proxy);
  const received = await web.receive(header.length);
  if (parseProxyHeader(received, 0, received.length).kind !== "header") throw new Error("no header came");
  await web.receiveHead();
  await web.expect("hello");
  web.send(ok(""));
  await client.expectMessage(ok(""));
});
