import { defaultWindowBytes } from "./frame.js";

/** It is opened again when so much of it was taken. */
const updateBytes = defaultWindowBytes >> 1;

/** What a client may send, of one stream or of all (RFC 9113 §5.2). Pure. */
export class ReceiveWindow {
  private left = defaultWindowBytes;
  private taken = 0;

  /** `count` bytes have come. False: more than were allowed. */
  receive(count: number): boolean {
    this.left -= count;
    return this.left >= 0;
  }

  /** `count` of them were taken. Returns by how much WINDOW_UPDATE is to open the window now; 0: not yet. */
  take(count: number): number {
    this.taken += count;
    if (this.taken < updateBytes) return 0;
    const by = this.taken;
    this.left += by;
    this.taken = 0;
    return by;
  }
}
