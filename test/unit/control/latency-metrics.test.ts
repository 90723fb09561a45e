import assert from "node:assert/strict";
import fc from "fast-check";
import t from "tap";
import { formatLatencies } from "../../../src/control/latency-metrics.js";
import { formatMetrics } from "../../../src/control/metrics.js";
import { ProxyCounters } from "../../../src/proxy/proxy-counters.js";
import { carryOver } from "../../../src/proxy/stats/carry-over.js";
import { clearCounters } from "../../../src/proxy/stats/clear.js";
import { bucketBoundsMs, bucketOf } from "../../../src/proxy/stats/latency.js";
import { readProxyLatencies } from "../../../src/proxy/stats/proxy-latencies.js";
import { readSnapshot } from "../../../src/proxy/stats/snapshot.js";
import { StatsTable } from "../../../src/proxy/stats/table.js";
import { checkExposition } from "./exposition.js";
import { makeProxy, makeView } from "./view.js";

const web = makeProxy("web", [
  { name: "a", host: "192.0.2.1", port: 80 },
  { name: 'b"\\', host: "192.0.2.2", port: 80 },
]);
const tcp = { ...makeProxy("tcp", [{ name: "c", host: "192.0.2.3", port: 80 }]), mode: "tcp" as const };
const proxies = [web, tcp];

/** Times of requests on two threads, each as connect, response, total, queue. */
function count(table: StatsTable, times: readonly (readonly number[])[]): void {
  for (const [i, [connectMs, responseMs, totalMs, queueMs]] of times.entries()) {
    const counters = new ProxyCounters(table, i % 2, 0, web);
    counters.timed(i % web.servers.length, connectMs, responseMs, totalMs, queueMs);
  }
}

t.test("a time belongs to the first bucket whose bound it does not exceed", async () => {
  fc.assert(
    fc.property(fc.oneof(fc.double({ min: 0, max: 70_000, noNaN: true }), fc.nat(70_000)), (ms) => {
      const bucket = bucketOf(ms);
      assert.ok(bucket === bucketBoundsMs.length || ms <= bucketBoundsMs[bucket]);
      assert.ok(bucket === 0 || ms > bucketBoundsMs[bucket - 1]);
    }),
  );
});

t.test("the text is Prometheus's, and its counts and sums are those of the counters", async (t) => {
  const times = [
    [0, 1, 2.5, 0],
    [1, 4, 7, 120],
    [3, 60_000, 60_003, 0],
    [0, 1_500, 1_501, 0],
  ];
  const view = makeView(proxies, (table) => count(table, times));
  const { text } = await formatMetrics(view);
  const metrics = checkExposition(text);
  const requests = readSnapshotRequests(view);
  for (const name of ["queue", "connect", "response", "total"] as const) {
    const column = { connect: 0, response: 1, total: 2, queue: 3 }[name];
    const sum = times.reduce((all, one) => all + one[column], 0) / 1000;
    t.equal(metrics.get(`lb_backend_${name}_seconds_count{proxy="web"}`), 4);
    t.equal(metrics.get(`lb_backend_${name}_seconds_sum{proxy="web"}`), sum);
    const servers = [`server="a"`, `server="b\\"\\\\"`].map((server) =>
      metrics.get(`lb_server_${name}_seconds_count{proxy="web",${server}}`),
    );
    t.same(servers, requests, "as many as show stat counts");
  }
  t.equal(metrics.get(`lb_frontend_total_seconds_count{proxy="web"}`), 4);
  t.equal(metrics.get(`lb_backend_response_seconds_bucket{proxy="web",le="0.001"}`), 1);
  t.equal(metrics.get(`lb_backend_response_seconds_bucket{proxy="web",le="0.005"}`), 2);
  t.equal(metrics.get(`lb_backend_response_seconds_bucket{proxy="web",le="50"}`), 3);
  t.equal(metrics.get(`lb_backend_response_seconds_bucket{proxy="web",le="+Inf"}`), 4);
  t.notOk(metrics.has(`lb_backend_response_seconds_count{proxy="tcp"}`), "mode tcp sees no response");
  t.equal(metrics.get(`lb_backend_total_seconds_count{proxy="tcp"}`), 0);
});

function readSnapshotRequests(view: ReturnType<typeof makeView>): number[] {
  return view.snapshot.proxies[0].servers.map(({ timedRequests }) => timedRequests);
}

t.test("without proxies there is no histogram", async (t) => {
  t.equal(formatLatencies({ proxies: [] }, []), "");
});

t.test("histograms outlive a reload, and clear counters all empties them", async (t) => {
  const [from, to] = [new StatsTable(proxies, 2), new StatsTable(proxies, 2)];
  count(from, [
    [1, 2, 3, 4],
    [5, 6, 7, 8],
  ]);
  for (let i = 0; i < 2; i++) carryOver({ table: from, proxies }, { table: to, proxies });
  t.same(readProxyLatencies(to, proxies), readProxyLatencies(from, proxies));
  t.same(readSnapshot(to, proxies).proxies[0].backend.timedRequests, 2);
  clearCounters(to, proxies, false);
  t.equal(readProxyLatencies(to, proxies)[0].frontend.sumMs, 10);
  clearCounters(to, proxies, true);
  t.equal(readProxyLatencies(to, proxies)[0].frontend.sumMs, 0);
  t.same(
    readProxyLatencies(to, proxies)[0].backend.total.counts.filter((n) => n > 0),
    [],
  );
});
