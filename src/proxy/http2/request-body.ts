/**
 * The body of a request of HTTP/2 as HTTP/1.1 has it: as it is where its length was said, else in chunks. Pure.
 */
import { fieldName, notInValue } from "./field-syntax.js";

/** RFC 9112 §7.1.2 allows no field in trailers that rules the message or its way. */
const notInTrailers =
  /^(?::|content-length$|transfer-encoding$|host$|connection$|te$|trailer$|upgrade$|expect$|keep-alive$|proxy-|x-forwarded-|http2-settings$)/;

/** One chunk, frame included. `data` is copied: one write to a server costs more than that. */
export function chunkOf(data: Uint8Array): Uint8Array {
  const size = `${data.length.toString(16)}\r\n`;
  const chunk = Buffer.allocUnsafe(size.length + data.length + 2);
  chunk.write(size, "latin1");
  chunk.set(data, size.length);
  chunk.write("\r\n", size.length + data.length, "latin1");
  return chunk;
}

/** The end of a body in chunks. `trailers`: names and values by turns; those that cannot stand there are left out. */
export function lastChunk(trailers: readonly string[]): Uint8Array {
  let text = "0\r\n";
  for (let i = 0; i + 1 < trailers.length; i += 2) {
    const name = trailers[i];
    const value = trailers[i + 1];
    if (notInTrailers.test(name) || !fieldName.test(name) || notInValue.test(value)) continue;
    text += `${name}: ${value}\r\n`;
  }
  return Buffer.from(`${text}\r\n`, "latin1");
}
