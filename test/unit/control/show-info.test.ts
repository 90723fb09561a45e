import { readFileSync } from "node:fs";
import t from "tap";
import {
  describeUptime,
  formatInfo,
  formatInfoJson,
  formatInfoTyped,
  infoFields,
} from "../../../src/control/show-info.js";
import { Cell, ThreadCell } from "../../../src/proxy/stats/layout.js";
import { makeInstance } from "./instance.js";
import { demoProxy, makeView } from "./view.js";

const theirs = readFileSync(new URL("./fixtures/haproxy-2.6-show-info-typed.txt", import.meta.url), "utf8");

t.test("the fields are HAProxy's, in its order, with its tags and types; our own come behind", async (t) => {
  const shape = (text: string) =>
    text
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => line.split(":").slice(0, 3).join(":"));
  const ours = shape(formatInfoTyped(infoFields(makeView())));
  const expected = shape(theirs);
  t.same(ours.slice(0, expected.length), expected);
  t.match(ours.slice(expected.length), [
    /Engine/,
    /MaxconnReached/,
    /ReqRate/,
    /MaxReqRate/,
    /PipelinedReq/,
    /PipelinedLeftBehind/,
    /Thread_1_heartbeat/,
  ]);
});

t.test("hatop's patterns find what they look for", async (t) => {
  const text = formatInfo(infoFields(makeView()));
  // The expressions of hatop 0.8.2 (HAPROXY_INFO_RE).
  for (const pattern of [
    /^Name:\s*\S+/m,
    /^Version:\s*\S+/m,
    /^Release_date:\s*\S+/m,
    /^Nbproc:\s*\d+/m,
    /^Process_num:\s*\d+/m,
    /^Pid:\s*\d+/m,
    /^Uptime:\s*[\S ]+$/m,
    /^Maxconn:\s*\d+/m,
    /^CurrConns:\s*\d+/m,
    /^Maxpipes:\s*\d+/m,
    /^PipesUsed:\s*\d+/m,
    /^Tasks:\s*\d+/m,
    /^Run_queue:\s*\d+/m,
    /^node:\s*\S+/m,
    /^Idle_pct:\s*\d+/m,
  ]) {
    t.match(text, pattern);
  }
});

t.test("connections and requests are summed over the threads, the idle share is their mean", async (t) => {
  const view = makeView([demoProxy], (table) => {
    table.blocks.forEach((block, i) => {
      block[ThreadCell.connectionsCurrent] = 2 + i;
      block[table.frontendRow(0) + Cell.connectionsTotal] = 20;
      block[table.frontendRow(0) + Cell.requestsTotal] = 50;
      block[ThreadCell.idlePercent] = i === 0 ? 100 : 50;
    });
  });
  const text = formatInfo(infoFields(view));
  t.match(text, /^CurrConns: 5$/m);
  t.match(text, /^CumConns: 40$/m);
  t.match(text, /^CumReq: 100$/m);
  t.match(text, /^Idle_pct: 75$/m);
});

t.test("each VRRP instance has a line with its state", async (t) => {
  const view = makeView([demoProxy], undefined, { vrrp: [makeInstance({ name: "VI_1", state: "MASTER" })] });
  t.match(formatInfo(infoFields(view)), /^Vrrp_VI_1: MASTER$/m);
});

t.test("the JSON form parses, field for field", async (t) => {
  const fields = infoFields(makeView());
  const parsed: unknown = JSON.parse(formatInfoJson(fields));
  t.match(
    parsed,
    fields.map(({ name, value }) => ({ field: { name }, value: { value } })),
  );
});

t.test("uptime is written as HAProxy writes it", async (t) => {
  t.equal(describeUptime(3), "0d 0h00m03s");
  t.equal(describeUptime(86_400 * 12 + 3_600 * 5 + 60 * 7 + 9), "12d 5h07m09s");
});

t.test("pipes are those of all threads together", async (t) => {
  const view = makeView([demoProxy], (table) => {
    for (const block of table.blocks) {
      block[ThreadCell.pipesUsed] = 2;
      block[ThreadCell.pipesFree] = 3;
    }
  });
  t.match(formatInfo(infoFields(view)), /^PipesUsed: 4\nPipesFree: 6$/m);
});
