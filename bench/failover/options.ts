import { parseArgs } from "node:util";
import { type EventName, events, type ProgramName, programs, type Setting, settings } from "./plan.js";

export const failoverUsage = `npm run bench:failover [-- OPTIONS]

What a client sees of a failover, Tandem and keepalived (with HAProxy) in turns on the same network of namespaces: its
longest wait for a good answer, failed requests on new, kept and long connections, and how long both nodes held the address.

  --repeat N      times each (3)
  --quick         once each, VRRPv2 with 1 s only; saved beside the docs' figures only with --output
  --only WORDS    of ${programs.map(({ name }) => name).join(", ")};
                  ${settings.map(({ name }) => name).join(", ")};
                  ${events.map(({ name }) => name).join(", ")}: those only, separated by commas
  --output FILE   JSON (docs/failover.json); what is measured anew replaces what is there
  --render        measures nothing, prints the table of what is there
`;

export interface FailoverOptions {
  readonly programs: readonly ProgramName[];
  readonly settings: readonly Setting[];
  readonly events: readonly EventName[];
  readonly repeat: number;
  /** Null: not saved. */
  readonly output: string | null;
  readonly render: boolean;
}

/** @throws Error with what is wrong. */
export function readFailoverOptions(parameters: readonly string[], docsFile: string): FailoverOptions {
  const { values } = parseArgs({
    args: [...parameters],
    options: {
      repeat: { type: "string" },
      quick: { type: "boolean", default: false },
      only: { type: "string", default: "" },
      output: { type: "string" },
      render: { type: "boolean", default: false },
    },
  });
  const repeat = Number(values.repeat ?? (values.quick ? 1 : 3));
  if (!Number.isInteger(repeat) || repeat < 1) {
    throw new Error(`--repeat ${values.repeat}: a whole number from 1 on`);
  }
  const words = values.only.split(/[ ,]+/).filter((word) => word !== "");
  const names: readonly string[] = [...programs, ...settings, ...events].map(({ name }) => name);
  const unknown = words.filter((word) => !names.includes(word));
  if (unknown.length > 0) throw new Error(`--only ${unknown.join(", ")}: not one of ${names.join(", ")}`);
  const chosen = <T extends { readonly name: string }>(all: readonly T[]): readonly T[] => {
    const some = all.filter(({ name }) => words.includes(name));
    return some.length > 0 ? some : all;
  };
  return {
    programs: chosen(programs).map(({ name }) => name),
    settings: chosen<Setting>(values.quick ? settings.slice(0, 1) : settings),
    events: chosen(events).map(({ name }) => name),
    repeat,
    output: values.output ?? (values.quick ? null : docsFile),
    render: values.render,
  };
}
