import t from "tap";
import { AdvertWatch } from "../../lab/adverts.js";
import { sleep, waitFor } from "../../lab/clock.js";
import { virtualAddress } from "../../lab/network.js";
import { newNetwork, startRouter } from "./routers.js";

const fast = { version: 3, advertInterval: 0.1 } as const;
const masterDownMs = 300 + 61;

t.jobs = 2;

for (const [one, other] of [
  ["tandem", "keepalived"],
  ["keepalived", "tandem"],
] as const) {
  t.test(
    `VRRPv3 at 0.1 s: ${one} takes over from a living ${other}, is killed, and ${other} is master after 361 ms`,
    { buffered: true },
    async (t) => {
      const network = await newNetwork(t);
      const watch = await AdvertWatch.start(network.host("client"));
      startRouter(network, other, "lb-box2", { ...fast, priority: 100 });
      await network.waitForHolder(virtualAddress, "lb-box2", 10_000);
      const master = startRouter(network, one, "lb-box1", { ...fast, priority: 101 });
      await network.waitForHolder(virtualAddress, "lb-box1", 10_000);
      await sleep(1000);

      await master.kill();
      const last = watch.from(network.host("lb-box1").address).at(-1);
      const next = await waitFor("the next master's advert", 5000, () =>
        watch.from(network.host("lb-box2").address, last?.epochMs ?? 0).find(({ priority }) => priority > 0),
      );
      const waitedMs = next.epochMs - (last?.epochMs ?? 0);
      t.ok(
        waitedMs > masterDownMs - 20 && waitedMs < masterDownMs + 300,
        `${waitedMs.toFixed(1)} ms after the last advert`,
      );
    },
  );
}
