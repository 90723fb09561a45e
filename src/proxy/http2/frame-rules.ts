/** What a frame must be by itself, whatever the state of the connection: its stream and its length (RFC 9113 §6). Pure. */
import { frameSizeError, protocolError } from "./fault.js";
import { Flag, FrameType } from "./frame.js";

/** Throws a ConnectionFault. `size`: of its payload. Frames with a head in them and PRIORITY have rules of their own. */
export function checkFrame(type: number, flags: number, stream: number, size: number): void {
  switch (type) {
    case FrameType.rstStream:
      if (size !== 4) throw frameSizeError("RST_STREAM");
      return;
    case FrameType.settings:
      if (stream !== 0) throw protocolError("SETTINGS on a stream");
      if ((flags & Flag.ack) !== 0 && size > 0) throw frameSizeError("SETTINGS");
      return;
    case FrameType.pushPromise:
      throw protocolError("PUSH_PROMISE of a client");
    case FrameType.ping:
      if (stream !== 0) throw protocolError("PING on a stream");
      if (size !== 8) throw frameSizeError("PING");
      return;
    case FrameType.goaway:
      if (stream !== 0) throw protocolError("GOAWAY on a stream");
      if (size < 8) throw frameSizeError("GOAWAY");
      return;
    case FrameType.windowUpdate:
      if (size !== 4) throw frameSizeError("WINDOW_UPDATE");
      return;
    default:
  }
}
