import type { ProxyConfig } from "../../src/config/config.js";
import type { CookieConfig } from "../../src/config/cookie-config.js";
import { forwarded, forwardedGet, get, head, ok, scenario } from "./scenario.js";
import { plainCookie as cookie, stdoutLog } from "./sections.js";

const log = stdoutLog("httplog");

/** A proxy whose servers have the cookies s1, s2, …; `change` is about the cookie. */
function sticky(
  servers: readonly { readonly name: string; readonly port: number }[],
  change: Partial<CookieConfig> = {},
  more: Partial<ProxyConfig> = {},
) {
  return {
    config: {
      cookie: { ...cookie, ...change },
      log,
      servers: servers.map(({ name, port }, i) => ({
        name,
        host: "127.0.0.1",
        port,
        cookie: `s${i + 1}`,
      })),
      ...more,
    },
  };
}

const okWith = (...fields: string[]): string =>
  `${head("HTTP/1.1 200 OK", "Content-Length: 2", ...fields)}ok`;
const letters = (line: string | undefined): string => / - - (\S{4}) /.exec(line ?? "")?.[1] ?? "";

scenario("insert: a new client gets the cookie, and comes back to its server with it", async (s, t) => {
  const [first, second] = [await s.server(), await s.server()];
  const proxy = s.proxy([first, second], sticky([first, second]));
  const client = await proxy.client();
  client.send(get("/1"));
  const web = await first.accept();
  await web.expectMessage(forwardedGet("/1"));
  web.send(ok("ok"));
  await client.expectMessage(okWith("Set-Cookie: SRV=s1; path=/"));
  for (const path of ["/2", "/3"]) {
    client.send(get(path, "Cookie: a=b; SRV=s1"));
    await web.expectMessage(forwardedGet(path, "Cookie: a=b; SRV=s1"));
    web.send(ok("ok"));
    await client.expectMessage(okWith());
  }
  t.same(proxy.lines.map(letters), ["--NI", "--VN", "--VN"]);
  // HAProxy's lbtot counts what was balanced alone.
  t.match(proxy.stats().servers[0], { selections: 1, requestsTotal: 3, sessionsTotal: 3 });
});

scenario("indirect: servers do not see the cookie, whatever stands beside it", async (s) => {
  const [first, second] = [await s.server(), await s.server()];
  const client = await s.proxy([first, second], sticky([first, second], { indirect: true })).client();
  const fields = async (sent: string[], received: string[]) => {
    client.send(get("/", ...sent));
    await web.expectMessage(head("GET / HTTP/1.1", "Host: site", ...received, ...forwarded));
    web.send(ok("ok"));
    await client.expectMessage(okWith());
  };
  client.send(get("/", "Cookie: SRV=s2"));
  const web = await second.accept();
  await web.expectMessage(forwardedGet("/"));
  web.send(ok("ok"));
  await client.expectMessage(okWith());
  await fields(["Cookie: a=1; SRV=s2; b=2"], ["Cookie: a=1; b=2"]);
  await fields(["Cookie: SRV=s2; b=2", "X: y"], ["Cookie: b=2", "X: y"]);
  await fields(["cookie: a=SRV", "Cookie: SRV = s2"], ["cookie: a=SRV"]);
});

scenario("indirect: a body follows the request that lost its cookie", async (s) => {
  const [first, second] = [await s.server(), await s.server()];
  const client = await s.proxy([first, second], sticky([first, second], { indirect: true })).client();
  client.send(
    `${head("POST / HTTP/1.1", "Host: site", "Cookie: SRV=s2", "Content-Length: 4")}body${get("/next", "Cookie: SRV=s2")}`,
  );
  const web = await second.accept();
  await web.receiveHead();
  await web.expect("body");
  web.send(ok("ok"));
  await client.expectMessage(okWith());
  await web.expectMessage(forwardedGet("/next"));
  web.send(ok("ok"));
  await client.expectMessage(okWith());
});

scenario("a client whose server is down goes to another one, and is told of it", async (s, t) => {
  const [first, second] = [await s.server(), await s.server()];
  const proxy = s.proxy([first, second], sticky([first, second], { indirect: true }));
  const state = proxy.states.read(0, 0);
  proxy.states.write(0, 0, { ...state, admin: "maint" }, 0);
  const client = await proxy.client();
  client.send(get("/", "Cookie: SRV=s1"));
  const web = await second.accept();
  await web.expectMessage(forwardedGet("/"));
  web.send(ok("ok"));
  await client.expectMessage(okWith("Set-Cookie: SRV=s2; path=/"));
  t.same(proxy.lines.map(letters), ["--DI"]);
});

scenario("a drained server keeps its clients and gets no others", async (s, t) => {
  const [first, second] = [await s.server(), await s.server()];
  const proxy = s.proxy([first, second], sticky([first, second]));
  proxy.states.write(0, 0, { ...proxy.states.read(0, 0), admin: "drain" }, 0);
  const client = await proxy.client();
  client.send(get("/", "Cookie: SRV=s1"));
  const web = await first.accept();
  await web.receiveHead();
  web.send(ok("ok"));
  await client.expectMessage(okWith());
  client.send(get("/"));
  const other = await second.accept();
  await other.receiveHead();
  other.send(ok("ok"));
  await client.expectMessage(okWith("Set-Cookie: SRV=s2; path=/"));
  t.same(proxy.lines.map(letters), ["--VN", "--NI"]);
});

scenario("a server that refuses loses its client to another, with a new cookie", async (s, t) => {
  const second = await s.server();
  const servers = [await s.refusing(), second];
  const proxy = s.proxy(servers, sticky(servers));
  const client = await proxy.client();
  client.send(get("/", "Cookie: SRV=s1"));
  const web = await second.accept();
  await web.receiveHead();
  web.send(ok("ok"));
  await client.expectMessage(okWith("Set-Cookie: SRV=s2; path=/"));
  t.same(proxy.lines.map(letters), ["--DI"]);
});

scenario("an unknown cookie is as good as none", async (s, t) => {
  const first = await s.server();
  const proxy = s.proxy([first], sticky([first]));
  const client = await proxy.client();
  client.send(get("/", "Cookie: SRV=s9"));
  const web = await first.accept();
  await web.receiveHead();
  web.send(ok("ok"));
  await client.expectMessage(okWith("Set-Cookie: SRV=s1; path=/"));
  t.same(proxy.lines.map(letters), ["--II"]);
});

scenario("nocache marks what caches might keep, and every attribute stands in the cookie", async (s) => {
  const first = await s.server();
  const change = {
    nocache: true,
    httponly: true,
    secure: true,
    domain: ".example.org",
    attributes: ["SameSite=Lax"],
  };
  const client = await s.proxy([first], sticky([first], change)).client();
  const setCookie = "Set-Cookie: SRV=s1; path=/; domain=.example.org; HttpOnly; Secure; SameSite=Lax";
  client.send(get("/"));
  const web = await first.accept();
  await web.receiveHead();
  web.send(okWith("ETag: x"));
  await client.expectMessage(okWith("ETag: x", setCookie, "Cache-Control: private"));
  client.send(get("/"));
  await web.receiveHead();
  web.send(ok("ok"));
  await client.expectMessage(okWith(setCookie));
  client.send(get("/"));
  await web.receiveHead();
  web.send(okWith("Cache-Control: max-age=9, no-store"));
  await client.expectMessage(okWith("Cache-Control: max-age=9, no-store", setCookie));
});

scenario("a server's own cookie of that name is dropped, or kept with preserve", async (s, t) => {
  for (const [change, expected, said] of [
    [{}, ["Set-Cookie: SRV=s1; path=/"], "--NI"],
    [{ postonly: true }, [], "--ND"],
    [{ indirect: true, preserve: true }, ["Set-Cookie: SRV=own; path=/x"], "--NP"],
  ] as const) {
    const first = await s.server();
    const proxy = s.proxy([first], sticky([first], change));
    const client = await proxy.client();
    client.send(get("/"));
    const web = await first.accept();
    await web.receiveHead();
    web.send(okWith("Set-Cookie: SRV=own; path=/x"));
    await client.expectMessage(okWith(...expected));
    t.same(proxy.lines.map(letters), [said]);
  }
});

scenario("postonly: only an answer to POST sets the cookie", async (s) => {
  const first = await s.server();
  const client = await s.proxy([first], sticky([first], { postonly: true })).client();
  client.send(get("/"));
  const web = await first.accept();
  await web.receiveHead();
  web.send(ok("ok"));
  await client.expectMessage(okWith());
  client.send(head("POST / HTTP/1.1", "Host: site", "Content-Length: 0"));
  await web.receiveHead();
  web.send(ok("ok"));
  await client.expectMessage(okWith("Set-Cookie: SRV=s1; path=/"));
});

scenario("an answer in chunks, to HTTP/1.0, and a switch of protocols carry the cookie too", async (s) => {
  const first = await s.server();
  const proxy = s.proxy([first], sticky([first]));
  const client = await proxy.client();
  client.send(get("/"));
  const web = await first.accept();
  await web.receiveHead();
  web.send(`${head("HTTP/1.1 200 OK", "Transfer-Encoding: chunked")}2\r\nok\r\n0\r\n\r\n`);
  await client.expectMessage(
    `${head("HTTP/1.1 200 OK", "Set-Cookie: SRV=s1; path=/", "Transfer-Encoding: chunked")}2\r\nok\r\n0\r\n\r\n`,
  );
  const old = await proxy.client();
  old.send(head("GET / HTTP/1.0", "Host: site"));
  await web.receiveHead();
  web.send(`${head("HTTP/1.1 200 OK", "Transfer-Encoding: chunked")}2\r\nok\r\n0\r\n\r\n`);
  await old.expectMessage(`${head("HTTP/1.1 200 OK", "Set-Cookie: SRV=s1; path=/", "Connection: close")}ok`);
  const socket = await proxy.client();
  socket.send(get("/ws", "Connection: Upgrade", "Upgrade: websocket"));
  await web.receiveHead();
  web.send(`${head("HTTP/1.1 101 Switching Protocols", "Connection: Upgrade", "Upgrade: websocket")}hello`);
  await socket.expectMessage(
    `${head("HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Set-Cookie: SRV=s1; path=/", "Connection: Upgrade")}hello`,
  );
});

scenario("rewrite: the server's own cookie names the server, and leads back to it", async (s, t) => {
  const [first, second] = [await s.server(), await s.server()];
  const proxy = s.proxy([first, second], sticky([first, second], { mode: "rewrite" }));
  const client = await proxy.client();
  client.send(get("/1"));
  const web = await first.accept();
  await web.expectMessage(forwardedGet("/1"));
  web.send(okWith("Set-Cookie: x=1", "Set-Cookie: SRV=own; path=/a; Secure"));
  await client.expectMessage(okWith("Set-Cookie: x=1", "Set-Cookie: SRV=s1; path=/a; Secure"));
  client.send(get("/2", "Cookie: SRV=s1"));
  await web.expectMessage(forwardedGet("/2", "Cookie: SRV=s1"));
  web.send(ok("ok"));
  await client.expectMessage(ok("ok"));
  t.same(proxy.lines.map(letters), ["--NR", "--VN"]);
});

scenario("prefix: the server sees its own value alone, and the client comes back to it", async (s, t) => {
  const [first, second] = [await s.server(), await s.server()];
  const proxy = s.proxy([first, second], sticky([first, second], { mode: "prefix" }));
  const client = await proxy.client();
  client.send(get("/1"));
  const web = await first.accept();
  await web.expectMessage(forwardedGet("/1"));
  web.send(okWith("Set-Cookie: SRV=a~b=c; path=/"));
  await client.expectMessage(okWith("Set-Cookie: SRV=s1~a~b=c; path=/"));
  client.send(get("/2", "Cookie: x=1~2; SRV=s1~a~b=c; y=z~"));
  await web.expectMessage(forwardedGet("/2", "Cookie: x=1~2; SRV=a~b=c; y=z~"));
  web.send(ok("ok"));
  await client.expectMessage(ok("ok"));
  t.same(proxy.lines.map(letters), ["--NR", "--VN"]);
});
