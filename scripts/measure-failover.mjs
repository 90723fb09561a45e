/** Figures of failover, repeated: see demo/measure-failover.ts. */
import { ensure, main } from "./setup.mjs";

await main(async () => {
  ensure({
    npm: true,
    build: true,
    lab: true,
    commands: ["ip", "setpriv", "nginx", "tcpdump", "keepalived"],
  });
  const { measureFailover } = await import("../dist-lab/demo/measure-failover.js");
  return await measureFailover(process.argv.slice(2));
});
