import type { Connection, Engine, Room } from "./engine/engine.js";
import { HeldBytes } from "./held-bytes.js";
import { copyBytes } from "./http1/copy.js";
import { Method } from "./http1/head.js";

/** A request body up to this size is kept until the response begins, so that a safe request can be sent again. */
const keptBodyBytes = 16_384;

/** RFC 9110 §9.2.2: sending it twice has the effect of sending it once. */
const isIdempotent = (method: number): boolean =>
  method !== Method.POST && method !== Method.PATCH && method !== Method.other && method !== Method.CONNECT;

/** A request as it goes to a server: the head, kept for the next attempt, and what of the body can be sent again. */
export class KeptRequest {
  /**
   * It may be sent again although a server may have seen it: the method is idempotent, and what has been sent of the
   * body is all here.
   */
  replayable = false;
  private head: Room | null = null;
  private headEnd = 0;
  private readonly body = new HeldBytes();

  constructor(private readonly engine: Engine) {}

  /** The head lies in `room`, which the engine keeps for it, up to `headEnd`. */
  begin(room: Room, headEnd: number, method: number): void {
    this.head = room;
    this.headEnd = headEnd;
    this.replayable = isIdempotent(method);
  }

  /** Body bytes that are being sent. */
  keep(bytes: Uint8Array, start: number, end: number): void {
    if (!this.replayable) return;
    if (this.body.length + end - start <= keptBodyBytes) this.body.append(bytes, start, end);
    else this.forgetBody();
  }

  /** More of the body is being sent than is kept: it cannot be sent again. */
  forgetBody(): void {
    this.replayable = false;
    this.body.clear();
  }

  /** Sends all that is kept and returns how many bytes that were. `more`: more of the body follows in this very turn. */
  sendTo(connection: Connection, more: boolean): number {
    const { head, headEnd } = this;
    if (head === null) return 0;
    const bodyBytes = this.body.length;
    connection.send(head.bytes, head.start, headEnd, bodyBytes > 0 || more);
    if (bodyBytes > 0) connection.send(this.body.peek(), 0, bodyBytes, more);
    return headEnd - head.start + bodyBytes;
  }

  /** Of the head as it goes to a server. */
  get headBytes(): number {
    return this.head === null ? 0 : this.headEnd - this.head.start;
  }

  /** Copies the head into `bytes` at `at`; returns the offset after it. */
  copyTo(bytes: Uint8Array, at: number): number {
    if (this.head === null) return at;
    copyBytes(this.head.bytes, this.head.start, this.headEnd, bytes, at);
    return at + this.headBytes;
  }

  /** The request line as the client wrote it; null when the head is not kept any more. The target may be in another form. */
  line(versionMinor: number): string | null {
    if (this.head === null) return null;
    const { bytes, start } = this.head;
    const end = bytes.indexOf(0x0d, start);
    const line = Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString("latin1");
    return versionMinor === 0 ? line.replace(/1$/, "0") : line;
  }

  clear(): void {
    if (this.head === null) return;
    this.engine.giveBack(this.head);
    this.head = null;
    this.body.clear();
  }
}
