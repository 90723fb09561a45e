import t from "tap";
import { trackNothing } from "../../../src/config/defaults.js";
import { heard } from "../../../src/vrrp/partners.js";
import { unbridged } from "../../../src/vrrp/weight-gap.js";

const track = { ...trackNothing, scripts: [{ name: "check", weight: -2, reverse: false }] };

function partners(...priorities: number[]) {
  return priorities.reduce<ReturnType<typeof heard>>(
    (known, priority, lastHeardMs) => heard(known, { address: "192.168.33.80", priority, lastHeardMs }),
    [],
  );
}

t.test("a weight as small as the gap to the partner is told of, once it was heard", async (t) => {
  t.same(unbridged(100, track, []), []);
  t.same(unbridged(100, track, partners(101)), []);
  t.same(unbridged(100, track, partners(102)), [
    "the weight -2 of check cannot bridge the 2 between priority 100 here and 102 of 192.168.33.80",
  ]);
});

t.test("the partner counts with the best that it was heard to be", async (t) => {
  t.same(unbridged(100, track, partners(101, 51)), [], "lowered for now");
  t.same(unbridged(100, track, partners(0)), [], "it has only said goodbye");
  t.same(unbridged(100, track, partners(255)), [], "an owner comes back whatever happens");
});

t.test("a positive weight counts as added on both", async (t) => {
  const raising = { ...trackNothing, scripts: [{ name: "check", weight: 2, reverse: false }] };
  t.same(unbridged(100, raising, partners(103)), []);
  t.equal(unbridged(100, raising, partners(104)).length, 1);
});
