import { fileSchema } from "../config/schema.js";

/**
 * The schema of `lb.yaml` for editors: JSON Schema 2020-12. Numbers, truths and enumerations may also be a reference such
 * as `${NAME}`, which is text until the file is read.
 */
export function editorSchema(): string {
  const json: unknown = JSON.parse(JSON.stringify(fileSchema));
  const withReferences = widen(json);
  const head = { $schema: "https://json-schema.org/draft/2020-12/schema", $id: "lb.schema.json" };
  return `${JSON.stringify({ ...head, ...withReferences }, null, 1)}\n`;
}

const reference = { type: "string", pattern: "\\$\\{[^}]+\\}" };

function widen(value: unknown): object {
  return isObject(value) ? widenObject(value) : {};
}

function widenObject(schema: Readonly<Record<string, unknown>>): object {
  const isNarrow =
    ["integer", "number", "boolean"].includes(String(schema.type)) || Array.isArray(schema.enum);
  if (isNarrow) {
    const { title, description, ...rest } = schema;
    return {
      ...(title !== undefined && { title }),
      ...(description !== undefined && { description }),
      anyOf: [rest, reference],
    };
  }
  return Object.fromEntries(Object.entries(schema).map(([key, member]) => [key, widenMember(key, member)]));
}

function widenMember(key: string, member: unknown): unknown {
  if ((key === "properties" || key === "patternProperties") && isObject(member))
    return Object.fromEntries(Object.entries(member).map(([name, schema]) => [name, widen(schema)]));
  if (key === "anyOf" && Array.isArray(member)) return member.map(widen);
  return key === "items" && isObject(member) ? widen(member) : member;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
