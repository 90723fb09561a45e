import t from "tap";
import type { VrrpInstanceConfig } from "../../../src/config/config.js";
import { handle, type Step } from "../../../src/vrrp/instance.js";
import { legacyOf } from "../../../src/vrrp/instance-resume.js";
import {
  type InstanceInput,
  type InstanceState,
  initialState,
  nextDeadlineMs,
} from "../../../src/vrrp/instance-state.js";
import { type InstanceLegacy, shiftTimes } from "../../../src/vrrp/legacy.js";
import { routerConfig } from "./datagrams.js";
import { nothingCounted } from "./legacies.js";

function begun(name: "BACKUP" | "MASTER", changes: Partial<VrrpInstanceConfig> = {}): InstanceState {
  const started = handle(initialState(routerConfig(changes)), { kind: "start" }, 0).state;
  return name === "BACKUP" ? started : handle(started, { kind: "timer" }, nextDeadlineMs(started) ?? 0).state;
}

const advert: InstanceInput = { kind: "advert", source: "192.168.33.81", priority: 200 };

/** What a state leaves, as another process reads it. */
function left(state: InstanceState): InstanceLegacy {
  return JSON.parse(JSON.stringify({ ...legacyOf(state), ...nothingCounted }));
}

function resume(from: InstanceState, before: readonly InstanceInput[] = [], nowMs = 9000): Step {
  let fresh = initialState(from.config);
  for (const input of before) fresh = handle(fresh, input, nowMs - 1).state;
  return handle(fresh, { kind: "resume", from: left(from) }, nowMs);
}

function kinds({ effects }: Step): string[] {
  return effects.map(({ kind }) => kind);
}

t.test("a master goes on as master: an advert and a fresh lease, and no transition", async (t) => {
  const master = begun("MASTER");
  const step = resume(master);
  t.same(kinds(step), ["send-advert", "put-addresses"]);
  const { name, reason, masterSinceMs, timers } = step.state;
  t.same(
    { name, reason, masterSinceMs },
    { name: "MASTER", reason: master.reason, masterSinceMs: master.masterSinceMs },
  );
  t.equal(timers.advert, 9000 + master.config.advertIntervalCs * 10);
  t.equal(timers.announceSlowly, master.timers.announceSlowly, "and what was to be announced later still is");
});

t.test("a backup waits a whole master-down interval, and knows whom it has heard", async (t) => {
  const backup = handle(begun("BACKUP"), advert, 500).state;
  const step = resume(backup);
  t.same(kinds(step), []);
  t.equal(step.state.name, "BACKUP");
  t.match(step.state.partners, [{ address: "192.168.33.81", priority: 200 }]);
  t.ok((step.state.timers.masterDown ?? 0) > 9000 + 3000);
});

t.test("what was heard before the other process stood still is newer than what it tells", async (t) => {
  const backup = handle(begun("BACKUP"), advert, 500).state;
  const step = resume(backup, [{ ...advert, priority: 210 }]);
  t.match(step.state.partners, [{ address: "192.168.33.81", priority: 210, highestPriority: 210 }]);
});

t.test("a master that finds a fault gives up, as it would have done", async (t) => {
  const fault: InstanceInput = { kind: "fault", cause: "fitness", reason: "no data thread" };
  const step = resume(begun("MASTER"), [fault]);
  t.same(kinds(step), ["send-advert", "transition", "remove-addresses"]);
  t.match(step.effects[0], { priority: 0 });
  t.equal(step.state.name, "FAULT");
});

t.test(
  "a fault that is over in the process that follows ends with it, and one that the kernel made does not",
  async (t) => {
    const tracking: InstanceInput = { kind: "fault", cause: "tracking", reason: "a script" };
    const wasFaulty = handle(begun("BACKUP"), tracking, 500).state;
    t.equal(resume(wasFaulty).state.name, "BACKUP");
    t.same(kinds(resume(wasFaulty, [tracking])), [], "still there: no transition");
    const address: InstanceInput = { kind: "fault", cause: "address", reason: "EINVAL" };
    const refused = handle(begun("MASTER"), address, 4000).state;
    const step = resume(refused);
    t.equal(step.state.name, "FAULT");
    t.equal(step.state.timers.retry, refused.timers.retry);
  },
);

t.test("what an operator has drained stays drained", async (t) => {
  const drained = handle(begun("BACKUP"), { kind: "drain", assisted: false }, 500).state;
  const step = resume(drained);
  t.equal(step.state.priority, 1);
  const undrained = handle(step.state, { kind: "undrain" }, 9100).state;
  t.equal(undrained.priority, drained.config.priority);
});

t.test("a start that waits goes on waiting, and not anew", async (t) => {
  const waiting = begun("BACKUP", { startupDelayMs: 20_000 });
  t.equal(resume(waiting).state.timers.startup, 20_000);
});

t.test("times move from one process's clock to the other's", async (t) => {
  const legacy = left(begun("MASTER"));
  const moved = shiftTimes(legacy, 1000);
  t.equal(moved.masterSinceMs, (legacy.masterSinceMs ?? 0) + 1000);
  t.equal(moved.retryMs, null);
  t.same(shiftTimes(moved, -1000), legacy);
});
