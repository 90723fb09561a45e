/** `npm run bench`: CPU per request beside HAProxy and nginx (bench/main.ts; `-- --help` lists its options). */
import { ensure, main } from "./setup.mjs";

await main(async () => {
  ensure({
    npm: true,
    build: true,
    lab: true,
    commands: ["taskset", "setpriv", "nginx", "haproxy", "wrk", "h2load", "openssl"],
  });
  const { runBench } = await import("../dist-lab/bench/main.js");
  return await runBench(process.argv.slice(2));
});
