import t from "tap";
import { settleGroup } from "../../../src/vrrp/sync-group.js";
import { SimulatedLan, type SimulatedNode } from "./simulated-lan.js";

/** Two balancers, each with a router on the outer side (vrid 51) and one on the inner side (vrid 52), as one group. */
function twoSided(priorities: readonly [number, number] = [101, 100]) {
  const lan = new SimulatedLan();
  const balancers = priorities.map((priority, i) => {
    const outer = lan.add(`192.168.33.8${i}`, { name: "outer", virtualRouterId: 51, priority });
    const inner = lan.add(`192.168.34.8${i}`, { name: "inner", virtualRouterId: 52, priority });
    group(outer, inner);
    return { outer, inner };
  });
  return { lan, one: balancers[0], other: balancers[1] };
}

/** What the speaker does: asks after each input until nothing is left to say. */
function group(...nodes: SimulatedNode[]): void {
  let isSettling = false;
  const members = () => nodes.map((node) => ({ name: node.config.name, state: node.state }));
  for (const node of nodes) {
    node.joinGroup(() => {
      if (isSettling) return;
      isSettling = true;
      for (let inputs = settleGroup("VG", members()); inputs.length > 0; ) {
        for (const { member, input } of inputs)
          nodes.find(({ config }) => config.name === member)?.input(input);
        inputs = settleGroup("VG", members());
      }
      isSettling = false;
    });
  }
}

function start(...balancers: { outer: SimulatedNode; inner: SimulatedNode }[]): void {
  for (const { outer, inner } of balancers) {
    outer.start();
    inner.start();
  }
}

function states({ outer, inner }: { outer: SimulatedNode; inner: SimulatedNode }): string {
  return [outer, inner].map((node) => `${node.state.name}${node.holdsAddress ? "+" : ""}`).join(" ");
}

function settled() {
  const scene = twoSided();
  start(scene.one, scene.other);
  scene.lan.run(20_000);
  return scene;
}

t.test("both sides become master on the same node", async (t) => {
  const { one, other } = settled();
  t.equal(states(one), "MASTER+ MASTER+");
  t.equal(states(other), "BACKUP BACKUP");
  t.match(one.inner.state.reason, /no master was heard .* and all of VG can/);
});

t.test("a cable pulled on one side takes both sides to the other node, and back", async (t) => {
  const { lan, one, other } = settled();
  one.inner.pullCable();
  t.equal(states(one), "FAULT FAULT", "both at once");
  t.equal(one.outer.state.reason, "inner of VG is in FAULT: interface eth1 is down");
  lan.run(5000);
  t.equal(states(other), "MASTER+ MASTER+");
  one.inner.plugCable();
  t.equal(states(one), "BACKUP BACKUP");
  lan.run(5000);
  t.equal(states(one), "MASTER+ MASTER+");
  t.equal(states(other), "BACKUP BACKUP");
});

t.test("faults on both sides are over when the last of them is", async (t) => {
  const { one } = settled();
  one.inner.pullCable();
  one.outer.pullCable();
  one.inner.plugCable();
  t.equal(states(one), "FAULT FAULT");
  t.equal(one.inner.state.reason, "outer of VG is in FAULT: interface eth1 is down");
  one.outer.plugCable();
  t.equal(states(one), "BACKUP BACKUP");
});

t.test("a silence on one side alone moves nothing: the other side's master is heard", async (t) => {
  const { lan, one, other } = settled();
  // Nobody's link is down; the two just do not hear each other on the inner side.
  lan.partition([one.outer, other.outer], [one.inner], [other.inner]);
  lan.run(30_000);
  t.equal(states(one), "MASTER+ MASTER+");
  t.equal(states(other), "BACKUP BACKUP");
  t.type(other.inner.state.wantsMaster, "string", "it would, alone");
  lan.heal();
  lan.run(1100);
  t.equal(other.inner.state.wantsMaster, null);
});

t.test(
  "after a partition of both sides the better node's masters stay, and the others step down together",
  async (t) => {
    const { lan, one, other } = settled();
    lan.partition([one.outer, one.inner], [other.outer, other.inner]);
    lan.run(10_000);
    t.equal(states(other), "MASTER+ MASTER+");
    lan.heal();
    lan.run(1100);
    t.equal(states(one), "MASTER+ MASTER+");
    t.equal(states(other), "BACKUP BACKUP");
  },
);

t.test("one member that becomes backup takes the other with it at once", async (t) => {
  const { one } = settled();
  one.inner.input({ kind: "advert", source: "192.168.34.90", priority: 200 });
  t.equal(states(one), "BACKUP BACKUP");
  t.match(one.outer.state.reason, "inner of VG is backup: 192.168.34.90 advertises priority 200");
});

t.test(
  "priorities that differ by side do not make the nodes take the addresses from each other",
  async (t) => {
    const lan = new SimulatedLan();
    const one = {
      outer: lan.add("192.168.33.80", { name: "outer", priority: 101 }),
      inner: lan.add("192.168.34.80", { name: "inner", virtualRouterId: 52, priority: 99 }),
    };
    const other = {
      outer: lan.add("192.168.33.81", { name: "outer", priority: 100 }),
      inner: lan.add("192.168.34.81", { name: "inner", virtualRouterId: 52, priority: 100 }),
    };
    group(one.outer, one.inner);
    group(other.outer, other.inner);
    start(one, other);
    lan.run(60_000);
    const before = lan.happenings.filter(({ what }) => what.includes(" to ")).length;
    t.ok(before <= 6, `${before} transitions`);
    t.equal([states(one), states(other)].filter((text) => text === "MASTER+ MASTER+").length, 1);
    lan.run(60_000);
    t.equal(lan.happenings.filter(({ what }) => what.includes(" to ")).length, before);
  },
);

t.test("owners of the addresses are masters at once, together", async (t) => {
  const { one } = twoSided([255, 100]);
  start(one);
  t.equal(states(one), "MASTER+ MASTER+");
});

t.test("a stop releases both sides, and the other node has both after its skew", async (t) => {
  const { lan, one, other } = settled();
  for (const node of [one.outer, one.inner]) node.input({ kind: "hand-over", assisted: false });
  t.equal(states(one), "MASTER+ MASTER+", "the addresses stay until the other is heard");
  lan.run(1000);
  t.equal(states(one), "INIT INIT");
  t.equal(states(other), "MASTER+ MASTER+");
});
