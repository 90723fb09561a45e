import t from "tap";
import { runCommand } from "../../../src/control/commands.js";
import { formatMetrics } from "../../../src/control/metrics.js";
import { formatVrrp } from "../../../src/control/show-vrrp.js";
import { makeInstance } from "./instance.js";
import { demoProxy, makeView, noActions } from "./view.js";

const nowEpochMs = 1_795_403_600_000;

function view(changes: Parameters<typeof makeInstance>[0] = {}) {
  return makeView([demoProxy], undefined, { nowEpochMs, vrrp: [makeInstance(changes)] });
}

const peerLink = {
  port: 3112,
  partners: [
    {
      address: "192.168.33.80",
      node: "lb-box1",
      phase: "up" as const,
      load: null,
      sinceEpochMs: nowEpochMs - 60_000,
      reason: "both nodes have proved the key",
      routers: [
        { virtualRouterId: 51, family: 4 as const, state: "MASTER", priority: 101, reason: "preempted" },
        { virtualRouterId: 52, family: 4 as const, state: "FAULT", priority: 1, reason: "of another router" },
      ],
    },
  ],
  refusals: { "wrong-key": 3 },
};

t.test("show vrrp tells who is master and why, what was dropped, and what the partner says", async (t) => {
  const dropDetails = [
    {
      reason: "auth-data",
      source: "192.168.33.99",
      sentence: "its password is not ours",
      count: 7,
      lastEpochMs: nowEpochMs - 1000,
    },
  ];
  const text = formatVrrp(view({ peerLink, dropDetails }));
  t.match(text, /^VI_1 on lb-box1: BACKUP for /);
  t.match(text, "master        192.168.33.80 with priority 101: it is higher than 100 here");
  t.match(text, "if it stopped nothing would move");
  t.match(text, /dropped {7}7 from 192\.168\.33\.99, the last one 1 s ago: its password is not ours/);
  t.match(text, "192.168.33.80 (lb-box1): up for 1 min");
  t.match(text, "says: MASTER, priority 101, preempted");
  t.notMatch(text, "of another router");
  t.match(text, "3 peer connections: wrong-key");
  t.notMatch(text, "SPLIT BRAIN");
});

t.test("a split brain is told where nobody can miss it", async (t) => {
  const splitBrain = {
    active: true,
    sinceEpochMs: nowEpochMs - 5000,
    other: "192.168.33.81",
    how: "it advertises priority 100",
    times: 1,
  };
  t.match(
    formatVrrp(view({ splitBrain })),
    /SPLIT BRAIN {3}192\.168\.33\.81 is master too for 5 s: it advertises/,
  );
  const { text } = await formatMetrics(view({ splitBrain }));
  t.match(text, /^lb_vrrp_split_brain\{instance="VI_1",interface="eth1",vrid="51"\} 1$/m);
  t.match(text, /^lb_vrrp_split_brains_total\{.*\} 1$/m);
});

t.test("the metrics have each state, the drops by reason and the links", async (t) => {
  const { type, text } = await formatMetrics(view({ peerLink, drops: { ttl: 4 } }));
  t.match(type, "text/plain; version=0.0.4");
  t.match(text, /^lb_vrrp_state\{instance="VI_1",interface="eth1",vrid="51",state="BACKUP"\} 1$/m);
  t.match(text, /^lb_vrrp_state\{.*state="MASTER"\} 0$/m);
  t.match(text, /^lb_vrrp_adverts_dropped_total\{.*reason="ttl"\} 4$/m);
  t.match(text, /^lb_peer_link_up\{.*partner="192\.168\.33\.80"\} 1$/m);
  t.match(text, /^lb_peer_link_refused_total\{reason="wrong-key"\} 3$/m);
});

t.test("drain and undrain are requests to the main thread, where there is VRRP", async (t) => {
  t.match(
    runCommand(["drain"], () => view(), noActions),
    { kind: "request", request: "drain" },
  );
  t.match(
    runCommand(["undrain"], () => view(), noActions),
    { kind: "request", request: "undrain" },
  );
  const plain = makeView([demoProxy], undefined, { vrrpConfigured: false });
  t.match(
    runCommand(["drain"], () => plain, noActions),
    { kind: "text", text: "VRRP is not configured here" },
  );
});
