import type { ErrorFile, ErrorPage } from "../config/error-file.js";
import { errorAnswer } from "./http1/answer.js";

const nothing = new Uint8Array(0);

/** What clients get where the proxy answers an error by itself: its own words, or an error file's. */
export class ErrorPages {
  /** null: the connection ends without an answer. */
  private readonly pages = new Map<number, ErrorPage | null>();
  private readonly cache = new Map<number, Uint8Array>();

  /** `files`: where two are for the same status, the first counts. */
  constructor(files: readonly ErrorFile[] = []) {
    for (const { status, page } of files) if (!this.pages.has(status)) this.pages.set(status, page);
  }

  has(status: number): boolean {
    return this.pages.has(status);
  }

  /** A whole response, the same bytes at every call, not to be changed; empty: the connection ends without one. */
  answer(status: number, keepAlive: boolean, headOnly: boolean): Uint8Array {
    const page = this.pages.get(status);
    if (page === undefined) return errorAnswer(status, keepAlive, headOnly);
    const key = status * 4 + (keepAlive ? 2 : 0) + (headOnly ? 1 : 0);
    let answer = this.cache.get(key);
    if (answer === undefined) {
      answer = page === null ? nothing : build(page, keepAlive, headOnly, []);
      this.cache.set(key, answer);
    }
    return answer;
  }

  /** The same for a rule's answer with further fields; null: there is no file for that status. */
  answerWith(
    status: number,
    fields: readonly string[],
    keepAlive: boolean,
    headOnly: boolean,
  ): Uint8Array | null {
    const page = this.pages.get(status);
    if (page === undefined) return null;
    return page === null ? nothing : build(page, keepAlive, headOnly, fields);
  }
}

function build(page: ErrorPage, keepAlive: boolean, headOnly: boolean, more: readonly string[]): Uint8Array {
  const { statusLine, fields, body } = page;
  const hasNoBody = /^HTTP\/1\.1 (?:204|304) /.test(statusLine);
  const lines = [
    statusLine,
    ...(hasNoBody ? [] : [`Content-Length: ${body.length}`]),
    ...(keepAlive ? [] : ["Connection: close"]),
    ...fields,
    ...more,
  ];
  return Buffer.from(`${lines.join("\r\n")}\r\n\r\n${headOnly ? "" : body}`, "latin1");
}
