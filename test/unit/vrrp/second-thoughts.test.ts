import t from "tap";
import { handle } from "../../../src/vrrp/instance.js";
import { type InstanceState, initialState, nextDeadlineMs } from "../../../src/vrrp/instance-state.js";
import { routerConfig } from "./datagrams.js";
import { SimulatedLan } from "./simulated-lan.js";

t.test(
  "a healed partition whose loser hears the winner first: the winner announces its addresses again",
  async (t) => {
    const lan = new SimulatedLan();
    const winner = lan.add("192.168.33.80", { priority: 101 }).start();
    const loser = lan.add("192.168.33.81", { priority: 100 }).start();
    lan.run(20_000);
    lan.partition([winner], [loser]);
    lan.run(20_000);
    t.equal(loser.state.name, "MASTER");
    lan.heal();
    const healedMs = lan.nowMs;
    while (loser.state.name === "MASTER") lan.run(1);
    lan.run(20);
    const since = lan.happenings.filter(({ atMs, node }) => atMs >= healedMs && node === winner.address);
    t.ok(
      since.some(({ what }) => what === "announce 5"),
      "at once, and not with the slow refresh",
    );
  },
);

t.test(
  "after an ordinary preemption the new master does not announce twice for the old one's last word",
  async (t) => {
    const lan = new SimulatedLan();
    const old = lan.add("192.168.33.81", { priority: 100 }).start();
    lan.run(10_000);
    const better = lan.add("192.168.33.80", { priority: 101 }).start();
    lan.run(10_000);
    t.equal(better.state.name, "MASTER");
    t.equal(old.state.name, "BACKUP");
    // The burst of a new master, and its repetition after 5 s.
    t.equal(lan.history(better).filter((what) => what === "announce 5").length, 2);
  },
);

t.test(
  "a kernel that goes on refusing is asked after 10, 20, 40 s and so on, at most every 320 s; a proven mastership begins anew",
  async (t) => {
    const refusal = { kind: "fault", cause: "address", reason: "refused" } as const;
    let state: InstanceState = handle(initialState(routerConfig()), { kind: "start" }, 0).state;
    const masterAt = (): number => {
      let nowMs = 0;
      while (state.name !== "MASTER") {
        nowMs = nextDeadlineMs(state) ?? Number.NaN;
        state = handle(state, { kind: "timer" }, nowMs).state;
      }
      return nowMs;
    };
    const waits: number[] = [];
    const refuse = (nowMs: number): void => {
      state = handle(state, refusal, nowMs).state;
      waits.push((state.timers.retry ?? Number.NaN) - nowMs);
    };
    for (let times = 0; times < 8; times++) refuse(masterAt() + 1);
    t.same(waits, [10_000, 20_000, 40_000, 80_000, 160_000, 320_000, 320_000, 320_000]);
    const proven = masterAt();
    waits.length = 0;
    for (let nowMs = proven; nowMs < proven + 61_000; nowMs += 500) {
      state = handle(state, { kind: "timer" }, nowMs).state;
    }
    refuse(proven + 61_000);
    t.same(waits, [10_000]);
  },
);
