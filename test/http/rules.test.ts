import { parseAddressRange } from "../../src/config/address-range.js";
import type { Action, Condition, Rule } from "../../src/config/rule-config.js";
import type { Peer } from "./peer.js";
import { forwarded, forwardedGet, get, head, ok, scenario } from "./scenario.js";

const rule = (action: Action, when: Condition | null = null, unless: Condition | null = null): Rule => ({
  when,
  unless,
  action,
});
const deny = (status: number): Action => ({ kind: "deny", status });

/** The next answer: its status line, and all of its body. */
async function receiveAnswer(client: Peer) {
  const answer = await client.receiveHead();
  const length = Number(answer.field("content-length"));
  return { ...answer, body: (await client.receive(length)).toString() };
}

scenario("deny: no server hears of it, and the connection serves the next request", async (s, t) => {
  const server = await s.server();
  const proxy = s.proxy([server], { config: { rules: [rule(deny(403), { pathBegins: ["/admin"] })] } });
  const client = await proxy.client();
  client.send(get("//%61dmin/x") + get("/other"));
  t.equal((await receiveAnswer(client)).line, "HTTP/1.1 403 Forbidden");
  const web = await server.accept();
  await web.expectMessage(forwardedGet("/other"));
  web.send(ok("other"));
  await client.expectMessage(ok("other"));
  t.match(proxy.stats().frontend, { requestsDenied: 1, responses4xx: 1, requestErrors: 0, requestsTotal: 2 });
});

scenario("deny of a request with a body: the answer, and then the end", async (s, t) => {
  const server = await s.server();
  const proxy = s.proxy([server], { config: { rules: [rule(deny(403), { methods: ["POST"] })] } });
  const client = await proxy.client();
  client.send(head("POST /upload HTTP/1.1", "Host: site", "Content-Length: 1000000"), "the first part");
  const answer = await receiveAnswer(client);
  t.equal(answer.line, "HTTP/1.1 403 Forbidden");
  t.equal(answer.field("connection"), "close");
  await client.expectFin();
});

scenario("the answer to HEAD has the head alone", async (s, t) => {
  const server = await s.server();
  const answer: Action = { kind: "return", status: 200, contentType: "text/plain", body: "alive" };
  const proxy = s.proxy([server], { config: { rules: [rule(answer)] } });
  const client = await proxy.client();
  client.send(head("HEAD / HTTP/1.1", "Host: site"));
  const received = await client.receiveHead();
  t.equal(received.field("content-length"), "5");
  client.send(get("/"));
  t.match(await receiveAnswer(client), { line: "HTTP/1.1 200 OK", body: "alive" });
});

scenario("redirect: to the same place over https", async (s, t) => {
  const server = await s.server();
  const location = ["https://", { word: "host" as const }, { word: "url" as const }];
  const proxy = s.proxy([server], {
    config: { rules: [rule({ kind: "redirect", status: 301, location })] },
  });
  const client = await proxy.client();
  client.send(head("GET /a?b HTTP/1.1", "Host: Site:8080"));
  const answer = await receiveAnswer(client);
  t.equal(answer.line, "HTTP/1.1 301 Moved Permanently");
  t.equal(answer.field("location"), "https://site/a?b");
});

scenario("path and fields are changed before the server sees them, its body goes with it", async (s) => {
  const server = await s.server();
  const rules = [
    rule({ kind: "replace-prefix", prefix: "/old/", by: "/new/" }),
    rule({ kind: "del-header", name: "cookie" }),
    rule({ kind: "set-header", name: "X-Client", value: [{ word: "src" }] }),
  ];
  const proxy = s.proxy([server], { config: { rules } });
  const client = await proxy.client();
  const fields = ["Host: site", "Cookie: a=b", "x-client: forged", "Content-Length: 4"];
  client.send(head("POST /old/x?y HTTP/1.1", ...fields), "bo");
  const web = await server.accept();
  await web.expectMessage(
    head("POST /new/x?y HTTP/1.1", "Host: site", "Content-Length: 4", "X-Client: 127.0.0.1", ...forwarded),
  );
  client.send("dy");
  await web.expect("body");
  web.send(ok("done"));
  await client.expectMessage(ok("done"));
});

scenario("auth: 401 with a challenge, and with the password the server answers", async (s, t) => {
  const server = await s.server();
  const users = [{ name: "ann", password: "s3cret" }];
  const proxy = s.proxy([server], { config: { rules: [rule({ kind: "auth", realm: "site", users })] } });
  const client = await proxy.client();
  client.send(get("/"));
  const refused = await receiveAnswer(client);
  t.equal(refused.line, "HTTP/1.1 401 Unauthorized");
  t.equal(refused.field("www-authenticate"), 'Basic realm="site", charset="UTF-8"');
  const credentials = `Authorization: Basic ${Buffer.from("ann:s3cret").toString("base64")}`;
  client.send(get("/", credentials));
  const web = await server.accept();
  await web.expectMessage(forwardedGet("/", credentials));
  web.send(ok("in"));
  await client.expectMessage(ok("in"));
});

scenario("a rate limit holds over all connections of a source", async (s, t) => {
  const server = await s.server();
  const limit: Action = {
    kind: "rate-limit",
    requests: 3,
    periodMs: 60_000,
    by: "src",
    status: 429,
    keys: 100,
  };
  const answer: Action = { kind: "return", status: 200, contentType: "text/plain", body: "ok" };
  const proxy = s.proxy([server], { config: { rules: [rule(limit), rule(answer)] } });
  const statuses: string[] = [];
  for (let i = 0; i < 5; i++) {
    const client = await proxy.client();
    client.send(get("/"));
    statuses.push((await receiveAnswer(client)).line.slice(9, 12));
  }
  t.same(statuses, ["200", "200", "200", "429", "429"]);
  t.equal(proxy.stats().frontend.requestsDenied, 2);
});

scenario("who comes from elsewhere is let through", async (s, t) => {
  const server = await s.server();
  const own = parseAddressRange("127.0.0.0/8");
  if (own === null) throw new Error("no range");
  const proxy = s.proxy([server], { config: { rules: [rule(deny(403), null, { sources: [own] })] } });
  const client = await proxy.client();
  client.send(get("/"));
  const web = await server.accept();
  await web.expectMessage(forwardedGet("/"));
  web.send(ok("in"));
  await client.expectMessage(ok("in"));
  t.equal(proxy.stats().frontend.requestsDenied, 0);
});
