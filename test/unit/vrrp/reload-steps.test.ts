import fc from "fast-check";
import t from "tap";
import { familyOf, type VrrpInstanceConfig } from "../../../src/config/config.js";
import { notifyNobody, trackNothing } from "../../../src/config/defaults.js";
import { applyStep, describeStep, type VrrpSetup, vrrpReloadSteps } from "../../../src/vrrp/reload-steps.js";
import { routerConfig } from "./datagrams.js";

function setup(
  instances: readonly Partial<VrrpInstanceConfig>[],
  ...groups: readonly { name: string; members: string[] }[]
): VrrpSetup {
  return {
    instances: instances.map(routerConfig),
    groups: groups.map((group) => ({ ...group, track: trackNothing, notify: notifyNobody })),
  };
}

function sentences(before: VrrpSetup, after: VrrpSetup): string[] {
  return vrrpReloadSteps(before, after).map(describeStep);
}

t.test("a setup that is the same has no steps", async (t) => {
  const both = [{ name: "a" }, { name: "b", virtualRouterId: 52 }];
  t.same(sentences(setup(both), setup(both)), []);
});

t.test(
  "a priority, an address and a script change in place, and the other instance is not touched",
  async (t) => {
    const other = { name: "b", virtualRouterId: 52 };
    t.same(
      sentences(
        setup([{ name: "a" }, other]),
        setup([
          {
            name: "a",
            priority: 110,
            addresses: [
              { address: "192.168.33.84", prefixLength: 24 },
              { address: "192.168.33.85", prefixLength: 24 },
            ],
          },
          other,
        ]),
      ),
      ["a changed in place: priority, addresses.1"],
    );
  },
);

t.test("another router id, interface, version, family or macvlan makes another router", async (t) => {
  const ipv6 = { version: 3, addresses: [{ address: "fd00::1", prefixLength: 64 }] } as const;
  for (const change of [
    { virtualRouterId: 52 },
    { interface: "eth2" },
    { version: 3 },
    ipv6,
    { vmac: "v" },
  ] as const) {
    t.same(sentences(setup([{ name: "a" }]), setup([{ name: "a", ...change }])), ["a removed", "a added"]);
  }
});

t.test("who is removed leaves its group first, and who comes joins it last", async (t) => {
  const before = setup(
    [
      { name: "a", virtualRouterId: 1 },
      { name: "b", virtualRouterId: 2 },
      { name: "c", virtualRouterId: 3 },
    ],
    { name: "VG", members: ["a", "b", "c"] },
  );
  const after = setup(
    [
      { name: "a", virtualRouterId: 1 },
      { name: "b", virtualRouterId: 2 },
      { name: "d", virtualRouterId: 3 },
    ],
    { name: "VG", members: ["a", "b", "d"] },
  );
  t.same(sentences(before, after), [
    "sync groups: VG of a, b",
    "c removed",
    "d added",
    "sync groups: VG of a, b, d",
  ]);
});

t.test("an address that moves is given up by the one before the other takes it", async (t) => {
  const address = (last: number) => ({ address: `192.168.33.${last}`, prefixLength: 24 });
  const before = setup([
    { name: "a", virtualRouterId: 1, addresses: [address(1)] },
    { name: "b", virtualRouterId: 2, addresses: [address(2), address(3)] },
  ]);
  const after = setup([
    { name: "a", virtualRouterId: 1, addresses: [address(1), address(3)] },
    { name: "b", virtualRouterId: 2, addresses: [address(2)] },
  ]);
  t.match(sentences(before, after), [/^b changed/, /^a changed/]);
});

const name = fc.constantFrom("a", "b", "c", "d");
const instance = fc
  .record({
    name,
    interface: fc.constantFrom("eth1", "eth2"),
    virtualRouterId: fc.integer({ min: 1, max: 4 }),
    priority: fc.constantFrom(1, 100, 101, 255),
    version: fc.constantFrom(2 as const, 3 as const),
    vmac: fc.constantFrom(null, "vrrp.1"),
    preempt: fc.boolean(),
    advertIntervalCs: fc.constantFrom(100, 200),
    addresses: fc.subarray(
      [1, 2, 3, 4].map((last) => ({ address: `192.168.33.${last}`, prefixLength: 24 })),
      { minLength: 1 },
    ),
  })
  .map(routerConfig);

const wireOf = (config: VrrpInstanceConfig): string =>
  `${config.interface} ${config.virtualRouterId} ${familyOf(config)}`;

/** Setups as a file may hold them: no router twice, and members that there are. */
const anySetup: fc.Arbitrary<VrrpSetup> = fc
  .uniqueArray(instance, { maxLength: 4, comparator: (a, b) => a.name === b.name || wireOf(a) === wireOf(b) })
  .chain((instances) =>
    fc
      .subarray(
        instances.map(({ name }) => name),
        { minLength: Math.min(2, instances.length) },
      )
      .map((members) => ({
        instances,
        groups:
          members.length < 2 ? [] : [{ name: "VG", members, track: trackNothing, notify: notifyNobody }],
      })),
  );

t.test(
  "the steps lead from any setup to any other, and on the way nothing is in another's way",
  async (t) => {
    fc.assert(
      fc.property(anySetup, anySetup, (before, after) => {
        const steps = vrrpReloadSteps(before, after);
        let now = before;
        for (const step of steps) {
          now = applyStep(now, step);
          const wires = now.instances.map(wireOf);
          const names = now.instances.map(({ name }) => name);
          if (new Set(wires).size < wires.length || new Set(names).size < names.length) return false;
          if (now.groups.some(({ members }) => members.some((member) => !names.includes(member))))
            return false;
        }
        const sorted = (instances: readonly VrrpInstanceConfig[]) =>
          [...instances].sort((a, b) => a.name.localeCompare(b.name));
        t.same(sorted(now.instances), sorted(after.instances));
        t.same(now.groups, after.groups);
        return true;
      }),
      { numRuns: 500 },
    );
  },
);

t.test("no step names an instance that is the same before and after", async (t) => {
  fc.assert(
    fc.property(anySetup, anySetup, (before, after) => {
      const same = before.instances.filter((one) =>
        after.instances.some((other) => JSON.stringify(one) === JSON.stringify(other)),
      );
      return vrrpReloadSteps(before, after).every((step) => {
        const named =
          step.kind === "remove" ? step.instance : step.kind === "regroup" ? null : step.config.name;
        return !same.some(({ name }) => name === named);
      });
    }),
    { numRuns: 500 },
  );
  t.same(
    fc.sample(anySetup, 50).flatMap((one) => vrrpReloadSteps(one, structuredClone(one))),
    [],
    "and a setup that is only another copy has no steps",
  );
});
