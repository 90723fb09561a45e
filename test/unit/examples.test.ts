import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, request } from "node:http";
import { createServer as createTcpServer, type Server } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import t, { type Test } from "tap";
import { freePort } from "../../lab/free-port.js";
import { projectRoot } from "../../lab/project-root.js";
import { loadConfig } from "../../src/config/load.js";
import { describeProblem } from "../../src/config/problem.js";
import { theseSurroundings } from "../../src/config/read-file.js";
import { command } from "./process/running-daemon.js";

const folder = join(projectRoot, "examples");
const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) =>
  name.endsWith(".yaml"),
);

/** What the examples refer to. */
const surroundings = {
  ...theseSurroundings({ LB_VRRP_PASSWORD: "pa55word" }),
  read: (path: string) =>
    path.endsWith("/admin-password")
      ? { ok: true as const, value: "a long one\n" }
      : theseSurroundings({}).read(path),
};

for (const name of files) {
  t.test(`lb check has nothing to say of examples/${name}, and the list names it`, async (t) => {
    const path = join(folder, name);
    const loaded = loadConfig(readFileSync(path, "utf8"), path, { hostname: "lb", cores: 1 }, surroundings);
    if (name.startsWith("include/conf.d/")) return;
    t.same([...loaded.problems, ...loaded.warnings].map(describeProblem), []);
    t.ok(readFileSync(join(folder, "README.md"), "utf8").includes(`(${name})`));
  });
}

/** A daemon that runs an example, with the web servers and the ports of this machine in place of the demo's. */
async function run(
  t: Test,
  name: string,
  places: Readonly<Record<string, string>>,
  folders: Readonly<Record<string, Readonly<Record<string, string>>>> = {},
): Promise<void> {
  let text = readFileSync(join(folder, name), "utf8");
  for (const [from, to] of Object.entries(places)) text = text.replaceAll(from, to);
  const path = join(t.testdir(folders), "lb.yaml");
  writeFileSync(path, text);
  const child = spawn(process.execPath, [command, "run", "--config", path, "--threads", "1"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exited = once(child, "exit");
  t.teardown(async () => {
    child.kill("SIGKILL");
    await exited;
  });
  for await (const line of createInterface({ input: child.stdout })) {
    const { msg, level } = JSON.parse(line);
    if (level === "fatal") throw new Error(line);
    if (msg === "serving") {
      child.stdout.resume();
      return;
    }
  }
  throw new Error(`${name} ended before it served`);
}

interface Answer {
  readonly status: number;
  readonly body: string;
  readonly location: string | undefined;
}

function get(port: number, path: string, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: "127.0.0.1", port, path, headers, agent: false }, (response) => {
      let body = "";
      response.setEncoding("utf8");
      response.on("data", (part: string) => {
        body += part;
      });
      response.on("end", () =>
        resolve({ status: response.statusCode ?? 0, body, location: response.headers.location }),
      );
    });
    sent.on("error", reject);
    sent.end();
  });
}

/** A web server that says its name, the path and who X-Client names. */
async function web(t: Test, name: string): Promise<string> {
  const server = createServer((request, response) => {
    response.end(`${name} ${request.url} ${request.headers["x-client"] ?? ""}`);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.teardown(() => server.close());
  return `127.0.0.1:${portOf(server)}`;
}

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}

t.test("plain-balancer.yaml balances", async (t) => {
  const [one, two, port] = [await web(t, "one"), await web(t, "two"), await freePort()];
  await run(t, "plain-balancer.yaml", {
    "192.168.33.68:80": one,
    "192.168.33.69:80": two,
    "*:8080": `127.0.0.1:${port}`,
  });
  const names = new Set<string>();
  for (let i = 0; i < 4; i++) names.add((await get(port, "/")).body.split(" ")[0]);
  t.same([...names].sort(), ["one", "two"]);
});

t.test("frontends-and-backends.yaml has two ways to the same servers, one of them with a rule", async (t) => {
  const [one, outer, inner] = [await web(t, "one"), await freePort(), await freePort()];
  await run(t, "frontends-and-backends.yaml", {
    "192.168.33.68:80": one,
    "192.168.33.69:80": one,
    "*:8080": `127.0.0.1:${outer}`,
    "*:8081": `127.0.0.1:${inner}`,
  });
  t.match(await get(outer, "/x"), { status: 200, body: "one /x" });
  t.match(await get(outer, "/internal"), { status: 403 });
  t.match(await get(inner, "/internal"), { status: 200 });
});

t.test("tcp.yaml passes bytes", async (t) => {
  const [one, port] = [await web(t, "one"), await freePort()];
  await run(t, "tcp.yaml", {
    "192.168.33.68:443": one,
    "192.168.33.69:443": one,
    "*:8443": `127.0.0.1:${port}`,
  });
  t.match(await get(port, "/y"), { status: 200, body: "one /y" });
});

t.test("tcp-by-name.yaml serves whoever names nothing from the default backend, and at once", async (t) => {
  const [one, two, port] = [await web(t, "one"), await web(t, "two"), await freePort()];
  await run(t, "tcp-by-name.yaml", {
    "192.168.33.68:443": one,
    "192.168.33.69:443": two,
    "*:8443": `127.0.0.1:${port}`,
  });
  t.match(await get(port, "/y"), { status: 200, body: "two /y" });
});

t.test("rules.yaml answers, redirects, refuses, asks, and changes", async (t) => {
  const [one, port] = [await web(t, "one"), await freePort()];
  await run(t, "rules.yaml", {
    "192.168.33.68:80": one,
    "192.168.33.69:80": one,
    "*:8080": `127.0.0.1:${port}`,
  });
  t.match(await get(port, "/health"), { status: 200, body: "ok\n" });
  t.match(await get(port, "/a", { host: "old.example.org" }), {
    status: 301,
    location: "https://www.example.org/a",
  });
  t.match(await get(port, "/admin/x"), { status: 403 });
  t.match(await get(port, "/private"), { status: 401 });
  const authorization = `Basic ${Buffer.from("ann:s3cret-of-ann").toString("base64")}`;
  t.match(await get(port, "/private", { authorization }), { status: 200 });
  t.match(await get(port, "/v1/z"), { status: 200, body: "one /api/z 127.0.0.1" });
});

t.test("connection-limits.yaml cuts off what is beyond a source's share, and serves the rest", async (t) => {
  const [one, port] = [await web(t, "one"), await freePort()];
  await run(t, "connection-limits.yaml", {
    "192.168.33.68:80": one,
    "192.168.33.69:80": one,
    "*:8080": `127.0.0.1:${port}`,
    "connections: 200, per: 10s": "connections: 3, per: 1h",
  });
  for (let i = 0; i < 3; i++) t.match(await get(port, "/"), { status: 200 });
  await t.rejects(get(port, "/"), { code: /ECONNRESET|EPIPE/ });
});

t.test("stickiness.yaml keeps a client where its cookie says, and no server sees it", async (t) => {
  const servers = [createServer(), createServer()];
  const places: string[] = [];
  for (const [i, server] of servers.entries()) {
    server.on("request", (request, response) => {
      response.end(`web0${i + 1} ${request.headers.cookie ?? "no cookie"}`);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    t.teardown(() => server.close());
    places.push(`127.0.0.1:${portOf(server)}`);
  }
  const port = await freePort();
  await run(t, "stickiness.yaml", {
    "192.168.33.68:80": places[0],
    "192.168.33.69:80": places[1],
    "*:8080": `127.0.0.1:${port}`,
  });
  for (const name of ["web02", "web02", "web02", "web01", "web01"])
    t.match(await get(port, "/", { cookie: `SERVERID=${name}` }), { body: `${name} no cookie` });
});

t.test("queues.yaml has a second request wait for its place, and both are served", async (t) => {
  const [one, port] = [await web(t, "one"), await freePort()];
  await run(t, "queues.yaml", {
    "192.168.33.68:80": one,
    "192.168.33.69:80": one,
    "*:8080": `127.0.0.1:${port}`,
    "maxconn: 50": "maxconn: 1",
  });
  const answers = await Promise.all(Array.from({ length: 8 }, (_, i) => get(port, `/${i}`)));
  t.same(
    answers.map(({ body }) => body.trim()),
    answers.map((_, i) => `one /${i}`),
  );
});

t.test("agent-checks.yaml asks the agents, and does what they say", async (t) => {
  const agent = createTcpServer((socket) => {
    // Who has read the word resets the connection, as HAProxy does.
    socket.on("error", () => socket.destroy());
    socket.end("drain\n");
  });
  await new Promise<void>((resolve) => agent.listen(0, "127.0.0.1", resolve));
  t.teardown(() => agent.close());
  const [one, port] = [await web(t, "one"), await freePort()];
  const asked = once(agent, "connection");
  await run(t, "agent-checks.yaml", {
    "192.168.33.68:80": one,
    "192.168.33.69:80": one,
    "*:8080": `127.0.0.1:${port}`,
    "port: 9707": `port: ${portOf(agent)}`,
    "inter: 5s": "inter: 100ms",
  });
  await asked;
  const limitMs = Date.now() + 20_000;
  while ((await get(port, "/")).status !== 503) t.ok(Date.now() < limitMs, "both drained: nobody serves");
});

t.test("client-names.yaml tells servers who asks", async (t) => {
  const server = createServer((request, response) => {
    const { "x-forwarded-for": from, "x-request-id": id, traceparent } = request.headers;
    response.end(`${from} ${id} ${traceparent}`);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.teardown(() => server.close());
  const [place, port] = [`127.0.0.1:${portOf(server)}`, await freePort()];
  await run(t, "client-names.yaml", {
    "192.168.33.68:80": place,
    "192.168.33.69:80": place,
    "*:8080": `127.0.0.1:${port}`,
  });
  const named = /^[0-9a-f-]{36} 00-[0-9a-f]{32}-[0-9a-f]{16}-01$/;
  for (const [headers, from] of [
    [{}, "127.0.0.1"],
    [{ "x-forwarded-for": "192.0.2.7" }, "192.0.2.7"],
  ] as const) {
    const [address, ...names] = (await get(port, "/", headers)).body.split(" ");
    t.equal(address, from);
    t.match(names.join(" "), named);
  }
});

t.test("include/lb.yaml serves what its files bring", async (t) => {
  const [one, shop, blog] = [await web(t, "one"), await freePort(), await freePort()];
  const site = (name: string, port: number): string =>
    readFileSync(join(folder, "include/conf.d", `${name}.yaml`), "utf8")
      .replace(/192\.168\.33\.\d+:80/, one)
      .replace(/"\*:\d+"/, `127.0.0.1:${port}`);
  await run(
    t,
    "include/lb.yaml",
    {},
    { "conf.d": { "shop.yaml": site("shop", shop), "blog.yaml": site("blog", blog) } },
  );
  t.match(await get(shop, "/s"), { body: "one /s" });
  t.match(await get(blog, "/b"), { body: "one /b" });
});
