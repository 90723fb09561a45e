import { writeSync } from "node:fs";
import type { Socket } from "node:net";

type SocketWithHandle = Socket & { readonly _handle: unknown };

/**
 * Writes on a TCP socket's descriptor, past the stream above it, as long as nothing waits in that. What the kernel takes at once, nearly
 * all of it, needs no request object, no callback and no copy of what lies in the room where all receive; the rest is the stream's.
 */
export class StraightWriter {
  /** Why the last write took nothing, where it was not for want of room: the kernel says so only once. */
  failure: string | null = null;

  private constructor(
    private readonly socket: SocketWithHandle,
    private readonly handle: unknown,
    private readonly descriptor: number,
  ) {}

  /** On a connected socket; null: this Node does not tell its descriptor. */
  static over(socket: Socket): StraightWriter | null {
    if (!("_handle" in socket)) return null;
    const handle = socket._handle;
    if (typeof handle !== "object" || handle === null || !("fd" in handle)) return null;
    const { fd } = handle;
    return typeof fd === "number" && fd >= 0 ? new StraightWriter(socket, handle, fd) : null;
  }

  /** How many bytes of `bytes[start, end)` the kernel has taken; 0 too where only the stream can take them. */
  write(bytes: Uint8Array, start: number, end: number): number {
    const { socket } = this;
    // Once a socket has let go of its handle, its descriptor may be somebody else's.
    if (socket._handle !== this.handle || socket.writableLength > 0 || !socket.writable) return 0;
    try {
      return writeSync(this.descriptor, bytes, start, end - start);
    } catch (error) {
      const code: unknown = error instanceof Error && "code" in error ? error.code : null;
      if (code !== "EAGAIN") this.failure = typeof code === "string" ? code : "EIO";
      return 0;
    }
  }
}
