import t from "tap";
import { awaitsPartners, hasMaster } from "../../../src/cli/status-report.js";
import { renderWatch } from "../../../src/cli/watch-view.js";
import { dashboardState } from "../../../src/control/dashboard/state.js";
import type { NodeView } from "../../../src/control/node-view.js";
import { PartnerServers, reportServers } from "../../../src/control/partner-servers.js";
import { reportNode } from "../../../src/control/show-node.js";
import { formatPartnerServers } from "../../../src/control/show-partner-servers.js";
import { formatVrrp, formatVrrpJson } from "../../../src/control/show-vrrp.js";
import { encodeServerReport } from "../../../src/peer-link/server-report.js";
import type { FromControlThread } from "../../../src/process/messages.js";
import type { ServerTable } from "../../../src/proxy/health/server-table.js";
import { makeInstance } from "./instance.js";
import { demoProxy, makeView, nowMonotonicMs } from "./view.js";

const address = "192.168.33.81";
const check = {
  intervalMs: 2000,
  fastIntervalMs: 2000,
  downIntervalMs: 2000,
  rise: 2,
  fall: 3,
  timeoutMs: 1000,
  port: 80,
};
const checked = {
  ...demoProxy,
  servers: demoProxy.servers.map((server) => ({ ...server, check: { ...check } })),
};

function start() {
  const posted: FromControlThread[] = [];
  const complaints: string[] = [];
  const servers = new PartnerServers(
    (message) => posted.push(message),
    (_fields, message) => complaints.push(message),
  );
  return { servers, posted, complaints };
}

/** A node whose servers are as `states` makes them, with a partner that has told `told` so long ago. */
function view(
  told: NodeView | null,
  agoMs = 500,
  phase: "up" | "down" = "up",
  states: (table: ServerTable) => void = () => {},
): NodeView {
  const partner = {
    address,
    node: "lb-box2",
    phase,
    sinceEpochMs: 0,
    reason: "it dialed",
    load: null,
    routers: [],
  };
  const { servers } = start();
  const here = makeView(
    [checked],
    undefined,
    { vrrp: [makeInstance({ peerLink: { port: 3112, partners: [partner], refusals: {} } })] },
    states,
  );
  if (told !== null) servers.take(address, encodeServerReport(reportServers(told)), here.nowEpochMs - agoMs);
  return { ...here, partnerServers: servers.all };
}

const down = (sinceMs: number) => (table: ServerTable) =>
  table.write(
    0,
    1,
    { ...table.read(0, 1), health: 0, checkStatus: "L4TOUT", changedMs: nowMonotonicMs - sinceMs },
    nowMonotonicMs,
  );
const drained = (table: ServerTable): void =>
  table.write(
    0,
    1,
    { ...table.read(0, 1), admin: "drain", changedMs: nowMonotonicMs - 60_000 },
    nowMonotonicMs,
  );
const state = (of: NodeView) => dashboardState(of, { epochS: 0, values: [] }, [], new Map(), null);

t.test("partners are asked while somebody looks, and told each second while they look", async (t) => {
  const { servers, posted } = start();
  servers.sample(0, () => makeView());
  t.same(posted, []);
  servers.look(1000);
  servers.look(2000);
  t.same(posted.splice(0), [{ kind: "watching", isWatching: true }]);
  servers.sample(6000, () => makeView());
  t.same(posted.splice(0), [{ kind: "watching", isWatching: true }], "said again each second");
  servers.sample(7000, () => makeView());
  servers.sample(8000, () => makeView());
  t.same(posted.splice(0), [{ kind: "watching", isWatching: false }]);
  servers.setWatched(true, () => makeView());
  t.match(posted.splice(0), [{ kind: "servers", report: /web01/ }], "at once");
  servers.setWatched(true, () => makeView());
  t.same(posted, [], "said again, it is no news");
  servers.sample(8000, () => makeView());
  t.match(posted.splice(0), [{ kind: "servers", report: /web01/ }]);
  servers.setWatched(false, () => makeView());
  servers.sample(9000, () => makeView());
  t.same(posted, []);
});

t.test(
  "what is no report changes nothing and is said once; partners that come and go fill no memory",
  async (t) => {
    const { servers, complaints } = start();
    servers.take(address, encodeServerReport(reportServers(makeView())), 1);
    for (const text of ["", "{", '{"proxies":1,"left":0}']) servers.take(address, text, 2);
    t.equal(servers.all.get(address)?.receivedEpochMs, 1);
    t.equal(complaints.length, 1);
    for (let i = 0; i < 100; i++) servers.take(`10.0.0.${i}`, '{"proxies":[],"left":0}', 3);
    t.equal(servers.all.size, 16);
  },
);

t.test("the partner's servers are shown as it tells of them, and how old that is", async (t) => {
  const told = makeView([checked], undefined, {}, down(60_000), "no answer");
  t.match(state(view(told)).partners, [
    {
      node: "lb-box2",
      isCurrent: true,
      note: "as it says itself",
      left: 0,
      proxies: [
        {
          name: "http",
          servers: [
            { name: "web01", status: "UP", tone: "warn" },
            { name: "web02", status: "DOWN", tone: "bad", check: "L4TOUT, no answer", sinceMs: 60_000 },
          ],
        },
      ],
    },
  ]);
  t.match(state(view(told, 42_000, "down")).partners, [
    {
      isCurrent: false,
      ageMs: 42_000,
      note: "as of 42 s ago, and its peer link is down",
      proxies: [{ name: "http" }],
    },
  ]);
  t.match(state(view(told, 10_000)).partners, [{ isCurrent: false, note: "as of 10 s ago" }]);
  t.match(state(view(null)).partners, [
    { ageMs: null, note: "it has not told of its servers yet", proxies: [] },
  ]);
  t.match(state(view(null, 0, "down")).partners, [
    { note: "nothing is known of its servers, and its peer link is down" },
  ]);
  t.same(state(makeView()).partners, [], "no peer link");
});

t.test("a server that is up here and down there is a finding, once it has been so for a while", async (t) => {
  const told = (sinceMs: number) => makeView([checked], undefined, {}, down(sinceMs), "no answer");
  const [there] = state(view(told(60_000))).findings;
  t.same(there, {
    proxy: "http",
    server: "web02",
    tone: "bad",
    text: "http/web02 is UP 1/3 here and DOWN at lb-box2 (L4TOUT, no answer), for 1 min 0 s",
  });
  t.match(state(view(makeView([checked]), 500, "up", down(60_000))).findings, [
    { tone: "bad", text: /^http\/web02 is DOWN here and UP 1\/3 at lb-box2, for 1 min 0 s$/ },
  ]);
  t.same(state(view(told(4000))).findings, [], "the other node's check is still to come");
  t.same(state(view(told(60_000), 500, "up", down(60_000))).findings, [], "both see the same");
  t.same(state(view(told(60_000), 42_000, "down")).findings, [], "nothing is known of now");
  t.match(state(view(makeView([checked], undefined, {}, drained))).findings, [
    { tone: "warn", text: "http/web02 is ready here and drain at lb-box2: after a failover that counts" },
  ]);
});

t.test("lb watch says it above the servers, and its JSON has all of it", async (t) => {
  const report = reportNode(view(makeView([checked], undefined, {}, down(60_000))));
  t.match(report, {
    partners: [{ node: "lb-box2", proxies: [{ name: "http" }] }],
    findings: [{ tone: "bad" }],
  });
  const lines = renderWatch(report, [], { columns: 120, rows: 40, colours: true });
  t.match(lines.join("\n"), "\u001b[31mhttp/web02 is UP 1/3 here and DOWN at lb-box2");
  const { findings: _findings, partners: _partners, ...older } = report;
  t.ok(renderWatch(older, [], { columns: 120, rows: 40, colours: true }).length > 5);
});

t.test("lb status has a line for each backend of the partner, and what differs from here", async (t) => {
  const broken = makeView([checked], undefined, {}, down(60_000), "no answer");
  t.equal(
    formatPartnerServers(view(broken)),
    `
Servers at lb-box2, as it says itself
  http          1 of 2 up: web02 DOWN (L4TOUT, no answer); here 2 of 2 up
  differs       http/web02 is UP 1/3 here and DOWN at lb-box2 (L4TOUT, no answer), for 1 min 0 s
`,
  );
  t.match(formatPartnerServers(view(broken, 500, "up", down(60_000))), "(L4TOUT, no answer); here as well\n");
  t.match(
    formatPartnerServers(view(makeView([checked], undefined, {}, drained))),
    /1 of 2 up: web02 DRAIN 1\/3; here 2 of 2 up\n {2}differs {7}http\/web02 is ready here and drain at lb-box2/,
  );
  t.equal(
    formatPartnerServers(view(broken, 42_000, "down")),
    `
Servers at lb-box2, as of 42 s ago, and its peer link is down
  http          1 of 2 up: web02 DOWN (L4TOUT, no answer)
`,
    "what was said long ago is not compared",
  );
  t.equal(formatPartnerServers(view(null)), "\nServers at lb-box2: it has not told of its servers yet\n");
  t.equal(formatPartnerServers(makeView([checked])), "", "no peer link");
});

t.test("lb status names servers of another weight, and backends that one node alone has", async (t) => {
  const heavier = (table: ServerTable): void =>
    table.write(0, 0, { ...table.read(0, 0), weight: 7 }, nowMonotonicMs);
  t.match(
    formatPartnerServers(view(makeView([checked], undefined, {}, heavier))),
    "2 of 2 up; here as well\n  differs       http/web01 has weight 1 here and 7 at lb-box2\n",
  );
  const other = makeView([{ ...checked, name: "api" }]);
  t.match(
    formatPartnerServers(view(other)),
    "  api           2 of 2 up; not configured here\n  http          not configured at lb-box2\n",
  );
  const none = { ...checked, servers: [] };
  t.equal(
    formatPartnerServers(view(makeView([none]))),
    "\nServers at lb-box2, as it says itself\n  http          not configured at lb-box2\n",
  );
  t.equal(formatPartnerServers({ ...view(makeView([none])), proxies: [] }), "", "VRRP alone");
  const servers = Array.from({ length: 70 }, (_, i) => ({ ...checked.servers[0], name: `web${i}` }));
  const allDown = (table: ServerTable): void => {
    for (const [i] of servers.entries())
      table.write(0, i, { ...table.read(0, i), health: 0 }, nowMonotonicMs);
  };
  const text = formatPartnerServers(view(makeView([{ ...checked, servers }], undefined, {}, allDown)));
  t.match(text, /0 of 64 up: web0 DOWN .*, web3 DOWN .*, and 60 more; here 2 of 2 up\n/);
  t.match(text, "and 6 more servers that it has no room to tell of");
});

t.test(
  "show vrrp and its JSON have the partner's servers; the command waits for what is not told yet",
  async (t) => {
    const told = view(makeView([checked], undefined, {}, down(60_000)));
    t.match(formatVrrp(told), /peer link .*\n\nServers at lb-box2, as it says itself\n/);
    const json = formatVrrpJson(told);
    t.match(JSON.parse(json), {
      vrrp: [{ name: "VI_1" }],
      partners: [{ node: "lb-box2", isCurrent: true, proxies: [{ name: "http" }] }],
      findings: [{ proxy: "http", server: "web02", tone: "bad" }],
    });
    t.notOk(awaitsPartners(json));
    t.ok(awaitsPartners(formatVrrpJson(view(null))), "not told yet");
    t.ok(awaitsPartners(formatVrrpJson(view(makeView([checked]), 42_000))), "not lately");
    t.notOk(awaitsPartners(formatVrrpJson(view(null, 0, "down"))), "nobody is there to tell");
    t.notOk(awaitsPartners(formatVrrpJson(makeView([checked]))), "no peer link");
    const { partners: _partners, ...older } = JSON.parse(json);
    t.notOk(awaitsPartners(JSON.stringify(older)), "a daemon before this version tells nothing");
    t.notOk(awaitsPartners("Permission denied\n"));
    t.notOk(hasMaster(json));
    t.ok(hasMaster('{"vrrp":[{"state":"BACKUP"},{"state":"MASTER"}]}'));
  },
);
