import type { Balance } from "../../config/balance.js";
import { lower } from "../http1/byte-class.js";
import type { Head } from "../http1/head.js";
import { noKey } from "./algorithm.js";
import { hashBytes, hashText } from "./key-hash.js";

const slash = 0x2f;
const question = 0x3f;

/** What the requests of a proxy are hashed by. `head` describes a request in `bytes`. */
export type RequestKey = (bytes: Uint8Array, head: Head, clientAddress: string) => number;

/** null: the algorithm asks for no key. */
export function requestKeyOf(balance: Balance): RequestKey | null {
  // One client has one key for all of its requests: hashing some 15 characters costs less than keeping the hash.
  if (balance === "source") return (_bytes, _head, clientAddress) => hashText(clientAddress);
  if (typeof balance === "string" || balance.by === "random") return null;
  if (balance.by === "hdr") {
    const name = Uint8Array.from(balance.field, (letter) => letter.charCodeAt(0));
    return (bytes, head) => headerKey(bytes, head, name);
  }
  const { whole, length, depth } = balance;
  return (bytes, head) =>
    hashBytes(bytes, head.pathStart, uriEnd(bytes, head.pathStart, head.targetEnd, whole, length, depth));
}

/** HAProxy's `balance uri`: up to the query unless `whole`, at most `length` bytes, and `depth` slashes behind the first. */
function uriEnd(
  bytes: Uint8Array,
  start: number,
  targetEnd: number,
  whole: boolean,
  length: number,
  depth: number,
): number {
  const end = length > 0 ? Math.min(targetEnd, start + length) : targetEnd;
  let slashes = 0;
  for (let at = start; at < end; at++) {
    if (bytes[at] === question && !whole) return at;
    if (bytes[at] === slash && depth > 0 && ++slashes > depth) return at;
  }
  return end;
}

/** The first field of that name, whatever its case; an empty value is none. */
function headerKey(bytes: Uint8Array, head: Head, name: Uint8Array): number {
  for (let field = 0; field < head.fieldCount; field++) {
    const start = head.nameStart[field];
    if (head.nameEnd[field] - start !== name.length || !equalsInAnyCase(bytes, start, name)) continue;
    const from = head.valueStart[field];
    const to = head.valueEnd[field];
    return from < to ? hashBytes(bytes, from, to) : noKey;
  }
  return noKey;
}

/** `name` is in lower case. */
function equalsInAnyCase(bytes: Uint8Array, start: number, name: Uint8Array): boolean {
  for (let i = 0; i < name.length; i++) {
    if (lower(bytes[start + i]) !== name[i]) return false;
  }
  return true;
}
