/**
 * The frames of the peer link: `length(2, big-endian) type(1) payload`, the length counting type and payload.
 *
 * A reader takes what TCP brings, in whatever pieces, and is bounded: a length beyond what may come next ends the
 * conversation before its bytes are waited for.
 */
export const FrameType = { hello: 1, challenge: 2, proof: 3, data: 4 } as const;

export interface Frame {
  readonly type: number;
  readonly payload: Uint8Array;
}

const headerBytes = 2;
/** Of a stranger's frames: none of the handshake is longer. */
export const longestHandshakeFrame = 128;
export const longestFrame = 16_384;

export function encodeFrame(type: number, payload: Uint8Array): Uint8Array {
  const frame = new Uint8Array(headerBytes + 1 + payload.length);
  new DataView(frame.buffer).setUint16(0, 1 + payload.length);
  frame[headerBytes] = type;
  frame.set(payload, headerBytes + 1);
  return frame;
}

export type Read =
  /** Null: a frame is not whole yet. `rest`: what came behind it. */
  | { readonly ok: true; readonly frame: Frame | null; readonly rest: Uint8Array }
  | { readonly ok: false; readonly length: number };

/** Takes the first frame from `bytes`. Not `ok`: it announces no type, or more than `longest` bytes. */
export function readFrame(bytes: Uint8Array, longest: number): Read {
  if (bytes.length < headerBytes) return { ok: true, frame: null, rest: bytes };
  const length = (bytes[0] << 8) | bytes[1];
  if (length < 1 || length > longest) return { ok: false, length };
  const end = headerBytes + length;
  if (bytes.length < end) return { ok: true, frame: null, rest: bytes };
  return {
    ok: true,
    frame: { type: bytes[headerBytes], payload: bytes.slice(headerBytes + 1, end) },
    rest: bytes.slice(end),
  };
}

export function concatenate(...parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
