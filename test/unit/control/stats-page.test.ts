import t from "tap";
import { renderStatsPage } from "../../../src/control/stats-page.js";
import { Cell } from "../../../src/proxy/stats/layout.js";
import { makeInstance } from "./instance.js";
import { demoProxy, makeProxy, makeView } from "./view.js";

t.test("an instance's state, age, reason and partner are on the page", async (t) => {
  const page = renderStatsPage(makeView([demoProxy], undefined, { vrrp: [makeInstance()] }), "/stats", true);
  t.match(page, '<span class="state BACKUP">BACKUP</span>');
  t.match(page, "<strong>VI_1</strong> for 3 min 20 s");
  t.match(page, "a higher priority was heard from 192.168.33.80");
  t.match(page, "192.168.33.84/24");
  t.match(page, /<th>192\.168\.33\.80<\/th><td>101<\/td>\s*<td>1 s ago/);
  t.match(page, "<title>lb-box1 · BACKUP</title>");
});

t.test("dropped adverts are shown by reason, and reasons without drops are not", async (t) => {
  const vrrp = [makeInstance({ drops: { "bad-checksum": 1_234, "wrong-ttl": 0 } })];
  const page = renderStatsPage(makeView([demoProxy], undefined, { vrrp }), "/stats", true);
  t.match(page, "bad-checksum 1\u202f234");
  t.notMatch(page, "wrong-ttl");
});

t.test("a node without VRRP, without partners or without proxies has a page that says so", async (t) => {
  t.match(
    renderStatsPage(makeView([demoProxy], undefined, { vrrpConfigured: false }), "/", true),
    /Not configured/,
  );
  const lonely = makeView([], undefined, { vrrp: [makeInstance({ partners: [], addresses: [] })] });
  t.match(renderStatsPage(lonely, "/", true), /No partner has been heard yet/);
});

t.test("whatever comes from outside is escaped", async (t) => {
  const evil = `<script>alert("1")</script>'&`;
  const vrrp = [
    makeInstance({
      name: evil,
      reason: evil,
      interface: evil,
      addresses: [evil],
      drops: { [evil]: 1 },
      partners: [{ address: evil, priority: 1, lastHeardEpochMs: 0 }],
    }),
  ];
  const proxy = makeProxy(evil, [{ name: evil, host: evil, port: 80 }]);
  const page = renderStatsPage(
    makeView([proxy], undefined, { vrrp, node: evil, version: evil }),
    `/${evil}`,
    true,
  );
  t.notMatch(page, "<script");
  t.notMatch(page, `"1"`);
  t.match(page, "&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&#39;&amp;");
});

t.test("a server's row shows its traffic, and an alarm only where something went wrong", async (t) => {
  const view = makeView([demoProxy], (table) => {
    const row = table.serverRow(0, 1);
    table.blocks[0][row + Cell.bytesOut] = 12_345_678;
    table.blocks[0][row + Cell.connectErrors] = 3;
    table.blocks[0][row + Cell.lastSessionMs] = view0 - 4_000;
  });
  const page = renderStatsPage(view, "/stats", true);
  const [, web02] = /<th>web02([\s\S]*?)<\/tr>/.exec(page) ?? [];
  t.match(web02, "<td>12.3 MB</td>");
  t.match(web02, '<td class="bad">3</td>');
  t.match(web02, "4 s ago");
  const [, web01] = /<th>web01([\s\S]*?)<\/tr>/.exec(page) ?? [];
  t.notMatch(web01, "bad");
});

/** The monotonic time of `makeView`. */
const view0 = 9_000_000;
