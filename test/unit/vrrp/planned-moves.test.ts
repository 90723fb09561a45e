import t from "tap";
import { handle } from "../../../src/vrrp/instance.js";
import { type InstanceInput, type InstanceState, initialState } from "../../../src/vrrp/instance-state.js";
import { routerConfig } from "./datagrams.js";
import { SimulatedLan } from "./simulated-lan.js";

const a = "192.168.33.80";
const b = "192.168.33.81";

/** One instance under a clock that the test turns. */
class Node {
  nowMs = 0;
  state: InstanceState;

  constructor(priority: number, { preempt = true, prepares = true } = {}) {
    this.state = initialState(routerConfig({ priority, preempt }), false, prepares);
    this.input({ kind: "own-address", address: b });
    this.input({ kind: "start" });
  }

  /** What it did, as short words. */
  input(input: InstanceInput, afterMs = 0): string[] {
    this.nowMs += afterMs;
    const step = handle(this.state, input, this.nowMs);
    this.state = step.state;
    return step.effects
      .filter(({ kind }) => kind !== "log")
      .map((effect) => {
        if (effect.kind === "send-advert") return `advert ${effect.priority}`;
        if (effect.kind === "transition") return `${effect.from} to ${effect.to}`;
        return effect.kind;
      });
  }

  hear(source: string, priority: number, afterMs = 0): string[] {
    return this.input({ kind: "advert", source, priority }, afterMs);
  }

  /** Lets the master-down timer run out while the other one goes on advertising. */
  waitToPreempt(priority: number): string[] {
    const effects: string[] = [];
    for (let times = 0; times < 4; times++) {
      effects.push(...this.hear(a, priority, 900), ...this.input({ kind: "timer" }, 100));
    }
    return effects;
  }
}

t.test("a takeover from a living master is made ready first, and goes on when it is", async (t) => {
  const node = new Node(101);
  t.same(node.waitToPreempt(100), ["prepare-takeover"]);
  t.equal(node.state.name, "BACKUP");
  t.same(node.input({ kind: "prepared" }, 20).slice(0, 2), ["advert 101", "BACKUP to MASTER"]);
  t.match(node.state.reason, "lower than 101 here");
});

t.test("as long as the master lives, it waits five seconds, and then goes on all the same", async (t) => {
  const node = new Node(101);
  node.waitToPreempt(100);
  for (let times = 0; times < 4; times++) {
    t.same(node.hear(a, 100, 1000), []);
    t.same(node.input({ kind: "timer" }), []);
  }
  node.hear(a, 100, 900);
  t.match(node.input({ kind: "timer" }, 100), ["advert 101", "BACKUP to MASTER"]);
});

t.test(
  "a master that falls silent meanwhile is waited for as long as VRRP has it, and no longer",
  async (t) => {
    const node = new Node(101);
    node.waitToPreempt(100);
    const silentForMs = 100;
    t.same(node.input({ kind: "timer" }, 3600 - silentForMs), []);
    t.match(node.input({ kind: "timer" }, 10), ["advert 101", "BACKUP to MASTER"]);
  },
);

t.test("a better master that appears meanwhile is respected", async (t) => {
  const node = new Node(101);
  node.waitToPreempt(100);
  node.hear(a, 150);
  t.same(node.input({ kind: "prepared" }), []);
  t.equal(node.state.name, "BACKUP");
});

t.test("from a dead or silent master it takes over without asking anybody", async (t) => {
  const silent = new Node(99);
  silent.hear(a, 100);
  t.same(silent.input({ kind: "timer" }, 3614).slice(0, 2), ["advert 99", "BACKUP to MASTER"]);
  const dead = new Node(101);
  dead.hear(a, 100);
  t.match(dead.input({ kind: "peer-dead", address: a, delayMs: 0 }), ["advert 101", "BACKUP to MASTER"]);
});

t.test("without a peer link nothing is prepared", async (t) => {
  const node = new Node(101, { prepares: false });
  t.same(node.waitToPreempt(100).slice(0, 2), ["advert 101", "BACKUP to MASTER"]);
});

t.test("the backup that the master hands over to does not wait for its skew", async (t) => {
  const node = new Node(99);
  node.hear(a, 100);
  t.same(node.input({ kind: "peer-yields", address: "192.168.33.99" }), [], "that is not the master");
  t.same(node.input({ kind: "peer-yields", address: a }).slice(0, 2), ["advert 99", "BACKUP to MASTER"]);
  t.match(node.state.reason, `${a} hands over to this node`);
});

function settledPair() {
  const lan = new SimulatedLan();
  const first = lan.add(a, { priority: 101 }).start();
  const second = lan.add(b, { priority: 100 }).start();
  lan.run(20_000);
  return { lan, first, second };
}

t.test("a drained master hands over, and preempts nobody until undrain", async (t) => {
  const { lan, first, second } = settledPair();
  first.input({ kind: "drain", assisted: false });
  t.equal(first.state.name, "MASTER", "it serves until the other one is heard");
  lan.run(2000);
  t.same([first.state.name, second.state.name], ["BACKUP", "MASTER"]);
  t.match(first.state.reason, `drained: handed over to ${b}`);
  lan.run(60_000);
  t.equal(first.state.name, "BACKUP");
  first.input({ kind: "undrain" });
  lan.run(5000);
  t.same([first.state.name, second.state.name], ["MASTER", "BACKUP"]);
  t.equal(first.state.priority, 101);
});

t.test("why a node is what it is names the drain only while it is drained", async (t) => {
  const alone = settledPair();
  alone.second.crash();
  alone.first.input({ kind: "drain", assisted: false });
  alone.lan.run(10_000);
  t.match(alone.first.state.reason, /^drained, but nobody took over within \d+ ms$/);
  alone.first.input({ kind: "undrain" });
  t.equal(alone.first.state.name, "MASTER");
  t.match(alone.first.state.reason, /^no longer drained; before, nobody took over within \d+ ms$/);
  alone.first.input({ kind: "drain", assisted: false });
  alone.lan.run(10_000);
  t.match(alone.first.state.reason, /^drained, but nobody took over/, "drained again");

  const patient = new SimulatedLan();
  const first = patient.add(a, { priority: 101, preempt: false }).start();
  patient.add(b, { priority: 100 }).start();
  patient.run(20_000);
  first.input({ kind: "drain", assisted: false });
  patient.run(2000);
  first.input({ kind: "undrain" });
  patient.run(5000);
  t.match(first.state, { name: "BACKUP", reason: `no longer drained; before, handed over to ${b}` });

  const hasty = settledPair();
  hasty.second.crash();
  hasty.first.input({ kind: "drain", assisted: false });
  hasty.first.input({ kind: "undrain" });
  hasty.lan.run(10_000);
  t.match(hasty.first.state, { name: "MASTER", reason: /^no longer drained; before, nobody took over/ });

  const idle = settledPair();
  const { reason } = idle.second.state;
  idle.second.input({ kind: "drain", assisted: false });
  idle.second.input({ kind: "undrain" });
  t.equal(idle.second.state.reason, reason, "it was backup before, and not for the drain");
});

t.test("in VRRPv3 a drained master waits as long as its successor's interval wants", async (t) => {
  const lan = new SimulatedLan();
  const first = lan.add(a, { version: 3, priority: 101, advertIntervalCs: 100 }).start();
  const second = lan.add(b, { version: 3, priority: 100, advertIntervalCs: 500 }).start();
  lan.run(60_000);
  first.input({ kind: "drain", assisted: false });
  lan.run(60_000);
  t.same([first.state.name, second.state.name], ["BACKUP", "MASTER"]);
  t.equal(first.state.masterIntervalMs, 5000);
  const became = lan.history(first).filter((what) => what === "BACKUP to MASTER");
  t.equal(became.length, 1, "it did not take its own second for the master's five");
});

t.test("who did not run while it handed over asserts nothing before it has read", async (t) => {
  const { lan, first, second } = settledPair();
  first.input({ kind: "hand-over", assisted: false });
  first.freeze();
  lan.run(10_000);
  t.same([second.state.name, first.holdsAddress], ["MASTER", false]);
  const puts = (): number => lan.history(first).filter((what) => what === "put").length;
  const before = puts();
  first.thaw("address event");
  t.equal(puts(), before, "the kernel's word of the lost address comes first");
  t.equal(first.state.name, "INIT");
});

t.test("a drained node serves where nobody else does", async (t) => {
  const { lan, first, second } = settledPair();
  second.crash();
  first.input({ kind: "drain", assisted: false });
  lan.run(10_000);
  t.equal(first.state.name, "MASTER");
  t.ok(first.holdsAddress);
  t.equal(lan.happenings.at(-1)?.what, "advert 1", "with the lowest priority");
  t.notOk(lan.history(first).some((what) => what === "remove" && lan.when(first, "remove") > 0));

  const other = settledPair();
  other.first.input({ kind: "drain", assisted: false });
  other.lan.run(2000);
  other.second.crash();
  other.lan.run(10_000);
  t.equal(other.first.state.name, "MASTER", "the other one died");
});

t.test(
  "a backup that is drained does not take over by a better chance, and says so by its priority",
  async (t) => {
    const { lan, first, second } = settledPair();
    second.input({ kind: "drain", assisted: false });
    t.equal(second.state.priority, 1);
    second.input({ kind: "priority", priority: 90, reason: "a script failed" });
    t.equal(second.state.priority, 1);
    lan.run(5000);
    second.input({ kind: "undrain" });
    t.equal(second.state.priority, 90);
    t.equal(first.state.name, "MASTER");
  },
);

t.test("an assisted hand-over releases the address with the new master's first advert", async (t) => {
  const node = new Node(101);
  node.waitToPreempt(100);
  node.input({ kind: "prepared" });
  t.same(node.input({ kind: "hand-over", assisted: true }), ["advert 0"]);
  t.same(node.hear(a, 100, 3), ["remove-addresses", "MASTER to INIT", "handed-over"]);
});

t.test("a stop during a drain ends in INIT", async (t) => {
  const node = new Node(101);
  node.waitToPreempt(100);
  node.input({ kind: "prepared" });
  node.input({ kind: "drain", assisted: false });
  node.input({ kind: "hand-over", assisted: false });
  node.hear(a, 100, 3);
  t.same(node.input({ kind: "timer" }, 100), ["remove-addresses", "MASTER to INIT", "handed-over"]);
});
