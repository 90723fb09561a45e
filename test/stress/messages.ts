import { answerOf, bodyBytes, uploadOf } from "./pattern.js";
import type { Answer, ExchangePlan, Upload } from "./plan.js";
import type { Random } from "./random.js";
import type { Wire } from "./wire.js";

export const targetOf = (exchange: ExchangePlan): string => `/x/${exchange.id}`;

/** The bytes of a request, piece by piece. `closes`: it is to be the connection's last. */
export function requestHead(exchange: ExchangePlan, closes: boolean): Buffer {
  const { upload } = exchange;
  const lines = [`${exchange.method} ${targetOf(exchange)} HTTP/1.${exchange.versionMinor}`, "Host: stress"];
  if (exchange.paddingBytes > 0) lines.push(`X-Padding: ${"p".repeat(exchange.paddingBytes)}`);
  if (exchange.special === "tunnel") lines.push("Connection: Upgrade", "Upgrade: echo");
  else if (closes) lines.push("Connection: close");
  if (upload?.framing === "length") lines.push(`Content-Length: ${upload.bytes}`);
  if (upload?.framing === "chunked") lines.push("Transfer-Encoding: chunked");
  if (upload?.expects) lines.push("Expect: 100-continue");
  return Buffer.from(`${lines.join("\r\n")}\r\n\r\n`, "latin1");
}

export function uploadBody(exchange: ExchangePlan, upload: Upload, random: Random): Iterable<Buffer> {
  return upload.framing === "length"
    ? plainBody(uploadOf(exchange.id), upload.bytes)
    : chunkedBody(uploadOf(exchange.id), upload.bytes, upload.trailer, random);
}

/** The head that a server sends; `uploaded` says what it saw of the request's body. */
export function answerHead(exchange: ExchangePlan, answer: Answer, uploaded: string): Buffer {
  const lines = [`HTTP/1.1 ${answer.status} Answer`, `X-Exchange: ${exchange.id}`, `X-Upload: ${uploaded}`];
  if (answer.status !== 204) {
    if (answer.framing === "length") lines.push(`Content-Length: ${answer.bytes}`);
    // A 304 has no body, and need not say how it would have been framed.
    if (answer.framing === "chunked" && answer.status !== 304) lines.push("Transfer-Encoding: chunked");
  }
  if (answer.closes) lines.push("Connection: close");
  return Buffer.from(`${lines.join("\r\n")}\r\n\r\n`, "latin1");
}

export const hasNoBody = (exchange: ExchangePlan, status: number): boolean =>
  exchange.method === "HEAD" || status === 204 || status === 304;

export function answerBody(exchange: ExchangePlan, answer: Answer, random: Random): Iterable<Buffer> {
  if (hasNoBody(exchange, answer.status)) return [];
  return answer.framing === "chunked"
    ? chunkedBody(answerOf(exchange.id), answer.bytes, answer.trailer, random)
    : plainBody(answerOf(exchange.id), answer.bytes);
}

export function* concat(head: Buffer, body: Iterable<Buffer>): Generator<Buffer> {
  yield head;
  yield* body;
}

export function* plainBody(message: number, bytes: number): Generator<Buffer> {
  for (let at = 0; at < bytes; ) {
    const part = bodyBytes(message, at, Math.min(65_536, bytes - at));
    yield part;
    at += part.length;
  }
}

function* chunkedBody(message: number, bytes: number, trailer: boolean, random: Random): Generator<Buffer> {
  const crlf = Buffer.from("\r\n");
  for (let at = 0; at < bytes; ) {
    const part = bodyBytes(
      message,
      at,
      Math.min(random.whole(1, random.chance(0.2) ? 20 : 40_000), bytes - at),
    );
    const extension = random.chance(0.05) ? ";note=x" : "";
    yield Buffer.concat([Buffer.from(`${part.length.toString(16)}${extension}\r\n`), part, crlf]);
    at += part.length;
  }
  yield Buffer.from(trailer ? "0\r\nX-Trailer: end\r\n\r\n" : "0\r\n\r\n");
}

/** What was read of a body. */
export interface ReadBody {
  bytes: number;
  /** Every byte so far was the right one. */
  right: boolean;
  /** The framing's end has come. */
  whole: boolean;
  /** What broke its framing. */
  wrong: string | null;
}

/** Reads a body of a known length (Infinity: until the end of the connection). `each` may end the reading by false. */
export async function readPlain(
  wire: Wire,
  length: number,
  each: (bytes: Buffer, offset: number) => boolean,
): Promise<ReadBody> {
  const body: ReadBody = { bytes: 0, right: true, whole: length === 0, wrong: null };
  while (body.bytes < length) {
    const part = await wire.readSome(length - body.bytes);
    if (part === null) {
      body.whole = length === Number.POSITIVE_INFINITY && wire.errorCode === null;
      return body;
    }
    const goesOn = each(part, body.bytes);
    body.bytes += part.length;
    if (!goesOn) return body;
  }
  body.whole = true;
  return body;
}

export async function readChunked(
  wire: Wire,
  each: (bytes: Buffer, offset: number) => boolean,
): Promise<ReadBody> {
  const body: ReadBody = { bytes: 0, right: true, whole: false, wrong: null };
  for (;;) {
    const line = await wire.readPast("\r\n");
    if (line === null) return body;
    const digits = /^([0-9a-f]+)(;.*)?\r\n$/i.exec(line.toString("latin1"))?.[1];
    if (digits === undefined) {
      body.wrong = `chunk size ${JSON.stringify(line.toString("latin1").slice(0, 40))}`;
      return body;
    }
    let left = Number.parseInt(digits, 16);
    if (left === 0) {
      for (;;) {
        const trailer = await wire.readPast("\r\n");
        if (trailer === null) return body;
        if (trailer.length === 2) break;
      }
      body.whole = true;
      return body;
    }
    while (left > 0) {
      const part = await wire.readSome(left);
      if (part === null) return body;
      const goesOn = each(part, body.bytes);
      body.bytes += part.length;
      left -= part.length;
      if (!goesOn) return body;
    }
    const end = await wire.readPast("\r\n");
    if (end === null) return body;
    if (end.length !== 2) {
      body.wrong = `end of chunk ${JSON.stringify(end.toString("latin1").slice(0, 40))}`;
      return body;
    }
  }
}

/** A head's first line and fields, names in small letters. Throws nothing: a field without a colon is none. */
export function readHead(bytes: Buffer): {
  readonly line: string;
  readonly fields: ReadonlyMap<string, string>;
} {
  const [line, ...rest] = bytes.toString("latin1").split("\r\n");
  const fields = new Map<string, string>();
  for (const text of rest) {
    const colon = text.indexOf(":");
    if (colon > 0) fields.set(text.slice(0, colon).toLowerCase(), text.slice(colon + 1).trim());
  }
  return { line, fields };
}
