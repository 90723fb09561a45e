import Type from "typebox";
import { type AddressRange, parseAddressRange } from "./address-range.js";
import { type Context, each } from "./context.js";
import { describeDuration } from "./duration.js";
import { quote } from "./problem.js";
import { closed, milliseconds, oneOrMore, truth, whole } from "./schema-words.js";
import type { Path } from "./source.js";

/** One line of `connection_rules:`, HAProxy's tcp-request connection: looked at in their order when a client has come. */
export interface ConnectionRule {
  /** Where the client comes from; null: anywhere. */
  readonly when: readonly AddressRange[] | null;
  /** The rule is passed over for clients from there; null: for none. */
  readonly unless: readonly AddressRange[] | null;
  readonly action: ConnectionAction;
}

export type ConnectionAction =
  | { readonly kind: "reject" }
  /** Connections of one source at once. */
  | { readonly kind: "max-connections"; readonly count: number; readonly keys: number }
  /** New connections of one source in any `periodMs`. */
  | {
      readonly kind: "rate-limit";
      readonly connections: number;
      readonly periodMs: number;
      readonly keys: number;
    };

const sources = Type.Object(
  { src: oneOrMore("an address or a network such as 10.0.0.0/8", "Where the client comes from.") },
  { ...closed, title: "a mapping such as { src: 10.0.0.0/8 }" },
);
const keys = whole(8, 10_000_000, "Sources that are counted at once. Default 100000.");

const connectionRuleSchema = Type.Object(
  {
    if: Type.Optional(sources),
    unless: Type.Optional(sources),
    reject: truth("Such clients are cut off at once."),
    max_connections: whole(1, 1_000_000, "Connections of one source at once; further ones are cut off."),
    rate_limit: Type.Optional(
      Type.Object(
        {
          connections: whole(1, 1_000_000_000, "So many new connections of one source in any period."),
          per: milliseconds("The period. Default 1s."),
        },
        { ...closed, title: "a mapping such as { connections: 20, per: 10s }" },
      ),
    ),
    keys,
  },
  { ...closed, title: "a mapping such as { max_connections: 50 }" },
);

export const connectionRulesSchema = Type.Optional(
  Type.Array(connectionRuleSchema, {
    title: "a list of rules such as { max_connections: 50 }",
    description: "Who may connect, in this order.",
  }),
);

export type ConnectionRuleShape = Type.Static<typeof connectionRuleSchema>;

const defaultKeys = 100_000;

/** Reads `connection_rules:`; a line with several actions becomes a rule for each. */
export function readConnectionRules(
  path: Path,
  shapes: readonly ConnectionRuleShape[] | undefined,
  context: Context,
): ConnectionRule[] {
  return (shapes ?? []).flatMap((shape, index) => {
    const at = [...path, String(index)];
    const when = readSources([...at, "if"], shape.if, context);
    const unless = readSources([...at, "unless"], shape.unless, context);
    const actions = readActions(at, shape, context);
    if (actions.length === 0 && !context.flagged(at)) {
      context.problem(at, "this rule does nothing", "add reject: true, max_connections or rate_limit");
    }
    return actions.map((action) => ({ when, unless, action }));
  });
}

function readActions(path: Path, shape: ConnectionRuleShape, context: Context): ConnectionAction[] {
  const { reject, max_connections: count, rate_limit: rate, keys = defaultKeys } = shape;
  const actions: ConnectionAction[] = [];
  if (count !== undefined) actions.push({ kind: "max-connections", count, keys });
  if (rate !== undefined) {
    const at = [...path, "rate_limit"];
    if (rate.connections === undefined)
      context.missing(
        [...at, "connections"],
        "rate_limit has no connections",
        "add how many pass, such as connections: 20",
      );
    const periodMs = context.duration([...at, "per"], rate.per, "ms", 1000, 1);
    actions.push({ kind: "rate-limit", connections: rate.connections ?? 1, periodMs, keys });
  }
  if (reject === true) actions.push({ kind: "reject" });
  return actions;
}

function readSources(path: Path, shape: ConnectionRuleShape["if"], context: Context): AddressRange[] | null {
  if (shape === undefined) return null;
  const ranges: AddressRange[] = [];
  for (const [at, text] of each([...path, "src"], shape.src)) {
    const range = parseAddressRange(text);
    if (range !== null) ranges.push(range);
    else
      context.problem(
        at,
        `${quote(text)} is neither an address nor a network`,
        "write, for example, 10.0.0.0/8 or fd00::/8",
      );
  }
  if (shape.src === undefined && !context.flagged(path))
    context.problem(path, "this condition asks nothing", "leave it out: a rule without one always applies");
  return ranges;
}

export function writeConnectionRules(rules: readonly ConnectionRule[]): object[] {
  const src = (ranges: readonly AddressRange[]): object => ({ src: ranges.map(({ text }) => text) });
  return rules.map(({ when, unless, action }) => ({
    ...(when !== null && { if: src(when) }),
    ...(unless !== null && { unless: src(unless) }),
    ...writeAction(action),
  }));
}

function writeAction(action: ConnectionAction): object {
  switch (action.kind) {
    case "reject":
      return { reject: true };
    case "max-connections":
      return { max_connections: action.count, keys: action.keys };
    case "rate-limit":
      return {
        rate_limit: { connections: action.connections, per: describeDuration(action.periodMs) },
        keys: action.keys,
      };
  }
}
