/**
 * Connection (RFC 9110 §7.6.1): whether the connection goes on, whether an upgrade is meant, and which fields go
 * no further than the next hop.
 */
import { ascii, COMMA, equalsIgnoringCase, equalsWord, HTAB, SLASH, SP } from "./byte-class.js";
import { FieldKind, fieldKindOf } from "./field-kind.js";
import type { Head } from "./head-record.js";
import { Framing } from "./head-record.js";

const CLOSE = ascii("close");
const KEEP_ALIVE = ascii("keep-alive");
const UPGRADE = ascii("upgrade");
const H2C = ascii("h2c");
const HTTP = ascii("http");

/** Each is looked up among all fields, so their number is bounded; no honest message comes near it. */
const maxNamedFields = 32;

const connectionBit = 1 << FieldKind.connection;
const upgradeBit = 1 << FieldKind.upgrade;

/** Sets `keepAlive`, `upgrade` and the `named` marks of a cleared head whose framing is known. 0, or minus the status. */
export function readConnectionOptions(bytes: Uint8Array, head: Head): number {
  const isVersion11 = head.versionMinor === 1;
  head.keepAlive = isVersion11;
  if ((head.kinds & connectionBit) === 0) return 0;

  let close = false;
  let keepAlive = false;
  let upgrade = false;
  let named = 0;
  for (let i = 0; i < head.fieldCount; i++) {
    if (head.kind[i] !== FieldKind.connection) continue;
    const end = head.valueEnd[i]!;
    let p = head.valueStart[i]!;
    while (p < end) {
      const start = skipSeparators(bytes, p, end);
      if (start === end) break;
      p = start;
      while (p < end && bytes[p] !== COMMA) p++;
      let optionEnd = p;
      while (bytes[optionEnd - 1] === SP || bytes[optionEnd - 1] === HTAB) optionEnd--;
      if (equalsWord(bytes, start, optionEnd, KEEP_ALIVE)) keepAlive = true;
      else if (equalsWord(bytes, start, optionEnd, CLOSE)) close = true;
      else if (equalsWord(bytes, start, optionEnd, UPGRADE)) upgrade = true;
      else {
        if (++named > maxNamedFields) return head.refuse(400, "connection-too-many-options");
        const refused = markNamed(bytes, head, start, optionEnd);
        if (refused < 0) return refused;
      }
    }
  }
  head.keepAlive = !close && (isVersion11 || keepAlive);
  if (upgrade && isVersion11 && (head.kinds & upgradeBit) !== 0) head.upgrade = isTunnelUpgrade(bytes, head);
  return 0;
}

function skipSeparators(bytes: Uint8Array, at: number, end: number): number {
  let p = at;
  while (p < end && (bytes[p] === COMMA || bytes[p] === SP || bytes[p] === HTAB)) p++;
  return p;
}

/** Marks the fields of that name. An option that is no field name (`foo bar`) matches none and means nothing. */
function markNamed(bytes: Uint8Array, head: Head, start: number, end: number): number {
  const kind = fieldKindOf(bytes, start, end);
  // Taking these away would change where the message ends or whom it is for: a smuggler's wish.
  if (kind === FieldKind.host || kind === FieldKind.contentLength || kind === FieldKind.transferEncoding) {
    return head.refuse(400, "connection-names-framing");
  }
  // Kinds that we know are ruled by `forward.ts`, whether named or not.
  if (kind !== FieldKind.other) return 0;
  const length = end - start;
  for (let i = 0; i < head.fieldCount; i++) {
    const nameStart = head.nameStart[i]!;
    const nameEnd = head.nameEnd[i]!;
    if (nameEnd - nameStart !== length || !equalsIgnoringCase(bytes, nameStart, nameEnd, start, end))
      continue;
    if (!head.anyNamed) {
      // The marks of an earlier head are still there: few heads need any, so they are wiped only then.
      head.anyNamed = true;
      head.named.fill(0, 0, head.fieldCount);
    }
    head.named[i] = 1;
  }
  return 0;
}

/**
 * An upgrade that we carry on as a tunnel. Not to another HTTP (h2c, RFC 9113 §3.1 obsoletes it): requests in
 * such a tunnel would pass unseen. Nor with a body, as HAProxy: what follows it could be taken for either
 * protocol. Such a wish is ignored, as RFC 9110 §7.8 allows.
 */
function isTunnelUpgrade(bytes: Uint8Array, head: Head): boolean {
  if (head.status === 0 && head.framing !== Framing.none && head.contentLength !== 0) return false;
  let isNamed = false;
  for (let i = 0; i < head.fieldCount; i++) {
    if (head.kind[i] !== FieldKind.upgrade) continue;
    const end = head.valueEnd[i]!;
    let p = head.valueStart[i]!;
    while (p < end) {
      const start = skipSeparators(bytes, p, end);
      if (start === end) break;
      p = start;
      while (p < end && bytes[p] !== COMMA && bytes[p] !== SLASH && bytes[p] !== SP && bytes[p] !== HTAB) p++;
      if (equalsWord(bytes, start, p, H2C) || equalsWord(bytes, start, p, HTTP)) return false;
      while (p < end && bytes[p] !== COMMA) p++;
      isNamed = true;
    }
  }
  return isNamed;
}
