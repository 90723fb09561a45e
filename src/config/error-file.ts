import { type Parsed, parsed, quote, refused } from "./problem.js";

/** HAProxy's errorfile: what clients get instead of the proxy's own answer with this status. */
export interface ErrorFile {
  /** The answer whose place it takes: 400 to 599. */
  readonly status: number;
  readonly path: string;
  /** null: the file is empty, and the connection ends without an answer. */
  readonly page: ErrorPage | null;
}

/** One character a byte. */
export interface ErrorPage {
  /** `HTTP/1.1 503 Service Unavailable`: the version is ours, the status and its reason are the file's. */
  readonly statusLine: string;
  /** `Name: value`, without those that frame the message or are about the connection. */
  readonly fields: readonly string[];
  readonly body: string;
}

/** A file may be so large: an answer is sent at once and kept in memory. */
export const mostErrorFileBytes = 65_536;

/** What frames a message or ends at the next hop is ours to write, and a file's word on it is not taken. */
const ownFields =
  /^(?:connection|content-length|keep-alive|proxy-connection|te|trailer|transfer-encoding|upgrade)$/i;

/**
 * Reads the raw HTTP response of an error file: status line, fields, an empty line, body (RFC 9112 §2.1; lines may end with
 * LF alone, as many such files do). Empty: `null`. Pure.
 */
export function parseErrorFile(bytes: Uint8Array): Parsed<ErrorPage | null> {
  if (bytes.length === 0) return parsed(null);
  if (bytes.length > mostErrorFileBytes)
    return refused(`it has ${bytes.length} bytes`, `make it at most ${mostErrorFileBytes} bytes long`);
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
  const headEnd = /\r?\n\r?\n/.exec(text);
  if (headEnd === null)
    return refused(
      "it has no empty line between its fields and its body",
      "begin it with a head, such as HTTP/1.1 503 Service Unavailable, Content-Type: text/html, and an empty line",
    );
  const [first = "", ...lines] = text.slice(0, headEnd.index).split(/\r?\n/);
  const statusLine = /^HTTP\/\d\.\d ([2-5]\d\d)(?: ([\t -~\u0080-\u00ff]*))?$/.exec(first);
  if (statusLine === null)
    return refused(
      `it begins with ${quote(first)}`,
      "begin it with a status line, such as HTTP/1.1 503 Service Unavailable",
    );
  for (const line of lines) {
    if (/^[!#$%&'*+.^_`|~0-9A-Za-z-]+:[\t -~\u0080-\u00ff]*$/.test(line)) continue;
    return refused(`${quote(line)} in it is no field`, "write each as Name: value in a line of its own");
  }
  const [, status, reason = ""] = statusLine;
  const body = text.slice(headEnd.index + headEnd[0].length);
  const hasNoBody = status === "204" || status === "304";
  if (hasNoBody && body !== "") return refused(`a ${status} has no body`, "leave it out of the file");
  const fields = lines.map((line) => line.replace(/:[\t ]*/, ": ").trimEnd());
  return parsed({
    statusLine: `HTTP/1.1 ${status} ${reason}`,
    fields: fields.filter((field) => !ownFields.test(field.slice(0, field.indexOf(":")))),
    body,
  });
}
