import { parseArgs } from "node:util";
import { EngineMissing, residentMb, startBalancer } from "./balancer.js";
import { comeToRest, complaints, fewestDescriptors } from "./rest.js";
import { describeMismatch, Traffic } from "./traffic.js";

const usage = `npm run soak -- [options]

The traffic of test:stress through one engine for a long time. At the end of each slice everything must have come to
rest: no descriptor, pipe or pool slot left behind, and memory that does not grow.

  --minutes N         how long (60)
  --engine NAME       direct or portable (direct)
  --seed N            another sequence (1)
  --connections N     clients at a time (64)
  --threads N         data threads (2)`;

/** Memory at rest may differ from that of the first slices by so much. */
const memorySlackMb = 40;
const memorySlackShare = 0.25;

/** `npm run soak`. Gives the exit code. */
export async function runSoak(parameters: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...parameters],
    options: {
      minutes: { type: "string", default: "60" },
      engine: { type: "string", default: "direct" },
      seed: { type: "string", default: "1" },
      connections: { type: "string", default: "64" },
      threads: { type: "string", default: "2" },
      help: { type: "boolean", default: false },
    },
  });
  const engine = values.engine === "portable" ? "portable" : values.engine === "direct" ? "direct" : null;
  if (values.help || engine === null || !(Number(values.minutes) > 0)) {
    console.log(usage);
    return values.help ? 0 : 1;
  }
  const totalMs = Number(values.minutes) * 60_000;
  const sliceMs = Math.min(60_000, Math.max(10_000, totalMs / 10));
  const seed = Number(values.seed);
  const traffic = await Traffic.start(seed);
  let faults = 0;
  try {
    const balancer = await startBalancer(engine, traffic.serverPorts, Number(values.threads));
    try {
      const before = await fewestDescriptors(balancer.pid);
      const resting: number[] = [];
      const beganMs = performance.now();
      let connections = 0;
      let requests = 0;
      while (performance.now() - beganMs < totalMs) {
        const endMs = Math.min(performance.now() + sliceMs, beganMs + totalMs);
        const report = await traffic.run(balancer.port, {
          seed,
          from: connections,
          requests: Number.POSITIVE_INFINITY,
          concurrency: Number(values.connections),
          peer: "tandem",
          stop: () => performance.now() > endMs,
        });
        connections += report.connections;
        requests += report.requests;
        for (const mismatch of report.mismatches.slice(0, 5)) console.log(`  ${describeMismatch(mismatch)}`);
        const rest = await comeToRest(balancer, () => traffic.serverConnections, before);
        for (const fault of rest.faults) console.log(`  left over: ${fault}`);
        resting.push(residentMb(balancer.pid));
        faults += report.mismatches.length + rest.faults.length;
        const { sockets, pipes, others } = rest.descriptors;
        console.log(
          `${((performance.now() - beganMs) / 60_000).toFixed(1).padStart(5)} min  ${requests} requests, ` +
            `${report.mismatches.length} mismatches; at rest ${sockets} sockets (${rest.pooled} pooled), ` +
            `${pipes} pipes, ${others} others, ${resting.at(-1)?.toFixed(0)} MB`,
        );
      }
      for (const line of complaints(balancer.log())) {
        console.log(`  log: ${line}`);
        faults += 1;
      }
      faults += growth(resting);
    } finally {
      await balancer.stop();
    }
  } catch (error) {
    if (!(error instanceof EngineMissing)) throw error;
    console.log(error.message);
    return 1;
  } finally {
    traffic.stop();
  }
  console.log(faults === 0 ? "nothing wrong" : `${faults} faults`);
  return faults === 0 ? 0 : 1;
}

/** Memory at rest in the last third against the first third: 1 if it has grown, else 0. */
function growth(residentMb: readonly number[]): number {
  const third = Math.max(1, Math.floor(residentMb.length / 3));
  const first = Math.max(...residentMb.slice(0, third));
  const last = Math.min(...residentMb.slice(-third));
  if (last <= first * (1 + memorySlackShare) + memorySlackMb) return 0;
  console.log(`  memory at rest grew from ${first.toFixed(0)} to ${last.toFixed(0)} MB`);
  return 1;
}
