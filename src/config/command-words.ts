import { type Parsed, parsed, quote, refused } from "./problem.js";

/**
 * A command as the words that exec takes, by keepalived's quoting: blanks separate, `"…"` and `'…'` keep them, and a
 * backslash keeps the next character outside of `'…'`. No shell: `|`, `>`, `$` and the like stand for themselves.
 */
export function parseCommand(text: string): Parsed<readonly string[]> {
  const words: string[] = [];
  let word: string | null = null;
  let quoted: string | null = null;
  for (let i = 0; i < text.length; i++) {
    const character = text[i];
    if (character === "\\" && quoted !== "'" && i + 1 < text.length) {
      word = `${word ?? ""}${text[++i]}`;
    } else if (quoted !== null) {
      if (character === quoted) quoted = null;
      else word = `${word ?? ""}${character}`;
    } else if (character === '"' || character === "'") {
      quoted = character;
      word ??= "";
    } else if (/\s/.test(character)) {
      if (word !== null) words.push(word);
      word = null;
    } else {
      word = `${word ?? ""}${character}`;
    }
  }
  if (quoted !== null) return refused(`${quote(text)} ends inside ${quoted}`, "close the quotation mark");
  if (word !== null) words.push(word);
  if (words.length === 0) return refused("the command is empty", "write a program and its arguments");
  return parsed(words);
}

/** Writes words so that `parseCommand` reads them back. */
export function describeCommand(words: readonly string[]): string {
  return words
    .map((word) => (/^[^\s"'\\]+$/.test(word) ? word : `"${word.replaceAll(/[\\"]/g, "\\$&")}"`))
    .join(" ");
}
