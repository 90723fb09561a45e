import t from "tap";
import type { ProxyConfig } from "../../../src/config/config.js";
import type { ServerConfig } from "../../../src/config/server-config.js";
import type { CheckResult } from "../../../src/proxy/health/check-status.js";
import { Checker } from "../../../src/proxy/health/checker.js";
import { ServerTable } from "../../../src/proxy/health/server-table.js";
import { makeProxy } from "../control/view.js";
import { defaultCheck } from "./check-config.js";

const check = { ...defaultCheck, downIntervalMs: 1000 };

const passed: CheckResult = { status: "L4OK", code: null, durationMs: 1, detail: "" };
const refused: CheckResult = { status: "L4CON", code: null, durationMs: 0, detail: "Connection refused" };

/** A checker in virtual time, whose probes answer at once with what `answers` says of a server. */
class Watch {
  nowMs = 0;
  readonly table: ServerTable;
  readonly checker: Checker;
  readonly answers = new Map<string, CheckResult>();
  /** When which server was checked. */
  readonly checks: string[] = [];
  readonly log: string[] = [];
  readonly errors = new Map<number, number>();
  /** Why sessions at which server were cut. */
  readonly cuts: string[] = [];
  cancelled = 0;
  private timers: { readonly atMs: number; readonly run: () => void }[] = [];

  constructor(servers: readonly ServerConfig[], changes: Partial<ProxyConfig> = {}) {
    const proxies = [{ ...makeProxy("http", servers), ...changes }];
    this.table = new ServerTable(proxies, { nowMs: 0 });
    const note = (fields: object, message: string) => {
      const server = Reflect.get(fields, "server") ?? Reflect.get(fields, "proxy");
      const reason = Reflect.get(fields, "reason");
      this.log.push(`${server}: ${message}${reason === undefined ? "" : ` (${reason})`}`);
    };
    this.checker = new Checker({
      proxies,
      table: this.table,
      log: { info: note, warn: note, error: note },
      now: () => this.nowMs,
      schedule: (delayMs, run) => {
        const timer = { atMs: this.nowMs + delayMs, run };
        this.timers.push(timer);
        return () => {
          this.timers = this.timers.filter((other) => other !== timer);
        };
      },
      probe: ({ name }) => {
        this.checks.push(`${this.nowMs} ${name}`);
        return {
          result: Promise.resolve(this.answers.get(name) ?? passed),
          cancel: () => {
            this.cancelled++;
          },
        };
      },
      errorsInRow: (_proxy, server) => this.errors.get(server) ?? 0,
      cutSessions: (_proxy, server, because) => this.cuts.push(`${because} ${server}`),
    });
  }

  /** Lets so much time pass, timer by timer. */
  async pass(ms: number): Promise<void> {
    if (!(ms >= 0)) throw new Error(`${ms} ms cannot pass`);
    const endMs = this.nowMs + ms;
    await settled();
    for (;;) {
      const next = this.timers.toSorted((a, b) => a.atMs - b.atMs)[0];
      if (next === undefined || next.atMs > endMs) break;
      this.timers = this.timers.filter((other) => other !== next);
      this.nowMs = next.atMs;
      next.run();
      await settled();
    }
    this.nowMs = endMs;
  }

  get pending(): number {
    return this.timers.length;
  }
}

function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

const named = (name: string, words: Partial<ServerConfig> = {}): ServerConfig => ({
  name,
  host: "10.0.0.1",
  port: 80,
  check,
  ...words,
});

t.test(
  "every server is checked at once, and from then on at a place of its own in the interval",
  async (t) => {
    const watch = new Watch([named("a"), named("b"), { name: "unchecked", host: "10.0.0.9", port: 80 }]);
    watch.checker.start();
    await watch.pass(5500);
    t.same(watch.checks, ["0 a", "0 b", "1000 a", "2000 b", "3000 a", "4000 b", "5000 a"]);
    watch.checker.stop();
    t.equal(watch.pending, 0);
  },
);

t.test(
  "a server that dies is down after fall checks, said once with its reason, and back after rise",
  async (t) => {
    const watch = new Watch([named("a")]);
    watch.checker.start();
    await watch.pass(100);
    watch.answers.set("a", refused);
    await watch.pass(5899);
    t.equal(watch.table.effectiveWeight(0, 0), 256, "two have failed");
    await watch.pass(1);
    t.equal(watch.table.effectiveWeight(0, 0), 0);
    t.same(watch.log, [
      "a: server is DOWN (Layer4 connection problem, Connection refused)",
      "http: proxy has no server available",
    ]);
    t.equal(watch.checker.lastCheck(0, 0), "Connection refused");
    watch.answers.set("a", passed);
    await watch.pass(3000);
    t.equal(watch.table.effectiveWeight(0, 0), 256);
    t.same(watch.log.slice(2), ["a: server is UP (Layer4 check passed)", "http: proxy has a server again"]);
  },
);

t.test("in maintenance nothing is checked; after it a check comes at once", async (t) => {
  const watch = new Watch([named("a")]);
  watch.checker.start();
  await watch.pass(500);
  watch.checker.setState(0, 0, "maint");
  await watch.pass(60_000);
  t.same(watch.checks, ["0 a"]);
  watch.checker.setState(0, 0, "ready");
  await watch.pass(0);
  t.same(watch.checks, ["0 a", "60500 a"]);
  t.same(watch.log, [
    "a: server is in maintenance (an operator asked for it)",
    "http: proxy has no server available",
    "a: server is ready (an operator asked for it)",
    "http: proxy has a server again",
  ]);
});

t.test("a server that is disabled is not checked before somebody enables it", async (t) => {
  const watch = new Watch([named("a", { disabled: true })]);
  watch.checker.start();
  await watch.pass(10_000);
  t.same(watch.checks, []);
});

t.test("errors of requests take a server down without waiting for its checks", async (t) => {
  const observe = { layer: "layer7", errorLimit: 10, onError: "mark-down" } as const;
  const watch = new Watch([named("a", { check: { ...check, intervalMs: 60_000, observe } }), named("b")]);
  watch.checker.start();
  await watch.pass(1000);
  watch.errors.set(0, 9);
  await watch.pass(200);
  t.equal(watch.table.isStopped(0, 0), false);
  watch.errors.set(0, 12);
  await watch.pass(100);
  t.equal(watch.table.isStopped(0, 0), true);
  t.same(watch.log, ["a: server is DOWN (Health analyze, 12 errors of requests in a row)"]);
  const checksBefore = watch.checks.length;
  await watch.pass(check.fastIntervalMs);
  t.ok(
    watch.checks.slice(checksBefore).some((text) => text.endsWith(" a")),
    "the next check comes sooner",
  );
});

t.test("slow start raises the weight in steps until it is whole", async (t) => {
  const watch = new Watch([named("a", { slowStartMs: 10_000, weight: 10 })]);
  watch.answers.set("a", refused);
  watch.checker.start();
  await watch.pass(100);
  watch.answers.set("a", passed);
  await watch.pass(2900);
  const upMs = watch.table.read(0, 0).cameUpMs ?? Number.NaN;
  const seen: number[] = [];
  for (let i = 0; i < 12; i++) {
    await watch.pass(upMs + (i + 1) * 1000 - watch.nowMs);
    seen.push(Math.round(watch.table.effectiveWeight(0, 0) / 256));
  }
  t.same(seen, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 10, 10]);
  t.equal(watch.pending, 1, "only the next check is to come");
});

t.test(
  "what an operator changes of a server's weight and address is said, with what it was before",
  async (t) => {
    const watch = new Watch([named("a", { weight: 3 })]);
    watch.checker.setWeight(0, 0, 42);
    watch.checker.setWeight(0, 0, 42);
    watch.checker.setWeight(0, 0, 0);
    watch.checker.setTarget(0, 0, { host: "fd00::9", port: null, checkPort: null });
    watch.checker.setTarget(0, 0, { host: "fd00::9", port: null, checkPort: 8080 });
    t.same(watch.log, [
      "a: server has weight 42 instead of 3, as an operator asked",
      "a: server has weight 0 instead of 42, as an operator asked",
      "http: proxy has no server available",
      "a: server has address [fd00::9]:80 instead of 10.0.0.1:80, as an operator asked",
      "a: server has another port for its checks, as an operator asked",
    ]);
  },
);

t.test("a control thread that is started again goes on with what the one before it knew", async (t) => {
  const watch = new Watch([named("a")]);
  watch.answers.set("a", refused);
  watch.checker.start();
  await watch.pass(100);
  watch.checker.setWeight(0, 0, 42);
  watch.checker.stop();
  t.equal(watch.table.isStopped(0, 0), true);
  t.equal(watch.table.read(0, 0).weight, 42);
});

t.test(
  "on-marked-down cuts a server's sessions when it goes down or into maintenance, and not for less",
  async (t) => {
    const words = { host: "10.0.0.1", port: 80, check } as const;
    const watch = new Watch([
      { ...words, name: "a", onMarkedDown: "shutdown-sessions" },
      { ...words, name: "b" },
    ]);
    watch.checker.start();
    await watch.pass(2000);
    watch.checker.setState(0, 0, "drain");
    watch.checker.setState(0, 0, "ready");
    watch.answers.set("a", refused).set("b", refused);
    await watch.pass(2000);
    t.same(watch.cuts, [], "one failed check is not its end");
    await watch.pass(4000);
    t.same(watch.cuts, ["down 0"]);
    watch.checker.setState(0, 0, "maint");
    t.same(watch.cuts, ["down 0"], "it was down already");
    watch.checker.setState(0, 0, "ready");
    watch.checker.setState(0, 0, "maint");
    t.same(watch.cuts, ["down 0", "down 0"]);
    watch.checker.stop();
  },
);

t.test("on-marked-up cuts sessions at backup servers when the server takes requests again", async (t) => {
  const words = { host: "10.0.0.1", port: 80, check } as const;
  const watch = new Watch([
    { ...words, name: "a", onMarkedUp: "shutdown-backup-sessions" },
    { ...words, name: "b", backup: true, onMarkedUp: "shutdown-backup-sessions" },
    { ...words, name: "c" },
  ]);
  watch.answers.set("a", refused).set("b", refused).set("c", refused);
  watch.checker.start();
  await watch.pass(100);
  watch.answers.set("b", passed).set("c", passed);
  await watch.pass(3000);
  t.same(watch.cuts, [], "a backup server and one without the word cut nobody");
  watch.answers.set("a", passed);
  await watch.pass(3000);
  t.same(watch.cuts, ["up 1"]);
  watch.checker.setState(0, 0, "drain");
  watch.checker.setWeight(0, 0, 5);
  t.same(watch.cuts, ["up 1"]);
  watch.checker.setState(0, 0, "ready");
  t.same(watch.cuts, ["up 1", "up 1"]);
  watch.checker.stop();
});
