import { variableEnd, variableStart } from "./draft.js";

/**
 * The text of a haproxy.cfg as sections of lines of words. Pure, and never throws.
 *
 * As HAProxy reads it: blanks part words, `#` ends a line, `\` keeps the next character, `'…'` keeps all and `"…"` fills in
 * environment variables, `$NAME` and `${NAME}`; they come out between `variableStart` and `variableEnd`.
 */
export interface Line {
  readonly line: number;
  readonly words: readonly string[];
}

export interface Section {
  readonly kind: string;
  /** Behind the section's word. */
  readonly heading: Line;
  readonly lines: readonly Line[];
}

/** Words that begin a section. */
const sectionWords = [
  "global",
  "defaults",
  "listen",
  "frontend",
  "backend",
  "userlist",
  "peers",
  "resolvers",
  "mailers",
  "program",
  "cache",
  "ring",
  "http-errors",
  "fcgi-app",
  "crt-store",
  "log-forward",
  "ruleset",
];

/** The lines before the first section make one of the kind `""`. */
export function parseHaproxy(text: string): Section[] {
  const sections: { kind: string; heading: Line; lines: Line[] }[] = [];
  for (const [i, raw] of text.split(/\r\n|\n|\r/).entries()) {
    const words = splitLine(raw);
    if (words.length === 0) continue;
    const line = { line: i + 1, words };
    if (sectionWords.includes(words[0])) sections.push({ kind: words[0], heading: line, lines: [] });
    else {
      if (sections.length === 0)
        sections.push({ kind: "", heading: { line: line.line, words: [] }, lines: [] });
      sections[sections.length - 1].lines.push(line);
    }
  }
  return sections;
}

export function splitLine(line: string): string[] {
  const words: string[] = [];
  let word: string | null = null;
  let quoted = "";
  for (let i = 0; i < line.length; i++) {
    const character = line[i];
    if (quoted === "'") {
      if (character === "'") quoted = "";
      else word = (word ?? "") + character;
    } else if (character === "\\") {
      const next = line[++i] ?? "";
      word = (word ?? "") + (escapes[next] ?? next);
    } else if (quoted === '"' && character === "$") {
      const name = /^\$(?:\{([A-Za-z_]\w*)\}|([A-Za-z_]\w*))/.exec(line.slice(i));
      if (name === null) word = `${word ?? ""}$`;
      else {
        word = `${word ?? ""}${variableStart}${name[1] ?? name[2]}${variableEnd}`;
        i += name[0].length - 1;
      }
    } else if (character === '"' || (character === "'" && quoted === "")) {
      quoted = quoted === '"' ? "" : character;
      word ??= "";
    } else if (quoted === "" && character === "#") {
      break;
    } else if (quoted === "" && (character === " " || character === "\t")) {
      if (word !== null) words.push(word);
      word = null;
    } else {
      word = (word ?? "") + character;
    }
  }
  if (word !== null) words.push(word);
  return words;
}

const escapes: Readonly<Record<string, string>> = { n: "\n", r: "\r", t: "\t" };
