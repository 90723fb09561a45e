import { type AddressRange, parseAddressRange } from "./address-range.js";
import { type Context, each } from "./context.js";
import { quote } from "./problem.js";
import type { Action, Condition, FieldCondition, Rule, User } from "./rule-config.js";
import type { ConditionShape, RuleShape } from "./rule-schema.js";
import type { Path } from "./source.js";
import { parseTextTemplate, type TextTemplate, templateWords } from "./text-template.js";

const defaultKeys = 100_000;
const redirectStatuses = [301, 302, 303, 307, 308];
/** RFC 9110 §5.6.2. */
const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
/** What frames a message, or is ours to write, is no rule's business. */
const ownFields = [
  "connection",
  "content-length",
  "expect",
  "keep-alive",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
];

/** Reads `rules:` of the proxy `name` at `path`. A line with several actions becomes a rule for each, in the schema's order. */
export function readRules(
  path: Path,
  name: string,
  shapes: readonly RuleShape[] | undefined,
  context: Context,
): Rule[] {
  return (shapes ?? []).flatMap((shape, index) => readRule([...path, String(index)], name, shape, context));
}

function readRule(path: Path, name: string, shape: RuleShape, context: Context): Rule[] {
  const when = shape.if === undefined ? null : readCondition([...path, "if"], shape.if, context);
  const unless =
    shape.unless === undefined ? null : readCondition([...path, "unless"], shape.unless, context);
  const actions = readActions(path, name, shape, context);
  if (actions.length === 0 && !context.flagged(path)) {
    context.problem(
      path,
      "this rule does nothing",
      "add deny, redirect, return, auth, rate_limit, set_header, add_header, del_header, set_path, replace_path or use_backend",
    );
  }
  return actions.map((action) => ({ when, unless, action }));
}

/** Reads a condition on a request. */
export function readCondition(path: Path, shape: ConditionShape, context: Context): Condition {
  const list = (
    word: keyof ConditionShape &
      ("host" | "method" | "path" | "path_beg" | "path_end" | "req_ssl_sni" | "src"),
  ) => each([...path, word], shape[word]);
  const texts = (word: "method" | "path" | "path_beg" | "path_end") => list(word).map(([, value]) => value);
  for (const word of ["path", "path_beg"] as const) {
    for (const [at, value] of list(word)) {
      if (value.startsWith("/")) continue;
      context.problem(
        at,
        `${quote(value)} is no beginning of a path`,
        `write one with a slash, such as /${value.replace(/^\/*/, "")}`,
      );
    }
  }
  const sources: AddressRange[] = [];
  for (const [at, value] of list("src")) {
    const range = parseAddressRange(value);
    if (range === null)
      context.problem(
        at,
        `${quote(value)} is neither an address nor a network`,
        "write, for example, 10.0.0.0/8 or fd00::/8",
      );
    else sources.push(range);
  }
  if (Object.keys(shape).length === 0 && !context.flagged(path)) {
    context.problem(path, "this condition asks nothing", "leave it out: a rule without one always applies");
  }
  const names = (word: "host" | "req_ssl_sni") => list(word).map(([, value]) => value.toLowerCase());
  return {
    ...(shape.host !== undefined && { hosts: names("host") }),
    ...(shape.req_ssl_sni !== undefined && { serverNames: names("req_ssl_sni") }),
    ...(shape.method !== undefined && { methods: texts("method") }),
    ...(shape.path !== undefined && { paths: texts("path") }),
    ...(shape.path_beg !== undefined && { pathBegins: texts("path_beg") }),
    ...(shape.path_end !== undefined && { pathEnds: texts("path_end") }),
    ...(shape.ssl_fc !== undefined && { overTls: shape.ssl_fc }),
    ...(shape.ssl_c_used !== undefined && { isCertified: shape.ssl_c_used }),
    ...(shape.src !== undefined && { sources }),
    ...(shape.hdr !== undefined && { fields: readFields(shape.hdr) }),
  };
}

function readFields(shape: NonNullable<ConditionShape["hdr"]>): FieldCondition[] {
  return Object.entries(shape).map(([name, value]) => ({
    name: name.toLowerCase(),
    values: value === true ? null : typeof value === "string" ? [value] : value,
  }));
}

function readActions(path: Path, name: string, shape: RuleShape, context: Context): Action[] {
  const actions: Action[] = [];
  const { deny, redirect, return: answer, auth, rate_limit: rate } = shape;
  if (rate !== undefined) actions.push(readRateLimit([...path, "rate_limit"], rate, context));
  if (auth !== undefined) actions.push(readAuth([...path, "auth"], name, auth, context));
  for (const [at, field] of each([...path, "del_header"], shape.del_header)) {
    checkFieldName(at, field, "value", context);
    actions.push({ kind: "del-header", name: field });
  }
  for (const [word, kind] of [
    ["set_header", "set-header"],
    ["add_header", "add-header"],
  ] as const) {
    for (const [field, value] of context.members([...path, word], shape[word])) {
      const at = [...path, word, field];
      checkFieldName(at, field, "key", context);
      actions.push({ kind, name: field, value: readTemplate(at, context.text(at, value, ""), context) });
    }
  }
  if (shape.replace_path !== undefined) {
    const { prefix = "", with: by = "/" } = shape.replace_path;
    const at = [...path, "replace_path"];
    for (const [word, text] of [
      ["prefix", prefix],
      ["with", by],
    ] as const)
      checkPath([...at, word], text, context);
    actions.push({ kind: "replace-prefix", prefix, by });
  }
  if (shape.set_path !== undefined) {
    const at = [...path, "set_path"];
    checkPath(at, shape.set_path, context);
    actions.push({ kind: "set-path", path: readTemplate(at, shape.set_path, context) });
  }
  if (shape.use_backend !== undefined) actions.push({ kind: "use-backend", backend: shape.use_backend });
  if (deny !== undefined) actions.push({ kind: "deny", status: deny });
  if (redirect !== undefined) actions.push(readRedirect([...path, "redirect"], redirect, context));
  if (answer !== undefined) {
    actions.push({
      kind: "return",
      status: answer.status ?? 200,
      contentType: answer.content_type ?? "text/plain; charset=utf-8",
      body: context.text([...path, "return", "body"], answer.body, ""),
    });
  }
  return actions;
}

function readRateLimit(path: Path, shape: NonNullable<RuleShape["rate_limit"]>, context: Context): Action {
  if (shape.requests === undefined)
    context.missing(
      [...path, "requests"],
      "rate_limit has no requests",
      "add how many pass, such as requests: 20",
    );
  const by = shape.by ?? "src";
  const field = /^hdr\(([^()]+)\)$/.exec(by)?.[1];
  if (by !== "src" && (field === undefined || !token.test(field)))
    context.problem([...path, "by"], `${quote(by)} is nothing to count by`, "write src or hdr(name)");
  return {
    kind: "rate-limit",
    requests: shape.requests ?? 1,
    periodMs: context.duration([...path, "per"], shape.per, "ms", 1000, 1),
    by: field === undefined ? "src" : { field: field.toLowerCase() },
    status: shape.status ?? 429,
    keys: shape.keys ?? defaultKeys,
  };
}

function readAuth(path: Path, name: string, shape: NonNullable<RuleShape["auth"]>, context: Context): Action {
  const users: User[] = context.members([...path, "users"], shape.users).map(([user, password]) => {
    const at = [...path, "users", user];
    if (user.includes(":"))
      context.problem(
        at,
        `${quote(user)} holds a colon`,
        "choose another name: RFC 7617 ends it there",
        "key",
      );
    return { name: user, password: context.text(at, password, "") };
  });
  if (users.length === 0)
    context.missing([...path, "users"], "auth lets nobody in", "add users, such as users: { admin: s3cret }");
  const realm = shape.realm ?? name;
  if (!/^[ !#-[\]-~]+$/.test(realm))
    context.problem(
      [...path, "realm"],
      `${quote(realm)} cannot stand in a quoted text`,
      "write it without quotes and backslashes",
    );
  return { kind: "auth", realm, users };
}

function readRedirect(path: Path, shape: NonNullable<RuleShape["redirect"]>, context: Context): Action {
  const status = shape.code ?? 302;
  if (!redirectStatuses.includes(status))
    context.problem([...path, "code"], `${status} is no redirect`, `write ${redirectStatuses.join(", ")}`);
  if (shape.location === undefined)
    context.missing(
      [...path, "location"],
      "redirect has no location",
      "add where to, such as location: 'https://%[host]%[url]'",
    );
  const location = readTemplate([...path, "location"], shape.location ?? "/", context);
  return { kind: "redirect", status, location };
}

/** Reads the value of a field, in which %[word] stands for what the request has. */
export function readTemplate(path: Path, text: string, context: Context): TextTemplate {
  if (/[^\t -~\u00a0-\u00ff]/.test(text))
    context.problem(
      path,
      `${quote(text)} cannot stand in a field`,
      "write it in one line of ISO 8859-1 characters",
    );
  const template = parseTextTemplate(text);
  if (!("unknown" in template)) return template;
  context.problem(
    path,
    `%[${template.unknown}] is not known here`,
    `write ${templateWords.map((word) => `%[${word}]`).join(", ")}`,
  );
  return [];
}

/** Reports a name that no rule may set or drop. */
export function checkFieldName(path: Path, name: string, part: "key" | "value", context: Context): void {
  if (!token.test(name))
    context.problem(path, `${quote(name)} is no name of a field`, "write letters, digits and -", part);
  else if (ownFields.includes(name.toLowerCase()))
    context.problem(
      path,
      `${name} is the proxy's own to write`,
      "leave it out: it frames the message, or ends at the next hop",
      part,
    );
}

function checkPath(path: Path, text: string, context: Context): void {
  if (!/^\/[!-~]*$/.test(text) || text.includes("?") || text.includes("#"))
    context.problem(
      path,
      `${quote(text)} is no path`,
      "write one that begins with /, without query, with what is not ASCII as %xx",
    );
}
