import t from "tap";
import type { Config } from "../../../src/config/config.js";
import { defaultAlerts, demoConfig, notifyNobody, trackNothing } from "../../../src/config/defaults.js";
import { Outbox, planNotices } from "../../../src/process/notices.js";
import type { VrrpEvent } from "../../../src/vrrp/event.js";

const demo = demoConfig({ hostname: "lb-box1", cores: 1 });
const script = (word: string) => ({ script: [`/bin/${word}`], user: null });
const notify = {
  ...notifyNobody,
  master: script("master"),
  backup: script("backup"),
  fault: script("fault"),
  stop: script("stop"),
  any: { script: ["/bin/any", "-x"], user: { user: "nobody", group: null } },
};
const mail = {
  to: ["ops@example.org"],
  from: "lb@example.org",
  host: "127.0.0.1",
  port: 25,
  heloName: null,
  connectTimeoutMs: 1000,
  credentials: null,
  tls: "auto" as const,
  routerId: "LB",
};
const config: Config = {
  ...demo,
  vrrp: [{ ...demo.vrrp[0], notify }],
  syncGroups: [
    { name: "VG_1", members: ["VI_1"], track: trackNothing, notify: { ...notify, smtpAlert: true } },
  ],
  alerts: { ...defaultAlerts, fifo: { path: "/run/fifo", script: null }, mail },
};

function transition(to: "INIT" | "BACKUP" | "MASTER" | "FAULT"): VrrpEvent {
  return { kind: "transition", instance: "VI_1", from: "BACKUP", to, reason: "because", priority: 101 };
}

t.test(
  "the state's own script comes first, then notify with keepalived's four arguments, and the FIFO's line",
  async (t) => {
    for (const [to, word] of [
      ["MASTER", "MASTER"],
      ["BACKUP", "BACKUP"],
      ["FAULT", "FAULT"],
      ["INIT", "STOP"],
    ] as const) {
      t.same(planNotices(transition(to), config, 5), [
        { lane: "script", words: [`/bin/${word.toLowerCase()}`], user: null },
        {
          lane: "script",
          words: ["/bin/any", "-x", "INSTANCE", "VI_1", word, "101"],
          user: { user: "nobody", group: null },
        },
        { lane: "fifo", line: `INSTANCE "VI_1" ${word} 101\n` },
      ]);
    }
  },
);

t.test("a group is told with priority 0, and its mail has keepalived's subject and sentence", async (t) => {
  const jobs = planNotices({ kind: "group", group: "VG_1", to: "MASTER", reason: "because" }, config, 5);
  t.same(jobs.slice(1), [
    {
      lane: "script",
      words: ["/bin/any", "-x", "GROUP", "VG_1", "MASTER", "0"],
      user: { user: "nobody", group: null },
    },
    { lane: "fifo", line: 'GROUP "VG_1" MASTER 0\n' },
    {
      lane: "mail",
      subject: "[LB] VRRP Group VG_1 - Entering MASTER state",
      text: "=> All VRRP group instances are now in MASTER state <=\n\nVG_1 on lb-box1 is MASTER: because.\n",
      epochMs: 5,
    },
  ]);
});

t.test("an instance's mails", async (t) => {
  const alerting = { ...config, vrrp: [{ ...demo.vrrp[0], notify: { ...notifyNobody, smtpAlert: true } }] };
  const mailOf = (to: "INIT" | "BACKUP" | "MASTER" | "FAULT") =>
    planNotices(transition(to), alerting, 5).at(-1);
  t.match(mailOf("MASTER"), {
    subject: "[LB] VRRP Instance VI_1 - Entering MASTER state",
    text: /^=> VRRP Instance is now owning VRRP VIPs <=\n/,
  });
  t.match(mailOf("FAULT"), { text: /^=> VRRP Instance is no longer owning VRRP VIPs <=\n/ });
  t.match(mailOf("INIT"), { subject: "[LB] VRRP Instance VI_1 - Stopping" });
});

t.test("a changed priority goes to the FIFO, and only if it was asked for", async (t) => {
  const event: VrrpEvent = { kind: "priority", instance: "VI_1", state: "MASTER", priority: 51 };
  t.same(planNotices(event, config, 5), []);
  const asking = { ...config, vrrp: [{ ...demo.vrrp[0], notify: { ...notify, priorityChanges: true } }] };
  t.same(planNotices(event, asking, 5), [{ lane: "fifo", line: 'INSTANCE "VI_1" MASTER_PRIORITY 51\n' }]);
  t.same(planNotices({ ...event, state: "FAULT" }, asking, 5), [
    { lane: "fifo", line: 'INSTANCE "VI_1" BACKUP_PRIORITY 51\n' },
  ]);
});

t.test("nobody is told who did not ask", async (t) => {
  t.same(planNotices(transition("MASTER"), demo, 5), []);
});

t.test("the outbox keeps in order what was not acknowledged, and not without end", async (t) => {
  const outbox = new Outbox();
  const line = (text: string) => ({ lane: "fifo", line: text }) as const;
  const added = outbox.add([line("a"), line("b"), line("c")]);
  outbox.acknowledge(added[1].id);
  outbox.acknowledge(999);
  t.same(
    outbox.pending().map(({ job }) => job),
    [line("a"), line("c")],
  );
  for (let i = 0; i < 2000; i++) outbox.add([line(String(i))]);
  t.equal(outbox.pending().length, 1000);
  t.equal(outbox.dropped, 1002);
  t.same(outbox.pending().at(-1)?.job, line("1999"));
  for (const { id } of outbox.pending()) outbox.acknowledge(id);
  t.equal(outbox.isEmpty, true);
});
