import t from "tap";
import { explainMaster, explainStop } from "../../../src/vrrp/explain.js";
import { type InstanceState, initialState } from "../../../src/vrrp/instance-state.js";
import { routerConfig } from "./datagrams.js";

function state(changes: Partial<InstanceState>, priority = 100): InstanceState {
  return { ...initialState(routerConfig({ priority })), ...changes };
}

const partner = (priority: number, lastHeardMs = 9500) => [
  { address: "192.168.33.80", priority, highestPriority: priority, lastHeardMs },
];

t.test("a backup says who is master and why it is not itself", async (t) => {
  const say = (changes: Partial<InstanceState>) =>
    explainMaster(state({ name: "BACKUP", ...changes }), 10_000);
  t.equal(say({ partners: partner(101) }), "192.168.33.80 with priority 101: it is higher than 100 here");
  t.equal(
    say({ partners: partner(100) }),
    "192.168.33.80 with priority 100: it is the same here, and it was first",
  );
  t.match(say({ partners: partner(90) }), "this node, with 100, is about to take over");
  t.match(say({ partners: partner(90), drainedFrom: 100 }), "this node is drained");
  t.equal(say({ partners: partner(101, 0) }), "nobody that this node hears");
  t.equal(say({ partners: [] }), "nobody that this node hears");
});

t.test("a master says why it is, and what would happen without it", async (t) => {
  const master = state({ name: "MASTER", reason: "no master was heard for 3605 ms" });
  t.equal(explainMaster(master, 0), "this node: no master was heard for 3605 ms");
  t.match(explainStop(master, [], 0), "the address would be gone");
  const heard = { ...master, partners: partner(100, 1000) };
  t.match(explainStop(heard, [], 61_000), "after its skew, if there is one: backups are silent");
  const linked = [
    { address: "192.168.33.81", state: "BACKUP", priority: 90 },
    { address: "192.168.33.82", state: "BACKUP", priority: 99 },
    { address: "192.168.33.83", state: "FAULT", priority: 120 },
  ];
  t.match(explainStop(heard, linked, 61_000), "192.168.33.82 (priority 99) would take over at once");
});

t.test("without the backup nothing moves", async (t) => {
  const backup = state({ name: "BACKUP", partners: partner(101) });
  t.match(explainStop(backup, [], 10_000), "nothing would move: 192.168.33.80 is master");
});
