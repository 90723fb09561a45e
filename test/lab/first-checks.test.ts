import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { get } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t, { type Test } from "tap";
import { waitFor } from "../../lab/clock.js";
import { freePort } from "../../lab/free-port.js";
import { projectRoot } from "../../lab/project-root.js";
import { closeDescriptor, openListeningSocket } from "../../src/netlink/listening-socket.js";

/** Far beyond what a request may take: one that met the dead server is late by that. */
const connectMs = 30_000;
const soonMs = 10_000;

t.test(
  "clients that come with the start, or with a reload that adds servers, meet no dead server",
  async (t) => {
    const port = await freePort();
    const dead = [await blackhole(t), await blackhole(t)];
    const living = [await answering(t, "one"), await answering(t, "two")];
    const folder = mkdtempSync(join(tmpdir(), "lb-first-"));
    const file = join(folder, "lb.yaml");
    const configure = (servers: readonly number[]) =>
      writeFileSync(
        file,
        `proxies:
  http:
    bind: 127.0.0.1:${port}
    timeout: { connect: ${connectMs}ms, queue: ${connectMs}ms }
    default_server: { check: { inter: ${connectMs}ms } }
    servers: { ${servers.map((one) => `s${one}: "127.0.0.1:${one}"`).join(", ")} }
admin: false
stats_socket: ${join(folder, "s.sock")}
threads: 2
`,
      );
    configure([dead[0], living[0]]);
    const balancer = spawn(process.execPath, [join(projectRoot, "bin/lb.js"), "--config", file], {
      stdio: "ignore",
    });
    t.teardown(async () => {
      await end(balancer);
      rmSync(folder, { recursive: true });
    });
    await waitFor("the port is open", 30_000, () => opens(port), 5);
    const atStart = await Promise.all(Array.from({ length: 40 }, () => ask(port)));
    t.same(new Set(atStart), new Set(["one"]), "each is served by the living one, in time");

    let isReloading = true;
    const answers: string[] = [];
    const clients = Array.from({ length: 10 }, async () => {
      while (isReloading) answers.push(await ask(port));
    });
    configure([dead[1], living[1]]);
    balancer.kill("SIGHUP");
    await waitFor("the new servers serve", 30_000, () => answers.includes("two"), 5);
    const since = answers.length;
    await waitFor("some more answers", 30_000, () => answers.length > since + 100, 5);
    isReloading = false;
    await Promise.all(clients);
    t.same(new Set(answers), new Set(["one", "two"]));
  },
);

/** What one client is told, in a connection of its own. */
function ask(port: number): Promise<string> {
  return new Promise((resolve) => {
    const asked = get({ port, host: "127.0.0.1", agent: false }, (response) => {
      let body = "";
      response.on("data", (text) => {
        body += text;
      });
      response.on("end", () => resolve(response.statusCode === 200 ? body : `${response.statusCode}`));
    });
    asked.setTimeout(soonMs, () => {
      resolve("too late");
      asked.destroy();
    });
    asked.on("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
  });
}

function opens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => {
      socket.destroy();
      resolve(true);
    });
    socket.on("error", () => resolve(false));
  });
}

async function answering(t: Test, name: string): Promise<number> {
  const code = `const server = require("node:http").createServer((_, response) => response.end("${name}"));
  server.listen(0, "127.0.0.1", () => console.log(server.address().port));`;
  const child = spawn(process.execPath, ["-e", code], { stdio: ["ignore", "pipe", "inherit"] });
  t.teardown(() => end(child));
  return new Promise((resolve) => child.stdout.once("data", (text) => resolve(Number(text))));
}

/** A port whose queue is full: further SYNs are dropped, as by a machine that is off. */
async function blackhole(t: Test): Promise<number> {
  const port = await freePort();
  const descriptor = openListeningSocket({ address: "127.0.0.1", port, backlog: 0 });
  const fillers = [0, 1, 2].map(() => connect(port, "127.0.0.1").on("error", () => {}));
  t.teardown(() => {
    for (const filler of fillers) filler.destroy();
    closeDescriptor(descriptor);
  });
  await new Promise((resolve) => fillers[0].once("connect", resolve));
  return port;
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGKILL");
  await ended;
}
