import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Browser, chromium } from "playwright-core";
import type { Host, Network } from "./network.js";

/** Debian's Chromium, on one of the lab's hosts and without a screen. It ends with `close`. */
export async function startBrowser(network: Network, host: Host): Promise<Browser> {
  const wrapper = join(network.scratch, "chromium.sh");
  const home = join(network.scratch, "chromium-home");
  writeFileSync(
    wrapper,
    `#!/bin/sh\nexport HOME=${home}\nexec ip netns exec ${host.namespace} chromium "$@"\n`,
  );
  chmodSync(wrapper, 0o755);
  return await chromium.launch({
    executablePath: wrapper,
    // Its sandbox is not for root; and the lab has nothing that it must be kept from.
    args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
  });
}
