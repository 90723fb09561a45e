/**
 * The text of a keepalived.conf as a tree of statements. Pure, and never throws.
 *
 * As keepalived reads it: `!` and `#` begin a comment anywhere outside of `"…"`, even inside a word, unless a backslash
 * is before them; a backslash at a line's end joins the next line; braces stand behind a word or alone.
 */
export interface Statement {
  readonly line: number;
  /** Line of the closing brace, or the same. */
  readonly lastLine: number;
  /** Without quotation marks. */
  readonly words: readonly string[];
  /** Null: no braces. */
  readonly block: readonly Statement[] | null;
}

interface Token {
  readonly line: number;
  readonly text: string;
  readonly kind: "word" | "open" | "close" | "end";
}

interface Parsing {
  readonly tokens: readonly Token[];
  at: number;
  readonly definitions: Map<string, string>;
}

/** Deeper blocks than any word of keepalived has. */
const deepest = 20;

export function parseKeepalived(text: string): Statement[] {
  return readBlock({ tokens: tokenize(text), at: 0, definitions: new Map() }, 0);
}

/** One line without its comment, as keepalived's `decomment` leaves it; `continues`: the next line belongs to it. */
export function withoutComment(line: string): { readonly text: string; readonly continues: boolean } {
  let text = "";
  let quoted = false;
  for (let i = 0; i < line.length; i++) {
    const character = line[i];
    if (character === '"') quoted = !quoted;
    if (character === "\\") {
      const next = line[i + 1];
      if (next === undefined) return { text, continues: true };
      text += !quoted && (next === "#" || next === "!") ? next : `${character}${next}`;
      i++;
      continue;
    }
    if (!quoted && (character === "!" || character === "#")) break;
    text += character;
  }
  return { text: text.trim(), continues: false };
}

function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  let joined = "";
  let first = 0;
  for (const [i, line] of text.split(/\r\n|\n|\r/).entries()) {
    if (joined === "") first = i + 1;
    const { text: part, continues } = withoutComment(line.trim());
    joined += part;
    if (continues) {
      joined += " ";
      continue;
    }
    tokens.push(...tokenizeLine(joined, first));
    joined = "";
  }
  return [...tokens, ...tokenizeLine(joined, first)];
}

function tokenizeLine(text: string, line: number): Token[] {
  const tokens: Token[] = [];
  for (const match of text.matchAll(/"((?:[^"\\]|\\.)*)"?|[{}]|(?:\\.|[^\s{}"\\]|\\$)+/g)) {
    const [whole, quoted] = match;
    if (whole === "{") tokens.push({ line, text: "", kind: "open" });
    else if (whole === "}") tokens.push({ line, text: "", kind: "close" });
    else tokens.push({ line, text: whole.startsWith('"') ? (quoted ?? "") : whole, kind: "word" });
  }
  if (tokens.length > 0) tokens.push({ line, text: "", kind: "end" });
  return tokens;
}

function readBlock(parsing: Parsing, depth: number): Statement[] {
  const statements: Statement[] = [];
  let words: Token[] = [];
  const finish = (block: readonly Statement[] | null, lastLine: number): void => {
    const [head] = words;
    const texts = words.map(({ text }) => fillIn(text, parsing.definitions));
    words = [];
    if (head === undefined) return;
    if (!define(texts, parsing.definitions)) {
      statements.push({ line: head.line, lastLine: Math.max(lastLine, head.line), words: texts, block });
    }
  };
  while (parsing.at < parsing.tokens.length) {
    const token = parsing.tokens[parsing.at++];
    if (token.kind === "word") words.push(token);
    else if (token.kind === "close") {
      finish(null, token.line);
      if (depth > 0) return statements;
    } else if (token.kind === "open") {
      if (depth >= deepest) continue;
      if (words.length === 0) words.push({ ...token, text: "{" });
      const block = readBlock(parsing, depth + 1);
      finish(block, parsing.tokens[parsing.at - 1].line);
    } else if (!opensNext(parsing)) finish(null, token.line);
  }
  finish(null, parsing.tokens.at(-1)?.line ?? 1);
  return statements;
}

/** Whether the brace of this statement stands alone in the next line. */
function opensNext({ tokens, at }: Parsing): boolean {
  return tokens[at]?.kind === "open";
}

/** `$NAME=value`: keepalived's definitions. */
function define(words: readonly string[], definitions: Map<string, string>): boolean {
  const match = /^\$([A-Za-z_]\w*)\s*=\s*(.*)$/s.exec(words.join(" "));
  if (match === null) return false;
  definitions.set(match[1], match[2]);
  return true;
}

function fillIn(text: string, definitions: ReadonlyMap<string, string>): string {
  if (!text.includes("$") || /^\$[A-Za-z_]\w*\s*=/.test(text)) return text;
  return text.replace(
    /\$\{([A-Za-z_]\w*)\}|\$([A-Za-z_]\w*)/g,
    (whole, braced?: string, bare?: string) => definitions.get(braced ?? bare ?? "") ?? whole,
  );
}
