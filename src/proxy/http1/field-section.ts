/**
 * Field lines up to the empty line (RFC 9112 §5), syntax only; what fields mean is settled afterwards, when the
 * section is whole.
 */
import { byteClass, COLON, CR, HTAB, LF, SP, TOKEN, VALUE } from "./byte-class.js";
import { FieldKind, fieldKindOf } from "./field-kind.js";
import type { Head } from "./head-record.js";

/**
 * Returns the offset after the empty line, 0 when the section is not whole yet, or minus the status. Strict:
 * lines end in CRLF and nothing else; no folding, no space around the name, no control bytes.
 */
export function parseFieldSection(
  bytes: Uint8Array,
  at: number,
  end: number,
  head: Head,
  maxFields: number,
): number {
  const { nameStart, nameEnd, valueStart, valueEnd, kind } = head;
  const max = Math.min(maxFields, kind.length);
  let count = 0;
  let kinds = 0;
  let p = at;
  for (;;) {
    if (p >= end) return 0;
    let c = bytes[p]!;
    if (c === CR) {
      if (p + 1 === end) return 0;
      if (bytes[p + 1] !== LF) return head.refuse(400, "bare-cr");
      head.fieldCount = count;
      head.kinds = kinds;
      head.end = p + 2;
      return p + 2;
    }
    if (count === max) return head.refuse(431, "too-many-fields");

    const name = p;
    while ((byteClass[c]! & TOKEN) !== 0) {
      if (++p === end) return 0;
      c = bytes[p]!;
    }
    if (c !== COLON || p === name) return head.refuse(400, nameError(c, p === name, count));
    nameStart[count] = name;
    nameEnd[count] = p;
    const known = fieldKindOf(bytes, name, p);
    kind[count] = known;
    if (known !== FieldKind.other) kinds |= 1 << known;

    do {
      if (++p === end) return 0;
      c = bytes[p]!;
    } while (c === SP || c === HTAB);
    valueStart[count] = p;
    // Visible ASCII as a rule; the table settles the rest. Twice as fast as the table alone.
    for (;;) {
      while (c >= SP && c < 0x7f) {
        if (++p === end) return 0;
        c = bytes[p]!;
      }
      if ((byteClass[c]! & VALUE) === 0) break;
      if (++p === end) return 0;
      c = bytes[p]!;
    }
    if (c !== CR) return head.refuse(400, valueError(c));
    valueEnd[count] = withoutTrailingSpace(bytes, valueStart[count]!, p);
    if (++p === end) return 0;
    if (bytes[p] !== LF) return head.refuse(400, "bare-cr");
    p++;
    count++;
  }
}

function withoutTrailingSpace(bytes: Uint8Array, start: number, end: number): number {
  let p = end;
  while (p > start && (bytes[p - 1] === SP || bytes[p - 1] === HTAB)) p--;
  return p;
}

function nameError(byte: number, isFirst: boolean, count: number): string {
  if (byte === SP || byte === HTAB) {
    if (!isFirst) return "space-before-colon";
    return count === 0 ? "space-before-name" : "obs-fold";
  }
  if (byte === LF) return "bare-lf";
  if (byte === CR) return "colon-missing";
  if (byte === 0) return "nul";
  return byte === COLON ? "field-name-empty" : "field-name-invalid";
}

function valueError(byte: number): string {
  if (byte === LF) return "bare-lf";
  return byte === 0 ? "nul" : "field-value-invalid";
}
