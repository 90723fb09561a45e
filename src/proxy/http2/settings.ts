/** SETTINGS (RFC 9113 §6.5): what we tell a client, and what it tells us. Pure. */
import { ConnectionFault } from "./fault.js";
import {
  defaultWindowBytes,
  ErrorCode,
  mostPayloadBytes,
  mostWindowBytes,
  readUint32,
  Setting,
  writeUint32,
} from "./frame.js";

/** What a client has told that concerns what we send. The rest is for those who push or fill frames. */
export interface ClientSettings {
  headerTableBytes: number;
  /** The smallest one that the latest SETTINGS named on the way to that: an encoder has to hear of it (RFC 7541 §4.2). */
  lowestTableBytes: number;
  initialWindowBytes: number;
}

export const defaultSettings = (): ClientSettings => ({
  headerTableBytes: 4_096,
  lowestTableBytes: 4_096,
  initialWindowBytes: defaultWindowBytes,
});

/** Reads the payload of a SETTINGS frame into `settings`. Throws a ConnectionFault at a value that cannot be (§6.5.2). */
export function readSettings(bytes: Uint8Array, start: number, end: number, settings: ClientSettings): void {
  if ((end - start) % 6 !== 0) throw new ConnectionFault(ErrorCode.frameSizeError, "SETTINGS break off");
  settings.lowestTableBytes = settings.headerTableBytes;
  for (let at = start; at < end; at += 6) {
    const name = (bytes[at] << 8) | bytes[at + 1];
    const value = readUint32(bytes, at + 2);
    if (name === Setting.headerTableSize) {
      settings.headerTableBytes = value;
      settings.lowestTableBytes = Math.min(value, settings.lowestTableBytes);
    } else if (name === Setting.enablePush && value > 1) throw outOfRange("ENABLE_PUSH", value);
    else if (name === Setting.initialWindowSize) {
      if (value > mostWindowBytes)
        throw new ConnectionFault(ErrorCode.flowControlError, `INITIAL_WINDOW_SIZE ${value}`);
      settings.initialWindowBytes = value;
    } else if (name === Setting.maxFrameSize && (value < mostPayloadBytes || value > 2 ** 24 - 1))
      throw outOfRange("MAX_FRAME_SIZE", value);
  }
}

/** The payload of ours: pairs of name and value. */
export function writeSettings(pairs: readonly (readonly [number, number])[]): Uint8Array {
  const payload = new Uint8Array(6 * pairs.length);
  let at = 0;
  for (const [name, value] of pairs) {
    payload[at] = name >>> 8;
    payload[at + 1] = name;
    at = writeUint32(payload, at + 2, value);
  }
  return payload;
}

const outOfRange = (name: string, value: number): ConnectionFault =>
  new ConnectionFault(ErrorCode.protocolError, `${name} ${value}`);
