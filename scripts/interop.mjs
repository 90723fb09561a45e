/** `npm run test:interop [-- WORD …]`: Tandem with keepalived and FRR on one wire, see lab/interop/main.ts. */
import { ensure, main } from "./setup.mjs";
import { insideUserNamespace, needsUserNamespace, runInUserNamespace } from "./user-namespace.mjs";

await main(async () => {
  if (!insideUserNamespace())
    ensure({
      npm: true,
      build: true,
      lab: true,
      commands: ["ip", "setpriv", "tcpdump", "tshark", "keepalived", "vrrpd"],
    });
  if (!insideUserNamespace() && needsUserNamespace())
    return await runInUserNamespace(import.meta.url, process.argv.slice(2));
  const { runInterop } = await import("../dist-lab/lab/interop/main.js");
  return await runInterop(process.argv.slice(2));
});
