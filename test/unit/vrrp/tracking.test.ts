import { deepStrictEqual, ok } from "node:assert/strict";
import fc from "fast-check";
import t from "tap";
import { trackNothing } from "../../../src/config/defaults.js";
import type { TrackConfig, TrackedItem } from "../../../src/config/tracking-config.js";
import {
  describeContributions,
  type Found,
  judgeTracking,
  nothingKnown,
  type TrackFacts,
  trackOf,
} from "../../../src/vrrp/tracking.js";

function item(weight: number, reverse = false, name = "x"): TrackedItem {
  return { name, weight, reverse };
}

function script(weight: number, found: Found, reverse = false) {
  const facts = { ...nothingKnown, scripts: new Map([["x", found]]) };
  return judgeTracking(100, { ...trackNothing, scripts: [item(weight, reverse)] }, facts);
}

function file(weight: number, value: number, reverse = false) {
  const facts = { ...nothingKnown, files: new Map([["x", value]]) };
  return judgeTracking(100, { ...trackNothing, files: [item(weight, reverse)] }, facts);
}

t.test("weights count as keepalived's do", async (t) => {
  const table: [weight: number, found: Found, reverse: boolean, priority: number, isFault: boolean][] = [
    [0, "up", false, 100, false],
    [0, "down", false, 100, true],
    [0, "unknown", false, 100, true],
    [0, "up", true, 100, true],
    [0, "down", true, 100, false],
    [20, "up", false, 120, false],
    [20, "down", false, 100, false],
    [20, "unknown", false, 100, false],
    [20, "up", true, 80, false],
    [-20, "up", false, 100, false],
    [-20, "down", false, 80, false],
    [-20, "unknown", false, 100, false],
    [-20, "down", true, 120, false],
  ];
  for (const [weight, found, reverse, priority, isFault] of table) {
    const verdict = script(weight, found, reverse);
    t.equal(verdict.priority, priority, `${weight}${reverse ? " reverse" : ""}, ${found}`);
    t.equal(verdict.trackingFault !== null, isFault, `fault: ${weight}, ${found}`);
  }
});

t.test("a file's number counts times its weight, and far below it is a fault", async (t) => {
  t.match(file(2, 5), { priority: 110, trackingFault: null });
  t.match(file(2, -5), { priority: 90 });
  t.match(file(2, 5, true), { priority: 90 });
  t.match(file(1, 1000), { priority: 254, contributions: [{ weight: 253 }] });
  t.match(file(1, -253), { priority: 1, trackingFault: null });
  t.match(file(1, -254), { trackingFault: "file x holds -254" });
  t.match(file(0, 0), { trackingFault: null });
  t.match(file(0, 3), { trackingFault: "file x holds 3" });
  t.match(file(0, 0, true), { trackingFault: "file x holds 0" });
  t.match(
    judgeTracking(100, { ...trackNothing, files: [item(0)] }, nothingKnown),
    { trackingFault: null },
    "a file that was not read holds 0",
  );
});

t.test("this node's own health lowers the priority, or is a fault of its own", async (t) => {
  const node = [
    { weight: -50, reason: "no server of http can be reached" },
    { weight: "fault" as const, reason: "data-0 is stuck" },
  ];
  t.match(judgeTracking(101, trackNothing, { ...nothingKnown, node }), {
    priority: 51,
    trackingFault: null,
    fitnessFault: "data-0 is stuck",
  });
});

t.test("an owner's priority never changes, and its faults count", async (t) => {
  const facts = { ...nothingKnown, scripts: new Map<string, Found>([["x", "down"]]) };
  t.match(judgeTracking(255, { ...trackNothing, scripts: [item(-20)] }, facts), {
    priority: 255,
    contributions: [],
  });
  t.match(judgeTracking(255, { ...trackNothing, scripts: [item(0)] }, facts), {
    trackingFault: "script x is down",
  });
});

t.test("the log says what makes the difference", async (t) => {
  t.equal(describeContributions(script(-20, "down").contributions), "script x is down −20");
  t.equal(describeContributions([]), "nothing that is tracked changes it");
});

t.test("in a group every member tracks what any of them does, and what the group does", async (t) => {
  const one = { name: "one", track: { ...trackNothing, scripts: [item(-20, false, "a")] } };
  const two = {
    name: "two",
    track: { ...trackNothing, scripts: [item(-5, false, "a"), item(0, false, "b")] },
  };
  const alone = { name: "alone", track: trackNothing };
  const group = {
    name: "VG",
    members: ["one", "two"],
    track: { ...trackNothing, interfaces: [item(0, false, "eth0")] },
    notify: {
      master: null,
      backup: null,
      fault: null,
      stop: null,
      any: null,
      priorityChanges: false,
      smtpAlert: false,
    },
  };
  const all = [one, two, alone];
  t.same(trackOf(one, all, [group]), {
    ...trackNothing,
    interfaces: [item(0, false, "eth0")],
    scripts: [item(-20, false, "a"), item(0, false, "b")],
  });
  t.equal(trackOf(alone, all, [group]), trackNothing);
});

const anyItem: fc.Arbitrary<TrackedItem> = fc.record({
  name: fc.constantFrom("a", "b", "c"),
  weight: fc.integer({ min: -253, max: 253 }),
  reverse: fc.boolean(),
});
const anyTrack: fc.Arbitrary<TrackConfig> = fc.record({
  interfaces: fc.array(anyItem, { maxLength: 3 }),
  scripts: fc.array(anyItem, { maxLength: 3 }),
  files: fc.array(anyItem, { maxLength: 3 }),
  processes: fc.array(anyItem, { maxLength: 3 }),
});
const names = ["a", "b", "c"];
const anyFound = fc
  .tuple(...names.map(() => fc.constantFrom<Found>("up", "down", "unknown")))
  .map((found) => new Map(names.map((name, i) => [name, found[i]])));
const anyFacts: fc.Arbitrary<TrackFacts> = fc.record({
  interfaces: anyFound,
  scripts: anyFound,
  processes: anyFound,
  files: fc.integer().map((value) => new Map([["a", value]])),
  node: fc.constant([]),
});

t.test(
  "whatever is tracked, the priority stays within 1 and 254, and is the sum where it fits",
  async (t) => {
    t.doesNotThrow(() =>
      fc.assert(
        fc.property(fc.integer({ min: 1, max: 254 }), anyTrack, anyFacts, (base, track, facts) => {
          const { priority, contributions } = judgeTracking(base, track, facts);
          ok(priority >= 1 && priority <= 254);
          const sum = contributions.reduce((total, { weight }) => total + weight, base);
          deepStrictEqual(priority, Math.min(Math.max(sum, 1), 254));
          ok(contributions.every(({ weight }) => weight !== 0));
        }),
      ),
    );
  },
);

t.test("two nodes with the same failures keep their order, as far as the scale reaches", async (t) => {
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(
        fc.integer({ min: 2, max: 254 }),
        fc.integer({ min: 1, max: 253 }),
        anyTrack,
        anyFacts,
        (high, below, track, facts) => {
          const low = Math.max(1, high - below);
          const better = judgeTracking(high, track, facts).priority;
          ok(better >= judgeTracking(low, track, facts).priority);
        },
      ),
    ),
  );
});
