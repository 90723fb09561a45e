import type { ResponseCondition, ResponseRule } from "../../src/config/response-rule-section.js";
import { get, head, ok, scenario } from "./scenario.js";

const rule = (
  action: ResponseRule["action"],
  when: ResponseCondition | null = null,
  unless: ResponseCondition | null = null,
): ResponseRule => ({ when, unless, action });
const set = (name: string, ...value: string[]): ResponseRule["action"] => ({
  kind: "set-header",
  name,
  value,
});

scenario("fields of a response are set, added and dropped; framing stays right", async (s) => {
  const responseRules = [
    rule({ kind: "del-header", name: "server" }),
    rule(set("X-Frame-Options", "DENY")),
    rule({ kind: "add-header", name: "X-Path", value: [{ word: "path" }, " of ", { word: "src" }] }),
  ];
  const { server, client } = await s.one({ config: { responseRules } });
  client.send(get("/a?b"));
  const web = await server.accept();
  await web.receiveHead();
  web.send(
    `${head("HTTP/1.1 200 OK", "Server: x", "SERVER: y", "x-frame-options: ALLOW", "Content-Length: 2")}ok`,
  );
  const added = ["X-Frame-Options: DENY", "X-Path: /a of 127.0.0.1"];
  await client.expectMessage(`${head("HTTP/1.1 200 OK", "Content-Length: 2", ...added)}ok`);
  client.send(get("/a"));
  await web.receiveHead();
  web.send(`${head("HTTP/1.1 200 OK", "Server: x", "Transfer-Encoding: chunked")}2\r\nok\r\n0\r\n\r\n`);
  await client.expectMessage(
    `${head("HTTP/1.1 200 OK", ...added, "Transfer-Encoding: chunked")}2\r\nok\r\n0\r\n\r\n`,
  );
  client.send(head("HEAD /a HTTP/1.1", "Host: site"));
  await web.receiveHead();
  web.send(head("HTTP/1.1 200 OK", "Content-Length: 200"));
  await client.expectMessage(head("HTTP/1.1 200 OK", "Content-Length: 200", ...added));
});

scenario("conditions are about the response and about what was asked", async (s) => {
  const responseRules = [
    rule(set("X-A", "1"), { statuses: [{ from: 200, to: 299 }], request: { pathBegins: ["/static/"] } }),
    rule(set("X-B", "1"), null, { fields: [{ name: "content-type", values: null }] }),
  ];
  const { server, client } = await s.one({ config: { responseRules } });
  const exchange = async (path: string, line: string, sent: string[], expected: string[]) => {
    client.send(get(path));
    await web.receiveHead();
    web.send(head(line, "Content-Length: 0", ...sent));
    await client.expectMessage(head(line, "Content-Length: 0", ...expected));
  };
  client.send(get("/"));
  const web = await server.accept();
  await web.receiveHead();
  web.send(ok(""));
  await client.expectMessage(head("HTTP/1.1 200 OK", "Content-Length: 0", "X-B: 1"));
  const type = "Content-Type: a/b";
  await exchange("/static/x", "HTTP/1.1 200 OK", [type], [type, "X-A: 1"]);
  await exchange("/static/x", "HTTP/1.1 404 No", [type], [type]);
  await exchange("/other", "HTTP/1.1 200 OK", [type], [type]);
});

scenario("an interim answer is no response yet", async (s) => {
  const { server, client } = await s.one({ config: { responseRules: [rule(set("X-A", "1"))] } });
  client.send(get("/"));
  const web = await server.accept();
  await web.receiveHead();
  web.send(head("HTTP/1.1 103 Early Hints", "Link: </a>"));
  await client.expectMessage(head("HTTP/1.1 103 Early Hints", "Link: </a>"));
  web.send(ok("x"));
  await client.expectMessage(`${head("HTTP/1.1 200 OK", "Content-Length: 1", "X-A: 1")}x`);
});
