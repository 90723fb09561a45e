import t from "tap";
import { defaultFitness } from "../../../src/config/defaults.js";
import { recoveryMs } from "../../../src/process/fitness.js";
import {
  controlPatienceMs,
  describeHealth,
  findings,
  judgeNode,
  type NodeFacts,
  type NodeHealth,
  serversRecoveryMs,
  wellAtStart,
} from "../../../src/process/node-health.js";

const wellFacts: NodeFacts = {
  threads: [{ name: "data-0", state: "serving", keepsDying: false }],
  control: { name: "control", state: "serving", keepsDying: false },
  deafListeners: [],
  unservedProxies: [],
};

/** What counts after each of a series of looks. */
function watch(...looks: readonly (readonly [nowMs: number, facts: Partial<NodeFacts>])[]) {
  let health: NodeHealth = wellAtStart;
  return looks.map(([nowMs, facts]) => {
    health = judgeNode(health, { ...wellFacts, ...facts }, nowMs);
    return findings(health, defaultFitness);
  });
}

const controlDown = { control: { name: "control", state: "down", keepsDying: false } } as const;

t.test("a node that is well has nothing to say", async (t) => {
  t.same(watch([0, {}], [10_000, {}]), [[], []]);
  t.equal(describeHealth(wellAtStart), null);
});

t.test("servers that nobody reaches count at once, and only lower the priority", async (t) => {
  const [found] = watch([0, { unservedProxies: ["http", "api"] }]);
  t.same(found, [{ weight: -50, reason: "no server of http, api can be reached" }]);
});

t.test("they are well again after a while without a break", async (t) => {
  const unserved = { unservedProxies: ["http"] };
  const seen = watch(
    [0, unserved],
    [100, {}],
    [200, unserved],
    [300, {}],
    [300 + serversRecoveryMs - 1, {}],
    [300 + serversRecoveryMs, {}],
  );
  t.same(
    seen.map((found) => found.length),
    [1, 1, 1, 1, 1, 0],
  );
});

t.test("a control thread that is started again at once is not missed", async (t) => {
  const seen = watch([0, controlDown], [controlPatienceMs - 1, controlDown], [controlPatienceMs, {}]);
  t.same(seen, [[], [], []]);
});

t.test("a control thread that stays away costs a little", async (t) => {
  const seen = watch([0, controlDown], [controlPatienceMs, controlDown], [2000, {}], [2000 + recoveryMs, {}]);
  t.same(seen, [
    [],
    [{ weight: -5, reason: "the control thread is missing" }],
    [{ weight: -5, reason: "the control thread is missing" }],
    [],
  ]);
});

t.test("a control thread that keeps dying counts even while it lives", async (t) => {
  const [found] = watch([0, { control: { name: "control", state: "serving", keepsDying: true } }]);
  t.same(found, [{ weight: -5, reason: "the control thread keeps dying" }]);
});

t.test("a listening socket that somebody shut down is a fault", async (t) => {
  const [found] = watch([0, { deafListeners: ["192.168.33.84:80"] }]);
  t.same(found, [{ weight: "fault", reason: "nothing listens on 192.168.33.84:80 any more" }]);
});

t.test("threads are a fault as they always were, and the configuration can say otherwise", async (t) => {
  const stuck: NodeFacts = {
    ...wellFacts,
    threads: [{ name: "data-0", state: "stuck", keepsDying: false }],
    unservedProxies: ["http"],
  };
  const health = judgeNode(wellAtStart, stuck, 0);
  t.same(findings(health, defaultFitness), [
    { weight: "fault", reason: "data-0 is stuck" },
    { weight: -50, reason: "no server of http can be reached" },
  ]);
  t.same(findings(health, { ...defaultFitness, threads: -100, servers: null }), [
    { weight: -100, reason: "data-0 is stuck" },
  ]);
  t.equal(describeHealth(health), "data-0 is stuck; no server of http can be reached");
});
