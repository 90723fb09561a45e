import t from "tap";
import { parseNodeReport } from "../../../src/cli/node-report.js";
import { describeSpan, renderWatch } from "../../../src/cli/watch-view.js";
import { type NodeReport, reportNode } from "../../../src/control/show-node.js";
import { makeInstance } from "../control/instance.js";
import { makeView } from "../control/view.js";

const plain = { columns: 120, rows: 40, colours: false };

function report(changes: Partial<NodeReport> = {}): NodeReport {
  return { ...reportNode(makeView()), ...changes };
}

t.test(
  "the picture has the node, its instances, its proxies and servers, and the last changes",
  async (t) => {
    const status = makeInstance({ state: "MASTER", reason: "no master was heard for 3609 ms" });
    const lines = renderWatch(
      report({ vrrp: [status] }),
      [{ epochMs: 0, tone: "ok", text: "VI_1: BACKUP → MASTER" }],
      plain,
    );
    const text = lines.join("\n");
    t.match(lines[0], /^lb-box1 {2}lb \d+\.\d+\.\d+, portable engine, up 1h00m/);
    t.match(text, /this node +MASTER +prio \d+ .*no master was heard for 3609 ms/);
    t.match(text, /^http {2}192\.168\.33\.84:80 {2}UP/m);
    t.match(text, /^ {2}web01 +192\.168\.33\.68:80 +no check/m);
    t.match(text, /Last changes\n {2}00:00:00 {2}VI_1: BACKUP → MASTER$/);
  },
);

t.test(
  "no line is wider than the terminal and no picture higher, and names cannot move the cursor",
  async (t) => {
    const status = makeInstance({ reason: `\u001b[2J${"long ".repeat(100)}` });
    const transitions = Array.from({ length: 50 }, (_, i) => ({
      epochMs: i,
      tone: "bad" as const,
      text: `change ${i}`,
    }));
    for (const [columns, rows] of [
      [40, 10],
      [80, 24],
      [200, 60],
    ]) {
      const lines = renderWatch(report({ vrrp: [status] }), transitions, { columns, rows, colours: false });
      t.ok(lines.length <= rows);
      t.ok(lines.every((line) => [...line].length <= columns));
      t.notOk(lines.join("").includes("\u001b"));
    }
    const coloured = renderWatch(report({ vrrp: [status] }), transitions, { ...plain, colours: true });
    t.ok(coloured.join("").includes("\u001b[1mlb-box1\u001b[0m"));
  },
);

t.test("spans are short, and what is no report is none", async (t) => {
  t.same([0, 59_999, 61_000, 3_660_000, 200_000_000, 300_000_000].map(describeSpan), [
    "0s",
    "59s",
    "1m01s",
    "1h01m",
    "2d",
    "3d",
  ]);
  for (const text of ["", "[]", "{}", '{"node":"a","nowEpochMs":1,"vrrp":[],"proxies":[{}]}'])
    t.equal(parseNodeReport(text), null);
  t.match(parseNodeReport(JSON.stringify(report())), { node: "lb-box1" });
});

t.test("a partner with a peer link is a row of its own, with what it says of itself", async (t) => {
  const routers = [
    {
      virtualRouterId: 51,
      family: 4 as const,
      state: "BACKUP",
      priority: 100,
      reason: "the other one is master",
    },
  ];
  const load = { connections: 12, requestsTotal: 99, serversUp: 3, serversTotal: 4 };
  const partner = {
    load,
    address: "192.168.33.81",
    node: "lb-box2",
    sinceEpochMs: 0,
    reason: "proved the key",
    routers,
  };
  const picture = (phase: "up" | "down") => {
    const peerLink = { port: 3112, refusals: {}, partners: [{ ...partner, phase }] };
    const heard = { address: "192.168.33.81", priority: 100, lastHeardEpochMs: 0 };
    const status = makeInstance({ virtualRouterId: 51, peerLink, partners: [heard] });
    return renderWatch(report({ vrrp: [status] }), [], plain).join("\n");
  };
  t.match(picture("up"), /lb-box2 +192\.168\.33\.81 +BACKUP +prio 100 +the other one is master/);
  t.match(picture("down"), /lb-box2 +192\.168\.33\.81 +\? +link down: proved the key/);
  t.notMatch(picture("up"), /192\.168\.33\.81 +heard/, "who is linked is not told twice");
});
