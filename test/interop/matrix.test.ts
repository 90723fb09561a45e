import t from "tap";
import { type Role, runScenario } from "../../lab/interop/scenario.js";
import { variants } from "../../lab/interop/variants.js";

/** The core of `npm run test:interop`; plain VRRPv2 and passwords have tests of their own in keepalived.test.ts. */
const core: readonly (readonly [peer: string, variant: string, roles: readonly Role[]])[] = [
  ["keepalived", "v2, AH", ["Tandem first", "peer first"]],
  ["keepalived", "v2, unicast", ["Tandem first"]],
  ["keepalived", "v3, IPv4, 0.1 s", ["Tandem first", "peer first"]],
  ["keepalived", "v3, IPv6, 0.1 s", ["Tandem first", "peer first"]],
  ["keepalived", "v3, sync group, 0.1 s", ["Tandem first"]],
  ["FRR", "v3, IPv4, 0.1 s", ["peer first"]],
  ["FRR", "v3, IPv6, 0.1 s", ["Tandem first"]],
];

// They wait more than they work.
t.jobs = 3;

for (const [peer, name, roles] of core) {
  const variant = variants.find((one) => one.peer === peer && one.name === name);
  if (variant === undefined) throw new Error(`there is no variant ${name} with ${peer}`);
  for (const role of roles) {
    t.test(
      `${name} with ${peer}, ${role}: election, priority 0, preemption, death, return`,
      { buffered: true },
      async (t) => {
        for (const { event, passed, detail } of await runScenario(variant, role)) {
          t.ok(passed, `${event}: ${detail}`);
        }
      },
    );
  }
}
