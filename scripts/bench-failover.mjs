/** `npm run bench:failover`: Tandem beside keepalived (bench/failover/main.ts; `-- --help` lists its options). */
import { ensure, main } from "./setup.mjs";

await main(async () => {
  ensure({
    npm: true,
    build: true,
    lab: true,
    commands: ["ip", "setpriv", "nft", "keepalived", "haproxy"],
  });
  const { runFailoverBench } = await import("../dist-lab/bench/failover/main.js");
  return await runFailoverBench(process.argv.slice(2));
});
