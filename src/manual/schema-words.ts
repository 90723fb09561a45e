import { fileSchema } from "../config/schema.js";

/** The schema of `lb.yaml` as a list of its words, for the reference and the manual page. Pure. */

export interface Word {
  readonly name: string;
  /** What it may be: the schema's title. */
  readonly value: string;
  /** Null: none is told. */
  readonly default: string | null;
  readonly meaning: string;
  /** The mapping behind it has words of its own, in this section. */
  readonly section: string | null;
}

export interface Section {
  /** `proxies.NAME.servers.NAME.check`; empty: the file itself. */
  readonly path: string;
  readonly words: readonly Word[];
}

type Json = Readonly<Record<string, unknown>>;

export function schemaSections(): Section[] {
  const sections: Section[] = [];
  collect("", toJson(fileSchema), sections, new Map());
  return sections;
}

/** `known`: mappings that were told of already, by their content: a word of a frontend is that of a proxy. */
function collect(path: string, schema: Json, sections: Section[], known: Map<string, string>): void {
  const properties = propertiesOf(schema);
  const later: [string, Json][] = [];
  const words = Object.entries(properties).map(([name, property]): Word => {
    const below = mappingOf(property);
    const place = path === "" ? name : `${path}.${name}`;
    let section: string | null = null;
    if (below !== null) {
      const at = below.named ? `${place}.NAME` : place;
      const content = JSON.stringify(below.schema);
      section = known.get(content) ?? at;
      if (!known.has(content)) {
        known.set(content, at);
        later.push([at, below.schema]);
      }
    }
    return { name, ...describe(property), section };
  });
  sections.push({ path, words });
  for (const [at, below] of later) collect(at, below, sections, known);
}

/** The mapping of words behind a value, alone, in a list, by names, or as one of several things. */
function mappingOf(schema: Json): { readonly schema: Json; readonly named: boolean } | null {
  const alternatives = Array.isArray(schema.anyOf) ? schema.anyOf.filter(isJson) : [schema];
  for (const alternative of alternatives) {
    if (Object.keys(propertiesOf(alternative)).length > 0) return { schema: alternative, named: false };
    if (isJson(alternative.items) && Object.keys(propertiesOf(alternative.items)).length > 0)
      return { schema: alternative.items, named: false };
    const patterns = isJson(alternative.patternProperties)
      ? Object.values(alternative.patternProperties)
      : [];
    for (const value of patterns.filter(isJson)) {
      const below = mappingOf(value);
      if (below !== null) return { schema: below.schema, named: true };
    }
  }
  return null;
}

function describe(schema: Json): Pick<Word, "value" | "default" | "meaning"> {
  const text = (name: string): string => (typeof schema[name] === "string" ? schema[name] : "");
  const description = text("description");
  const match = /(?:^|(?<=[.:;] ))Default:? (.+?)\.?$/s.exec(description);
  const meaning = match === null ? description : description.slice(0, match.index).trim();
  return { value: text("title"), default: match?.[1] ?? null, meaning };
}

function propertiesOf(schema: Json): Readonly<Record<string, Json>> {
  const { properties } = schema;
  if (!isJson(properties)) return {};
  return Object.fromEntries(
    Object.entries(properties).filter((entry): entry is [string, Json] => isJson(entry[1])),
  );
}

function isJson(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function toJson(value: unknown): Json {
  const json: unknown = JSON.parse(JSON.stringify(value));
  return isJson(json) ? json : {};
}
