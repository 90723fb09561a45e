import t from "tap";
import {
  handlePartner,
  newPartner,
  type PartnerEffect,
  type PartnerInput,
  partnerDeadlineMs,
} from "../../../src/peer-link/partner.js";
import { takeoverDelayMs, takeoverStepMs } from "../../../src/peer-link/takeover-order.js";

/** One partner under a clock that the test turns. */
class Partner {
  nowMs = 1000;
  state = newPartner(1000);

  input(input: PartnerInput, afterMs = 0): string[] {
    this.nowMs += afterMs;
    const step = handlePartner(this.state, input, this.nowMs, "192.168.33.80");
    this.state = step.state;
    return step.effects.map(describe);
  }

  up(): this {
    this.input({ kind: "heard" });
    this.input({ kind: "opened" });
    return this;
  }
}

function describe(effect: PartnerEffect): string {
  return effect.kind === "dial" ? `dial ${effect.timeoutMs}` : effect.kind;
}

const closed: PartnerInput = { kind: "lost", byPeer: true, reason: "it closed the connection" };
const refused: PartnerInput = { kind: "dial-failed", outcome: "refused", reason: "nothing listens" };
const ended: PartnerInput = { kind: "dial-failed", outcome: "ended", reason: "it closed the connection" };

t.test("a partner that is heard is dialed, once", async (t) => {
  const partner = new Partner();
  t.same(partner.input({ kind: "heard" }), ["dial 1000"]);
  t.same(partner.input({ kind: "heard" }), []);
  t.same(partner.input({ kind: "opened" }), ["log"]);
  t.equal(partner.state.phase, "up");
});

t.test("closed by its kernel, and the port refuses: dead", async (t) => {
  const partner = new Partner().up();
  t.same(partner.input(closed), ["dial 250"], "without waiting");
  t.same(partner.input(refused), ["log", "dead"]);
  t.equal(partner.state.phase, "down");
});

t.test("a dying process that still accepts is asked again until its port refuses", async (t) => {
  const partner = new Partner().up();
  partner.input(closed);
  t.same(partner.input(ended), ["dial 250"], "the first time at once");
  t.same(partner.input(ended), []);
  t.equal(partnerDeadlineMs(partner.state), partner.nowMs + 2);
  t.same(partner.input({ kind: "timer" }, 2), ["dial 250"]);
  t.same(partner.input(refused), ["log", "dead"]);
});

t.test("closed by its kernel, and it answers: it lives", async (t) => {
  const partner = new Partner().up();
  partner.input(closed);
  t.same(partner.input({ kind: "opened" }), ["log"]);
  t.equal(partner.state.phase, "up");
});

t.test("nothing else is a death", async (t) => {
  const silent: PartnerInput = { kind: "lost", byPeer: false, reason: "it was silent" };
  const unreachable: PartnerInput = { kind: "dial-failed", outcome: "other", reason: "EHOSTUNREACH" };
  const histories: Record<string, PartnerInput[]> = {
    "silence, then a refusal": [silent, { kind: "heard" }, refused],
    "closed, then no route": [closed, unreachable],
    "a goodbye, then closed, then a refusal": [{ kind: "goodbye" }, closed, { kind: "heard" }, refused],
    "closed, accepted and ended for ever": [
      closed,
      ...Array(40)
        .fill([ended, { kind: "timer" }])
        .flat(),
    ],
  };
  for (const [name, inputs] of Object.entries(histories)) {
    const partner = new Partner().up();
    const effects = inputs.flatMap((input) => partner.input(input, 1100));
    t.notOk(effects.includes("dead"), name);
    t.equal(partner.state.phase === "up", false, name);
  }
  const never = new Partner();
  t.notOk([...never.input({ kind: "heard" }), ...never.input(refused)].includes("dead"), "never linked");
});

t.test("a partner without a peer link is asked ever more rarely, and the log is told once", async (t) => {
  const partner = new Partner();
  const dials: number[] = [];
  let lines = 0;
  for (let seconds = 0; seconds < 600; seconds++) {
    if (partner.input({ kind: "heard" }, 1000).includes("dial 1000")) {
      dials.push(seconds);
      lines += partner.input(refused).length;
    }
  }
  t.equal(lines, 1);
  t.same(dials.slice(0, 6), [0, 1, 3, 7, 15, 31]);
  t.ok(dials.length < 20, `${dials.length} attempts in ten minutes`);
});

t.test("of several backups the best goes first, the others a step later each", async (t) => {
  const router = (priority: number, state: "BACKUP" | "FAULT" = "BACKUP") => [
    { virtualRouterId: 51, family: 4 as const, priority, state, reason: "" },
  ];
  const members = [
    { address: "10.0.0.2", routers: router(100) },
    { address: "10.0.0.3", routers: router(100) },
    { address: "10.0.0.4", routers: router(90) },
    { address: "10.0.0.5", routers: router(200, "FAULT") },
    { address: "10.0.0.6", routers: [{ ...router(200)[0], virtualRouterId: 52 }] },
  ];
  const last = { kind: "state" as const, node: "master", mac: "02:00:00:00:00:01", routers: [], members };
  const delay = (address: string, priority: number) =>
    takeoverDelayMs({ virtualRouterId: 51, family: 4, priority, address }, last);
  t.equal(delay("10.0.0.3", 100), 0, "equal priority: the higher address");
  t.equal(delay("10.0.0.2", 100), takeoverStepMs);
  t.equal(delay("10.0.0.4", 90), 2 * takeoverStepMs);
  t.equal(takeoverDelayMs({ virtualRouterId: 51, family: 4, priority: 1, address: "a" }, null), 0);
});
