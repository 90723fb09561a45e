import type { TSchema } from "typebox";
import { Settings } from "typebox/system";
import { Check, Errors } from "typebox/value";
import { foreignWords } from "./foreign-words.js";
import { type Problem, quote } from "./problem.js";
import { type FileShape, fileSchema } from "./schema.js";
import type { Path, Source } from "./source.js";
import { suggest, suggestion } from "./suggest.js";

// The library stops at 8 findings by default; a user wants to see all of them.
Settings.Set({ maxErrors: 1000 });

/** The file's values that have the right shape, and what is wrong with the others. */
export interface Shaped {
  /** Without the values that `problems` is about; null when nothing usable is there. */
  readonly value: FileShape | null;
  readonly problems: readonly Problem[];
  /** Whether something at or below this path was refused, so that its absence is not news. */
  flagged(path: Path): boolean;
}

/** Checks the value of a source against the schema: unknown words, types, ranges. */
export function checkShape(source: Source): Shaped {
  const refused = new Map<string, { readonly path: Path; readonly problem: Problem }>();
  for (const error of Errors(fileSchema, source.value)) {
    const path = splitPointer(error.instancePath);
    // The parent's report of an unknown word; the word itself is reported too, with its own path.
    if (error.keyword === "additionalProperties") continue;
    const key = JSON.stringify(path);
    if (refused.has(key)) continue;
    const problem = explain(source, path);
    refused.set(key, { path, problem });
  }
  const found = withoutParents([...refused.values()]);
  const value = prune(
    source.value,
    [],
    found.map((entry) => JSON.stringify(entry.path)),
  );
  return {
    value: Check(fileSchema, value) ? value : null,
    problems: found.map((entry) => entry.problem),
    flagged: (path) => found.some((entry) => path.every((key, i) => entry.path[i] === key)),
  };
}

function explain(source: Source, path: Path): Problem {
  const word = path.at(-1) ?? "";
  const schema = schemaAt(fileSchema, path);
  if (schema === null) {
    const known = Object.keys(propertiesOf(schemaAt(fileSchema, path.slice(0, -1))));
    const hint = Object.hasOwn(foreignWords, word) ? foreignWords[word] : null;
    if (known.length === 0) {
      return {
        where: source.where(path, "key"),
        message: `${quote(word)} cannot be a name here`,
        advice: "write letters, digits and - _ . :",
      };
    }
    return {
      where: source.where(path, "key"),
      message: `${quote(word)} is not known here`,
      advice: hint ?? suggestion(word, known),
    };
  }
  const value = valueAt(source.value, path);
  const expected = String(Reflect.get(schema, "title") ?? "another value");
  const name =
    path.length === 0 ? "the file" : /^\d+$/.test(word) && path.length > 1 ? `${path.at(-2)}` : word;
  return {
    where: source.where(path, "value"),
    message: value === null ? `${name} is empty` : `${name} is ${describe(value, source.text(path))}`,
    advice: `write ${expected}${spelling(schema, value)}`,
  };
}

/** For an enumeration: the allowed word that the user most likely meant. */
function spelling(schema: TSchema, value: unknown): string {
  if (typeof value !== "string") return "";
  if (Reflect.get(schema, "type") === "boolean") {
    if (/^(yes|on|y)$/i.test(value)) return "; here it is true";
    if (/^(no|off|n)$/i.test(value)) return "; here it is false";
    return "";
  }
  const allowed: unknown = Reflect.get(schema, "enum");
  const near = Array.isArray(allowed) ? suggest(value, allowed.map(String)) : null;
  return near === null ? "" : `; did you mean ${near}?`;
}

function describe(value: unknown, text: string): string {
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object") return "a mapping";
  if (typeof value === "string") return value === "" ? "an empty text" : quote(value);
  return text;
}

/** A union's own report covers those of its alternatives, unless an alternative got further into the value. */
function withoutParents<T extends { readonly path: Path }>(entries: readonly T[]): T[] {
  return entries.filter(
    (entry) =>
      !entries.some(
        (other) =>
          other.path.length > entry.path.length && entry.path.every((key, i) => other.path[i] === key),
      ),
  );
}

/** The schema of the value at `path`; null when a word on the way is unknown. */
function schemaAt(root: TSchema, path: Path): TSchema | null {
  let schema: TSchema | null = root;
  for (const key of path) {
    if (schema === null) return null;
    const next: unknown = stepInto(schema, key);
    schema = isSchema(next) ? next : null;
  }
  return schema;
}

function stepInto(schema: TSchema, key: string): unknown {
  const alternatives: unknown = Reflect.get(schema, "anyOf");
  if (Array.isArray(alternatives)) {
    return alternatives
      .map((alternative) => (isSchema(alternative) ? stepInto(alternative, key) : undefined))
      .find(isSchema);
  }
  const properties = propertiesOf(schema);
  if (Object.hasOwn(properties, key)) return properties[key];
  const patterns: unknown = Reflect.get(schema, "patternProperties");
  if (typeof patterns === "object" && patterns !== null) {
    return Object.entries(patterns).find(([pattern]) => new RegExp(pattern).test(key))?.[1];
  }
  return /^\d+$/.test(key) ? Reflect.get(schema, "items") : undefined;
}

function propertiesOf(schema: TSchema | null): Readonly<Record<string, unknown>> {
  if (schema === null) return {};
  const alternatives: unknown = Reflect.get(schema, "anyOf");
  if (Array.isArray(alternatives))
    return Object.assign({}, ...alternatives.filter(isSchema).map(propertiesOf));
  const properties: unknown = Reflect.get(schema, "properties");
  return typeof properties === "object" && properties !== null
    ? Object.fromEntries(Object.entries(properties))
    : {};
}

function isSchema(value: unknown): value is TSchema {
  return typeof value === "object" && value !== null;
}

function valueAt(root: unknown, path: Path): unknown {
  let value = root;
  for (const key of path) {
    value =
      typeof value === "object" && value !== null && Object.hasOwn(value, key)
        ? Reflect.get(value, key)
        : undefined;
  }
  return value;
}

/** A copy without the refused values; a list with a refused item goes as a whole. */
function prune(value: unknown, path: Path, refused: readonly string[]): unknown {
  if (refused.includes(JSON.stringify(path))) return undefined;
  if (Array.isArray(value)) {
    const items = value.map((item, i) => prune(item, [...path, String(i)], refused));
    return items.includes(undefined) ? undefined : items;
  }
  if (typeof value !== "object" || value === null) return value;
  const kept: [string, unknown][] = [];
  for (const [key, child] of Object.entries(value)) {
    const pruned = prune(child, [...path, key], refused);
    if (pruned !== undefined) kept.push([key, pruned]);
  }
  return Object.fromEntries(kept);
}

/** RFC 6901. */
function splitPointer(pointer: string): string[] {
  return pointer
    .split("/")
    .slice(1)
    .map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"));
}
