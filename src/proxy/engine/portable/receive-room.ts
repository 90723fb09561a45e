import { copyBytes } from "../../http1/copy.js";
import { headroomBytes } from "../engine.js";

/** A file of 64 KiB comes with its head in one piece. */
const receiveBytes = 73_728;

/** For a stream that is not to call one reception too much for it. */
export const highWaterMark = receiveBytes + 1;

/**
 * What is not under TLS is received here by all connections of a thread: a buffer for each read would cost more than what is read, and
 * keep the collector busy. It is good until the next read, so whoever keeps a part of it copies that.
 */
export const receiveRoom: Uint8Array = Buffer.allocUnsafeSlow(headroomBytes + receiveBytes);

/** The part of it that is received into. */
export const receiveBuffer = receiveRoom.subarray(headroomBytes);

/** `bytes[start, end)` for somebody who may keep it. */
export function keepable(bytes: Uint8Array, start: number, end: number): Uint8Array {
  if (bytes !== receiveRoom) return start === 0 && end === bytes.length ? bytes : bytes.subarray(start, end);
  const copy = Buffer.allocUnsafe(end - start);
  copyBytes(bytes, start, end, copy, 0);
  return copy;
}
