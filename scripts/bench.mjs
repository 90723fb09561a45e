/** `npm run bench`: CPU per request beside HAProxy (bench/cpu-per-request.ts). */
import { ensure, main } from "./setup.mjs";

await main(async () => {
  ensure({ npm: true, build: true, lab: true, commands: ["taskset", "nginx", "haproxy", "wrk"] });
  const { benchmark } = await import("../dist-lab/bench/cpu-per-request.js");
  await benchmark();
  return 0;
});
