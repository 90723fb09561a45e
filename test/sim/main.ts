import { parseArgs } from "node:util";
import { Census } from "./census.js";
import { packetProperties } from "./packet-fuzz.js";
import { describeWorld, storyOf } from "./report.js";
import { simulate } from "./simulate.js";
import { Timeline } from "./timeline.js";
import { type WorldOptions, worldOf } from "./world.js";

const usage = `npm run sim -- [options]

  --seed N        the first world's seed; without --hours, only this world is simulated
  --hours N       simulated hours, one world after the other (1000)
  --nodes N       2 to 5 (any)
  --version 2|3   of VRRP (any)
  --interval S    advert interval in seconds (any)
  --timeline      with one world: all that happens in it
  --adverts       with --timeline: every advert, too
  --packets N     no worlds: N random and mutated packets for each property of the parsers
`;

/** Runs `npm run sim`. The exit code: 0 all laws held, 1 one was broken, 2 the options make no sense. */
export function main(parameters: readonly string[]): number {
  const options = optionsOf(parameters);
  if (options === null) {
    process.stderr.write(usage);
    return 2;
  }
  const { seed, hours, world, timeline, adverts } = options;
  if (options.packets !== null) {
    return fuzz(options.packets, seed);
  }
  if (hours === null) {
    return runOne(seed, world, timeline ? new Timeline(adverts) : null);
  }
  return runMany(seed, hours, world);
}

interface Options {
  readonly seed: number;
  /** Null: one world, whatever its length. */
  readonly hours: number | null;
  readonly world: WorldOptions;
  readonly timeline: boolean;
  readonly adverts: boolean;
  readonly packets: number | null;
}

function optionsOf(parameters: readonly string[]): Options | null {
  try {
    const { values } = parseArgs({
      args: [...parameters],
      options: {
        seed: { type: "string" },
        hours: { type: "string" },
        nodes: { type: "string" },
        version: { type: "string" },
        interval: { type: "string" },
        timeline: { type: "boolean", default: false },
        adverts: { type: "boolean", default: false },
        packets: { type: "string" },
        help: { type: "boolean", default: false },
      },
    });
    const seed = numberIn(values.seed, 0, 2 ** 32 - 1);
    const hours = numberIn(values.hours, 0, Number.MAX_SAFE_INTEGER);
    const nodes = numberIn(values.nodes, 2, 5);
    const version = numberIn(values.version, 2, 3);
    const intervalCs = intervalIn(values.interval, version);
    return values.help
      ? null
      : {
          // A different world every time, but for who asks for one.
          seed: seed ?? Math.floor(Date.now() / 1000) % 2 ** 32,
          hours: hours ?? (seed === null ? 1000 : null),
          world: {
            ...(nodes === null ? {} : { nodes }),
            ...(version === null ? {} : { version: version === 2 ? 2 : 3 }),
            ...(intervalCs === null ? {} : { intervalCs }),
          },
          timeline: values.timeline,
          adverts: values.adverts,
          packets: numberIn(values.packets, 1, Number.MAX_SAFE_INTEGER),
        };
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n`);
    return null;
  }
}

function numberIn(text: string | undefined, least: number, most: number): number | null {
  if (text === undefined) {
    return null;
  }
  const number = Number(text);
  if (!Number.isInteger(number) || number < least || number > most) {
    throw new Error(`${text} is not a whole number from ${least} to ${most}`);
  }
  return number;
}

/** In centiseconds. VRRPv2 has whole seconds up to 255, VRRPv3 up to 40.95 s. */
function intervalIn(text: string | undefined, version: number | null): number | null {
  if (text === undefined) {
    return null;
  }
  const cs = Math.round(Number(text) * 100);
  const isV2 = version !== 3 && cs % 100 === 0 && cs >= 100 && cs <= 25_500;
  const isV3 = version !== 2 && cs >= 1 && cs <= 4095;
  if (!(isV2 || isV3)) {
    throw new Error(
      `${text} is no advert interval in seconds${version === null ? "" : ` of VRRPv${version}`}`,
    );
  }
  return cs;
}

/** fast-check tells the seed and the packet of a property that does not hold. */
function fuzz(packets: number, seed: number): number {
  for (const { name, run } of packetProperties) {
    try {
      run(packets, seed | 0);
      console.log(`holds for ${packets} packets: ${name}`);
    } catch (error) {
      console.log(`BROKEN: ${name}\n${error instanceof Error ? error.message : String(error)}`);
      return 1;
    }
  }
  return 0;
}

function runOne(seed: number, options: WorldOptions, timeline: Timeline | null): number {
  const world = worldOf(seed, options);
  const census = new Census();
  const outcome = simulate(world, timeline === null ? {} : { timeline });
  census.count(world, outcome);
  console.log(describeWorld(world));
  if (timeline !== null) {
    console.log(timeline.text());
  }
  if (outcome.violation !== null) {
    tell(seed, options);
    return 1;
  }
  console.log(census.text());
  return 0;
}

function runMany(seed: number, hours: number, options: WorldOptions): number {
  const census = new Census();
  console.log(`from seed ${seed} on, ${hours} hours`);
  for (let next = seed; census.hours < hours; next = (next + 1) >>> 0) {
    const world = worldOf(next, options);
    const outcome = simulate(world);
    census.count(world, outcome);
    if (outcome.violation !== null) {
      tell(next, options);
      return 1;
    }
  }
  console.log(census.text());
  return 0;
}

function tell(seed: number, options: WorldOptions): void {
  console.log(storyOf(worldOf(seed, options)));
  console.log(`\nreplay with: ${replayCommand(seed, options)}`);
}

/** What to type to see it again. */
export function replayCommand(seed: number, { nodes, version, intervalCs }: WorldOptions = {}): string {
  const flags = [
    ...(version === undefined ? [] : [`--version ${version}`]),
    ...(nodes === undefined ? [] : [`--nodes ${nodes}`]),
    ...(intervalCs === undefined ? [] : [`--interval ${intervalCs / 100}`]),
  ];
  return ["npm run sim -- --seed", seed, ...flags].join(" ");
}
