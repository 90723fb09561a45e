/**
 * Where a head that was refused broke, found out afterwards: parsers carry no position, and nobody asks for one before an
 * operator does.
 */
import { FieldKind } from "./field-kind.js";
import { defaultMaxFields, parseRequestHead, parseResponseHead } from "./head.js";
import { Head, Method } from "./head-record.js";

/** Fields by which a whole head may be refused, by how the reason begins. */
const blamed: readonly (readonly [reason: string, kind: FieldKind])[] = [
  ["host-", FieldKind.host],
  ["content-length-", FieldKind.contentLength],
  ["transfer-encoding-", FieldKind.transferEncoding],
  ["connection-", FieldKind.connection],
  ["expectation-", FieldKind.expect],
];

/**
 * Offset in `bytes` of the byte by which a parser refused the head that begins there: the last of the shortest beginning
 * that it refuses. Of one that is refused for what it says, the last field that says it. `bytes.length`: it is not there.
 */
export function refusalPlace(kind: "request" | "response", bytes: Uint8Array, maxHeadBytes: number): number {
  const head = new Head();
  const limits = { maxHeadBytes, maxFields: defaultMaxFields };
  const isRefused = (length: number): boolean =>
    (kind === "request"
      ? parseRequestHead(bytes, 0, length, head, limits)
      : parseResponseHead(bytes, 0, length, head, limits, Method.other)) < 0;
  if (!isRefused(bytes.length)) return bytes.length;
  // What is refused is refused whatever comes behind it.
  let accepted = 0;
  let refused = bytes.length;
  while (refused - accepted > 1) {
    const middle = (accepted + refused) >> 1;
    if (isRefused(middle)) refused = middle;
    else accepted = middle;
  }
  isRefused(refused);
  const field = blamed.find(([reason]) => head.error.startsWith(reason))?.[1] ?? null;
  if (field !== null)
    for (let i = head.fieldCount - 1; i >= 0; i--) if (head.kind[i] === field) return head.valueStart[i]!;
  // The target's form is looked at when its line is whole.
  const isOfTarget = head.error === "target-form" || head.error === "authority-invalid";
  return isOfTarget ? head.targetStart : refused - 1;
}
