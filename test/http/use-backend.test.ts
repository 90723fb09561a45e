import type { Rule } from "../../src/config/rule-config.js";
import { forwardedGet, get, head, ok, type ScriptedServer, scenario } from "./scenario.js";

const use = (backend: string, path: string): Rule => ({
  when: { pathBegins: [path] },
  unless: null,
  action: { kind: "use-backend", backend },
});
const members = (servers: readonly { readonly name: string; readonly port: number }[]) =>
  servers.map(({ name, port }) => ({ name, host: "127.0.0.1", port }));

/** Takes one request and answers with this body. */
async function answer(server: ScriptedServer, path: string, body: string) {
  const web = await server.accept();
  await web.expectMessage(forwardedGet(path));
  web.send(ok(body));
  return web;
}

scenario(
  "use_backend: a request goes to the other backend's servers, the next one to the own",
  async (s, t) => {
    const [own, api] = [await s.server(), await s.server()];
    const proxy = s.proxy([own], {
      config: { rules: [use("api", "/api/"), use("other", "/api/")] },
      backends: [
        { name: "api", servers: members([api]) },
        { name: "other", servers: members([await s.server()]) },
      ],
    });
    const client = await proxy.client();
    client.send(get("/api/1") + get("/2"));
    const first = await answer(api, "/api/1", "api");
    await client.expectMessage(ok("api"));
    await answer(own, "/2", "own");
    await client.expectMessage(ok("own"));
    // A connection of its pool serves the next one.
    client.send(get("/api/3"));
    await first.expectMessage(forwardedGet("/api/3"));
    first.send(ok("again"));
    await client.expectMessage(ok("again"));
    t.match(proxy.stats(0).frontend, { requestsTotal: 3, responses2xx: 3 });
    t.match(proxy.stats(0).backend, { requestsTotal: 1, selections: 1, responses2xx: 1, sessionsTotal: 1 });
    t.match(proxy.stats(1).backend, { requestsTotal: 2, selections: 2, responses2xx: 2, reuses: 1 });
    t.match(proxy.stats(1).servers[0], { requestsTotal: 2, connectsTotal: 1, responses2xx: 2 });
  },
);

scenario("a body follows its request to the chosen backend", async (s) => {
  const [own, api] = [await s.server(), await s.server()];
  const proxy = s.proxy([own], {
    config: { rules: [use("api", "/api/")] },
    backends: [
      { name: "api", servers: members([api]) },
      { name: "other", servers: members([await s.server()]) },
    ],
  });
  const client = await proxy.client();
  client.send(head("POST /api/x HTTP/1.1", "Host: site", "Content-Length: 10"), "01234", "56789");
  const web = await api.accept();
  await web.receiveHead();
  await web.expect("0123456789");
  web.send(ok("taken"));
  await client.expectMessage(ok("taken"));
});

scenario("the chosen backend's errors, retries and time-outs are its own", async (s, t) => {
  const [own, second] = [await s.server(), await s.server()];
  const page = { statusLine: "HTTP/1.1 504 Slow", fields: [], body: "slow" };
  const proxy = s.proxy([own], {
    config: { rules: [use("api", "/api/")] },
    backends: [
      {
        name: "api",
        servers: members([await s.refusing("api01"), { ...second, name: "api02", port: second.port }]),
        timeouts: {
          connectMs: 1_000,
          requestHeadMs: 1_000,
          clientMs: 1_000,
          serverMs: 200,
          keepAliveMs: 1_000,
          tunnelMs: 1_000,
        },
        errorFiles: [{ status: 504, path: "/e", page }],
      },
    ],
  });
  const client = await proxy.client();
  client.send(get("/api/1"));
  const web = await second.accept();
  await web.expectMessage(forwardedGet("/api/1"));
  await client.expectMessage(`${head("HTTP/1.1 504 Slow", "Content-Length: 4")}slow`);
  t.match(proxy.failures, [
    { frontend: "http", backend: "api", server: "api02", termination: "sH--", retries: 1, redispatched: 1 },
  ]);
  t.match(proxy.stats(1).servers[0], { connectErrors: 1, redispatches: 1 });
  t.match(proxy.stats(0).backend, { requestsTotal: 0, responses5xx: 0 });
  t.match(proxy.stats(1).backend, { responses5xx: 1, responseErrors: 1 });
  t.match(proxy.stats(0).frontend, { responses5xx: 1 });
});
