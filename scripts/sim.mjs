/** `npm run sim`: worlds of trouble for the VRRP state machine, in virtual time (test/sim, docs/vrrp.md). */
import { ensure, main } from "./setup.mjs";

await main(async () => {
  ensure({ npm: true, sim: true });
  const simulation = await import("../dist-sim/test/sim/main.js");
  return simulation.main(process.argv.slice(2));
});
