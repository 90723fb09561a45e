import Type from "typebox";
import { type Context, each } from "./context.js";
import { describeStatuses, parseStatuses } from "./http-check-section.js";
import type { Condition } from "./rule-config.js";
import { conditionWords, headers } from "./rule-schema.js";
import { checkFieldName, readCondition, readTemplate } from "./rule-section.js";
import { closed, oneOrMore } from "./schema-words.js";
import { writeCondition } from "./serialize-rules.js";
import type { StatusRange } from "./server-config.js";
import type { Path } from "./source.js";
import { describeTextTemplate, type TextTemplate } from "./text-template.js";

/** One line of `response_rules:`, HAProxy's http-response: looked at in their order, each changes a server's response. */
export interface ResponseRule {
  /** null: always. */
  readonly when: ResponseCondition | null;
  /** The rule is passed over where it holds; null: never. */
  readonly unless: ResponseCondition | null;
  readonly action: ResponseAction;
}

export type ResponseAction =
  | { readonly kind: "set-header"; readonly name: string; readonly value: TextTemplate }
  | { readonly kind: "add-header"; readonly name: string; readonly value: TextTemplate }
  | { readonly kind: "del-header"; readonly name: string };

/** Every word that is there has to hold, and of its values one. */
export interface ResponseCondition {
  readonly statuses?: readonly StatusRange[];
  /** Of the response, as `fields` of a request's condition. */
  readonly fields?: Condition["fields"];
  /** What was asked. */
  readonly request?: Condition;
}

const { hdr, req_ssl_sni: _inModeTcp, ...requestWords } = conditionWords;

const responseCondition = Type.Object(
  {
    status: Type.Optional(
      Type.Union([Type.Integer({ minimum: 100, maximum: 599 }), Type.String({ minLength: 1 })], {
        title: "a status, or statuses such as 200-299,301",
        description: "Status of the response.",
      }),
    ),
    hdr,
    ...requestWords,
  },
  { ...closed, title: "a mapping such as { status: 200-299, path_beg: /static/ }" },
);

const responseRuleSchema = Type.Object(
  {
    if: Type.Optional(responseCondition),
    unless: Type.Optional(responseCondition),
    set_header: Type.Optional(headers("Fields of the response that take the place of those that are there.")),
    add_header: Type.Optional(headers("Fields that join those that are there.")),
    del_header: oneOrMore("a field's name", "Fields of the response that the client does not get."),
  },
  { ...closed, title: "a mapping such as { del_header: Server }" },
);

export const responseRulesSchema = Type.Optional(
  Type.Array(responseRuleSchema, {
    title: "a list of rules such as { set_header: { X-Frame-Options: DENY } }",
    description: "What is changed of servers' responses, in this order.",
  }),
);

export type ResponseRuleShape = Type.Static<typeof responseRuleSchema>;

/** Reads `response_rules:`; a line with several actions becomes a rule for each. */
export function readResponseRules(
  path: Path,
  shapes: readonly ResponseRuleShape[] | undefined,
  context: Context,
): ResponseRule[] {
  return (shapes ?? []).flatMap((shape, index) => {
    const at = [...path, String(index)];
    const when = shape.if === undefined ? null : readResponseCondition([...at, "if"], shape.if, context);
    const unless =
      shape.unless === undefined ? null : readResponseCondition([...at, "unless"], shape.unless, context);
    const actions = readActions(at, shape, context);
    if (actions.length === 0 && !context.flagged(at))
      context.problem(at, "this rule does nothing", "add set_header, add_header or del_header");
    return actions.map((action) => ({ when, unless, action }));
  });
}

function readResponseCondition(
  path: Path,
  shape: NonNullable<ResponseRuleShape["if"]>,
  context: Context,
): ResponseCondition {
  const { status, hdr: fields, ...request } = shape;
  if (Object.keys(shape).length === 0) return readCondition(path, {}, context);
  const ranges =
    status === undefined ? [] : context.take([...path, "status"], parseStatuses(String(status)), []);
  return {
    ...(ranges.length > 0 && { statuses: ranges }),
    ...(fields !== undefined && readCondition(path, { hdr: fields }, context)),
    ...(Object.keys(request).length > 0 && { request: readCondition(path, request, context) }),
  };
}

function readActions(path: Path, shape: ResponseRuleShape, context: Context): ResponseAction[] {
  const actions: ResponseAction[] = [];
  for (const [at, name] of each([...path, "del_header"], shape.del_header)) {
    checkFieldName(at, name, "value", context);
    actions.push({ kind: "del-header", name });
  }
  for (const [word, kind] of [
    ["set_header", "set-header"],
    ["add_header", "add-header"],
  ] as const) {
    for (const [name, value] of context.members([...path, word], shape[word])) {
      const at = [...path, word, name];
      checkFieldName(at, name, "key", context);
      actions.push({ kind, name, value: readTemplate(at, context.text(at, value, ""), context) });
    }
  }
  return actions;
}

export function writeResponseRules(rules: readonly ResponseRule[]): object[] {
  return rules.map(({ when, unless, action }) => ({
    ...(when !== null && { if: writeResponseCondition(when) }),
    ...(unless !== null && { unless: writeResponseCondition(unless) }),
    ...writeAction(action),
  }));
}

function writeResponseCondition({ statuses, fields, request }: ResponseCondition): object {
  return {
    ...(statuses !== undefined && { status: describeStatuses(statuses) }),
    ...(fields !== undefined && writeCondition({ fields })),
    ...(request !== undefined && writeCondition(request)),
  };
}

function writeAction(action: ResponseAction): object {
  if (action.kind === "del-header") return { del_header: action.name };
  const word = action.kind === "set-header" ? "set_header" : "add_header";
  return { [word]: new Map([[action.name, describeTextTemplate(action.value)]]) };
}
