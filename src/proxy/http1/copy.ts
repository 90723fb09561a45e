/**
 * Copying short runs of bytes, which a proxy does a dozen times per request. Each returns the offset after what it wrote.
 */

/** Above this a call into the engine's memmove is cheaper than a loop: making the view that `set` needs costs 80 ns. */
const longRun = 160;

export function copyBytes(
  bytes: Uint8Array,
  start: number,
  end: number,
  out: Uint8Array,
  at: number,
): number {
  const length = end - start;
  if (length > longRun) {
    if (bytes === out) out.copyWithin(at, start, end);
    else out.set(bytes.subarray(start, end), at);
  } else {
    for (let i = 0; i < length; i++) out[at + i] = bytes[start + i]!;
  }
  return at + length;
}

export function appendBytes(line: Uint8Array, out: Uint8Array, at: number): number {
  const length = line.length;
  for (let i = 0; i < length; i++) out[at + i] = line[i]!;
  return at + length;
}

/** Moves `bytes[start, end)` so that it ends at `newEnd`, which is not below `end`; returns where it begins then. */
export function moveUp(bytes: Uint8Array, start: number, end: number, newEnd: number): number {
  const length = end - start;
  const to = newEnd - length;
  if (to === start) return start;
  if (length > longRun) bytes.copyWithin(to, start, end);
  else for (let i = length - 1; i >= 0; i--) bytes[to + i] = bytes[start + i]!;
  return to;
}
