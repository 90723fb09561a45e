import { parseArgs } from "node:util";
import { type Case, cases } from "./cases.js";

export interface Options {
  readonly cases: readonly Case[];
  /** Names of targets, or null for all. */
  readonly targets: readonly string[] | null;
  readonly rounds: number;
  readonly seconds: number;
  readonly warmUpSeconds: number;
  readonly proxyCores: string;
  readonly loadCores: string;
  /** Folder for results.json and chart.svg. */
  readonly output: string;
  readonly json: boolean;
  /** Draw and print what the folder holds, measure nothing. */
  readonly render: boolean;
}

export const usage = `npm run bench -- [options]

CPU per request beside HAProxy and nginx: each proxy on one core, load and servers on another, in turns.

  --quick             the most telling cases, fewer and shorter rounds: under two minutes
  --cases A,B         only these: ${cases.map(({ name }) => name).join(", ")}
  --targets A,B       only these: haproxy, haproxy-splice, nginx, portable, direct, pipelining
                      (and haproxy-new, haproxy-new-splice, where HAPROXY_BIN names another build)
  --rounds N          turns of each target in each case (3; the median counts)
  --seconds N         length of a turn (3)
  --proxy-cores LIST  where the proxies run (0)
  --load-cores LIST   where wrk and the servers run (1)
  --output DIR        results.json and chart.svg (bench-results); cases not measured again stay in it
  --render            only print and draw what that folder holds
  --json              print the results as JSON`;

/** Throws Error with a sentence for the user. */
export function readOptions(parameters: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...parameters],
    options: {
      quick: { type: "boolean", default: false },
      cases: { type: "string" },
      targets: { type: "string" },
      rounds: { type: "string" },
      seconds: { type: "string" },
      "proxy-cores": { type: "string", default: "0" },
      "load-cores": { type: "string", default: "1" },
      output: { type: "string", default: "bench-results" },
      render: { type: "boolean", default: false },
      json: { type: "boolean", default: false },
    },
  });
  const { quick } = values;
  const names = values.cases?.split(",");
  const unknown = names?.filter((name) => !cases.some((one) => one.name === name)) ?? [];
  if (unknown.length > 0)
    throw new Error(
      `no such case: ${unknown.join(", ")}. There are ${cases.map(({ name }) => name).join(", ")}`,
    );
  return {
    cases: cases.filter((one) => (names === undefined ? !quick || one.quick : names.includes(one.name))),
    targets: values.targets?.split(",") ?? null,
    rounds: positive("rounds", values.rounds ?? (quick ? "2" : "3")),
    seconds: positive("seconds", values.seconds ?? (quick ? "2" : "3")),
    warmUpSeconds: 1,
    proxyCores: cores("proxy-cores", values["proxy-cores"]),
    loadCores: cores("load-cores", values["load-cores"]),
    output: values.output,
    json: values.json,
    render: values.render,
  };
}

function positive(flag: string, text: string): number {
  if (!/^[1-9]\d{0,4}$/.test(text)) throw new Error(`--${flag} wants a whole number above 0, not ${text}`);
  return Number(text);
}

function cores(flag: string, text: string): string {
  if (!/^\d+(,\d+)*$/.test(text)) throw new Error(`--${flag} wants cores such as 0 or 0,1, not ${text}`);
  return text;
}
