import { parseArgs } from "node:util";
import { AdvertWatch } from "../lab/adverts.js";
import { sleep } from "../lab/clock.js";
import { intervalErrors, saturate } from "../lab/load.js";
import { virtualAddress } from "../lab/network.js";
import { startPair } from "../lab/pair.js";
import { table } from "./report.js";

const usage = `node scripts/measure-adverts.mjs [--seconds N]

How well the master's adverts keep their interval of one second, at rest and while wrk (64 connections) loads the
proxy as far as it goes; N seconds each, 30 if left out.
`;

/** @returns exit code: 1 when an interval was more than 50 ms off, or the backup spoke up. */
export async function measureAdverts(parameters: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...parameters],
    options: { seconds: { type: "string", default: "30" }, help: { type: "boolean", default: false } },
  });
  if (values.help) {
    process.stdout.write(usage);
    return 0;
  }
  const seconds = Number(values.seconds);
  if (!Number.isInteger(seconds) || seconds < 3) {
    process.stderr.write(`--seconds ${values.seconds}: a whole number from 3 on\n\n${usage}`);
    return 2;
  }
  const { network, box1, box2 } = await startPair();
  try {
    const client = network.host("client");
    const watch = await AdvertWatch.start(client);
    await sleep(2000);
    const rows = [
      ["load", "requests/s", "adverts", "worst interval off, ms", "median off, ms", "backup spoke"],
    ];
    let good = true;
    const measure = async (load: string, run: () => Promise<string>): Promise<void> => {
      const since = Date.now();
      const rate = await run();
      const errors = intervalErrors(watch.from(box1.host.address, since), 1000).map(Math.abs);
      const spoke = watch.from(box2.host.address, since).length;
      const [worst] = errors;
      good &&= worst <= 50 && spoke === 0 && errors.length >= seconds - 2;
      const median = errors[Math.floor(errors.length / 2)];
      rows.push([
        load,
        rate,
        String(errors.length + 1),
        worst.toFixed(1),
        median.toFixed(1),
        spoke > 0 ? "yes" : "no",
      ]);
    };
    await measure("at rest", async () => {
      await sleep(seconds * 1000);
      return "0";
    });
    await measure("saturated", async () => {
      const rate = await saturate(client, `http://${virtualAddress}/`, seconds);
      return rate.toFixed(0);
    });
    process.stdout.write(`${table(rows)}\n`);
    return good ? 0 : 1;
  } finally {
    await network.close();
  }
}
