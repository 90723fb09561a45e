import t from "tap";
import type { VrrpInstanceConfig } from "../../../src/config/config.js";
import { handle, type Step } from "../../../src/vrrp/instance.js";
import {
  type InstanceInput,
  type InstanceState,
  initialState,
  nextDeadlineMs,
} from "../../../src/vrrp/instance-state.js";
import { routerConfig } from "./datagrams.js";

function run(state: InstanceState, input: InstanceInput, nowMs: number): Step {
  return handle(state, input, nowMs);
}

/** A router that has become BACKUP at 0, or MASTER by its own master-down interval. */
function begun(name: "BACKUP" | "MASTER", changes: Partial<VrrpInstanceConfig> = {}): InstanceState {
  const started = run(initialState(routerConfig(changes)), { kind: "start" }, 0).state;
  return name === "BACKUP" ? started : run(started, { kind: "timer" }, nextDeadlineMs(started) ?? 0).state;
}

function reconfigured(
  state: InstanceState,
  changes: Partial<VrrpInstanceConfig>,
  nowMs = 4000,
  inGroup = false,
): Step {
  const config = { ...state.config, ...changes };
  const { priority } = config;
  return run(state, { kind: "reconfigure", config, priority, inGroup, preparesTakeovers: false }, nowMs);
}

function kinds({ effects }: Step): string[] {
  return effects.map(({ kind }) => kind);
}

t.test(
  "a master with another priority stays master and advertises it, and no timer starts anew",
  async (t) => {
    const master = begun("MASTER");
    const step = reconfigured(master, { priority: 90 });
    t.equal(step.state.name, "MASTER");
    t.equal(step.state.priority, 90);
    t.same(step.state.timers, master.timers);
    t.same(kinds(step), ["priority-changed", "put-addresses"]);
    const advert = run(step.state, { kind: "timer" }, master.timers.advert ?? Number.NaN);
    t.same(advert.effects[0], { kind: "send-advert", priority: 90 });
  },
);

t.test("a backup with another priority waits with that one's skew, from the last advert on", async (t) => {
  const backup = begun("BACKUP");
  const { state } = reconfigured(backup, { priority: 200 }, 1000);
  t.equal(state.timers.masterDown, 3000 + 1000 * (56 / 256));
});

t.test("new addresses are put and announced; without any nothing is announced", async (t) => {
  const more = [
    { address: "192.168.33.84", prefixLength: 24 },
    { address: "192.168.33.85", prefixLength: 24 },
  ];
  const master = begun("MASTER");
  t.same(kinds(reconfigured(master, { addresses: more })), ["put-addresses", "announce"]);
  t.same(kinds(reconfigured(master, { excludedAddresses: [{ address: "10.0.0.1", prefixLength: 8 }] })), [
    "put-addresses",
    "announce",
  ]);
  t.same(kinds(reconfigured(master, { preempt: false })), ["put-addresses"]);
  t.same(kinds(reconfigured(begun("BACKUP"), { addresses: more }, 100)), [], "a backup holds none");
});

t.test("a shorter interval of a master begins at once, a longer one with the next advert", async (t) => {
  const master = begun("MASTER", { advertIntervalCs: 1000, version: 3 });
  const due = master.timers.advert ?? Number.NaN;
  const justAfter = due - 10_000 + 1;
  t.equal(reconfigured(master, { advertIntervalCs: 10 }, justAfter).state.timers.advert, justAfter + 100);
  t.equal(reconfigured(master, { advertIntervalCs: 2000 }, justAfter).state.timers.advert, due);
});

t.test("whoever becomes the owner is master at once, and one that no longer is stays it", async (t) => {
  const owner = reconfigured(begun("BACKUP"), { priority: 255 }, 100);
  t.equal(owner.state.name, "MASTER");
  t.equal(owner.state.priority, 255);
  const former = reconfigured(owner.state, { priority: 100 }, 200);
  t.equal(former.state.name, "MASTER");
  t.equal(former.state.priority, 100);
});

t.test("a drained node keeps its low priority, and undrained it has the new one", async (t) => {
  const drained = run(begun("BACKUP"), { kind: "drain", assisted: false }, 10).state;
  const { state } = reconfigured(drained, { priority: 120 }, 20);
  t.equal(state.priority, 1);
  t.equal(run(state, { kind: "undrain" }, 30).state.priority, 120);
});

t.test("out of its group it is free of the others' faults", async (t) => {
  const grouped = reconfigured(begun("BACKUP"), {}, 10, true).state;
  const faulty = run(grouped, { kind: "fault", cause: "sync", reason: "another is in FAULT" }, 20).state;
  t.equal(faulty.name, "FAULT");
  t.equal(reconfigured(faulty, {}, 30).state.name, "BACKUP");
});

t.test("what woke up from a stall asserts nothing because it was reconfigured", async (t) => {
  const step = reconfigured(
    begun("MASTER"),
    { excludedAddresses: [{ address: "10.0.0.1", prefixLength: 8 }] },
    60_000,
  );
  t.notOk(kinds(step).includes("put-addresses"));
  t.notOk(kinds(step).includes("announce"));
});
