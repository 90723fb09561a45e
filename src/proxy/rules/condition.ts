import { isInRange } from "../../config/address-range.js";
import type { Condition, FieldCondition } from "../../config/rule-config.js";
import type { FieldList } from "./field-list.js";
import type { RequestFacts } from "./request-facts.js";

/** Every word of the condition holds, and of its values one. Pure. */
export function holds(condition: Condition, facts: RequestFacts): boolean {
  const { overTls, isCertified, hosts, methods, paths, pathBegins, pathEnds, sources, fields } = condition;
  if (methods !== undefined && !methods.includes(facts.method)) return false;
  if (overTls !== undefined && overTls !== facts.overTls) return false;
  if (isCertified !== undefined && isCertified !== (facts.certificate !== null)) return false;
  if (hosts !== undefined) {
    const { host } = facts;
    if (!hosts.some((wanted) => matchesHost(wanted, host))) return false;
  }
  if (paths !== undefined || pathBegins !== undefined || pathEnds !== undefined) {
    const path = facts.normalPath;
    if (paths !== undefined && !paths.includes(path)) return false;
    if (pathBegins !== undefined && !pathBegins.some((wanted) => path.startsWith(wanted))) return false;
    if (pathEnds !== undefined && !pathEnds.some((wanted) => path.endsWith(wanted))) return false;
  }
  if (sources !== undefined) {
    const address = facts.sourceBytes;
    if (address === null || !sources.some((range) => isInRange(address, range))) return false;
  }
  return fields === undefined || fields.every((field) => hasField(field, facts));
}

/** `wanted` is in lower case, and may begin with `*.`; `host` is in lower case. */
export function matchesHost(wanted: string, host: string): boolean {
  return wanted.startsWith("*.")
    ? host.length >= wanted.length && host.endsWith(wanted.slice(1))
    : host === wanted;
}

/** A field of that name is there, with one of the values. */
export function hasField({ name, values }: FieldCondition, facts: FieldList): boolean {
  return facts.fields.some(
    (field) => field.name.toLowerCase() === name && (values === null || values.includes(field.value)),
  );
}
