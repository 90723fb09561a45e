/** HAProxy's self-describing forms of `show stat` and `show info`: `typed` (a line a field) and `json`. */

const origins: Readonly<Record<string, string>> = {
  M: "Metric",
  S: "Status",
  K: "Key",
  C: "Config",
  P: "Product",
};
const natures: Readonly<Record<string, string>> = {
  A: "Age",
  a: "Avg",
  C: "Counter",
  D: "Duration",
  G: "Gauge",
  L: "Limit",
  M: "Max",
  m: "Min",
  N: "Name",
  O: "Output",
  R: "Rate",
};
const scopes: Readonly<Record<string, string>> = { C: "Cluster", S: "Service", P: "Process" };

/** One field: its position among the fields, three letters (origin, nature, scope), and HAProxy's type name. */
export interface TypedField {
  readonly position: number;
  readonly name: string;
  readonly tags: string;
  readonly type: string;
  readonly value: string | number;
}

/** `4.scur.1:MGP:u32:0`; the 1 is the process number. With what it means behind it, as `desc` asks for. */
export function typedLine(field: TypedField, meaning?: string): string {
  const line = `${field.position}.${field.name}.1:${field.tags}:${field.type}:${field.value}`;
  return meaning === undefined ? line : `${line}:"${meaning}"`;
}

export function typedObject(field: TypedField): object {
  const [origin, nature, scope] = field.tags;
  return {
    field: { pos: field.position, name: field.name },
    processNum: 1,
    tags: { origin: origins[origin], nature: natures[nature], scope: scopes[scope] },
    value: { type: field.type, value: field.value },
  };
}
