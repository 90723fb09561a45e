import { forwardedGet, get, head, ok, scenario } from "./scenario.js";

const retry = {
  retries: 3,
  onConnectFailure: true,
  onEmptyResponse: true,
  onResponseTimeout: true,
  onStatuses: [503],
};
const post = `${head("POST /p HTTP/1.1", "Host: site", "Content-Length: 4")}body`;
const unavailable = `${head("HTTP/1.1 503 No", "Content-Length: 4")}gone`;

scenario(
  "a 503 that retry_on names goes to the next server, and the client sees its answer",
  async (s, t) => {
    const [first, second] = [await s.server(), await s.server()];
    const proxy = s.proxy([first, second], { config: { retry } });
    const client = await proxy.client();
    client.send(get("/"));
    const web1 = await first.accept();
    await web1.expectMessage(forwardedGet("/"));
    web1.send(unavailable);
    const web2 = await second.accept();
    await web2.expectMessage(forwardedGet("/"));
    web2.send(ok("here"));
    await client.expectMessage(ok("here"));
    t.match(proxy.stats().frontend, { responses2xx: 1, responses5xx: 0 });
    t.match(proxy.stats().servers[0], { responseErrors: 1, redispatches: 1 });
  },
);

scenario("the last server's 503 is the client's, as it is", async (s, t) => {
  const server = await s.server();
  const proxy = s.proxy([server], { config: { retry } });
  const client = await proxy.client();
  client.send(get("/"));
  const web = await server.accept();
  await web.expectMessage(forwardedGet("/"));
  web.send(unavailable);
  await client.expectMessage(unavailable);
  t.match(proxy.stats().servers[0], { responses5xx: 1, redispatches: 0 });
});

scenario("a POST is not sent twice for a 503", async (s) => {
  const [first, second] = [await s.server(), await s.server()];
  const client = await s.proxy([first, second], { config: { retry } }).client();
  client.send(post);
  const web = await first.accept();
  await web.receiveHead();
  await web.expect("body");
  web.send(unavailable);
  await client.expectMessage(unavailable);
});

scenario("a server that does not answer in time loses the request, where retry_on says so", async (s, t) => {
  const [first, second] = [await s.server(), await s.server()];
  const proxy = s.proxy([first, second], { config: { retry }, timeouts: { serverMs: 200 } });
  const client = await proxy.client();
  client.send(get("/"));
  const web1 = await first.accept();
  await web1.expectMessage(forwardedGet("/"));
  const web2 = await second.accept();
  await web2.expectMessage(forwardedGet("/"));
  web2.send(ok("here"));
  await client.expectMessage(ok("here"));
  t.match(proxy.stats().servers[0], { responseErrors: 1, redispatches: 1 });
});

scenario("retries: 0 leaves a request where it was, and the log says how it ended", async (s, t) => {
  const second = await s.server();
  const proxy = s.proxy([await s.refusing(), second], { config: { retry: { ...retry, retries: 0 } } });
  const client = await proxy.client();
  client.send(get("/"));
  t.match((await client.receiveHead()).line, /^HTTP\/1\.1 503 /);
  t.match(proxy.failures, [{ server: "refusing", termination: "SC--", retries: 0, status: 503 }]);
});
