import { setTimeout } from "node:timers/promises";
import type { FastifyInstance } from "fastify";
import t, { type Test } from "tap";
import type { AdminConfig } from "../../../src/config/config.js";
import { createAdmin } from "../../../src/control/admin.js";
import { Dashboard, readOnlyBecause } from "../../../src/control/dashboard/dashboard.js";
import { History } from "../../../src/control/dashboard/history.js";
import { percentiles, RecentLatencies } from "../../../src/control/dashboard/recent-latency.js";
import { dashboardState } from "../../../src/control/dashboard/state.js";
import type { NodeView } from "../../../src/control/node-view.js";
import { FlightRecorder } from "../../../src/flight/recorder.js";
import { addLatency, bucketBoundsMs, Latency } from "../../../src/proxy/stats/latency.js";
import { Cell, latencyCell } from "../../../src/proxy/stats/layout.js";
import { readProxyLatencies } from "../../../src/proxy/stats/proxy-latencies.js";
import { StatsTable } from "../../../src/proxy/stats/table.js";
import { makeInstance } from "./instance.js";
import { demoProxy, makeView } from "./view.js";

const config: AdminConfig = {
  listen: { kind: "address", address: "127.0.0.1", port: 80 },
  path: "/stats",
  user: "admin",
  password: "one of our own",
  isDefault: false,
};
const authorization = `Basic ${Buffer.from(`${config.user}:${config.password}`).toString("base64")}`;
const noSample = { epochS: 0, values: [] };

interface Fixture {
  readonly app: FastifyInstance;
  /** What was asked of the node. */
  readonly asked: unknown[][];
}

async function start(t: Test, readOnly: string | null = null): Promise<Fixture> {
  const asked: unknown[][] = [];
  const view = () => makeView(undefined, undefined, { vrrp: [makeInstance()] });
  const app = await createAdmin(
    config,
    view,
    new Dashboard(
      view,
      async () => "",
      () => {},
      readOnly,
    ),
    {
      setState: (...change) => asked.push(["state", ...change]),
      setWeight: (...change) => asked.push(["weight", ...change]),
      setTarget: (...change) => asked.push(["target", ...change]),
      setHealth: (...change) => asked.push(["health", ...change]),
      killSessions: (...change) => asked.push(["kill", ...change]),
      request: (what) => asked.push([what]),
    },
  );
  t.teardown(() => app.close());
  return { app, asked };
}

function post(app: FastifyInstance, url: string, payload: object, headers: Record<string, string> = {}) {
  return app.inject({ method: "POST", url, payload, headers: { authorization, host: "lb:80", ...headers } });
}

t.test("page, scripts, state and actions are behind the password", async (t) => {
  const { app, asked } = await start(t);
  for (const url of ["/dashboard", "/dashboard/app.js", "/api/dashboard", "/api/dashboard/history"]) {
    t.equal((await app.inject({ url })).statusCode, 401, url);
    t.equal((await app.inject({ url, headers: { authorization } })).statusCode, 200, url);
  }
  t.equal(
    (await app.inject({ method: "POST", url: "/api/drain", payload: { drained: true } })).statusCode,
    401,
  );
  t.same(asked, []);
});

t.test("the page's scripts and styles come from this server alone", async (t) => {
  const { app } = await start(t);
  const page = await app.inject({ url: "/dashboard", headers: { authorization } });
  const policy = String(page.headers["content-security-policy"]);
  t.match(policy, "default-src 'none'");
  t.match(policy, "script-src 'self'");
  t.notMatch(policy, "unsafe");
  t.notMatch(page.body, /(src|href)="(https?:)?\/\//, "nothing from the internet");
});

t.test("a server is drained and gets another weight", async (t) => {
  const { app, asked } = await start(t);
  t.equal((await post(app, "/api/servers/http/web02", { state: "drain" })).statusCode, 200);
  t.equal((await post(app, "/api/servers/http/web01", { weight: 7 })).statusCode, 200);
  t.equal((await post(app, "/api/drain", { drained: true })).statusCode, 202);
  t.same(asked, [["state", 0, 1, "drain"], ["weight", 0, 0, 7], ["drain"]]);
});

t.test("what is not understood changes nothing and says what is", async (t) => {
  const { app, asked } = await start(t);
  const bad = [
    ["/api/servers/http/web01", { weight: 257 }, 400],
    ["/api/servers/http/web01", { weight: "7" }, 400],
    ["/api/servers/http/web01", { state: "gone" }, 400],
    ["/api/servers/http/web01", { colour: "red" }, 400],
    ["/api/servers/http/web09", { weight: 7 }, 404],
    ["/api/servers/other/web01", { weight: 7 }, 404],
    ["/api/drain", {}, 400],
  ] as const;
  for (const [url, body, status] of bad) {
    const answer = await post(app, url, body);
    t.equal(answer.statusCode, status, `${url} ${JSON.stringify(body)}`);
    t.type(answer.json().message, "string");
  }
  t.same(asked, []);
});

t.test("another site's page changes nothing, whatever it sends", async (t) => {
  const { app, asked } = await start(t);
  const drain = { drained: true };
  t.equal((await post(app, "/api/drain", drain, { origin: "http://evil.example" })).statusCode, 403);
  t.equal((await post(app, "/api/drain", drain, { "sec-fetch-site": "cross-site" })).statusCode, 403);
  t.equal((await post(app, "/api/drain", drain, { "sec-fetch-site": "same-site" })).statusCode, 403);
  // What a form can send.
  for (const type of ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"]) {
    const answer = await app.inject({
      method: "POST",
      url: "/api/drain",
      payload: JSON.stringify(drain),
      headers: { authorization, host: "lb:80", "content-type": type },
    });
    t.ok(answer.statusCode >= 400, `${type}: ${answer.statusCode}`);
  }
  t.same(asked, []);
  const own = { origin: "http://lb:80", "sec-fetch-site": "same-origin" };
  t.equal((await post(app, "/api/drain", drain, own)).statusCode, 202);
});

t.test("with the default password one looks and changes nothing", async (t) => {
  t.match(readOnlyBecause({ ...config, password: "supersecret" }), "default password");
  t.equal(readOnlyBecause(config), null);
  const { app, asked } = await start(t, "the default password");
  const answer = await post(app, "/api/servers/http/web01", { weight: 7 });
  t.equal(answer.statusCode, 403);
  t.match(answer.json().message, "the default password");
  t.same(asked, []);
});

t.test("the state has this node, its servers, and the partner as the link tells it", async (t) => {
  const partner = {
    address: "192.168.33.81",
    node: "lb-box2",
    phase: "up" as const,
    sinceEpochMs: 1_795_403_500_000,
    reason: "it dialed",
    load: { connections: 3, requestsTotal: 1000, serversUp: 1, serversTotal: 2 },
    routers: [
      { virtualRouterId: 51, family: 4 as const, state: "BACKUP", priority: 100, reason: "hears a master" },
      { virtualRouterId: 51, family: 6 as const, state: "FAULT", priority: 100, reason: "another one" },
    ],
  };
  const peerLink = { port: 3112, partners: [partner], refusals: {} };
  const view = makeView(undefined, undefined, { vrrp: [makeInstance({ peerLink })] });
  const state = dashboardState(view, noSample, [], new Map([["192.168.33.81", 42]]), null);
  t.match(state.nodes, [
    { name: "lb-box1", isSelf: true, load: { serversUp: 2, serversTotal: 2 } },
    {
      name: "lb-box2",
      isSilent: false,
      routers: [{ state: "BACKUP", priority: 100 }],
      load: { requestsPerSecond: 42, connections: 3, serversUp: 1, serversTotal: 2 },
    },
  ]);
  t.equal(state.nodes[1].routers.length, 1, "of the same family");
  t.match(state.proxies, [{ name: "http", servers: [{ name: "web01", tone: "dim" }, { name: "web02" }] }]);
});

t.test("a partner without a link is known by its adverts, and is silent when they are old", async (t) => {
  const at = (lastHeardEpochMs: number, priority = 100) => {
    const partners = [{ address: "192.168.33.81", priority, lastHeardEpochMs }];
    const view = makeView(undefined, undefined, { vrrp: [makeInstance({ state: "BACKUP", partners })] });
    return dashboardState(view, noSample, [], new Map(), null).nodes[1];
  };
  const nowEpochMs = makeView().nowEpochMs;
  t.match(at(nowEpochMs - 500), { name: "192.168.33.81", isSilent: false, routers: [{ state: "MASTER" }] });
  t.match(at(nowEpochMs - 60_000), { isSilent: true, routers: [] });
  t.match(at(nowEpochMs - 500, 0), { isSilent: true, routers: [] }, "it gave mastership up");
});

t.test(
  "history: what was asked, what failed and how long it took, second by second, for a quarter of an hour",
  async (t) => {
    const history = new History();
    const view = (second: number, failed: number): NodeView =>
      makeView(
        [demoProxy],
        (table) => {
          const block = table.blocks[0];
          block[table.frontendRow(0) + Cell.responses5xx] = failed;
          block[table.backendRow(0) + Cell.timedRequests] = 4;
          block[table.backendRow(0) + Cell.responseTimeSum] = 10;
        },
        { nowEpochMs: second * 1000 },
      );
    t.match(history.take(view(1, 5)), { epochS: 1, values: [{ errors: 0, responseMs: 2.5 }] });
    t.match(history.take(view(2, 8)), { epochS: 2, values: [{ errors: 3 }] });
    for (let second = 3; second < 1200; second++) history.take(view(second, 8));
    const { series, samples } = history.all(view(1200, 8));
    t.same(series, ["http"]);
    t.equal(samples.length, 900);
    t.equal(samples.at(-1)?.epochS, 1199);
  },
);

t.test("p50 and p99 are of the last minute, by the histograms' bounds", async (t) => {
  t.equal(percentiles([0, 0, 0]), null);
  t.same(percentiles([98, 1, 1]), { p50: 1, p99: 2 });
  t.same(percentiles([1, 0, 1]), { p50: 1, p99: 5 });
  t.same(
    percentiles([...bucketBoundsMs.map(() => 0), 3]),
    { p50: null, p99: null },
    "longer than all bounds",
  );
  const latencies = new RecentLatencies();
  const table = new StatsTable([demoProxy], 1);
  const answer = (server: number, times: number, ms: number): void => {
    for (let i = 0; i < times; i++)
      addLatency(table.rowBlocks[0], table.serverRow(0, server) + latencyCell, Latency.response, ms);
  };
  const at = (second: number): void =>
    latencies.take(
      makeView([demoProxy], undefined, {
        nowMonotonicMs: second * 1000,
        latencies: () => readProxyLatencies(table, [demoProxy]),
      }),
    );
  at(0);
  t.equal(latencies.server(0, 0), null, "nothing was answered since it looks");
  answer(0, 99, 3);
  answer(1, 1, 400);
  at(4);
  t.equal(latencies.server(0, 0), null, "it looks every five seconds");
  at(5);
  t.same(latencies.server(0, 0), { p50: 5, p99: 5 });
  t.same(latencies.server(0, 1), { p50: 500, p99: 500 });
  t.same(latencies.backend(0), { p50: 5, p99: 5 });
  for (let second = 10; second <= 60; second += 5) at(second);
  t.same(latencies.server(0, 0), { p50: 5, p99: 5 }, "a minute later");
  at(65);
  t.equal(latencies.server(0, 0), null, "and no longer");
  answer(0, 1, 60_000);
  at(70);
  t.same(latencies.server(0, 0), { p50: null, p99: null });
  table.rowBlocks[0].fill(0);
  at(75);
  t.equal(latencies.server(0, 0), null, "counters were cleared");
  answer(0, 1, 1);
  at(80);
  t.same(latencies.server(0, 0), { p50: 1, p99: 1 });
});

t.test("the time line is what the flight recorder has, also while the main thread is slow", async (t) => {
  const recorder = new FlightRecorder();
  const line = (fields: object): void =>
    recorder.line(`${JSON.stringify({ level: "info", time: "2026-11-28T21:00:00.000Z", ...fields })}\n`, 0);
  line({ event: "vrrp", from: "BACKUP", to: "MASTER", msg: "VI_1: BACKUP → MASTER, no master was heard" });
  let isSlow = false;
  const view = () => makeView();
  const dashboard = new Dashboard(
    view,
    () => (isSlow ? new Promise<string>(() => {}) : Promise.resolve(recorder.changesToJson("n", 0))),
    () => {},
    null,
  );
  t.same((await dashboard.state()).events, [
    {
      epochMs: Date.parse("2026-11-28T21:00:00.000Z"),
      tone: "ok",
      text: "VI_1: BACKUP → MASTER, no master was heard",
    },
  ]);
  line({ event: "server", proxy: "http", server: "web01", status: "DOWN", msg: "server is DOWN" });
  isSlow = true;
  const [late] = await Promise.all([dashboard.state(), setTimeout(600)]);
  t.equal(late.events.length, 1, "what it told last");
  isSlow = false;
  t.match((await dashboard.state()).events, [{}, { tone: "bad", text: "http/web01: DOWN" }]);
});

t.test("who listens is told each second, and once where the main thread takes longer", async (t) => {
  let answer = (_text: string): void => {};
  const dashboard = new Dashboard(
    () => makeView(),
    () =>
      new Promise<string>((resolve) => {
        answer = resolve;
      }),
    () => {},
    null,
  );
  let told = 0;
  const end = dashboard.listen(() => {
    told++;
  });
  dashboard.sample();
  dashboard.sample();
  answer("");
  await setTimeout(10);
  t.equal(told, 1);
  end();
  dashboard.sample();
  answer("");
  await setTimeout(10);
  t.equal(told, 1);
});
