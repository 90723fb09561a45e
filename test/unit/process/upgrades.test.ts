import { pino } from "pino";
import t from "tap";
import { LbError } from "../../../src/errors.js";
import type { ReloadAnswer } from "../../../src/process/reload-answer.js";
import { Upgrades } from "../../../src/process/upgrades.js";
import type { UpgradeAnswer } from "../../../src/upgrade/answer.js";

interface Taker {
  readonly pid: number;
  readonly version: string;
}

/** What is told, and done, when the plan is `outcome` and the hand-over ends with `hand`. */
async function upgrade(outcome: ReloadAnswer["outcome"], hand: () => Promise<Taker>) {
  const told: UpgradeAnswer[] = [];
  const succeeded: Taker[] = [];
  let handed = 0;
  let isWithdrawn = false;
  const upgrades = new Upgrades<Taker>({
    log: pino({ enabled: false }),
    plan: async () => ({ outcome, steps: [], problems: ["lb.yaml:1:1: wrong"], warnings: [] }),
    hand: () => {
      handed++;
      return hand();
    },
    withdraw: () => {
      // Whoever hears of it and asks again is to reach the new one.
      t.equal(told.length, 0);
      isWithdrawn = true;
    },
    onSucceeded: (taker) => {
      // Who asked must have heard of it before this process steps back.
      t.equal(told.length, 1);
      succeeded.push(taker);
    },
  });
  await upgrades.upgrade((answer) => told.push(answer));
  t.equal(isWithdrawn, succeeded.length > 0);
  return { told, succeeded, handed };
}

const taker = { pid: 4711, version: "1.2.3" };

t.test("the one who asked hears who has taken over", async (t) => {
  const { told, succeeded } = await upgrade("unchanged", async () => taker);
  t.same(told, [{ outcome: "upgraded", pid: 4711, version: "1.2.3", problems: [] }]);
  t.same(succeeded, [taker]);
});

t.test("a file with mistakes starts nothing, and its problems are told", async (t) => {
  const { told, succeeded, handed } = await upgrade("refused", async () => taker);
  t.match(told, [{ outcome: "refused", pid: null, problems: ["lb.yaml:1:1: wrong"] }]);
  t.same([succeeded.length, handed], [0, 0]);
});

t.test("a file that is not the running one starts nothing: the successor would read it", async (t) => {
  const { told, handed } = await upgrade("planned", async () => taker);
  t.match(told, [{ outcome: "failed", problems: [/LB_UPGRADE: .*not the running one/] }]);
  t.equal(handed, 0);
});

t.test("a program that does not take over changes nothing", async (t) => {
  const { told, succeeded } = await upgrade("unchanged", async () => {
    throw new LbError("LB_UPGRADE", "the new program ended", "see its lines in the log");
  });
  t.match(told, [{ outcome: "failed", problems: [/the new program ended/] }]);
  t.same(succeeded, []);
});

t.test("what nobody foresaw is not taken for a refusal", async (t) => {
  await t.rejects(
    upgrade("unchanged", async () => {
      throw new TypeError("a fault of ours");
    }),
    { message: "a fault of ours" },
  );
});
