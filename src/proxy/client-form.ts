import { BodyFramer } from "./http1/body.js";
import { forwardedResponseBound, writeForwardedResponse } from "./http1/forward.js";
import { Framing, type Head } from "./http1/head.js";

/** A written head, with the room behind it that was asked for. */
export interface WrittenHead {
  readonly out: Buffer;
  readonly length: number;
}

/** The form in which a response goes to its client: an HTTP/1.0 client cannot read chunks, and gets the payload alone. */
export class ClientForm {
  /** Minor version of the client's request: 0 or 1. */
  versionMinor = 1;
  /** The response comes in chunks, and goes on without them. */
  dechunking = false;
  private dechunker: BodyFramer | null = null;

  begin(versionMinor: number): void {
    this.versionMinor = versionMinor;
    this.dechunking = false;
  }

  /** Before the head of a final response is written. */
  beginResponse(head: Head): void {
    this.dechunking = head.framing === Framing.chunked && this.versionMinor === 0;
    if (!this.dechunking) return;
    this.dechunker ??= new BodyFramer();
    this.dechunker.reset(Framing.chunked, -1);
  }

  /** `room`: bytes to leave behind the head, for a body that is to leave with it. */
  writeHead(
    bytes: Uint8Array,
    head: Head,
    keepAlive: boolean,
    keepUpgrade: boolean,
    room: number,
  ): WrittenHead {
    const forwarding = {
      keepAlive,
      keepUpgrade,
      clientVersionMinor: this.versionMinor,
      chunkedToClient: head.framing === Framing.chunked && !this.dechunking,
    };
    const out = Buffer.allocUnsafe(forwardedResponseBound(head, forwarding) + room);
    return { out, length: writeForwardedResponse(bytes, head, forwarding, out, 0) };
  }

  /** Passes the payload in `bytes[start, end)`, which are the next bytes of a chunked body, range by range. */
  payload(bytes: Uint8Array, start: number, end: number, pass: (from: number, to: number) => void): void {
    const { dechunker } = this;
    if (dechunker === null) return;
    for (let at = start; at < end && !dechunker.done; ) {
      at = dechunker.nextData(bytes, at, end);
      if (dechunker.dataEnd > dechunker.dataStart) pass(dechunker.dataStart, dechunker.dataEnd);
    }
  }
}
