import { isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from "yaml";
import type { Confinement } from "../config/confinement.js";
import { loadConfig } from "../config/load.js";
import { sentences } from "../config/problem.js";
import type { Surroundings } from "../config/surroundings.js";
import { Draft, type Note } from "./draft.js";
import { importHaproxy } from "./haproxy.js";
import { splitLine } from "./haproxy-parse.js";
import { importKeepalived } from "./keepalived.js";
import { withoutComment } from "./keepalived-parse.js";
import { shown } from "./shown-line.js";

export interface ImportedFile {
  readonly path: string;
  readonly text: string;
}

/** What an import came to. */
export interface Imported {
  /** The `lb.yaml`, which `lb check` accepts; null: nothing could be carried over. */
  readonly yaml: string | null;
  /** What was not carried over, in the order of the files and lines. */
  readonly notes: readonly Note[];
  /** What `lb check` warns of. */
  readonly warnings: readonly string[];
  /** Lines, by file, from which something came over. */
  readonly carried: ReadonlyMap<string, ReadonlySet<number>>;
}

/** A machine on which any reference is set: the import does not ask which. */
const anywhere: Surroundings = {
  variable: () => "1",
  read: () => ({ ok: true, value: "" }),
  bytes: () => ({ ok: true, value: new Uint8Array(0) }),
  match: () => ({ ok: true, value: [] }),
};
const machine = { hostname: "lb", cores: 1 };
const outputName = "lb.yaml";
/** Each round takes something out, so this is only against a fault of ours. */
const mostRounds = 10_000;

/** HAProxy's and keepalived's files as one `lb.yaml`. Pure, and never throws. `confinement`: of the service that will read it. */
export function importFiles(
  haproxy: readonly ImportedFile[],
  keepalived: readonly ImportedFile[],
  confinement: Confinement | null = null,
): Imported {
  const draft = new Draft();
  for (const { path, text } of keepalived)
    importKeepalived(text, path, { withHaproxy: haproxy.length > 0 }, draft);
  for (const { path, text } of haproxy) importHaproxy(text, path, draft);
  placeAdmin(draft);
  const warnings = repair(draft, confinement);
  for (const file of haproxy) noteForgotten(file, (line) => splitLine(line).length > 0, draft);
  for (const file of keepalived) {
    // A definition says nothing by itself, a brace belongs to its block.
    const says = (line: string) =>
      /[^\s{}]/.test(withoutComment(line.trim()).text) && !/^\s*\$\w+\s*=/.test(line);
    noteForgotten(file, says, draft);
  }
  const files = [...keepalived, ...haproxy];
  const notes = draft.notes
    .map((note) => withText(note, files))
    .toSorted((a, b) => order(files, a) - order(files, b) || a.line - b.line);
  const carried = new Map(files.map(({ path }) => [path, new Set<number>()]));
  for (const { file, line } of draft.carried()) carried.get(file)?.add(line);
  if (warnings === null) return { yaml: null, notes, warnings: [], carried };
  return { yaml: `${header(files, notes)}${draft.write()}`, notes, warnings, carried };
}

/** `lb.cfg:3: "daemon" is left out: the unit does it`. */
export function describeNote({ file, line, lastLine, text, reason }: Note): string {
  const lines = lastLine > line ? `${line}-${lastLine}` : String(line);
  return `${file}:${lines}: ${text === "" ? "" : `${JSON.stringify(text)}: `}${reason}`;
}

/** Whatever became of a line, it is not lost in silence. */
function noteForgotten({ path, text }: ImportedFile, says: (line: string) => boolean, draft: Draft): void {
  const carried = new Set(draft.carried().flatMap(({ file, line }) => (file === path ? [line] : [])));
  const told = draft.notes.filter(({ file }) => file === path);
  for (const [i, line] of text.split(/\r\n|\n|\r/).entries()) {
    const isTold = told.some((note) => note.line <= i + 1 && note.lastLine >= i + 1);
    if (!isTold && !carried.has(i + 1) && says(line))
      draft.note({ file: path, line: i + 1 }, "", "nothing in lb.yaml comes of it");
  }
}

/** The page has an address of its own: that of the interface, beside proxies that leave its port 80 free. */
function placeAdmin(draft: Draft): void {
  if (!draft.has(["admin"]) || draft.has(["admin", "bind"])) return;
  const [instance] = draft.keys(["vrrp"]);
  const network = instance === undefined ? undefined : draft.get(["vrrp", instance, "interface"]);
  const binds = ["proxies", "frontends"].flatMap((section) =>
    draft.keys([section]).flatMap((name) => draft.get([section, name, "bind"]) ?? []),
  );
  const addresses = binds.map((bind) => (bind instanceof Map ? bind.get("address") : bind));
  const isFree = !addresses.some((address) => address === "*:80" || address === "[::]:80");
  const port = isFree && typeof network === "string" ? 80 : 8404;
  const place = draft.carried()[0] ?? { file: outputName, line: 1 };
  draft.set(["admin", "bind"], `${typeof network === "string" ? network : "127.0.0.1"}:${port}`, place);
}

/** Takes out what `lb check` refuses until it refuses nothing. The warnings; null: nothing is left. */
function repair(draft: Draft, confinement: Confinement | null): readonly string[] | null {
  for (let round = 0; round < mostRounds && !draft.isEmpty; round++) {
    const text = draft.write();
    const { config, problems, warnings } = loadConfig(
      text,
      outputName,
      { ...machine, confinement },
      anywhere,
    );
    // Their places are those of the text without its head.
    if (config !== null) return warnings.map(({ message, advice }) => sentences(message, advice));
    const [problem] = problems;
    const path = locate(text, problem.where);
    if (path.length === 0) return null;
    draft.remove(path, `lb check refuses it: ${problem.message}`);
  }
  return null;
}

/** The keys that lead to what stands at `lb.yaml:LINE:COL`. */
function locate(text: string, where: string): string[] {
  const [line, column] = where.split(":").slice(-2).map(Number);
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, logLevel: "silent", stringKeys: true });
  const offset = (lines.lineStarts[line - 1] ?? 0) + column - 1;
  const path: string[] = [];
  let node: unknown = document.contents;
  for (;;) {
    const next = childAt(node, offset);
    if (next === null) return path;
    path.push(next.key);
    if (next.isKey) return path;
    node = next.node;
  }
}

function childAt(node: unknown, offset: number): { key: string; node: unknown; isKey: boolean } | null {
  const holds = (part: Node | null): boolean =>
    part?.range !== null &&
    part?.range !== undefined &&
    part.range[0] <= offset &&
    offset < Math.max(part.range[1], part.range[0] + 1);
  if (isMap(node)) {
    for (const { key, value } of node.items) {
      if (!isScalar(key)) continue;
      if (holds(key)) return { key: String(key.value), node: value, isKey: true };
      if (isScalar(value) || isMap(value) || isSeq(value)) {
        if (holds(value)) return { key: String(key.value), node: value, isKey: false };
      }
    }
  } else if (isSeq(node)) {
    for (const [i, item] of node.items.entries()) {
      if ((isScalar(item) || isMap(item) || isSeq(item)) && holds(item))
        return { key: String(i), node: item, isKey: false };
    }
  }
  return null;
}

function withText(note: Note, files: readonly ImportedFile[]): Note {
  if (note.text !== "") return { ...note, text: shown(note.text.split(" ")) };
  const line = files.find(({ path }) => path === note.file)?.text.split(/\r\n|\n|\r/)[note.line - 1] ?? "";
  return { ...note, text: shown(line.trim().split(/\s+/)) };
}

function order(files: readonly ImportedFile[], { file }: Note): number {
  return files.findIndex(({ path }) => path === file);
}

function header(files: readonly ImportedFile[], notes: readonly Note[]): string {
  const lines = [
    `Imported by lb import from ${files.map(({ path }) => path).join(", ")}.`,
    ...(notes.length === 0
      ? []
      : ["Not carried over, or changed:", ...notes.map((note) => `  ${describeNote(note)}`)]),
  ];
  // A control character would end the comment, or the YAML.
  const clean = (line: string): string => line.replace(/[^\P{C}\t]/gu, "?").replace(/[\u2028\u2029]/g, "?");
  return `${lines.map((line) => `# ${clean(line)}\n`).join("")}\n`;
}
