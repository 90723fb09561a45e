import { parseArgs } from "node:util";
import { type Balancer, type BalancerName, EngineMissing, residentMb, startBalancer } from "./balancer.js";
import { malformedNames } from "./malformed.js";
import { planConnection } from "./plan.js";
import { comeToRest, complaints, fewestDescriptors } from "./rest.js";
import { describeMismatch, type Report, Traffic } from "./traffic.js";

const usage = `npm run test:stress -- [options]

The same seeded random traffic through both engines and HAProxy: bodies byte for byte, statuses, and nothing left open.

  --requests N        so many through each (100000)
  --seed N            another sequence (1)
  --targets A,B       portable, direct, pipelining, haproxy
  --connections N     clients at a time (64)
  --threads N         data threads (2)
  --only N            play just this connection, and print what it does`;

interface Options {
  readonly requests: number;
  readonly seed: number;
  readonly targets: readonly BalancerName[];
  readonly concurrency: number;
  readonly threads: number;
  readonly only: number | null;
}

const names: readonly BalancerName[] = ["haproxy", "portable", "direct", "pipelining"];

function readOptions(parameters: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...parameters],
    options: {
      requests: { type: "string", default: "100000" },
      seed: { type: "string", default: "1" },
      targets: { type: "string", default: names.join(",") },
      connections: { type: "string", default: "64" },
      threads: { type: "string", default: "2" },
      only: { type: "string" },
    },
  });
  const whole = (flag: string, text: string): number => {
    if (!/^\d{1,9}$/.test(text)) throw new Error(`--${flag} wants a whole number, not ${text}`);
    return Number(text);
  };
  const targets = values.targets.split(",").map((text) => {
    const name = names.find((one) => one === text);
    if (name === undefined) throw new Error(`no such target: ${text}. There are ${names.join(", ")}`);
    return name;
  });
  return {
    requests: whole("requests", values.requests),
    seed: whole("seed", values.seed),
    targets,
    concurrency: whole("connections", values.connections),
    threads: whole("threads", values.threads),
    only: values.only === undefined ? null : whole("only", values.only),
  };
}

/** `npm run test:stress`. Gives the exit code. */
export async function runStress(parameters: readonly string[]): Promise<number> {
  if (parameters.includes("--help")) {
    console.log(usage);
    return 0;
  }
  let options: Options;
  try {
    options = readOptions(parameters);
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : error}\n\n${usage}`);
    return 1;
  }
  let failed = 0;
  for (const name of options.targets) {
    try {
      failed += await stressOne(name, options);
    } catch (error) {
      if (!(error instanceof EngineMissing)) throw error;
      console.log(`${name}: does not run here: ${error.message}`);
      failed += 1;
    }
  }
  return failed === 0 ? 0 : 1;
}

/** Gives the number of faults. */
async function stressOne(name: BalancerName, options: Options): Promise<number> {
  const traffic = await Traffic.start(options.seed);
  let balancer: Balancer | null = null;
  try {
    balancer = await startBalancer(name, traffic.serverPorts, options.threads);
    if (options.only !== null) return await playOnly(traffic, balancer, options, options.only);
    const before = await fewestDescriptors(balancer.pid);
    const began = Date.now();
    const report = await traffic.run(balancer.port, {
      seed: options.seed,
      from: 0,
      requests: options.requests,
      concurrency: options.concurrency,
      peer: name === "haproxy" ? "haproxy" : "tandem",
    });
    const seconds = (Date.now() - began) / 1000;
    console.log(
      `${name}, seed ${options.seed}: ${report.requests} requests over ${report.connections} connections in ` +
        `${seconds.toFixed(0)} s, ${report.mismatches.length} mismatches, ${residentMb(balancer.pid).toFixed(0)} MB`,
    );
    for (const [listed, times] of report.listed)
      console.log(`    listed difference: ${listed}, ${times} times`);
    printMismatches(report);
    const faults = [...complaints(balancer.log()).slice(0, 10)];
    if (name !== "haproxy") {
      const rest = await comeToRest(balancer, () => traffic.serverConnections, before);
      faults.push(...rest.faults);
      const shared = /PipelinedReq: \d+\nPipelinedLeftBehind: \d+/.exec(await balancer.ask("show info"));
      if (name === "pipelining") console.log(`    ${shared?.[0].replace("\n", ", ")}`);
      console.log(
        `    at rest: ${JSON.stringify(rest.descriptors)}, before ${JSON.stringify(before)}, ${rest.pooled} pooled`,
      );
    }
    for (const fault of faults) console.log(`    left over: ${fault}`);
    return report.mismatches.length + faults.length;
  } finally {
    await balancer?.stop();
    traffic.stop();
  }
}

async function playOnly(
  traffic: Traffic,
  balancer: Balancer,
  options: Options,
  index: number,
): Promise<number> {
  const plan = planConnection(options.seed, index, malformedNames);
  console.log(JSON.stringify(plan, null, 1));
  const report: Report = {
    requests: 0,
    connections: 1,
    specials: new Map(),
    listed: new Map(),
    mismatches: [],
  };
  const peer = balancer.name === "haproxy" ? "haproxy" : "tandem";
  await traffic.playOne(balancer.port, plan, { seed: options.seed, peer }, report);
  console.log(`${balancer.name}: ${report.mismatches.length} mismatches`);
  printMismatches(report);
  return report.mismatches.length;
}

const mostPrinted = 12;

function printMismatches(report: Report): void {
  for (const mismatch of report.mismatches.slice(0, mostPrinted))
    console.log(`  ${describeMismatch(mismatch)}`);
  const more = report.mismatches.length - mostPrinted;
  if (more > 0) console.log(`  … and ${more} more`);
}
