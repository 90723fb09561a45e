import t from "tap";
import { noSplitBrain, noteMaster, settleSplitBrain } from "../../../src/vrrp/split-brain.js";

const how = "it advertises priority 100";

t.test("two masters that overlap in a change are none; on a second occasion they are", async (t) => {
  const once = noteMaster(noSplitBrain, "a", how, 1000, 1000);
  t.notOk(once.active);
  t.notOk(noteMaster(once, "a", how, 1010, 1000).active, "a second packet of the same change");
  const twice = noteMaster(once, "a", how, 2000, 1000);
  t.match(twice, { active: true, sinceMs: 1000, other: "a", how, times: 1 });
});

t.test("it is over after three silent intervals, or when this node is no longer master", async (t) => {
  const active = noteMaster(noteMaster(noSplitBrain, "a", how, 0, 1000), "a", how, 1000, 1000);
  t.ok(settleSplitBrain(active, 3999, 1000).active);
  t.match(settleSplitBrain(active, 4000, 1000), { active: false, sinceMs: null, times: 1 });
  t.match(settleSplitBrain(active, 1001, 1000, true), { active: false, sinceMs: null });
});

t.test("a change now and one much later are two changes", async (t) => {
  const once = noteMaster(noSplitBrain, "a", how, 0, 1000);
  t.notOk(noteMaster(once, "a", how, 60_000, 1000).active);
});
