import { createServer } from "node:net";
import t from "tap";
import type { ServerConfig } from "../../../src/config/server-config.js";
import { AgentChecker } from "../../../src/proxy/health/agent-checker.js";
import { type AgentAnswer, type AgentTarget, askAgent } from "../../../src/proxy/health/agent-probe.js";
import { parseAgentLine } from "../../../src/proxy/health/agent-report.js";
import { Checker } from "../../../src/proxy/health/checker.js";
import { ServerTable } from "../../../src/proxy/health/server-table.js";
import { statusWord } from "../../../src/proxy/health/status-word.js";
import { defaultCheck as check } from "./check-config.js";

const server: ServerConfig = {
  name: "web01",
  host: "10.0.0.1",
  port: 80,
  weight: 10,
  check,
  agent: { port: 9707, intervalMs: 1000, timeoutMs: 1000, send: "hello\n" },
};
const proxies = [{ name: "http", servers: [server] }];

/** A server with checks that pass and an agent that answers as told, in virtual time. */
class World {
  nowMs = 0;
  readonly asked: AgentTarget[] = [];
  readonly table = new ServerTable(proxies, { nowMs: 0 });
  readonly log: string[] = [];
  readonly checker: Checker;
  readonly agents: AgentChecker;
  private answer: ((answer: AgentAnswer) => void) | null = null;
  private next: { readonly atMs: number; readonly run: () => void } | null = null;

  constructor() {
    const note = (fields: { readonly reason?: string }, message: string) =>
      this.log.push(`${message}: ${fields.reason ?? ""}`);
    this.checker = new Checker({
      proxies: proxies.map((proxy) => ({
        ...proxy,
        listen: [],
        balance: "roundrobin",
        timeouts: { connectMs: 1, requestHeadMs: 1, clientMs: 1, serverMs: 1, keepAliveMs: 1, tunnelMs: 1 },
        maxHeadBytes: 1024,
        maxconn: null,
      })),
      table: this.table,
      log: { info: note, warn: note, error: note },
      now: () => this.nowMs,
      schedule: () => () => {},
      probe: () => ({ result: new Promise(() => {}), cancel: () => {} }),
      errorsInRow: () => 0,
      cutSessions: () => {},
    });
    this.agents = new AgentChecker({
      proxies,
      table: this.table,
      now: () => this.nowMs,
      schedule: (delayMs, run) => {
        const next = { atMs: this.nowMs + delayMs, run };
        this.next = next;
        return () => {
          if (this.next === next) this.next = null;
        };
      },
      ask: (target) => {
        this.asked.push(target);
        return {
          result: new Promise((resolve) => {
            this.answer = resolve;
          }),
          cancel: () => {
            this.answer = null;
          },
        };
      },
      checker: this.checker,
    });
    this.agents.start();
  }

  /** The agent says this to the question that is open; the next question comes when its time has come. */
  async says(line: string): Promise<void> {
    if (this.answer === null) throw new Error("nobody asks");
    this.answer({ ...parseAgentLine(line), durationMs: 1 });
    this.answer = null;
    await new Promise(setImmediate);
  }

  turn(): void {
    if (this.next === null) throw new Error("nothing is planned");
    this.nowMs = this.next.atMs;
    const { run } = this.next;
    this.next = null;
    run();
  }

  get isWaiting(): boolean {
    return this.answer !== null;
  }

  get status(): string {
    return statusWord(this.table.read(0, 0), server);
  }
}

t.test("an agent is asked at once, and then at its interval from the last question's begin", async (t) => {
  const world = new World();
  t.same(world.asked, [{ host: "10.0.0.1", port: 9707, send: "hello\n", timeoutMs: 1000 }]);
  t.ok(world.table.isAsking(0, 0));
  world.nowMs = 300;
  await world.says("up");
  t.notOk(world.table.isAsking(0, 0));
  t.equal(world.agents.lastAnswer(0, 0), "via agent : up");
  world.turn();
  t.equal(world.nowMs, 1000);
  t.equal(world.asked.length, 2);
});

t.test("one line sets state, weight and limit, and then health", async (t) => {
  const world = new World();
  await world.says("maint 50% maxconn:30 down # bye");
  t.match(world.table.read(0, 0), { admin: "maint", weight: 5, maxconn: 30, agent: { health: 0 } });
  t.equal(world.table.maxconn(0, 0), 30);
  world.turn();
  t.ok(world.isWaiting, "in maintenance it is asked, too");
  await world.says("ready 100% maxconn:0");
  t.equal(world.status, "DOWN (agent)", "it has said down, and not up yet");
  world.turn();
  await world.says("up");
  t.equal(world.status, "UP 1/3", "and the first check after maintenance has not ended");
  t.same(world.log, [
    "server is in maintenance: its agent asked for it",
    "proxy has no server available: ",
    "server is ready: its agent asked for it",
    "server is UP: Layer7 check passed, via agent : up",
    "proxy has a server again: ",
  ]);
});

t.test(
  "a server that its agent holds down stays so though its checks pass, and the other way round",
  async (t) => {
    const world = new World();
    const result = { status: "L4OK", code: null, durationMs: 1, detail: "" } as const;
    await world.says("down");
    t.ok(world.table.isStopped(0, 0));
    world.checker.take(0, 0, { kind: "checked", result });
    t.ok(world.table.isStopped(0, 0));
    world.checker.take(0, 0, { kind: "checked", result: { ...result, status: "L4CON" } });
    for (let i = 0; i < 2; i++)
      world.checker.take(0, 0, { kind: "checked", result: { ...result, status: "L4CON" } });
    world.turn();
    await world.says("up");
    t.equal(world.status, "DOWN");
    for (let i = 0; i < 2; i++) world.checker.take(0, 0, { kind: "checked", result });
    t.equal(world.status, "UP");
    t.equal(world.table.read(0, 0).downs, 1);
  },
);

t.test(
  "an agent that is disabled is neither asked nor heard, and is asked at once when it is enabled",
  async (t) => {
    const world = new World();
    await world.says("down");
    world.turn();
    world.agents.setEnabled(0, 0, false);
    t.notOk(world.isWaiting);
    t.notOk(world.table.isAsking(0, 0));
    t.equal(world.status, "UP 1/3");
    world.agents.setTarget(0, 0, { port: 1 });
    world.agents.setEnabled(0, 0, true);
    t.equal(world.status, "DOWN (agent)", "what it said last counts again");
    t.equal(world.asked.at(-1)?.port, 1);
    world.agents.setHealth(0, 0, true);
    t.equal(world.status, "UP 1/3");
  },
);

t.test("a reload keeps what an agent has said, where there still is one", (t) => {
  const before = new ServerTable(proxies, { nowMs: 0 });
  const agent = { isEnabled: true, health: 0, status: "L7STS", durationMs: 3 } as const;
  before.write(0, 0, { ...before.read(0, 0), maxconn: 3, agent }, 0);
  const after = new ServerTable(proxies, { nowMs: 0 });
  after.takeOver(before, 0);
  t.match(after.read(0, 0), { maxconn: 3, agent });
  const { agent: _agent, ...alone } = server;
  const without = new ServerTable([{ name: "http", servers: [alone] }], { nowMs: 0 });
  without.takeOver(before, 0);
  t.match(without.read(0, 0), { maxconn: null, agent: null });
  t.notOk(without.isStopped(0, 0));
  t.end();
});

t.test("a question over a real connection", async (t) => {
  let reply: string | null = "up";
  const heard: string[] = [];
  const agent = createServer((socket) => {
    socket.on("error", () => {});
    socket.on("data", (bytes) => {
      heard.push(String(bytes));
      if (reply !== null) socket.end(reply);
    });
  });
  await new Promise<void>((resolve) => agent.listen(0, "127.0.0.1", resolve));
  t.teardown(() => agent.close());
  const address = agent.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const ask = () => askAgent({ host: "127.0.0.1", port, send: "q\n", timeoutMs: 200 }).result;
  reply = "50% up\nrest";
  t.match(await ask(), { health: "up", weightPercent: 50, status: "L7OK" });
  reply = "down";
  t.match(await ask(), { health: null, status: "L7RSP", detail: "Ignoring incomplete line from agent" });
  reply = null;
  t.match(await ask(), { health: null, status: "L7TOUT" });
  t.same(heard, ["q\n", "q\n", "q\n"]);
  await new Promise((resolve) => agent.close(resolve));
  t.match(await ask(), { health: null, status: "L4CON", detail: "Connection refused" });
});
