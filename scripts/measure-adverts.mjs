/** Whether adverts keep their interval under load: see demo/measure-adverts.ts. */
import { ensure, main } from "./setup.mjs";

await main(async () => {
  ensure({ npm: true, build: true, lab: true, commands: ["ip", "setpriv", "nginx", "tcpdump", "wrk"] });
  const { measureAdverts } = await import("../dist-lab/demo/measure-adverts.js");
  return await measureAdverts(process.argv.slice(2));
});
