/** `npm run demo`: sets up what is missing, then tells the story (demo/main.ts). */
import { ensure, hasCommand, main } from "./setup.mjs";
import { insideUserNamespace, needsUserNamespace, runInUserNamespace } from "./user-namespace.mjs";

const parameters = process.argv.slice(2);
const optional = ["nginx", "tcpdump", "socat", "curl", "nft"];

await main(async () => {
  const missing = insideUserNamespace()
    ? optional.filter((command) => !hasCommand(command))
    : ensure({ npm: true, build: true, lab: true, commands: ["ip", "setpriv"], optional });
  if (!insideUserNamespace() && needsUserNamespace()) {
    process.stderr.write("setup: not root, so the demo runs in a user namespace\n");
    return await runInUserNamespace(import.meta.url, parameters);
  }
  const { runDemo } = await import("../dist-lab/demo/main.js");
  return await runDemo(parameters, missing);
});
