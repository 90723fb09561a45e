/**
 * Fields of responses for HTTP/2 (RFC 9113 §8.2): small names, none about a connection. Pure.
 */
import { FieldKind } from "../http1/field-kind.js";
import type { Head } from "../http1/head-record.js";

/** By name; several lines of one name are a list. Without a prototype, so that every name can stand in it. */
export type ResponseFields = Record<string, string | string[]>;

/** Of the connection that the response came over, or would have gone over. */
const ofConnection =
  (1 << FieldKind.connection) |
  (1 << FieldKind.keepAlive) |
  (1 << FieldKind.proxyConnection) |
  (1 << FieldKind.transferEncoding) |
  (1 << FieldKind.te) |
  (1 << FieldKind.upgrade) |
  (1 << FieldKind.http2Settings);

/**
 * Fields whose grammar is one value: Node's HTTP/2 takes no two lines of them. Two that come are put into one (RFC 9110 §5.2),
 * as a recipient would take them.
 */
const single = new Set([
  ..."access-control-allow-credentials access-control-max-age access-control-request-method age".split(" "),
  ..."authorization content-encoding content-language content-length content-location content-md5".split(" "),
  ..."content-range content-type date dnt etag expires from host if-match if-modified-since".split(" "),
  ..."if-none-match if-range if-unmodified-since last-modified location max-forwards".split(" "),
  ..."proxy-authorization range referer retry-after tk upgrade-insecure-requests user-agent".split(" "),
  "x-content-type-options",
]);

/** Those of the response that `head` describes in `bytes`. */
export function responseFields(bytes: Uint8Array, head: Head): ResponseFields {
  const fields: ResponseFields = Object.create(null);
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let i = 0; i < head.fieldCount; i++) {
    if (((ofConnection >>> head.kind[i]) & 1) !== 0) continue;
    const name = text.toString("latin1", head.nameStart[i], head.nameEnd[i]).toLowerCase();
    add(fields, name, text.toString("latin1", head.valueStart[i], head.valueEnd[i]));
  }
  return fields;
}

/** Those of a trailer section, given as its lines. */
export function trailerFields(section: Uint8Array): ResponseFields {
  const fields: ResponseFields = Object.create(null);
  for (const line of Buffer.from(section).toString("latin1").split("\r\n")) {
    const colon = line.indexOf(":");
    if (colon > 0) add(fields, line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim());
  }
  return fields;
}

function add(fields: ResponseFields, name: string, value: string): void {
  const present = fields[name];
  if (present === undefined) fields[name] = value;
  else if (typeof present !== "string") present.push(value);
  else fields[name] = single.has(name) ? `${present}, ${value}` : [present, value];
}
