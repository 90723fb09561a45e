import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { Agent, createServer, get, type Server } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import t, { type Test } from "tap";
import { sleep } from "../../../lab/clock.js";
import { freePort } from "../../../lab/free-port.js";
import { changedValues } from "../../../src/config/changes.js";
import type { Config } from "../../../src/config/config.js";
import { demoConfig } from "../../../src/config/defaults.js";
import { planReload } from "../../../src/process/reload-plan.js";
import { command, type LogLine } from "./running-daemon.js";

t.test("a reload replaces only those parts of the process that it concerns", async (t) => {
  const present: Config = demoConfig({ hostname: "lb-box1", cores: 2 });
  const plan = (changes: Partial<Config>) => {
    const next = { ...present, ...changes };
    return planReload(present, next, changedValues(present, next));
  };
  const nothing = { proxies: false, control: false, peerLink: false };
  t.same(plan({ drainTimeoutMs: 1 }), nothing);
  t.same(plan({ vrrp: present.vrrp.map((instance) => ({ ...instance, priority: 7 })) }), nothing);
  t.same(plan({ vrrp: [] }), { ...nothing, control: true });
  t.same(plan({ tracking: { ...present.tracking, processes: [] } }), nothing);
  t.same(plan({ peerLink: { key: { kind: "text", text: "12345678" }, port: 1 } }), {
    ...nothing,
    peerLink: true,
  });
  const proxies = present.proxies.map((proxy) => ({ ...proxy, maxHeadBytes: 9999 }));
  t.same(plan({ proxies }), { proxies: true, control: true, peerLink: false });
});

t.test("reloads under load: no request fails, what was begun is finished, the counters go on", async (t) => {
  const servers = { a: await namedServer(t, "a"), b: await namedServer(t, "b") };
  const daemon = await FileDaemon.start(t, { a: servers.a });
  const held = daemon.get("/hold", new Agent());
  const load = new Load(daemon);
  t.teardown(() => load.stop());

  for (let i = 0; i < 6; i++) {
    await daemon.reload(i % 2 === 0 ? servers : { a: servers.a }, i % 3 === 0 ? { server: "4m" } : {});
  }
  await daemon.reload(servers);
  const { answers, failures } = await load.stop();
  t.same(failures, []);
  t.ok(answers.get("a"), "the first server answered");
  t.ok(answers.get("b"), "so did the one that was added");

  for (const release of holding.splice(0)) release();
  t.equal(await held, "a", "a request from before the first reload is answered by the server that had it");
  const total = [...answers.values()].reduce((sum, count) => sum + count, 0) + 1;
  await until(
    `${total} requests counted`,
    async () => (await daemon.stat("http,BACKEND", 7)) === String(total),
  );
});

t.test("who asks the stats socket while reloads replace the control thread is never refused", async (t) => {
  const servers = { a: await namedServer(t, "a") };
  const daemon = await FileDaemon.start(t, servers);
  let isRunning = true;
  const answers: (string | undefined)[] = [];
  const asking = (async () => {
    while (isRunning) answers.push(await daemon.stat("http,FRONTEND", 1));
  })();
  for (let i = 0; i < 3; i++) await daemon.reload(servers, i % 2 === 0 ? { server: "4m" } : {});
  await daemon.stat("http,FRONTEND", 1);
  isRunning = false;
  await asking;
  t.ok(answers.length > 3);
  t.same([...new Set(answers)], ["FRONTEND"]);
});

t.test("a reload that cannot open its address changes nothing and says why", async (t) => {
  const servers = { a: await namedServer(t, "a") };
  const daemon = await FileDaemon.start(t, servers);
  const taken = (await namedServer(t, "other")).port;
  await daemon.write(servers, {}, [taken]);
  daemon.process.kill("SIGHUP");
  t.match(await daemon.line(({ code }) => code === "LB_LISTEN_IN_USE"), { level: "error" });
  t.equal(await daemon.get("/", new Agent()), "a");
});

t.test("what an operator said of a frontend and of a server's maxconn outlives a reload", async (t) => {
  const servers = { a: await namedServer(t, "a") };
  const daemon = await FileDaemon.start(t, servers);
  const nobody = { connects: () => daemon.get("/", new Agent()) };
  await daemon.ask("set maxconn frontend http 7;set maxconn server http/a 3;disable frontend http");
  for (const serverTimeout of ["7s", "8s"]) {
    await daemon.reload(servers, { server: serverTimeout });
    await until("the new control thread", async () => (await daemon.stat("http,FRONTEND", 17)) === "PAUSED");
    t.equal(await daemon.stat("http,FRONTEND", 6), "7");
    t.equal(await daemon.stat("http,a", 6), "3");
    await t.rejects(nobody.connects(), { code: "ECONNREFUSED" });
  }
  await daemon.ask("enable frontend http");
  t.equal(await daemon.get("/", new Agent()), "a");
  await daemon.ask("shutdown frontend http");
  await t.rejects(nobody.connects(), { code: "ECONNREFUSED" });
  await daemon.reload(servers, { server: "9s" });
  t.equal(await daemon.get("/", new Agent()), "a", "a reload brings back one that was shut down");
});

/** Answers that `/hold` waits to give. */
const holding: (() => void)[] = [];

async function namedServer(t: Test, name: string): Promise<{ readonly port: number }> {
  const server: Server = createServer((request, response) => {
    if (request.url === "/hold") holding.push(() => response.end(name));
    else response.end(name);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return server.address() as AddressInfo;
}

/** A plain balancer that takes everything from its file. */
class FileDaemon {
  private readonly lines: LogLine[] = [];
  private waiting: (() => void)[] = [];

  private constructor(
    readonly process: ChildProcess,
    private readonly file: string,
    readonly port: number,
    private readonly statsSocket: string,
  ) {
    if (process.stdout === null) throw new Error("stdout is a pipe");
    createInterface({ input: process.stdout }).on("line", (line) => {
      this.lines.push(JSON.parse(line));
      this.wake();
    });
    process.on("exit", () => this.wake());
  }

  private wake(): void {
    for (const wake of this.waiting.splice(0)) wake();
  }

  static async start(
    t: Test,
    servers: Readonly<Record<string, { readonly port: number }>>,
  ): Promise<FileDaemon> {
    const folder = mkdtempSync(join(tmpdir(), "lb-"));
    const file = join(folder, "lb.yaml");
    const port = await freePort();
    const statsSocket = join(folder, "s");
    writeFileSync(file, configText(port, statsSocket, servers, {}, []));
    const child = spawn(process.execPath, [command, "--config", file], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const exited = new Promise((resolve) => child.on("exit", resolve));
    t.teardown(async () => {
      child.kill("SIGKILL");
      await exited;
      rmSync(folder, { recursive: true });
    });
    const daemon = new FileDaemon(child, file, port, statsSocket);
    await daemon.line(({ msg }) => msg === "serving");
    return daemon;
  }

  async write(
    servers: Readonly<Record<string, { readonly port: number }>>,
    timeouts: Readonly<Record<string, string>> = {},
    morePorts: readonly number[] = [],
  ): Promise<void> {
    writeFileSync(this.file, configText(this.port, this.statsSocket, servers, timeouts, morePorts));
  }

  async reload(
    servers: Readonly<Record<string, { readonly port: number }>>,
    timeouts: Readonly<Record<string, string>> = {},
  ): Promise<void> {
    const seen = this.lines.length;
    await this.write(servers, timeouts);
    this.process.kill("SIGHUP");
    await this.line((line) => line.msg === "reloaded" && this.lines.indexOf(line) >= seen);
  }

  async line(fits: (line: LogLine) => boolean): Promise<LogLine> {
    for (;;) {
      const found = this.lines.find(fits);
      if (found !== undefined) return found;
      if (this.process.exitCode !== null) throw new Error(`it has ended: ${JSON.stringify(this.lines)}`);
      await new Promise<void>((resolve) => this.waiting.push(resolve));
    }
  }

  get(path: string, agent: Agent): Promise<string> {
    return new Promise((resolve, reject) => {
      get({ port: this.port, host: "127.0.0.1", path, agent }, (response) => {
        let text = "";
        response.setEncoding("utf8");
        response.on("data", (chunk: string) => {
          text += chunk;
        });
        response.on("end", () =>
          response.statusCode === 200 ? resolve(text) : reject(new Error(`${response.statusCode}`)),
        );
        response.on("error", reject);
      }).on("error", reject);
    });
  }

  /** What the stats socket answers; "" while nobody is there. */
  ask(line: string): Promise<string> {
    return new Promise<string>((resolve) => {
      let text = "";
      const socket = connect(this.statsSocket, () => socket.end(`${line}\n`));
      socket.on("data", (chunk) => {
        text += chunk;
      });
      socket.on("close", () => resolve(text));
      socket.on("error", () => resolve(""));
    });
  }

  /** One cell of `show stat`, by its row's beginning. */
  async stat(row: string, column: number): Promise<string | undefined> {
    return (await this.ask("show stat"))
      .split("\n")
      .find((line) => line.startsWith(`${row},`))
      ?.split(",")[column];
  }
}

function configText(
  port: number,
  statsSocket: string,
  servers: Readonly<Record<string, { readonly port: number }>>,
  timeouts: Readonly<Record<string, string>>,
  morePorts: readonly number[],
): string {
  const bind = [port, ...morePorts].map((bound) => `127.0.0.1:${bound}`);
  const addresses = Object.fromEntries(
    Object.entries(servers).map(([name, { port: at }]) => [name, `127.0.0.1:${at}`]),
  );
  return JSON.stringify({
    proxies: { http: { bind, servers: addresses, timeout: { server: "5m", ...timeouts } } },
    admin: false,
    stats_socket: statsSocket,
    threads: 2,
    drain_timeout: "5m",
  });
}

/** Requests without a pause, over new connections and over kept ones, until `stop`. */
class Load {
  private running = true;
  private readonly answers = new Map<string, number>();
  private readonly failures: string[] = [];
  private readonly clients: Promise<void>[];

  constructor(daemon: FileDaemon) {
    this.clients = [false, true, true].map((keepAlive) =>
      this.run(daemon, new Agent({ keepAlive, maxSockets: 1 })),
    );
  }

  async stop(): Promise<{
    readonly answers: ReadonlyMap<string, number>;
    readonly failures: readonly string[];
  }> {
    this.running = false;
    await Promise.all(this.clients);
    return { answers: this.answers, failures: this.failures };
  }

  private async run(daemon: FileDaemon, agent: Agent): Promise<void> {
    while (this.running) {
      try {
        const name = await daemon.get("/", agent);
        this.answers.set(name, (this.answers.get(name) ?? 0) + 1);
      } catch (error) {
        this.failures.push(String(error));
        await sleep(10);
      }
    }
    agent.destroy();
  }
}

async function until(what: string, fits: () => Promise<boolean>): Promise<void> {
  for (let i = 0; i < 600; i++) {
    if (await fits()) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`not in a minute: ${what}`);
}
