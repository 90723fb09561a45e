import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { Agent, get } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t, { type Test } from "tap";
import { waitFor } from "../../lab/clock.js";
import { freePorts } from "../../lab/free-port.js";
import { projectRoot } from "../../lab/project-root.js";

const server = `require("node:http").createServer((request, response) => setTimeout(() => response.end(process.argv[1]), 2))
  .listen(Number(process.argv[1]), "127.0.0.1", () => console.log("ready"))`;

const clients = 30;

t.test(
  "kill -9 of one of three servers under load: no request fails, few meet it, and it comes back by its checks",
  async (t) => {
    const lab = await start(t);
    await lab.load(500);

    lab.kill(1);
    await waitFor("web2 is down", 30_000, async () => (await lab.stat("web2", "status")) === "DOWN", 50);
    t.same(lab.failed, {}, "nobody noticed");
    const metIt = (await lab.number("web2", "econ")) + (await lab.number("web2", "eresp"));
    t.ok(metIt <= clients + 50, `${metIt} requests met the dead server`);

    const picks = await lab.number("web2", "lbtot");
    await lab.load(300);
    t.equal(await lab.number("web2", "lbtot"), picks, "while it is down it gets none");

    const before = lab.answers(1);
    await lab.revive(1);
    await waitFor("web2 is up", 30_000, async () => (await lab.stat("web2", "status")) === "UP", 50);
    await waitFor("web2 serves", 30_000, () => lab.answers(1) > before, 50);
    t.same(lab.failed, {});

    await lab.ask("set server http/web1 state drain");
    await lab.load(clients);
    const drained = lab.answers(0);
    await lab.load(200);
    t.equal(lab.answers(0), drained, "a server that drains gets no new request");
    t.same(lab.failed, {});

    for (const i of [0, 1, 2]) lab.kill(i);
    await lab.stopLoad();
    await waitFor("all are down", 30_000, async () => (await lab.stat("BACKEND", "status")) === "DOWN", 50);
    const unserved = await lab.number("BACKEND", "hrsp_5xx");
    t.equal(await lab.request(), 503);
    // A client has its answer a moment before it is counted.
    await waitFor("it is counted", 20_000, async () => (await lab.number("BACKEND", "hrsp_5xx")) > unserved);
    t.equal(await lab.number("BACKEND", "hrsp_5xx"), unserved + 1, "and it is counted once");
  },
);

/** Three servers, a balancer that checks them, and clients that never rest. */
async function start(t: Test) {
  const folder = mkdtempSync(join(tmpdir(), "lb-dead-"));
  const socket = join(folder, "s.sock");
  const [port, ...ports] = await freePorts(4);
  const servers = await Promise.all(ports.map(startServer));
  const file = join(folder, "lb.yaml");
  writeFileSync(
    file,
    `proxies:
  http:
    bind: 127.0.0.1:${port}
    default_server: { check: { inter: 300ms, fall: 3, rise: 2 } }
    servers: { ${ports.map((one, i) => `web${i + 1}: "127.0.0.1:${one}"`).join(", ")} }
admin: false
stats_socket: ${socket}
threads: 2
`,
  );
  const balancer = spawn(process.execPath, [join(projectRoot, "bin/lb.js"), "--config", file], {
    stdio: "ignore",
  });
  const agent = new Agent({ keepAlive: true, maxSockets: clients });
  const failed: Record<string, number> = {};
  const served = new Map<string, number>();
  let total = 0;
  let isLoading = true;

  const request = () =>
    new Promise<number | string>((resolve) => {
      const asked = get({ port, host: "127.0.0.1", agent }, (response) => {
        let body = "";
        response.on("data", (text) => {
          body += text;
        });
        response.on("end", () => {
          total++;
          if (response.statusCode === 200) served.set(body, (served.get(body) ?? 0) + 1);
          resolve(response.statusCode ?? 0);
        });
      });
      asked.on("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    });
  const client = async (): Promise<void> => {
    while (isLoading) {
      const result = await request();
      if (result !== 200 && isLoading) failed[result] = (failed[result] ?? 0) + 1;
    }
  };
  const ask = (command: string) =>
    new Promise<string>((resolve, reject) => {
      let answer = "";
      const stats = connect(socket);
      stats.on("error", reject);
      stats.on("data", (text) => {
        answer += text;
      });
      stats.on("close", () => resolve(answer));
      stats.end(`${command}\n`);
    });
  const stat = async (name: string, column: string): Promise<string> => {
    const lines = (await ask("show stat")).split("\n").map((line) => line.split(","));
    const row = lines.find(([proxy, row]) => proxy === "http" && row === name);
    return row?.[lines[0].indexOf(column)] ?? "";
  };
  t.teardown(async () => {
    isLoading = false;
    const ended = new Promise((resolve) => balancer.once("exit", resolve));
    if (balancer.exitCode === null && balancer.signalCode === null) {
      balancer.kill("SIGKILL");
      await ended;
    }
    for (const one of servers) one.kill("SIGKILL");
    agent.destroy();
    rmSync(folder, { recursive: true });
  });
  await waitFor(
    "all servers are up",
    30_000,
    async () => {
      const words = await Promise.all(ports.map((_, i) => stat(`web${i + 1}`, "status"))).catch(() => []);
      return words.length > 0 && words.every((word) => word === "UP");
    },
    100,
  );
  const running = Array.from({ length: clients }, client);
  return {
    failed,
    request,
    ask,
    stat,
    number: async (name: string, column: string) => Number(await stat(name, column)),
    answers: (i: number) => served.get(String(ports[i])) ?? 0,
    kill: (i: number) => servers[i].kill("SIGKILL"),
    revive: async (i: number) => {
      servers[i] = await startServer(ports[i]);
    },
    /** Until so many more requests have been answered. */
    load: (count: number) => {
      const enough = total + count;
      return waitFor(`${count} more answers`, 30_000, () => total >= enough, 20);
    },
    stopLoad: async () => {
      isLoading = false;
      await Promise.all(running);
    },
  };
}

function startServer(port: number): Promise<ChildProcess> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, ["-e", server, String(port)], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    child.stdout?.once("data", () => resolve(child));
  });
}
