import type { Connection } from "./engine/engine.js";
import { HeldBytes } from "./held-bytes.js";
import { Method } from "./http1/head.js";

/** A request body up to this size is kept until the response begins, so that a safe request can be sent again. */
const keptBodyBytes = 16_384;

const empty = new Uint8Array(0);

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
  private head: Uint8Array = empty;
  private readonly body = new HeldBytes();

  begin(head: Uint8Array, method: number): void {
    this.head = head;
    this.replayable = isIdempotent(method);
  }

  /** Body bytes that are being sent. */
  keep(bytes: Uint8Array, start: number, end: number): void {
    if (!this.replayable) return;
    if (this.body.length + end - start <= keptBodyBytes) {
      this.body.append(bytes, start, end);
      return;
    }
    this.replayable = false;
    this.body.clear();
  }

  /** Sends all that is kept and returns how many bytes that were. `more`: more of the body follows in this very turn. */
  sendTo(connection: Connection, more: boolean): number {
    const bodyBytes = this.body.length;
    connection.send(this.head, 0, this.head.length, bodyBytes > 0 || more);
    if (bodyBytes > 0) connection.send(this.body.peek(), 0, bodyBytes, more);
    return this.head.length + bodyBytes;
  }

  clear(): void {
    this.head = empty;
    this.body.clear();
  }
}
