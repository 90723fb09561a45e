import t from "tap";
import { defaultRestartPolicy } from "../../../src/process/restart-policy.js";
import {
  readyWithinMs,
  SupervisedThread,
  stuckAfterMs,
  type ThreadEvent,
} from "../../../src/process/supervised-thread.js";
import type { ThreadEvents } from "../../../src/process/thread-host.js";

/** A supervised thread whose clock, heartbeat and workers the test plays. */
class Stage {
  nowMs = 0;
  beat: number | null = 0;
  isBeating = true;
  failToStart = false;
  readonly workers: {
    readonly events: ThreadEvents<string>;
    readonly posted: string[];
    terminated: boolean;
  }[] = [];
  readonly events: ThreadEvent[] = [];
  readonly messages: string[] = [];
  readonly thread = new SupervisedThread<string, string>({
    name: "data-0",
    policy: defaultRestartPolicy,
    start: (events) => {
      if (this.failToStart) throw new Error("no descriptor left");
      const worker = { events, posted: [] as string[], terminated: false };
      this.workers.push(worker);
      return {
        post: (message) => worker.posted.push(message),
        terminate: () => {
          worker.terminated = true;
        },
      };
    },
    isReady: (message) => message === "ready",
    heartbeat: () => this.beat,
    now: () => this.nowMs,
    onMessage: (message) => this.messages.push(message),
    onEvent: (event) => this.events.push(event),
  });

  get worker(): (typeof this.workers)[number] {
    return this.workers[this.workers.length - 1];
  }

  /** Lets time pass, with a look each 250 ms. */
  pass(ms: number): void {
    for (const end = this.nowMs + ms; this.nowMs < end; ) {
      this.nowMs = Math.min(end, this.nowMs + 250);
      if (this.isBeating && this.beat !== null) this.beat++;
      this.thread.look();
    }
  }

  startAndServe(): void {
    this.thread.start();
    this.thread.look();
    this.worker.events.message("ready");
  }

  kinds(): string[] {
    return this.events.map(({ kind }) => kind);
  }
}

t.test("a thread serves when it says that it is ready", async (t) => {
  const stage = new Stage();
  stage.thread.start();
  t.equal(stage.thread.health().state, "down");
  stage.worker.events.message("ready");
  t.equal(stage.thread.health().state, "serving");
  stage.thread.post("hello");
  t.same(stage.worker.posted, ["hello"]);
  t.same(stage.events, [{ kind: "ready", restarts: 0 }]);
});

t.test("a thread that dies is started again at once, and then after growing delays", async (t) => {
  const stage = new Stage();
  stage.startAndServe();
  stage.worker.events.gone("it threw oops", new Error("oops"));
  t.equal(stage.workers.length, 2);
  t.match(stage.events[1], { kind: "died", reason: "it threw oops", restartInMs: 0 });
  t.equal(stage.thread.health().state, "down");
  stage.worker.events.gone("it threw oops", null);
  stage.thread.look();
  t.equal(stage.workers.length, 2, "not before the delay is over");
  stage.pass(250);
  t.equal(stage.workers.length, 3);
  stage.worker.events.message("ready");
  t.match(stage.events.at(-1), { kind: "ready", restarts: 2 });
});

t.test("a thread that dies again and again is told so, and believed again after quiet", async (t) => {
  const stage = new Stage();
  stage.startAndServe();
  for (let i = 0; i < 3; i++) {
    stage.worker.events.gone("it threw", null);
    stage.pass(1000);
    stage.worker.events.message("ready");
  }
  t.match(stage.thread.health(), { state: "serving", keepsDying: true });
  stage.pass(30_000);
  t.match(stage.thread.health(), { state: "serving", keepsDying: false });
});

t.test("a thread whose heart stands still is stuck, is ended and comes again", async (t) => {
  const stage = new Stage();
  stage.startAndServe();
  stage.pass(1000);
  stage.isBeating = false;
  stage.pass(stuckAfterMs - 250);
  t.equal(stage.thread.health().state, "serving");
  stage.pass(250);
  t.equal(stage.thread.health().state, "stuck");
  t.equal(stage.worker.terminated, true);
  t.same(stage.kinds(), ["ready", "stuck"]);
  stage.worker.events.gone("it ended with code 1", null);
  t.match(stage.events[2], { kind: "died", reason: "it was stuck and was ended" });
  t.equal(stage.workers.length, 2);
});

t.test("a main thread that was away itself holds no silence against the others", async (t) => {
  const stage = new Stage();
  stage.startAndServe();
  stage.pass(1000);
  stage.nowMs += 60_000;
  stage.thread.look();
  t.equal(stage.thread.health().state, "serving");
  stage.pass(1000);
  t.equal(stage.thread.health().state, "serving");
  stage.isBeating = false;
  stage.pass(stuckAfterMs);
  t.equal(stage.thread.health().state, "stuck");
});

t.test("a thread without a visible heart is not called stuck", async (t) => {
  const stage = new Stage();
  stage.beat = null;
  stage.startAndServe();
  stage.pass(60_000);
  t.equal(stage.thread.health().state, "serving");
});

t.test("a thread that never gets ready is ended", async (t) => {
  const stage = new Stage();
  stage.thread.start();
  stage.pass(readyWithinMs);
  t.same(stage.kinds(), ["stuck"]);
  t.equal(stage.worker.terminated, true);
});

t.test("a start that throws counts as a death", async (t) => {
  const stage = new Stage();
  stage.failToStart = true;
  stage.thread.start();
  stage.pass(5000);
  t.ok(stage.events.length >= 3);
  t.match(stage.events[0], { kind: "died", reason: "it could not be started: no descriptor left" });
  t.equal(stage.thread.health().keepsDying, true);
  stage.failToStart = false;
  stage.pass(10_000);
  stage.worker.events.message("ready");
  t.equal(stage.thread.health().state, "serving");
});

t.test("a thread that was let go is not started again", async (t) => {
  const stage = new Stage();
  stage.startAndServe();
  stage.thread.letGo();
  t.equal(stage.thread.hasEnded, false);
  stage.worker.events.gone("it ended with code 0", null);
  t.equal(stage.thread.hasEnded, true);
  t.match(stage.events.at(-1), { kind: "died", restartInMs: null });
  stage.pass(60_000);
  t.equal(stage.workers.length, 1);
});

t.test("what an older worker still says is not heard", async (t) => {
  const stage = new Stage();
  stage.startAndServe();
  const first = stage.worker;
  first.events.gone("it threw", null);
  first.events.message("late");
  first.events.gone("again", null);
  t.notOk(stage.messages.includes("late"));
  t.equal(stage.workers.length, 2);
});
