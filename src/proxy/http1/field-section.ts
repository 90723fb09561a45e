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
  const max = Math.min(maxFields, head.kind.length);
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

    const nameStart = p;
    while ((byteClass[c]! & TOKEN) !== 0) {
      if (++p === end) return 0;
      c = bytes[p]!;
    }
    if (c !== COLON || p === nameStart) return head.refuse(400, nameError(c, p === nameStart, count));
    const nameEnd = p;

    do {
      if (++p === end) return 0;
      c = bytes[p]!;
    } while (c === SP || c === HTAB);
    const valueStart = p;
    while ((byteClass[c]! & VALUE) !== 0) {
      if (++p === end) return 0;
      c = bytes[p]!;
    }
    if (c !== CR) return head.refuse(400, valueError(c));
    let valueEnd = p;
    while (valueEnd > valueStart && (bytes[valueEnd - 1] === SP || bytes[valueEnd - 1] === HTAB)) valueEnd--;
    if (++p === end) return 0;
    if (bytes[p] !== LF) return head.refuse(400, "bare-cr");
    p++;

    const kind = fieldKindOf(bytes, nameStart, nameEnd);
    head.nameStart[count] = nameStart;
    head.nameEnd[count] = nameEnd;
    head.valueStart[count] = valueStart;
    head.valueEnd[count] = valueEnd;
    head.kind[count] = kind;
    if (kind !== FieldKind.other) kinds |= 1 << kind;
    count++;
  }
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
