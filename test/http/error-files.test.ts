import type { ErrorFile, ErrorPage } from "../../src/config/error-file.js";
import type { Rule } from "../../src/config/rule-config.js";
import { get, head, ok, scenario } from "./scenario.js";

const file = (status: number, page: ErrorPage | null): ErrorFile => ({ status, path: "/e", page });
const sorry: ErrorPage = {
  statusLine: "HTTP/1.1 503 Sorry",
  fields: ["Content-Type: text/plain", "X-Own: yes"],
  body: "sorry\n",
};
const sorryFields = ["Content-Type: text/plain", "X-Own: yes"];

scenario("an error file is the answer, and the connection goes on", async (s, t) => {
  const proxy = s.proxy([await s.refusing()], { config: { errorFiles: [file(503, sorry)] } });
  const client = await proxy.client();
  for (let i = 0; i < 2; i++) {
    client.send(get("/"));
    await client.expectMessage(`${head("HTTP/1.1 503 Sorry", "Content-Length: 6", ...sorryFields)}sorry\n`);
  }
  t.match(proxy.failures, [{ status: 503, bytes: 85, termination: "SC--" }, {}]);
  t.match(proxy.stats().frontend, { responses5xx: 2, bytesOut: 170 });
});

scenario("HEAD gets its head alone, and Connection: close where it must be", async (s) => {
  const proxy = s.proxy([await s.refusing()], { config: { errorFiles: [file(503, sorry)] } });
  const client = await proxy.client();
  client.send(head("HEAD / HTTP/1.1", "Host: site", "Connection: close"));
  await client.expectMessage(
    head("HTTP/1.1 503 Sorry", "Content-Length: 6", "Connection: close", ...sorryFields),
  );
  await client.expectFin();
});

scenario("an empty file ends the connection without an answer", async (s, t) => {
  const proxy = s.proxy([await s.server()], { config: { errorFiles: [file(400, null)] } });
  const client = await proxy.client();
  client.send("nonsense\r\n\r\n");
  await client.expectFin();
  t.match(proxy.stats().frontend, { requestErrors: 1, responses4xx: 1, bytesOut: 0 });
});

const denied: Rule = { when: null, unless: null, action: { kind: "deny", status: 403 } };

scenario("a rule that refuses has the file of its status, the others their own words", async (s, t) => {
  const page = { statusLine: "HTTP/1.1 403 Never", fields: [], body: "never" };
  const server = await s.server();
  const rules: Rule[] = [{ ...denied, when: { paths: ["/no"] } }];
  const proxy = s.proxy([server], { config: { rules, errorFiles: [file(403, page)] } });
  const client = await proxy.client();
  client.send(get("/no"));
  await client.expectMessage(`${head("HTTP/1.1 403 Never", "Content-Length: 5")}never`);
  client.send(get("/yes"));
  const web = await server.accept();
  await web.receiveHead();
  web.send(ok("fine"));
  await client.expectMessage(ok("fine"));
  client.send("nonsense\r\n\r\n");
  t.match((await client.receiveHead()).line, /^HTTP\/1\.1 400 Bad request/);
});
