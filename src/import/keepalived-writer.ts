import type { Draft, Place } from "./draft.js";
import type { Statement } from "./keepalived-parse.js";

/** How statements of keepalived's file become values of a draft, by the kind of value. What cannot be one is noted. Pure. */
export class StatementWriter {
  constructor(
    private readonly file: string,
    private readonly draft: Draft,
  ) {}

  /** A block's own line, which is carried over with what is in it. */
  heading(statement: Statement, what: string, path: readonly string[] = [what]): void {
    if (this.draft.has(path)) this.draft.join(path, this.place(statement));
    else this.draft.note(this.place(statement), what, "nothing of it was carried over");
  }

  text(path: readonly string[], words: readonly string[], statement: Statement): void {
    const text = words.join(" ");
    if (text === "") {
      this.skip(statement, "it has no value");
      return;
    }
    this.draft.set(path, text, this.place(statement));
  }

  number(path: readonly string[], [text = ""]: readonly string[], statement: Statement): void {
    if (!isNumber(text)) {
      this.skip(statement, "its value is not a number");
      return;
    }
    this.draft.set(path, Number(text), this.place(statement));
  }

  truth(path: readonly string[], [text]: readonly string[], statement: Statement): void {
    this.draft.set(path, isTrue(text), this.place(statement));
  }

  list(path: readonly string[], statement: Statement, words: readonly string[]): void {
    if (words.length === 0) {
      this.skip(statement, "it is empty");
      return;
    }
    this.draft.set(path, words, this.place(statement));
    for (const { line } of statement.block ?? []) this.draft.join(path, { file: this.file, line });
  }

  /** `"/usr/local/bin/told master" user group`: one word or quoted text, and behind it whom the script runs as. */
  command(path: readonly string[], statement: Statement): void {
    const [, script, ...rest] = statement.words;
    if (script === undefined) {
      this.skip(statement, "it has no script");
      return;
    }
    if (rest.length > 0) {
      this.draft.set([...path, "script"], script, this.place(statement));
      this.draft.set([...path, "user"], rest.slice(0, 2).join(" "), this.place(statement));
    } else this.text(path, [script], statement);
  }

  skip(statement: Statement, reason: string): void {
    this.draft.note(this.place(statement), statement.words.join(" "), reason, statement.lastLine);
  }

  place({ line }: { readonly line: number }): Place {
    return { file: this.file, line };
  }

  /** Each line of a block as one text. */
  lines(path: readonly string[], statement: Statement): void {
    for (const line of entries(statement)) this.draft.set(path, [line.words.join(" ")], this.place(line));
    this.heading(statement, path[path.length - 1], path);
  }
}

/** The lines of a block, and what stands behind its word. */
export function entries({ words, block, line, lastLine }: Statement): Statement[] {
  const own = words.length > 1 ? [{ line, lastLine, words: words.slice(1), block: null }] : [];
  return [...own, ...(block ?? [])];
}

export function isNumber(text: string): boolean {
  return /^-?\d+(\.\d+)?$/.test(text);
}

/** keepalived's truths: no word at all is true. */
export function isTrue(text: string | undefined): boolean {
  return text === undefined || !/^(off|no|false|0)$/i.test(text);
}
