import { BodyFramer } from "./http1/body.js";
import {
  editForwardedResponse,
  forwardedResponseBound,
  type ResponseForwarding,
  writeForwardedResponse,
} from "./http1/forward.js";
import { Framing, type Head } from "./http1/head.js";

/** Filled in and read within one call, so one serves all. */
const forwarding: ResponseForwarding = {
  keepAlive: false,
  keepUpgrade: false,
  clientVersionMinor: 1,
  chunkedToClient: false,
};

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

  /** Upper bound of the bytes that `writeHead` writes. */
  headBound(head: Head): number {
    return forwardedResponseBound(head, forwarding);
  }

  /** Writes the head that `head` describes in `bytes` into `out` from `at`; returns the offset after it. */
  writeHead(
    bytes: Uint8Array,
    head: Head,
    keepAlive: boolean,
    keepUpgrade: boolean,
    out: Uint8Array,
    at: number,
  ): number {
    this.describe(head, keepAlive, keepUpgrade);
    return writeForwardedResponse(bytes, head, forwarding, out, at);
  }

  /** Makes the final head what the client gets, where it lies; returns where it begins then, or -1: it must be written. */
  editHead(bytes: Uint8Array, head: Head, keepAlive: boolean): number {
    this.describe(head, keepAlive, false);
    return editForwardedResponse(bytes, head, forwarding);
  }

  private describe(head: Head, keepAlive: boolean, keepUpgrade: boolean): void {
    forwarding.keepAlive = keepAlive;
    forwarding.keepUpgrade = keepUpgrade;
    forwarding.clientVersionMinor = this.versionMinor;
    forwarding.chunkedToClient = head.framing === Framing.chunked && !this.dechunking;
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
