import type { ProxyConfig } from "../../src/config/config.js";
import { handleServer } from "../../src/proxy/health/server-state.js";
import { monotonicMs } from "../../src/proxy/stats/monotonic.js";
import { checkEvery } from "../unit/health/check-config.js";
import { eventually } from "./peer.js";
import { forwarded, forwardedGet, get, head, ok, type RunningProxy, scenario } from "./scenario.js";
import { plainCookie as cookie } from "./sections.js";

const check = checkEvery(60_000);

/** Servers that are checked; `words` of each of them. */
function checkedServers(
  targets: readonly { readonly name: string; readonly port: number }[],
  words: { readonly maxconn?: number } = {},
): ProxyConfig["servers"] {
  return targets.map(({ name, port }, i) => ({
    name,
    host: "127.0.0.1",
    port,
    cookie: `s${i + 1}`,
    check: { ...check, port },
    ...words,
  }));
}

/** A check of `server` ends. */
function tell(proxy: RunningProxy, servers: ProxyConfig["servers"], server: number, passed: boolean): void {
  const { states } = proxy;
  const result = { status: passed ? "L4OK" : "L4CON", code: null, durationMs: 1, detail: "" } as const;
  const input = { kind: "checked", result } as const;
  const { state } = handleServer(states.read(0, server), input, servers[server], monotonicMs());
  states.write(0, server, state, monotonicMs());
}

const waits = (proxy: RunningProxy, count: number) =>
  eventually(
    () => proxy.stats().backend.queueCurrent === count,
    () => `${proxy.stats().backend.queueCurrent} wait, not ${count}`,
  );

for (const words of [{}, { maxconn: 5 }]) {
  const where = words.maxconn === undefined ? "" : ", with maxconn";

  scenario(`a request waits until a first check has found a server up${where}`, async (s, t) => {
    const [dead, living] = [await s.refusing("dead"), await s.server()];
    const servers = checkedServers([dead, living], words);
    const proxy = s.proxy([dead, living], { config: { servers } });
    const client = await proxy.client();
    client.send(get("/1"));
    await waits(proxy, 1);
    t.match(proxy.stats().backend, { connectsTotal: 0 }, "no server has heard of it");

    tell(proxy, servers, 1, true);
    const web = await living.accept();
    for (const path of ["/1", "/2", "/3"]) {
      if (path !== "/1") client.send(get(path));
      await web.expectMessage(forwardedGet(path));
      web.send(ok(path));
      await client.expectMessage(ok(path));
    }
    t.match(proxy.stats().servers[0], { connectsTotal: 0, selections: 0 }, "the other one got nothing");
    t.match(proxy.stats().backend, { queueCurrent: 0, queueMax: 1 });
  });

  scenario(`a request that waits with its body is sent whole${where}`, async (s) => {
    const server = await s.server();
    const servers = checkedServers([server], words);
    const proxy = s.proxy([server], { config: { servers } });
    const client = await proxy.client();
    client.send(head("POST / HTTP/1.1", "Host: site", "Content-Length: 10"), "01234");
    await waits(proxy, 1);
    tell(proxy, servers, 0, true);
    const web = await server.accept();
    await web.expectMessage(
      `${head("POST / HTTP/1.1", "Host: site", "Content-Length: 10", ...forwarded)}01234`,
    );
    client.send("56789");
    await web.expect("56789");
    web.send(ok("1"));
    await client.expectMessage(ok("1"));
  });

  scenario(`a client that leaves waits no longer${where}`, async (s) => {
    const server = await s.server();
    const servers = checkedServers([server], words);
    const proxy = s.proxy([server], { config: { servers } });
    const client = await proxy.client();
    client.send(get("/"));
    await waits(proxy, 1);
    client.reset();
    await waits(proxy, 0);
    tell(proxy, servers, 0, true);
  });
}

scenario("503 comes as soon as the first checks have found every server down", async (s) => {
  const [a, b] = [await s.refusing("a"), await s.refusing("b")];
  const servers = checkedServers([a, b]);
  const proxy = s.proxy([a, b], { config: { servers } });
  const client = await proxy.client();
  client.send(get("/"));
  await waits(proxy, 1);
  tell(proxy, servers, 0, false);
  tell(proxy, servers, 1, false);
  await client.expect("HTTP/1.1 503 ");
});

scenario("where no check says anything in time the servers are taken for up", async (s, t) => {
  const server = await s.server();
  const proxy = s.proxy([server], {
    config: { servers: checkedServers([server]) },
    timeouts: { queueMs: 50 },
  });
  const client = await proxy.client();
  client.send(get("/1"));
  const web = await server.accept();
  await web.expectMessage(forwardedGet("/1"));
  web.send(ok("1"));
  await client.expectMessage(ok("1"));
  t.ok(proxy.stats().servers[0].queueTimeMax >= 50, "it has waited");
  client.send(get("/2"));
  await web.expectMessage(forwardedGet("/2"));
  web.send(ok("2"));
  await client.expectMessage(ok("2"));
  t.equal(proxy.stats().backend.queueMax, 1, "the next one has not");
});

scenario(
  "a client waits for the server that its cookie asks for, and is another's if that is down",
  async (s) => {
    const [first, second] = [await s.server(), await s.server()];
    const servers = checkedServers([first, second]);
    const proxy = s.proxy([first, second], { config: { servers, cookie } });
    const [one, two] = [await proxy.client(), await proxy.client()];
    tell(proxy, servers, 1, true);
    one.send(get("/1", "Cookie: SRV=s1"));
    await waits(proxy, 1);
    two.send(get("/2", "Cookie: SRV=s2"));
    const web = await second.accept();
    await web.expectMessage(forwardedGet("/2", "Cookie: SRV=s2"));
    web.send(ok("2"));
    await two.expectMessage(ok("2"));

    tell(proxy, servers, 0, false);
    await web.expectMessage(forwardedGet("/1", "Cookie: SRV=s1"));
    web.send(ok("1"));
    await one.expectMessage(`${head("HTTP/1.1 200 OK", "Content-Length: 1", "Set-Cookie: SRV=s2; path=/")}1`);
  },
);

scenario(
  "a server that leaves maintenance gets nothing before its check, while another one is up",
  async (s, t) => {
    const [first, second] = [await s.server(), await s.server()];
    const servers = checkedServers([first, second]);
    const proxy = s.proxy([first, second], { config: { servers } });
    for (const server of [0, 1]) tell(proxy, servers, server, true);
    for (const state of ["maint", "ready"] as const) {
      const next = handleServer(proxy.states.read(0, 0), { kind: "admin", state }, servers[0], monotonicMs());
      proxy.states.write(0, 0, next.state, monotonicMs());
    }
    const client = await proxy.client();
    for (const path of ["/1", "/2"]) {
      client.send(get(path));
      if (path === "/1") await second.accept().then((web) => web.expectMessage(forwardedGet(path)));
      else await second.peers[0].expectMessage(forwardedGet(path));
      second.peers[0].send(ok(path));
      await client.expectMessage(ok(path));
    }
    t.equal(proxy.stats().servers[0].selections, 0);
    tell(proxy, servers, 0, true);
    client.send(get("/3"));
    const web = await first.accept();
    await web.expectMessage(forwardedGet("/3"));
    web.send(ok("3"));
    await client.expectMessage(ok("3"));
  },
);

scenario("a session of mode tcp waits, too", async (s, t) => {
  const [dead, living] = [await s.refusing("dead"), await s.server()];
  const servers = checkedServers([dead, living]);
  const proxy = s.proxy([dead, living], { config: { servers, mode: "tcp" } });
  const client = await proxy.client();
  client.send("hello");
  await waits(proxy, 1);
  tell(proxy, servers, 1, true);
  const web = await living.accept();
  await web.expect("hello");
  web.send("there");
  await client.expect("there");
  const gone = await proxy.client();
  gone.fin();
  await living.accept().then((peer) => peer.expectFin());
  t.equal(proxy.stats().servers[0].selections, 0);
});
