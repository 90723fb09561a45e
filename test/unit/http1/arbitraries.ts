/** Messages that are valid by construction, together with what a reader must find in them. */
import fc from "fast-check";

const charactersOf = (...ranges: [from: number, to: number][]): string[] =>
  ranges.flatMap(([from, to]) =>
    Array.from({ length: to - from + 1 }, (_, i) => String.fromCharCode(from + i)),
  );

const textFrom = (characters: readonly string[], minLength: number, maxLength: number) =>
  fc.array(fc.constantFrom(...characters), { minLength, maxLength }).map((parts) => parts.join(""));

const letters = charactersOf([0x41, 0x5a], [0x61, 0x7a]);
const digits = charactersOf([0x30, 0x39]);
const tokenCharacters = [...letters, ...digits, ..."!#$%&'*+-.^_`|~"];
const visible = charactersOf([0x21, 0x7e], [0x80, 0xff]);
const targetCharacters = charactersOf([0x21, 0x22], [0x24, 0x7e]);

const token = textFrom(tokenCharacters, 1, 20);
const space = textFrom([" ", "\t"], 0, 2);

/** Inner white space and obs-text included, none at the ends. */
const value = fc
  .tuple(textFrom(visible, 0, 8), textFrom([...visible, " ", "\t"], 0, 30), textFrom(visible, 1, 8))
  .map((parts) => parts.join("").trim())
  .map((text) => text.replace(/^[ \t]+|[ \t]+$/g, ""));

/** Names that the core itself acts upon; the generators place those on purpose. */
const known =
  /^(host|content-length|transfer-encoding|connection|keep-alive|proxy-connection|proxy-authorization|proxy-authenticate|proxy-authentication-info|te|upgrade|trailer|expect|x-forwarded-proto|x-forwarded-for|http2-settings|close)$/i;

const endToEndName = fc.oneof(
  token.filter((name) => !known.test(name)),
  fc.constantFrom(
    "Accept",
    "Cookie",
    "content-type",
    "Content-Lengt",
    "Content-Length2",
    "Hosts",
    "X-Connection",
  ),
);

export interface Field {
  name: string;
  value: string;
  /** The line as it is sent. */
  line: string;
}

const spaced = (name: string, value: string, before: string, after: string): Field => ({
  name,
  value,
  line: `${name}:${before}${value}${after}`,
});

const endToEndField = fc.tuple(endToEndName, value, space, space).map((parts) => spaced(...parts));

const inAnyCase = (word: string): fc.Arbitrary<string> =>
  fc
    .array(fc.boolean(), { minLength: word.length, maxLength: word.length })
    .map((upper) => [...word].map((c, i) => (upper[i] ? c.toUpperCase() : c.toLowerCase())).join(""));

const managed = (name: string, ...values: string[]) =>
  fc
    .tuple(inAnyCase(name), fc.constantFrom(...values), space, space)
    .map(([name, value, before, after]) => spaced(name, value, before, after));

/** Fields of one hop, which never reach the other side. */
const oneHopField = fc.oneof(
  managed("Connection", "keep-alive", "close", "Keep-Alive, X-Named", "x-named", "", ","),
  managed("Keep-Alive", "timeout=5"),
  managed("Proxy-Connection", "close"),
  managed("Proxy-Authorization", "Basic eA=="),
  managed("TE", "trailers, deflate"),
  managed("Upgrade", "websocket", "h2c"),
);

export type BodyKind = "none" | "length" | "chunked";

export interface MessageFraming {
  kind: BodyKind;
  length: number;
  fields: Field[];
}

const framing: fc.Arbitrary<MessageFraming> = fc.oneof(
  fc.constant<MessageFraming>({ kind: "none", length: -1, fields: [] }),
  fc
    .tuple(fc.maxSafeNat(), inAnyCase("Content-Length"), space, space)
    .map<MessageFraming>(([length, name, before, after]) => ({
      kind: "length",
      length,
      fields: [spaced(name, String(length), before, after)],
    })),
  fc
    .tuple(managed("Transfer-Encoding", "chunked", "CHUNKED", "Chunked"))
    .map<MessageFraming>((fields) => ({ kind: "chunked", length: -1, fields })),
);

export interface RequestExample {
  text: string;
  method: string;
  target: string;
  host: string;
  /** Fields that must reach the server, in order; Host and framing are not among them. */
  endToEnd: Field[];
  /** All fields in order. */
  fields: Field[];
  framing: MessageFraming;
}

const method = fc.oneof(
  fc.constantFrom("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH"),
  token.filter((name) => name !== "CONNECT"),
);
const host = fc.constantFrom("a", "example.com", "example.com:8080", "[2001:db8::1]:80", "192.0.2.1", "");
const originTarget = textFrom(targetCharacters, 0, 40).map((rest) => `/${rest}`);

/** Requests in origin form, HTTP/1.1. */
export const request: fc.Arbitrary<RequestExample> = fc
  .record({
    method,
    target: originTarget,
    host,
    framing,
    others: fc.array(
      fc.oneof({ weight: 4, arbitrary: endToEndField }, { weight: 1, arbitrary: oneHopField }),
      {
        maxLength: 12,
      },
    ),
    named: fc.boolean(),
    hostAt: fc.nat(12),
    framingAt: fc.nat(12),
  })
  .map(({ method, target, host, framing, others, named, hostAt, framingAt }) => {
    const isNamed = others.some(({ name, value }) => /^connection$/i.test(name) && /x-named/i.test(value));
    const fields = [...others];
    if (named) fields.push(spaced("X-Named", "1", " ", ""));
    fields.splice(Math.min(framingAt, fields.length), 0, ...framing.fields);
    fields.splice(Math.min(hostAt, fields.length), 0, spaced("Host", host, " ", ""));
    const endToEnd = fields.filter(({ name }) => !known.test(name) && !(isNamed && /^x-named$/i.test(name)));
    const text = [`${method} ${target} HTTP/1.1`, ...fields.map(({ line }) => line), "", ""].join("\r\n");
    return { text, method, target, host, endToEnd, fields, framing };
  });

export interface ResponseExample {
  text: string;
  status: number;
  reason: string;
  endToEnd: Field[];
  framing: MessageFraming;
}

/** Final responses with a body as their framing says (not 204 or 304). */
export const response: fc.Arbitrary<ResponseExample> = fc
  .record({
    status: fc.constantFrom(200, 201, 301, 404, 500, 599),
    reason: fc.oneof(fc.constant(""), value),
    framing,
    others: fc.array(
      fc.oneof({ weight: 4, arbitrary: endToEndField }, { weight: 1, arbitrary: oneHopField }),
      {
        maxLength: 12,
      },
    ),
    framingAt: fc.nat(12),
  })
  .map(({ status, reason, framing, others, framingAt }) => {
    const fields = [...others];
    fields.splice(Math.min(framingAt, fields.length), 0, ...framing.fields);
    const endToEnd = fields.filter(({ name }) => !known.test(name));
    const text = [`HTTP/1.1 ${status} ${reason}`, ...fields.map(({ line }) => line), "", ""].join("\r\n");
    return { text, status, reason, endToEnd, framing };
  });

export interface ChunkedExample {
  text: string;
  payload: string;
}

const anyBytes = (maxLength: number) =>
  fc.uint8Array({ maxLength }).map((bytes) => Buffer.from(bytes).toString("latin1"));

const extension = fc.oneof(
  { weight: 3, arbitrary: fc.constant("") },
  { weight: 1, arbitrary: fc.tuple(token, value).map(([name, value]) => `;${name}="${value}"`) },
);

const sizeOf = (length: number, zeros: number, isUpper: boolean): string => {
  const hex = "0".repeat(zeros) + length.toString(16);
  return isUpper ? hex.toUpperCase() : hex;
};

/** Chunked bodies with any payload, extensions and trailers. */
export const chunkedBody: fc.Arbitrary<ChunkedExample> = fc
  .record({
    chunks: fc.array(
      fc.record({
        data: anyBytes(60).filter((data) => data !== ""),
        extension,
        zeros: fc.nat(3),
        isUpper: fc.boolean(),
      }),
      { maxLength: 8 },
    ),
    last: fc.tuple(fc.nat(3), extension),
    trailers: fc.array(endToEndField, { maxLength: 4 }),
  })
  .map(({ chunks, last: [zeros, lastExtension], trailers }) => ({
    text: [
      ...chunks.map(
        ({ data, extension, zeros, isUpper }) =>
          `${sizeOf(data.length, zeros, isUpper)}${extension}\r\n${data}\r\n`,
      ),
      `0${"0".repeat(zeros)}${lastExtension}\r\n`,
      ...trailers.map(({ line }) => `${line}\r\n`),
      "\r\n",
    ].join(""),
    payload: chunks.map(({ data }) => data).join(""),
  }));

export interface Mutation {
  at: number;
  kind: "replace" | "insert" | "delete" | "repeat";
  byte: number;
}

/** Bytes that mean something to a parser come up more often than others. */
const mutation: fc.Arbitrary<Mutation> = fc.record({
  at: fc.nat(2000),
  kind: fc.constantFrom("replace" as const, "insert" as const, "delete" as const, "repeat" as const),
  byte: fc.oneof(
    fc.nat(255),
    fc.constantFrom(..."\r\n\0 \t:;,#/*%[]0159afAF".split("").map((c) => c.charCodeAt(0))),
  ),
});
export const mutations = fc.array(mutation, { minLength: 1, maxLength: 4 });

export function mutate(text: string, changes: readonly Mutation[]): string {
  let result = text;
  for (const { at, kind, byte } of changes) {
    const position = at % (result.length + 1);
    const before = result.slice(0, position);
    const char = String.fromCharCode(byte);
    if (kind === "insert") result = before + char + result.slice(position);
    else if (kind === "replace") result = before + char + result.slice(position + 1);
    else if (kind === "delete") result = before + result.slice(position + 1);
    else result = before + result.slice(Math.max(0, position - 20));
  }
  return result;
}
