import { defaultMaxFields, Head, parseRequestHead } from "../../../src/proxy/http1/head.js";
import { RequestFacts } from "../../../src/proxy/rules/request-facts.js";

export const limits = { maxHeadBytes: 16_384, maxFields: defaultMaxFields };

/** The facts of a request in a client's own words, whose lines need no CR. */
export function factsOf(text: string, source = "192.0.2.7", overTls = false): RequestFacts {
  // Not at the start of its buffer: offsets are the record's.
  const bytes = Buffer.from(`xx${text.replaceAll("\n", "\r\n")}\r\n\r\n`, "latin1");
  const head = new Head();
  const end = parseRequestHead(bytes, 2, bytes.length, head, limits);
  if (end !== bytes.length) throw new Error(`no request: ${head.error}`);
  return new RequestFacts(bytes, head, { source, overTls, certificate: null, agreed: null });
}

export function linesOf(facts: RequestFacts): string[] {
  return Buffer.from(facts.toHead()).toString("latin1").split("\r\n").slice(0, -2);
}
