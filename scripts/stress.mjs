/**
 * `npm run test:stress` and `npm run soak`: random traffic through both engines and HAProxy, and through one engine
 * for a long time (test/stress/main.ts and soak.ts; `-- --help` lists their options).
 */
import { ensure, main } from "./setup.mjs";

await main(async () => {
  const [what, ...parameters] = process.argv.slice(2);
  const commands = what === "soak" ? ["setpriv"] : ["setpriv", "haproxy"];
  ensure({ npm: true, build: true, lab: true, commands });
  if (what === "soak") {
    const { runSoak } = await import("../dist-lab/test/stress/soak.js");
    return await runSoak(parameters);
  }
  const { runStress } = await import("../dist-lab/test/stress/main.js");
  return await runStress(parameters);
});
