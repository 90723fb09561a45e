import t from "tap";
import { type BalancerName, startBalancer } from "./balancer.js";
import type { Special } from "./plan.js";
import { comeToRest, complaints, fewestDescriptors } from "./rest.js";
import { describeMismatch, type Report, Traffic } from "./traffic.js";

/** One sequence, so that a failure repeats; `npm run test:stress -- --seed N` plays others, and longer ones. */
const seed = 1;

const runs: readonly { readonly name: BalancerName; readonly requests: number }[] = [
  { name: "portable", requests: 30_000 },
  { name: "direct", requests: 30_000 },
  { name: "pipelining", requests: 10_000 },
  // The peer that the expectations are held against: were they wrong, it would fail.
  { name: "haproxy", requests: 3_000 },
];

for (const { name, requests } of runs) {
  t.test(`${name}: random traffic gets its statuses and bytes, and leaves nothing behind`, async (t) => {
    const traffic = await Traffic.start(seed);
    t.teardown(() => traffic.stop());
    const balancer = await startBalancer(name, traffic.serverPorts, 2);
    t.teardown(() => balancer.stop());
    const before = await fewestDescriptors(balancer.pid, 20);
    const report = await traffic.run(balancer.port, {
      seed,
      from: 0,
      requests,
      concurrency: 64,
      peer: name === "haproxy" ? "haproxy" : "tandem",
    });
    t.same(report.mismatches.slice(0, 10).map(describeMismatch), [], "every outcome is as planned");
    t.same(missing(report), [], "every kind of traffic was there");
    if (name === "haproxy") return;
    if (name === "pipelining") {
      const info = await balancer.ask("show info");
      for (const what of ["PipelinedReq", "PipelinedLeftBehind"])
        t.ok(Number(new RegExp(`^${what}: (\\d+)$`, "m").exec(info)?.[1]) > 0, `${what} is counted`);
    }
    const rest = await comeToRest(balancer, () => traffic.serverConnections, before);
    t.same(rest.faults, [], "everything has come to rest");
    t.same(complaints(balancer.log()), [], "the log has no errors");
  });
}

/** Kinds of traffic that did not come: the test would pass without having tested them. */
function missing(report: Report): string[] {
  const kinds: readonly Special[] = [
    "none",
    "early-drain",
    "early-close",
    "reset",
    "flaky",
    "cut",
    "garbage",
    "tunnel",
    "malformed",
  ];
  return kinds.filter((kind) => (report.specials.get(kind) ?? 0) < 5);
}
