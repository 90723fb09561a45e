import type { ResponseCondition, ResponseRule } from "../../config/response-rule-section.js";
import { hasField, holds } from "./condition.js";
import { fillIn } from "./fill-in.js";
import type { RequestFacts } from "./request-facts.js";
import type { ResponseFacts } from "./response-facts.js";

/** Changes `response`, an answer to `request`, as the rules say. Pure. */
export function applyResponseRules(
  rules: readonly ResponseRule[],
  response: ResponseFacts,
  request: RequestFacts,
): void {
  for (const { when, unless, action } of rules) {
    if (when !== null && !responseHolds(when, response, request)) continue;
    if (unless !== null && responseHolds(unless, response, request)) continue;
    if (action.kind === "del-header") {
      response.deleteField(action.name);
      continue;
    }
    const value = fillIn(action.value, request);
    if (action.kind === "set-header") response.deleteField(action.name);
    response.addField(action.name, value);
  }
}

function responseHolds(
  { statuses, fields, request: asked }: ResponseCondition,
  response: ResponseFacts,
  request: RequestFacts,
): boolean {
  if (
    statuses !== undefined &&
    !statuses.some(({ from, to }) => response.status >= from && response.status <= to)
  )
    return false;
  if (fields !== undefined && !fields.every((field) => hasField(field, response))) return false;
  return asked === undefined || holds(asked, request);
}
