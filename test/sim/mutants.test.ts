import t from "tap";
import { mutants } from "./mutants.js";
import { storyOf } from "./report.js";
import { simulate } from "./simulate.js";
import { worldOf } from "./world.js";

const mostWorlds = 60;

for (const { name, stateMachine, caughtBy } of mutants) {
  t.test(`is caught: ${name}`, async (t) => {
    for (let seed = 1; seed <= mostWorlds; seed++) {
      const { violation } = simulate(worldOf(seed), { stateMachine });
      if (violation !== null) {
        t.ok(caughtBy.includes(violation.law), `world ${seed}: ${violation.law}: ${violation.what}`);
        return;
      }
    }
    t.fail(`not in ${mostWorlds} worlds`);
  });
}

t.test("the story of a broken law is short, ends with it, and names what led there", async (t) => {
  const { stateMachine } = mutants.find(({ name }) => name.includes("never yields")) ?? mutants[0];
  const story = storyOf(worldOf(1), stateMachine) ?? "";
  const lines = story.split("\n");
  t.match(lines[0], /^world 1: \d nodes, [0-9] disturbances/, "shortened to a handful of disturbances");
  t.ok(lines.length < 140);
  t.match(lines.at(-1), /BROKEN LAW "step down"/);
  t.match(story, /→ MASTER/);
});
