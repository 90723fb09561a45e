import assert from "node:assert/strict";
import fc from "fast-check";
import t from "tap";
import { type Enrolled, Roster } from "../../../src/proxy/engine/roster.js";

t.test("a roster holds who was added and has not been deleted, however the two alternate", async () => {
  fc.assert(
    fc.property(fc.array(fc.nat(12), { maxLength: 60 }), (steps) => {
      const roster = new Roster<Enrolled>();
      const all = Array.from({ length: 13 }, (): Enrolled => ({ rosterPlace: -1 }));
      const there = new Set<Enrolled>();
      for (const step of steps) {
        const one = all[step];
        if (there.delete(one)) {
          roster.delete(one);
          roster.delete(one);
        } else {
          there.add(one);
          roster.add(one);
        }
        assert.equal(roster.size, there.size);
        assert.deepEqual(new Set(roster.list()), there);
        for (const member of all) assert.equal(member.rosterPlace >= 0, there.has(member));
      }
    }),
  );
});

t.test("a list stays as it is while its members leave", async (t) => {
  const roster = new Roster<Enrolled>();
  for (let i = 0; i < 3; i++) roster.add({ rosterPlace: -1 });
  for (const member of roster.list()) roster.delete(member);
  t.equal(roster.size, 0);
});
