import t from "tap";
import { Census } from "./census.js";
import { replayCommand } from "./main.js";
import { storyOf } from "./report.js";
import { simulate } from "./simulate.js";
import { Timeline } from "./timeline.js";
import { worldOf } from "./world.js";

const hours = 10_000;

t.test(`in ${hours} simulated hours of trouble no law is broken`, async (t) => {
  const census = new Census();
  for (let seed = 1; census.hours < hours; seed++) {
    const world = worldOf(seed);
    const outcome = simulate(world);
    census.count(world, outcome);
    if (outcome.violation !== null) {
      t.fail(`${outcome.violation.law}: ${outcome.violation.what}`);
      t.comment(`${storyOf(world)}\nreplay with: ${replayCommand(seed)}`);
      return;
    }
  }
  t.comment(census.text());
  // The laws can only judge what happens: this much did.
  t.ok(census.disturbances > 100_000, `${census.disturbances} disturbances`);
  t.ok(census.settledTimes > 20_000, `settled ${census.settledTimes} times`);
  t.ok(census.tally.becameMaster > 50_000, `${census.tally.becameMaster} times somebody became master`);
});

t.test("a seed replays exactly", async (t) => {
  const tell = () => {
    const timeline = new Timeline(true);
    simulate(worldOf(4711), { timeline });
    return timeline.text();
  };
  const first = tell();
  t.ok(first.split("\n").length > 1000);
  t.equal(tell(), first);
});
