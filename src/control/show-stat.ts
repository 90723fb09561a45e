import { type StatColumn, statColumns } from "./stat-columns.js";
import { statDescriptions } from "./stat-descriptions.js";
import { type Cells, rowTypes, type StatRow } from "./stat-rows.js";
import { type TypedField, typedLine, typedObject } from "./typed.js";

/** Which rows `show stat <proxy> <type> <server>` asks for. */
export interface StatFilter {
  /** HAProxy's `iid`, or −1 for every proxy. */
  readonly proxyId: number;
  /** Bits: 1 frontends, 2 backends, 4 servers; −1 for all. */
  readonly types: number;
  /** Server number, or −1 for every server. Other rows are not filtered by it. */
  readonly serverId: number;
}

export function filterRows(rows: readonly StatRow[], filter: StatFilter): StatRow[] {
  return rows.filter(
    (row) =>
      (filter.proxyId === -1 || row.proxyId === filter.proxyId) &&
      (filter.types & (1 << rowTypes[row.kind])) !== 0 &&
      (filter.serverId === -1 || row.kind !== "Server" || row.serverId === filter.serverId),
  );
}

/**
 * HAProxy's CSV: a header that begins with `# `, then a line a row. Every line ends with a comma, so that a
 * reader counts one field more than there are columns. The empty line after the last row belongs to the socket.
 */
export function formatCsv(rows: readonly StatRow[]): string {
  const lines = [`# ${statColumns.map(([name]) => `${name},`).join("")}`];
  for (const { cells } of rows) lines.push(statColumns.map(([name]) => `${quote(cells[name])},`).join(""));
  return `${lines.join("\n")}\n`;
}

/** Quotes a value only where it must be quoted, and doubles the quotes inside. */
function quote(value: string | number | undefined): string {
  if (value === undefined) return "";
  if (typeof value === "number") return String(value);
  return /[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value;
}

/** `F.2.0.4.scur.1:MGP:u32:0`, a line for each filled cell; `described`: with what it means. */
export function formatTyped(rows: readonly StatRow[], described = false): string {
  let text = "";
  for (const row of rows) {
    const prefix = `${row.kind[0]}.${row.proxyId}.${row.serverId}.`;
    for (const { name, ...field } of typedFields(row.cells)) {
      const meaning = described ? statDescriptions[name] : undefined;
      text += `${prefix}${typedLine({ name, ...field }, meaning)}\n`;
    }
  }
  return text;
}

/** A list of rows, each a list of its filled cells; one line. */
export function formatJson(rows: readonly StatRow[]): string {
  const value = rows.map((row) =>
    typedFields(row.cells).map((field) => ({
      objType: row.kind,
      proxyId: row.proxyId,
      id: row.serverId,
      ...typedObject(field),
    })),
  );
  return `${JSON.stringify(value)}\n`;
}

interface StatField extends TypedField {
  readonly name: StatColumn;
}

/** The column `-` parts HAProxy's core from its modules in the CSV; in the other forms it does not exist. */
const typedColumns = statColumns.filter(([name]) => name !== "-");

function typedFields(cells: Cells): StatField[] {
  const fields: StatField[] = [];
  typedColumns.forEach(([name, tags, type], position) => {
    const value = cells[name];
    if (value !== undefined) fields.push({ position, name, tags: rowTags(cells, name, tags), type, value });
  });
  return fields;
}

/** What HAProxy calls a gauge in a backend's row, and otherwise elsewhere. */
const backendGauges: ReadonlySet<StatColumn> = new Set<StatColumn>(["act", "bck", "rate", "rate_max"]);

function rowTags(cells: Cells, name: StatColumn, tags: string): string {
  return cells.type === rowTypes.Backend && backendGauges.has(name) ? "MGP" : tags;
}
