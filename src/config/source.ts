import {
  type Document,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseDocument,
  visit,
} from "yaml";
import type { Problem } from "./problem.js";
import { noSurroundings, type Surroundings } from "./surroundings.js";
import { expandDocument } from "./variables.js";

/** Keys from the root of the file to a value. */
export type Path = readonly string[];

/** A YAML text, its value, and where each part of it stands. */
export interface Source {
  /** Plain objects, arrays and scalars; undefined when the text is not YAML. */
  readonly value: unknown;
  /** What the YAML itself has wrong. */
  readonly problems: readonly Problem[];
  /** The files that it comes from, in the order in which they are read. */
  readonly files: readonly string[];
  /** `file:line:column` of the value at `path` or of its key; of the nearest parent when it is not there. */
  where(path: Path, part: "key" | "value"): string;
  /** The value's text exactly as it is written, without quotes; "" when it is not a scalar. */
  text(path: Path): string;
  /** The words of the mapping at `path` in the order of the text, which objects lose for words like "1". */
  words(path: Path): readonly string[];
}

/** Parses YAML 1.2 and fills in its references (`variables.ts`). Never throws. `file` is named in the positions. */
export function readSource(text: string, file: string, surroundings: Surroundings = noSurroundings): Source {
  const lines = new LineCounter();
  const problems: Problem[] = [];
  const at = (offset: number): string => {
    const { line, col } = lines.linePos(Math.min(offset, text.length));
    return `${file}:${line}:${col}`;
  };
  let document: Document | null = null;
  let value: unknown;
  try {
    document = parseDocument(text, {
      lineCounter: lines,
      prettyErrors: false,
      logLevel: "error",
      stringKeys: true,
    });
    for (const error of [...document.errors, ...document.warnings]) {
      problems.push({ where: at(error.pos[0]), ...explain(error.code, error.message) });
    }
    problems.push(...brokenAliases(document, at));
    expandDocument(document, file, surroundings, (offset, message, advice) => {
      problems.push({ where: at(offset), message, advice });
    });
    if (problems.length === 0) value = document.toJS();
  } catch (error) {
    // Nesting so deep that the stack ends, or aliases that multiply beyond measure.
    const message = error instanceof Error ? error.message : String(error);
    problems.push({
      where: at(0),
      message: `this YAML cannot be read: ${message}`,
      advice: "write it simpler",
    });
  }
  return {
    value,
    problems: firstAtEach(problems),
    files: [file],
    where: (path, part) => {
      const found = document === null ? null : follow(document, path);
      return at(found === null ? 0 : part === "key" ? found.keyOffset : found.offset);
    },
    text: (path) => {
      const node = document === null ? null : follow(document, path).node;
      return isScalar(node) ? (node.source ?? String(node.value)) : "";
    },
    words: (path) => {
      const node = document === null ? null : follow(document, path).node;
      return isMap(node) ? node.items.map(({ key }) => (isScalar(key) ? String(key.value) : "")) : [];
    },
  };
}

/** One mistake makes a parser stumble over the same place again and again: its first finding says it. */
function firstAtEach(problems: readonly Problem[]): Problem[] {
  return [...new Map(problems.toReversed().map((problem) => [problem.where, problem])).values()].toReversed();
}

/** What stands at `path`, as far as it can be followed. */
interface Found {
  /** Null where the path ends early or the value is empty. */
  readonly node: Node | null;
  /** Offset in the text of the value (of an alias: of its use), or of the nearest thing that is there. */
  readonly offset: number;
  /** Offset of the last key, where the path ends in a mapping. */
  readonly keyOffset: number;
}

function follow(document: Document, path: Path): Found {
  let node: Node | null = document.contents;
  let offset = node?.range?.[0] ?? 0;
  let keyOffset = offset;
  for (const key of path) {
    const parent = isAlias(node) ? (node.resolve(document) ?? null) : node;
    let next: unknown = null;
    if (isMap(parent)) {
      const pair = parent.items.find((item) => isScalar(item.key) && item.key.value === key);
      if (pair === undefined) return { node: null, offset, keyOffset };
      keyOffset = isScalar(pair.key) ? (pair.key.range?.[0] ?? offset) : offset;
      next = pair.value;
      offset = keyOffset;
    } else if (isSeq(parent)) {
      next = parent.items[Number(key)];
    }
    if (!isNode(next)) return { node: null, offset, keyOffset };
    node = next;
    offset = node.range?.[0] ?? offset;
    if (isSeq(parent)) keyOffset = offset;
  }
  return { node: isAlias(node) ? (node.resolve(document) ?? null) : node, offset, keyOffset };
}

/** Aliases that lead nowhere or into themselves: `toJS` would throw or build an endless value. */
function brokenAliases(document: Document, at: (offset: number) => string): Problem[] {
  const problems: Problem[] = [];
  visit(document, {
    Alias(_key, alias, ancestors) {
      const where = at(alias.range?.[0] ?? 0);
      const target = alias.resolve(document);
      if (target === undefined) {
        problems.push({
          where,
          message: `*${alias.source} refers to an anchor that is not there`,
          advice: `quote it if a plain text is meant, such as "*:80"`,
        });
      } else if (ancestors.includes(target)) {
        problems.push({ where, message: `*${alias.source} contains itself`, advice: "write the value out" });
      }
    },
  });
  return problems;
}

/** The library's message, with what to do about the mistakes that users make most. */
function explain(code: string, message: string): { readonly message: string; readonly advice: string } {
  const what = message.replace(/\.$/, "");
  switch (code) {
    case "DUPLICATE_KEY":
      return { message: "the same word stands twice in this mapping", advice: "keep one of them" };
    case "TAB_AS_INDENT":
      return { message: "a tab is used to indent", advice: "indent with spaces" };
    case "MULTIPLE_DOCS":
      return { message: "a second document begins here", advice: "remove the line ---" };
    case "NON_STRING_KEY":
      return { message: "a word before a colon is not a plain text", advice: "write a plain word" };
    case "TAG_RESOLVE_FAILED":
      return { message: what, advice: "quote it if a plain text is meant" };
    default:
      return { message: what, advice: "check the indentation, the brackets and the quotes here" };
  }
}
