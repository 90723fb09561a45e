import { get, head, post } from "./reference/origin.js";
import { type Scenario, theme } from "./reference/theme.js";

/** A method that is forwarded with what belongs to it, and answered. */
const passes = (method: string, body = ""): Scenario => ({
  name: `${method} passes`,
  proxy: "web",
  client: async (client) => {
    const length = body === "" ? [] : [`Content-Length: ${body.length}`];
    await client.ask(`${head(`${method} /x HTTP/1.1`, "Host: site", ...length)}${body}`);
  },
  sees: ['200 "hello"'],
  log: ["200 ----"],
  asked: [`a ${method} /x`],
});

theme("methods", { proxies: { web: { servers: { a: {} } } } }, [
  {
    name: "GET passes",
    proxy: "web",
    client: async (client) => {
      await client.ask(get("/x", "Accept: */*", "X-Thing: 1"));
    },
    sees: ['200 "hello"'],
    log: ["200 ----"],
    asked: ["a GET /x"],
  },
  passes("DELETE"),
  passes("OPTIONS"),
  passes("PATCH", "abc"),
  passes("PROPFIND"),
  passes("X-OWN"),
  {
    name: "POST passes with its body",
    proxy: "web",
    client: async (client) => {
      await client.ask(post("/x", "a=1&b=2"));
    },
    sees: ['200 "hello"'],
    log: ["200 ----"],
    asked: ["a POST /x"],
  },
  {
    name: "a HEAD's answer has the fields of the GET and no body",
    proxy: "web",
    servers: { reply: () => [head("HTTP/1.1 200 OK", "Content-Length: 12345", 'ETag: "x"')] },
    client: async (client) => {
      await client.ask(head("HEAD /x HTTP/1.1", "Host: site"));
      await client.ask(head("HEAD /y HTTP/1.1", "Host: site"));
    },
    sees: ["200", "200"],
    log: ["200 ----", "200 ----"],
    asked: ["a HEAD /x", "a HEAD /y"],
  },
]);
