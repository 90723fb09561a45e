import { existsSync, readFileSync } from "node:fs";
import Type from "typebox";
import { Check } from "typebox/value";

const run = Type.Object({
  /** Longest time between two good answers on new connections. */
  gapMs: Type.Number(),
  /** On new connections, the kept one, the long one. */
  requests: Type.Array(Type.Integer()),
  failed: Type.Array(Type.Integer()),
  failures: Type.Array(Type.Record(Type.String(), Type.Integer())),
  /** Both nodes had the address on eth1, of the time that was watched. */
  bothHeldMs: Type.Number(),
  /** They still had when the watch was over. */
  stillBoth: Type.Boolean(),
});

const cell = Type.Object({
  program: Type.String(),
  setting: Type.String(),
  event: Type.String(),
  runs: Type.Array(run),
  /** Why there is none. */
  reason: Type.Union([Type.Null(), Type.String()]),
});

const results = Type.Object({
  date: Type.String(),
  machine: Type.Object({
    kernel: Type.String(),
    cores: Type.Integer(),
    node: Type.String(),
    keepalived: Type.String(),
    haproxy: Type.String(),
    /** One minute's load average before and after. */
    load: Type.Array(Type.Number()),
  }),
  cells: Type.Array(cell),
});

export type Run = Type.Static<typeof run>;
export type Cell = Type.Static<typeof cell>;
export type Results = Type.Static<typeof results>;

/** Null: there are none. Throws Error when the file is something else. */
export function readResults(file: string): Results | null {
  if (!existsSync(file)) return null;
  const value: unknown = JSON.parse(readFileSync(file, "utf8"));
  if (!Check(results, value)) throw new Error(`${file} does not hold results of bench:failover`);
  return value;
}

/** The new cells in place of old ones; the others stay. */
export function merge(before: Results | null, after: Results): Results {
  const key = ({ program, setting, event }: Cell): string => `${program} ${setting} ${event}`;
  const fresh = new Set(after.cells.map(key));
  return {
    ...after,
    cells: [...(before?.cells ?? []).filter((old) => !fresh.has(key(old))), ...after.cells],
  };
}
