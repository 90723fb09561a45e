/**
 * A request of HTTP/2 as the head of one of HTTP/1.1, which is what exchanges take (RFC 9113 §8). Pure.
 */
import { fieldName, notInValue } from "./field-syntax.js";

/** A head to be read as HTTP/1.1's, whose connection carries this one request. */
export interface RequestHead {
  readonly bytes: Uint8Array;
  /** The first line as HAProxy's log shows it: `GET https://site.example/path HTTP/2.0`. */
  readonly line: string;
  /** A body of unknown length follows: in chunks. */
  readonly isChunked: boolean;
  /** −1: none was said. */
  readonly contentLength: number;
  readonly isHead: boolean;
}

const method = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
/** §8.2.1: white space around a value. */
const aroundValue = /^[ \t]|[ \t]$/;
const digits = /^\d{1,15}$/;
/** What cannot stand in a request line. */
const noTarget = /[^\x21-\x7e\x80-\xff]/;
/** RFC 9113 §8.2.2: a message with one of these is malformed. */
const ofConnection = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "transfer-encoding",
  "upgrade",
  "http2-settings",
]);

/**
 * @param fields names and values by turns, as they came, pseudo-header fields among them; one character a byte
 * @param isWhole the request ends with them
 * @returns null: the request is malformed (RFC 9113 §8.1.1). What HTTP/1.1 calls an error as well is left to its parser.
 */
export function writeRequestHead(fields: readonly string[], isWhole: boolean): RequestHead | null {
  const pseudo: Record<PseudoName, string | null> = {
    ":method": null,
    ":scheme": null,
    ":authority": null,
    ":path": null,
  };
  let host: string | null = null;
  let cookie = "";
  let lines = "";
  let contentLength = -1;
  let hasField = false;
  for (let i = 0; i + 1 < fields.length; i += 2) {
    const name = fields[i];
    const value = fields[i + 1];
    if (notInValue.test(value) || aroundValue.test(value)) return null;
    if (isPseudoName(name)) {
      if (hasField || pseudo[name] !== null) return null;
      pseudo[name] = value;
      continue;
    }
    hasField = true;
    if (!fieldName.test(name) || ofConnection.has(name)) return null;
    // §8.2.2: nothing else may be asked for, and it goes no further than here.
    if (name === "te") {
      if (value !== "trailers") return null;
    } else if (name === "host") {
      if (host !== null) return null;
      host = value;
    }
    // §8.2.3: in one field outside of HTTP/2.
    else if (name === "cookie") cookie += cookie === "" ? value : `; ${value}`;
    else {
      if (name === "content-length") {
        if (contentLength >= 0 || !digits.test(value)) return null;
        contentLength = Number(value);
      }
      lines += `${name}: ${value}\r\n`;
    }
  }
  const { ":method": verb, ":authority": authority, ":path": path } = pseudo;
  const scheme = pseudo[":scheme"];
  if (verb === null || !method.test(verb)) return null;
  const target = verb === "CONNECT" ? authority : path;
  if (target === null || target === "" || noTarget.test(target)) return null;
  if (verb === "CONNECT" ? scheme !== null || path !== null : scheme === null || noTarget.test(scheme))
    return null;
  // §8.3.1: two readers could take it for requests to two hosts.
  if (authority !== null && host !== null && authority.toLowerCase() !== host.toLowerCase()) return null;
  // §8.1.1: a length that no DATA follows.
  if (isWhole && contentLength > 0) return null;
  const named = authority ?? host;
  const isChunked = !isWhole && contentLength < 0;
  const text =
    `${verb} ${target} HTTP/1.1\r\n` +
    (named === null ? "" : `host: ${named}\r\n`) +
    lines +
    (cookie === "" ? "" : `cookie: ${cookie}\r\n`) +
    `${isChunked ? "transfer-encoding: chunked\r\n" : ""}connection: close\r\n\r\n`;
  return {
    bytes: Buffer.from(text, "latin1"),
    line: `${verb} ${shownTarget(verb, scheme, named, target)} HTTP/2.0`,
    isChunked,
    contentLength,
    isHead: verb === "HEAD",
  };
}

type PseudoName = ":method" | ":scheme" | ":authority" | ":path";

function isPseudoName(name: string): name is PseudoName {
  return name === ":method" || name === ":scheme" || name === ":authority" || name === ":path";
}

/** In absolute form, as HAProxy has it. */
function shownTarget(verb: string, scheme: string | null, host: string | null, target: string): string {
  if (verb === "CONNECT") return target;
  return `${scheme}://${host ?? ""}${target === "*" ? "" : target}`;
}
